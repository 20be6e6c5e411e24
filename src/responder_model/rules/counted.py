"""What becomes of the patients of a cohort when those below a threshold are stopped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.cohort import binary_outcome, check_cohort, outcome_levels
from responder_model.development.newcomers import check_any_known
from responder_model.disclosure import already_in
from responder_model.errors import DevelopmentError
from responder_model.features import Array
from responder_model.model import Model
from responder_model.schema import reaches
from responder_model.words import Note
from .rates import N_DRAWS, Rates, relief_fields

# Patients below which a part of a cohort is not shown: it could point at a person.
SMALL_CELL = 10
_SEED = 0
# Jeffreys' prior on each of the four shares.
_PRIOR = 0.5

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted:
    """Patients whose outcome is known, with what the rules look at.

    Parameters
    ----------
    responded : ndarray of shape (n,)
        Outcome.
    relief, probability : ndarray of shape (n,)
        Mean relief of the sessions done; the model's probability. NaN where the rule
        cannot be measured on the patient.
    provenance : str
        Of the cohort.
    notes : tuple of Note
        Whom the figures leave out.
    """

    responded: Mask
    relief: Array
    probability: Array
    provenance: str
    notes: tuple[Note, ...]


def count_cohort(model: Model, cohort: pd.DataFrame) -> Counted:
    """Outcomes, relief and probabilities of a cohort's patients.

    Raises
    ------
    DevelopmentError
        When no outcome is known, or too few beside relief of all sessions done.
    """
    cohort = check_cohort(cohort)
    outcome = binary_outcome(outcome_levels(cohort, model.decision), model.decision)
    check_any_known(~np.isnan(outcome), model.decision)
    names = relief_fields(model)
    given = cohort.reindex(columns=names).to_numpy(dtype=np.float64, na_value=np.nan)
    relief = given.mean(axis=1)
    known = ~np.isnan(outcome) & ~np.isnan(relief)
    if known.sum() < 2 * SMALL_CELL:
        n, least = int(known.sum()), 2 * SMALL_CELL
        raise DevelopmentError(Note("rules.few", n=n, least=least, fields=names))
    probability = model.predict_cohort(cohort)["probability"].to_numpy(np.float64)
    own = already_in(model.fingerprints, cohort)
    seen = np.zeros(len(cohort), dtype=bool) if own is None else np.asarray(own)
    notes = [Note("rules.unknown", n=int((~known).sum()))] if not known.all() else []
    if (again := int((seen & known).sum())) > 0:
        notes.append(Note("rules.own_patients", n=again))
    return Counted(
        responded=outcome[known] == 1.0,
        relief=relief[known],
        probability=np.where(seen, np.nan, probability)[known],
        provenance=str(cohort.attrs.get("provenance", "cohort")),
        notes=tuple(notes),
    )


def counted_rates(counted: Counted, score: Array, threshold: float) -> Rates | None:
    """Shares that the counts of one threshold allow.

    None where it parts fewer than ``SMALL_CELL`` patients from the others.
    """
    measured = ~np.isnan(score)
    responded = counted.responded[measured]
    below = ~reaches(score[measured], threshold)
    if min(below.sum(), (~below).sum()) < SMALL_CELL:
        return None
    groups = (below, responded), (below, ~responded), (~below, responded)
    counts = [int((one & other).sum()) for one, other in groups]
    cells = _draw([*counts, len(below) - sum(counts)])
    return Rates(
        response=cells[:, 0] + cells[:, 2],
        apart=cells[:, 0] + cells[:, 1],
        lost=cells[:, 0],
    )


def response_share(counted: Counted) -> Array:
    """Share of responders that the counts allow, (n_draws,)."""
    n = int(counted.responded.sum())
    return _draw([n, len(counted.responded) - n])[:, 0]


def _draw(counts: list[int]) -> Array:
    """Shares of so many classes, (n_draws, n_classes)."""
    rng = np.random.default_rng(_SEED)
    return rng.dirichlet(np.array(counts) + _PRIOR, N_DRAWS)
