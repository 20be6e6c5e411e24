"""From the models of centres to one for a new centre, or for one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from responder_model.development import published_model
from responder_model.errors import ResponderModelError
from responder_model.model import Model
from responder_model.model.given import check_model
from responder_model.words import Note
from .contribution import Contribution, contribution_of
from .effects import Effect, effects_of
from .heterogeneity import Between, Member, between, members_of
from .joint import Joint
from .members import check_members, told_apart
from .straight import is_bent, straightened
from .whole import model_of, notes_of

# Effects that a table or a figure shows beside the level.
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Combination:
    """A model of several centres, and how they agree.

    Parameters
    ----------
    model : Model
        For a centre that is none of them, or for the member that was asked for.
    members : tuple of Member
        Each centre beside the others.
    between : Between
        How far centres lie apart.
    effects : tuple of Effect
        Level and main effects of each centre, of all, and of a new one.
    without : Combination or None
        The same without the centres that contradict the others; None where none does,
        or fewer than two are left. A reader compares; nothing is dropped.
    """

    model: Model
    members: tuple[Member, ...]
    between: Between
    effects: tuple[Effect, ...]
    without: Combination | None = None

    @property
    def evidence_weight(self) -> float:
        """Share of the published evidence in what is known of what all share."""
        return 1.0 - sum(member.weight for member in self.members)

    @property
    def strongest(self) -> tuple[int, ...]:
        """Places of the level and of the effects that most surely are not none."""
        order = sorted(
            range(1, len(self.effects)), key=lambda k: -self.effects[k].strength
        )
        return (0, *order[:_SHOWN])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the model."""
        return {
            "members": [vars(member) for member in self.members],
            "evidence_weight": self.evidence_weight,
            "between": vars(self.between),
            "effects": [effect.to_dict() for effect in self.effects],
            "without": None if self.without is None else self.without.to_dict(),
            "n_patients": self.model.n_patients,
            "n_events": self.model.n_events,
            "provenance": self.model.provenance,
        }


def combine(
    models: Sequence[Model | Contribution],
    *,
    for_member: int | None = None,
    alike: bool = False,
    name: str | None = None,
) -> Combination:
    """Combine developed models of centres from their folders alone.

    The evidence counts once, each centre's patients once; what centres have in common
    and how far they lie apart is learned from all. No patient is exchanged. Trees are
    left out: they cannot be combined without patients. So are the curves of numbers,
    which small centres and files made for leaving do not have.

    Parameters
    ----------
    models : sequence of Model or Contribution
        One a centre: its folder, developed on its patients and not updated, or what
        ``share`` made of them; of one question, with the same predictors.
    for_member : int, optional
        Place of the member whose own model is wanted: what it shares with the others,
        and its own level. Default: for a new centre.
    alike : bool
        Suppose that centres do not differ. Models of such centres can be combined in
        steps.
    name : str, optional
        Name of the model; default: all names, with digests where they are alike.

    Returns
    -------
    Combination

    Raises
    ------
    ResponderModelError
        With every reason why the models cannot be combined.

    Examples
    --------
    >>> import responder_model as rm
    >>> settings = rm.Settings(decision="rtms_response", moment="screening",
    ...     challenger=False)
    >>> models = [rm.develop(rm.simulate_cohort(n_patients=60, seed=seed),
    ...     settings=settings) for seed in (1, 2)]
    >>> found = combine(models)
    >>> found.model.n_patients == sum(model.n_patients for model in models)
    True
    """
    for one in models:
        if not isinstance(one, Contribution):
            check_model(one)
    models = told_apart(models)
    bent = [one.name for one in models if isinstance(one, Model) and is_bent(one)]
    models = [straightened(one) if isinstance(one, Model) else one for one in models]
    base = _base(models)
    check_members(models, base)
    if for_member is not None and not 0 <= for_member < len(models):
        raise ResponderModelError(
            Note("combining.no_such_member", n=len(models), place=for_member)
        )
    centres = [
        one if isinstance(one, Contribution) else contribution_of(one) for one in models
    ]
    joint = Joint.of(centres, base, alike=alike)
    posteriors = joint.posteriors()
    members = members_of(joint, joint.shares(posteriors))
    by_spread = np.array([one.weight for one in posteriors])
    by_spread = by_spread.reshape(-1, len(joint.spreads)).sum(axis=0)
    chosen = posteriors if for_member is None else joint.posteriors(for_member)
    mixture = [chosen[place] for place in joint.likely(chosen)]
    model = model_of(centres, base, mixture, member=for_member, name=name)
    notes = (*model.notes, *notes_of(centres, members, bent))
    return Combination(
        model=replace(model, notes=notes),
        members=members,
        between=between(members, joint.spreads, by_spread),
        effects=effects_of(joint, posteriors),
        without=_without(models, members, alike=alike),
    )


def _without(
    models: Sequence[Model | Contribution], members: Sequence[Member], *, alike: bool
) -> Combination | None:
    """Combine those that agree, for comparison."""
    kept = [one for one, m in zip(models, members, strict=True) if not m.contradicts]
    if len(kept) in (1, 0, len(models)):
        return None
    return combine(kept, alike=alike)


def _base(models: Sequence[Model | Contribution]) -> Model:
    """Whose dictionary and columns count: the first folder's, else the installed."""
    for one in models:
        if isinstance(one, Model):
            return one
    if not models:
        raise ResponderModelError(
            Note("combining.refused", reasons=(Note("combining.two_models", n=0),))
        )
    return published_model(models[0].decision, models[0].moment)
