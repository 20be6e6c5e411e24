"""A fit made for leaving: what a centre's patients said, and nothing else of them.

A likelihood of many parameters is many sums over the patients, and many sums over few
patients can be solved for each of them. So a fit that leaves holds at most half as many
parameters as patients. Which columns those are is decided by what everybody knows: by
what the evidence leaves to each, |prior| times reference SD, never by the patients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from responder_model.cohort import check_cohort, outcome_levels
from responder_model.development import procedure_from
from responder_model.development.from_cohort import check_overlap, model_from
from responder_model.development.shared import priors_for
from responder_model.disclosure import SMALL_CELLS
from responder_model.errors import DisclosureError
from responder_model.features import Encoder, Population
from responder_model.model import Model
from responder_model.settings import Settings
from responder_model.vocabulary import show
from responder_model.words import Note
from .contribution import Contribution, contribution_of

# Parameters that a fit may hold, as a share of its patients.
MOST_PARAMETERS = 0.5


def share(
    cohort: pd.DataFrame,
    decision: str,
    moment: str | None = None,
    *,
    at_most_parameters: int | None = None,
    small_cells: int = SMALL_CELLS,
    exclude_evidence: Sequence[str] = (),
    name: str | None = None,
) -> Contribution:
    """Fit what a centre's patients say, to be sent and combined elsewhere.

    Parameters
    ----------
    cohort : DataFrame
        Patients of one centre.
    decision, moment : str
        The decision model.
    at_most_parameters : int, optional
        Cut points and columns that the fit holds; default: half the patients. The
        columns of which the evidence leaves most open, per reference SD, come first.
    small_cells : int
        Nothing is learned that fewer patients decide.
    exclude_evidence : sequence of str
        Overlap groups whose evidence leaves the prior: those of these patients.
    name : str, optional
        Of the centre; default: the cohort's.

    Raises
    ------
    DisclosureError
        For patients of several centres, no rule of small cells, or fewer parameters
        than cut points.
    DevelopmentError
        As ``develop``.

    Examples
    --------
    >>> import responder_model as rm
    >>> found = share(rm.simulate_cohort(n_patients=60, seed=1), "rtms_response",
    ...     "screening")
    >>> found.n_cuts + len(found.columns) <= found.n_patients / 2
    True
    """
    settings = Settings(
        decision=decision,
        moment=moment or "",
        exclude_evidence=tuple(exclude_evidence),
        challenger=False,
        small_cells=small_cells,
        centres="ignored",
    )
    cohort = check_cohort(cohort)
    _check_one_centre(cohort, settings)
    check_overlap(cohort, settings)
    whole = _fitted(cohort, settings, name, unused=())
    n_cuts = len(whole.rules.cut_points)
    most = _most(at_most_parameters, whole.n_patients, n_cuts) - n_cuts
    base = columns_to_share(whole, most)
    unused = {column.name for column in whole.encoder.columns} - base
    fit = _fitted(cohort, settings, name, unused=tuple(sorted(unused)))
    return contribution_of(fit, columns=_held(fit))


def _check_one_centre(cohort: pd.DataFrame, settings: Settings) -> None:
    centres = cohort["centre"].dropna().unique() if "centre" in cohort else ()
    if len(centres) > 1:
        raise DisclosureError(Note("disclosure.share_one_centre", n=len(centres)))
    if settings.small_cells == 0:
        raise DisclosureError(Note("disclosure.share_small_cells"))


def _most(asked: int | None, n_patients: int, n_cuts: int) -> int:
    """Parameters that a fit may hold."""
    if asked is None:
        return max(int(n_patients * MOST_PARAMETERS), n_cuts)
    if asked < n_cuts:
        raise DisclosureError(
            Note("disclosure.share_parameters", least=n_cuts, got=show(str(asked)))
        )
    return asked


def columns_to_share(whole: Model, most: int) -> set[str]:
    """Base columns of the first model columns that no few patients decide.

    Parameters
    ----------
    whole : Model
        Fit of all columns; what it left out by the rule of small cells stays out.
    most : int
        Model columns that may be held.
    """
    learned, chosen, n = set(_held(whole)), set[str](), 0
    for block, base in _blocks(whole.encoder):
        if learned >= set(block) and n + len(block) <= most:
            chosen, n = chosen | set(base), n + len(block)
    return chosen


def public_order(encoder: Encoder) -> list[str]:
    """Model columns by what the evidence leaves to each, the most first.

    The size of the prior, sqrt(mean² + SD²), times the SD of the column in the
    reference population: no patient has a say.

    Examples
    --------
    >>> public_order(Encoder.for_decision("rtms_response", "screening"))[0]
    'aetiology=ischaemic_vs_haemorrhagic'
    """
    priors = priors_for(encoder.decision, encoder.moment, ()).columns
    lift, reference = encoder.projection, Population.reference(encoder)
    spread = np.sqrt(np.diag(lift @ reference.covariance @ lift.T))
    size = [np.hypot(priors[one].mean, priors[one].sd) for one in encoder.derived]
    order = np.argsort(-np.array(size) * spread, kind="stable")
    return [encoder.derived[k] for k in order]


def _blocks(encoder: Encoder) -> Iterator[tuple[list[str], list[str]]]:
    """Model columns that share base columns, and these; in the public order."""
    touches = encoder.projection != 0.0
    together = touches.astype(int) @ touches.T.astype(int) > 0
    seen: set[str] = set()
    for name in public_order(encoder):
        if name in seen:
            continue
        rows = together[encoder.derived.index(name)]
        block = [encoder.derived[k] for k in np.flatnonzero(rows)]
        base = np.flatnonzero(touches[rows].any(axis=0))
        seen.update(block)
        yield block, [encoder.columns[k].name for k in base]


def _held(fit: Model) -> tuple[str, ...]:
    """Model columns of which the patients of a fit say something."""
    rule, encoder = fit.disclosure, fit.encoder
    names = set(() if rule is None else rule.contrasts_left_out)
    out = np.array([column.name in names for column in encoder.columns])
    touched = (encoder.projection != 0.0)[:, out].any(axis=1)
    return tuple(
        name for name, bad in zip(encoder.derived, touched, strict=True) if not bad
    )


def _fitted(
    cohort: pd.DataFrame,
    settings: Settings,
    name: str | None,
    *,
    unused: tuple[str, ...],
) -> Model:
    # the evidence alone: straight lines, as everybody else has them
    priors = priors_for(settings.decision, settings.moment, settings.exclude_evidence)
    procedure = procedure_from(settings).set_params(unused=unused, priors=priors)
    procedure.fit(cohort, outcome_levels(cohort, settings.decision))
    return model_from(procedure, cohort, settings, name)
