"""What a model says of the patients behind it, and whether it may leave its centre."""

from __future__ import annotations

from dataclasses import dataclass, replace

# Patients of a cell below which it could point at a person.
SMALL_CELLS = 5
# Other sizes that may be asked for: statistical offices use from 3 on. So many share
# each ordered outcome, too: five would cost a tenth of what the order is worth.
FEWEST, MOST = 3, 50


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """The rule that a development followed, and what remains.

    Parameters
    ----------
    k : int
        Nothing was learned that fewer patients decide; 0: no rule was followed.
    n : int
        Patients with a known outcome behind the model.
    n_since_release, events_since_release : int
        Those of them who are in no earlier model that may leave the centre, and how
        many had the event.
    parameters : int
        Coefficients and cut points that were learned from patients.
    contrasts_left_out : tuple of str
        Base columns of which nothing was learned: their prior stands.
    stays_here : bool
        Whether any patient was learned from without the rule.
    ancestors : tuple of str
        Digests of the models that it was updated from, the first one first.

    Examples
    --------
    >>> Disclosure(
    ...     k=5, n=40, n_since_release=3, events_since_release=1, parameters=20
    ... ).may_leave
    False
    """

    k: int
    n: int
    n_since_release: int
    events_since_release: int
    parameters: int
    contrasts_left_out: tuple[str, ...] = ()
    stays_here: bool = False
    ancestors: tuple[str, ...] = ()

    @property
    def may_leave(self) -> bool:
        """Whether neither the model nor its difference from an earlier one tells."""
        enough = self.n_since_release >= self.k > 0
        # who all had the event, or none, would be told by the totals
        mixed = 0 < self.events_since_release < self.n_since_release
        return not self.stays_here and enough and mixed

    def updated(self, earlier: Disclosure | None, digest: str) -> Disclosure:
        """Of a model that started from an ``earlier`` one, and then followed this."""
        if earlier is None:
            return replace(self, ancestors=(digest,))
        waits = not earlier.may_leave
        out = set(self.contrasts_left_out) & set(earlier.contrasts_left_out)
        learned = max(self.parameters, earlier.parameters)
        newly = set(earlier.contrasts_left_out) - set(self.contrasts_left_out)
        return Disclosure(
            k=min(self.k, earlier.k),
            n=self.n + earlier.n,
            n_since_release=self.n_since_release + waits * earlier.n_since_release,
            events_since_release=self.events_since_release
            + waits * earlier.events_since_release,
            parameters=max(learned, earlier.parameters + len(newly)),
            contrasts_left_out=tuple(
                name for name in earlier.contrasts_left_out if name in out
            ),
            stays_here=self.stays_here or earlier.stays_here,
            ancestors=(*earlier.ancestors, digest),
        )


def is_cell_size(value: object) -> bool:
    """Whether a number may be the size of a small cell: 0, or from 3 to 50."""
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and (value == 0 or FEWEST <= value <= MOST)
    )
