"""Repeat the whole procedure on resamples; count what fails, hide nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import chain
from numbers import Integral
from typing import TypeVar

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray

from responder_model.cohort import outcome_levels
from responder_model.development import updating
from responder_model.development.building import procedure_from
from responder_model.development.centres import Names, read_centres
from responder_model.development.outcomes import at_cut, split_levels
from responder_model.development.procedure import Procedure
from responder_model.development.recalibrating import SHIFTS
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.features import Array, expit
from responder_model.model import Model
from responder_model.model.batch import one_thread_each, raw_cohort
from responder_model.model.given import check_model
from responder_model.performance import NEUTRAL_THRESHOLD, CoreMeasures, all_measures
from responder_model.schema import dictionary
from responder_model.settings import Settings
from responder_model.words import Note

Indices = NDArray[np.int64]
T = TypeVar("T")

# Size of a calibration slope from which it is no estimate: the outcomes are as good as
# separated, or the probabilities as good as equal.
_STEEPEST_SLOPE = 10.0
_TOO_STEEP = Note("performance.slope_too_steep")


@dataclass(frozen=True, kw_only=True)
class Data:
    """A cohort as the procedure reads it: raw predictors and intervals of levels.

    ``outcome`` is 0/1 at the main cut-off, NaN where the interval straddles it;
    ``threshold`` is that of the net benefit; ``centre`` names centres where told.
    """

    raw: Array
    lower: Indices
    upper: Indices
    outcome: Array
    threshold: float = NEUTRAL_THRESHOLD
    centre: Names | None = None

    def __len__(self) -> int:
        return len(self.raw)


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """One development on some rows, and what it predicts for everybody.

    ``inside`` and ``outside`` hold the measures on the rows it was developed on and
    on those it never saw, ``original`` those on the whole cohort.
    """

    probability: Array
    inside: dict[str, float]
    original: dict[str, float]
    outside: dict[str, float]
    weight: float


@dataclass(frozen=True, kw_only=True)
class Repetitions:
    """All that succeeded, with the place of each, and why the others did not."""

    done: tuple[Repetition, ...]
    places: tuple[int, ...]
    failures: dict[Note, int]

    @property
    def n_failed(self) -> int:
        """Resamples on which the procedure could not be developed."""
        return sum(self.failures.values())


def settings_of(source: Settings | Model) -> Settings:
    """Settings given as such, or those that a developed model carries."""
    if isinstance(source, Settings):
        return source
    check_model(source, key="no_source")
    if not source.settings:
        raise DevelopmentError(Note("validation.published"))
    return source.settings


def has_non_completers(decision: str) -> bool:
    """Whether everybody in a cohort starts what the decision is about."""
    first = dictionary().moments[0].name
    return first in dictionary().decisions[decision].moments


def procedure_of(source: Settings | Model, updated_from: Model | None) -> Procedure:
    """Return the unfitted procedure that made a model, or will; an update for one."""
    settings = settings_of(source)
    if settings.method in SHIFTS:
        raise DevelopmentError(Note("validation.recalibrated"))
    _check_origin(source, settings, updated_from)
    model = source if isinstance(source, Model) else updated_from
    procedure = procedure_from(settings, model=model)
    if updated_from is not None:
        procedure.set_params(
            earlier=updating.start_of(updated_from, settings),
            centres=updating.centres_of(updated_from),
        )
    procedure.set_params(in_resample=True)
    return procedure


def _check_origin(
    source: Settings | Model, settings: Settings, updated_from: Model | None
) -> None:
    if updated_from is None:
        if isinstance(source, Model) and source.is_update:
            raise DevelopmentError(Note("validation.updated_from_none"))
        return
    if isinstance(source, Model):
        fits = updating.is_updated_from(source, updated_from)
    else:
        target = (updated_from.decision, updated_from.moment)
        fits = (settings.decision, settings.moment) == target
    if not fits:
        said = Note("validation.updated_from_other", model=updated_from.name)
        raise DevelopmentError(said)


def read_data(
    procedure: Procedure,
    cohort: pd.DataFrame,
    *,
    threshold: float = NEUTRAL_THRESHOLD,
    unknown_as_no: bool = False,
) -> Data:
    """Raw predictors and known outcomes of a checked cohort.

    With ``unknown_as_no`` patients without any known outcome count as non-responders.
    """
    n_cuts = len(procedure.target.cut_points)
    levels = outcome_levels(cohort, procedure.target)
    centre = read_centres(cohort)
    lower, upper = split_levels(levels, procedure.target)
    if unknown_as_no:
        upper = np.where(levels.observed, upper, procedure.target.main_index)
    known = (upper - lower) < n_cuts
    lower, upper = lower[known], upper[known]
    return Data(
        raw=raw_cohort(procedure.build_encoder(), cohort)[known],
        lower=lower,
        upper=upper,
        outcome=at_cut(lower, upper, procedure.target.main_index),
        threshold=threshold,
        centre=None if centre is None else centre[known],
    )


def develop_on(procedure: Procedure, data: Data, rows: Indices) -> Procedure:
    """Fit a fresh copy of the procedure; copies of a patient share a group."""
    fresh = copy(procedure)
    try:
        return fresh.fit_raw(
            data.raw[rows],
            data.lower[rows],
            data.upper[rows],
            groups=rows,
            centre=None if data.centre is None else data.centre[rows],
        )
    except np.linalg.LinAlgError as error:
        raise DevelopmentError(Note("refusal.linear_algebra")) from error


def measure(data: Data, probability: Array, rows: Indices) -> dict[str, float]:
    """Every measure that some rows with a known outcome have."""
    return measure_all(data, probability, rows).values


def measure_all(data: Data, probability: Array, rows: Indices) -> CoreMeasures:
    """Measures on some rows with a known outcome, and why the others have no value.

    None if one class; no slope that is too steep to be one.
    """
    rows = rows[~np.isnan(data.outcome[rows])]
    found = all_measures(
        data.outcome[rows],
        probability[rows],
        level=data.lower[rows],
        upper_level=data.upper[rows],
        threshold=data.threshold,
    )
    if abs(found.values.get("calibration_slope", 0.0)) <= _STEEPEST_SLOPE:
        return found
    joint = ("joint_calibration_intercept", "calibration_slope")
    return CoreMeasures(
        values={k: v for k, v in found.values.items() if k not in joint},
        failures={**found.failures, **dict.fromkeys(joint, _TOO_STEEP)},
    )


def repeat(
    procedure: Procedure, data: Data, resamples: Sequence[Indices], *, n_jobs: int = 1
) -> Repetitions:
    """Develop on every resample; the same call runs on any joblib backend."""
    results = _in_batches(partial(_repeat_once, procedure, data), resamples, n_jobs)
    failures = Counter(r for r in results if not isinstance(r, Repetition))
    done = {k: r for k, r in enumerate(results) if isinstance(r, Repetition)}
    return Repetitions(
        done=tuple(done.values()), places=tuple(done), failures=dict(failures)
    )


def measure_resamples(
    data: Data, probability: Array, resamples: Sequence[Indices], *, n_jobs: int = 1
) -> list[dict[str, float]]:
    """Every measure that given probabilities have on each resample."""
    return _in_batches(partial(measure, data, probability), resamples, n_jobs)


def _in_batches(
    work: Callable[[Indices], T], resamples: Sequence[Indices], n_jobs: int
) -> list[T]:
    """Results of the resamples, in their order whatever the number of processes."""
    if not isinstance(n_jobs, Integral) or n_jobs == 0:
        raise DevelopmentError(Note("argument.jobs_not_0", got=repr(n_jobs)))
    n_batches = max(1, min(len(resamples), 8 * max(1, abs(n_jobs))))
    batches = [resamples[k::n_batches] for k in range(n_batches)]
    results = Parallel(n_jobs=n_jobs)(delayed(_work)(work, one) for one in batches)
    places = [range(k, len(resamples), n_batches) for k in range(n_batches)]
    found = dict(zip(chain(*places), chain(*results), strict=True))
    return [found[k] for k in range(len(resamples))]


def _work(work: Callable[[Indices], T], batch: Sequence[Indices]) -> list[T]:
    # the matrices are small: threads of the linear algebra only wait for each other
    with one_thread_each():
        return [work(rows) for rows in batch]


def _repeat_once(procedure: Procedure, data: Data, rows: Indices) -> Repetition | Note:
    try:
        fitted = develop_on(procedure, data, rows)
    except ResponderModelError as error:
        return error.said
    probability = expit(fitted.linear_predictor_raw(data.raw))
    everybody = np.arange(len(data))
    return Repetition(
        probability=probability,
        inside=measure(data, probability, rows),
        original=measure(data, probability, everybody),
        outside=measure(data, probability, left_out_by(rows, len(data))),
        weight=fitted.pool_.weight,
    )


def left_out_by(rows: Indices, n_patients: int) -> Indices:
    """Rows that a resample does not hold."""
    outside = np.ones(n_patients, dtype=bool)
    outside[rows] = False
    return np.flatnonzero(outside)


def bootstrap_rows(n_patients: int, n_resamples: int, seed: int) -> list[Indices]:
    """Rows of each bootstrap resample."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, n_patients, n_patients) for _ in range(n_resamples)]
