"""Repeat the whole procedure on resamples; count what fails, hide nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone

from responder_model.cohort import check_cohort, outcome_levels
from responder_model.development.procedure import Procedure, at_cut, split_levels
from responder_model.development.settings import Settings
from responder_model.errors import DevelopmentError
from responder_model.features import Array, expit
from responder_model.model import Model
from responder_model.model.batch import one_thread_each
from responder_model.performance import core_measures

if TYPE_CHECKING:
    import pandas as pd

Indices = NDArray[np.int64]

# Calibration slope from which the outcomes are as good as separated: no estimate.
_SEPARATED_SLOPE = 10.0


@dataclass(frozen=True, kw_only=True)
class Data:
    """A cohort as the procedure reads it: raw predictors and intervals of levels.

    ``outcome`` is 0/1 at the main cut-off, NaN where the interval straddles it.
    """

    raw: Array
    lower: Indices
    upper: Indices
    outcome: Array

    def __len__(self) -> int:
        return len(self.raw)


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """One development on some rows, and what it predicts for everybody.

    ``inside`` and ``outside`` hold the measures on the rows it was developed on and
    on those it never saw, ``original`` those on the whole cohort; ``developed`` those
    of the model developed on the whole cohort, on the rows of the resample.
    """

    probability: Array
    inside: dict[str, float]
    original: dict[str, float]
    outside: dict[str, float]
    developed: dict[str, float]
    weight: float


@dataclass(frozen=True, kw_only=True)
class Repetitions:
    """All that succeeded, and why the others did not."""

    done: tuple[Repetition, ...]
    failures: dict[str, int]

    @property
    def n_failed(self) -> int:
        """Resamples on which the procedure could not be developed."""
        return sum(self.failures.values())


def settings_of(source: Settings | Model) -> Settings:
    """Settings given as such, or those that a developed model carries."""
    if isinstance(source, Settings):
        return source
    if not source.settings:
        msg = "model must have been developed on a cohort, got one from published "
        msg += "evidence alone. Use validate_externally."
        raise DevelopmentError(msg)
    return Settings.from_json(source.settings)


def read_data(procedure: Procedure, cohort: pd.DataFrame) -> Data:
    """Raw predictors and known outcomes of a cohort."""
    cohort = check_cohort(cohort)
    n_cuts = len(procedure.target.cut_points)
    lower, upper = split_levels(outcome_levels(cohort, procedure.decision), n_cuts)
    known = (upper - lower) < n_cuts
    lower, upper = lower[known], upper[known]
    return Data(
        raw=procedure.build_encoder().raw(cohort)[known],
        lower=lower,
        upper=upper,
        outcome=at_cut(lower, upper, procedure.target.main_index),
    )


def develop_on(procedure: Procedure, data: Data, rows: Indices) -> Procedure:
    """Fit a fresh copy of the procedure; copies of a patient share a group."""
    fresh: Procedure = clone(procedure)
    return fresh.fit_raw(
        data.raw[rows], data.lower[rows], data.upper[rows], groups=rows
    )


def measure(data: Data, probability: Array, rows: Indices) -> dict[str, float]:
    """Core measures on some rows with a known outcome.

    Empty if one class; without a slope where the outcomes are nearly separated.
    """
    outcome = data.outcome[rows]
    known = ~np.isnan(outcome)
    if not known.any():
        return {}
    values = core_measures(outcome[known], probability[rows][known]).values
    if abs(values.get("calibration_slope", 0.0)) > _SEPARATED_SLOPE:
        del values["calibration_slope"]
    return values


def repeat(
    procedure: Procedure,
    data: Data,
    resamples: Sequence[Indices],
    developed: Array,
    *,
    n_jobs: int = 1,
) -> Repetitions:
    """Develop on every resample; the same call runs on any joblib backend.

    ``developed`` holds the probabilities of the model developed on all patients.
    """
    n_batches = max(1, min(len(resamples), 8 * max(1, abs(n_jobs))))
    batches = [resamples[k::n_batches] for k in range(n_batches)]
    results = Parallel(n_jobs=n_jobs)(
        delayed(_repeat_batch)(procedure, data, batch, developed) for batch in batches
    )
    # back in the order of the resamples
    ordered: list[Repetition | str] = [""] * len(resamples)
    for k, batch in enumerate(results):
        ordered[k::n_batches] = batch
    failures = Counter(result for result in ordered if isinstance(result, str))
    done = tuple(result for result in ordered if not isinstance(result, str))
    return Repetitions(done=done, failures=dict(failures))


def _repeat_batch(
    procedure: Procedure, data: Data, resamples: Sequence[Indices], developed: Array
) -> list[Any]:
    # the matrices are small: threads of the linear algebra only wait for each other
    with one_thread_each():
        return [_repeat_once(procedure, data, rows, developed) for rows in resamples]


def _repeat_once(
    procedure: Procedure, data: Data, rows: Indices, developed: Array
) -> Repetition | str:
    try:
        fitted = develop_on(procedure, data, rows)
    except (DevelopmentError, np.linalg.LinAlgError) as error:
        return str(error)
    probability = expit(fitted.linear_predictor_raw(data.raw))
    everybody = np.arange(len(data))
    return Repetition(
        probability=probability,
        inside=measure(data, probability, rows),
        original=measure(data, probability, everybody),
        outside=measure(data, probability, np.setdiff1d(everybody, rows)),
        developed=measure(data, developed, rows),
        weight=fitted.pool_.weight,
    )


def bootstrap_rows(n_patients: int, n_resamples: int, seed: int) -> list[Indices]:
    """Rows of each bootstrap resample."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, n_patients, n_patients) for _ in range(n_resamples)]
