"""How much the challenger has earned: its figures, its weight, its trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_model.challenger import Learnable, Trees
from responder_model.cumulative_logit import EvidenceCumulativeLogit
from responder_model.features import Array, Encoder
from responder_model.recalibration import challenger_weight, recalibrate
from .outcomes import at_cut

# The pool is closed below these counts: too few to judge a challenger.
POOL_MIN_PATIENTS = 100
POOL_MIN_RARER = 40
N_FOLDS = 5
# Of the folds; a mean over resamples needs no second one.
N_REPEATS, N_REPEATS_IN_RESAMPLES = 2, 1

Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


@dataclass(frozen=True, kw_only=True)
class FittedPool:
    """Challenger, its recalibration, its weight and its figures.

    ``log_loss_evidence`` and ``log_loss_challenger`` are out-of-fold, mean per
    patient; NaN when the challenger was not developed.
    """

    weight: float = 0.0
    offset: float = 0.0
    slope: float = 1.0
    trees: Trees | None = None
    log_loss_evidence: float = float("nan")
    log_loss_challenger: float = float("nan")


@dataclass(frozen=True, kw_only=True, eq=False)
class Patients:
    """Patients of a development as its two experts see them, one row each.

    ``raw`` holds predictors with their gaps, ``design`` the columns of the estimator,
    ``lower`` and ``upper`` the levels that each outcome allows, ``groups`` the patient
    behind each row.
    """

    raw: Array
    design: Array
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    groups: NDArray[Any]

    def rows(self, keep: NDArray[np.bool_]) -> Patients:
        """Some of the patients."""
        return Patients(**{name: part[keep] for name, part in vars(self).items()})


def fit_pool(
    patients: Patients,
    estimator: EvidenceCumulativeLogit,
    encoder: Encoder,
    *,
    challenger: bool,
    report_challenger: bool,
    seed: int,
    small_cells: int,
    n_jobs: int,
    n_repeats: int = N_REPEATS,
) -> FittedPool:
    """Develop the challenger beside a fitted estimator, where it is asked for.

    With ``report_challenger`` its figures are made also where its weight must be 0,
    of no fewer patients than folds.
    """
    main = estimator.main_
    outcome = at_cut(patients.lower, patients.upper, main)
    known = ~np.isnan(outcome)
    outcome = outcome[known]
    eligible = challenger and is_pool_open(outcome)
    enough = len(np.unique(patients.groups[known])) >= N_FOLDS
    if not eligible and not (report_challenger and enough):
        return FittedPool()
    judged = patients.rows(known)
    folds = grouped_folds(outcome, judged.groups, seed, n_repeats)
    evidence = estimator.out_of_fold(
        judged.design, judged.lower, folds, upper=judged.upper
    )
    learnable = Learnable.of(judged.raw, outcome, encoder, small_cells)
    margin = learnable.out_of_fold_margins(folds, seed=seed, n_jobs=n_jobs)
    offset, slope = recalibrate(margin, outcome)
    rival = offset + slope * margin
    weight = challenger_weight(evidence, rival, outcome) if eligible else 0.0
    return FittedPool(
        weight=weight,
        offset=offset,
        slope=slope,
        trees=learnable.trees(seed) if weight else None,
        log_loss_evidence=_log_loss(evidence, outcome),
        log_loss_challenger=_log_loss(rival, outcome),
    )


def is_pool_open(outcome: Array) -> bool:
    """Whether a cohort is large enough for the challenger to earn a weight."""
    rarer = min(outcome.sum(), len(outcome) - outcome.sum())
    return len(outcome) >= POOL_MIN_PATIENTS and rarer >= POOL_MIN_RARER


def grouped_folds(
    outcome: Array, groups: NDArray[Any], seed: int, n_repeats: int = N_REPEATS
) -> Folds:
    """Repeated folds by patient, stratified by outcome."""
    rng = np.random.default_rng(seed)
    patients, first, member = np.unique(groups, return_index=True, return_inverse=True)
    folds: Folds = []
    for _ in range(n_repeats):
        fold = np.empty(len(patients), dtype=np.int64)
        order = rng.permutation(len(patients))
        order = order[np.argsort(outcome[first[order]], kind="stable")]
        fold[order] = np.arange(len(patients)) % N_FOLDS
        of_row = fold[member]
        folds += [
            (np.flatnonzero(of_row != k), np.flatnonzero(of_row == k))
            for k in range(N_FOLDS)
        ]
    return folds


def _log_loss(linear_predictor: Array, outcome: Array) -> float:
    signed = np.where(outcome > 0.5, -linear_predictor, linear_predictor)
    return float(np.logaddexp(0.0, signed).mean())
