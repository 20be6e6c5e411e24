"""All measures of one set of probabilities, as a table that reports print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from responder_model.errors import ResponderModelError, check_one_of
from responder_model.words import Note, plain
from . import calibration_distance, discrimination, distances
from ._check import (
    Floats,
    check_arrays,
    check_classes,
    check_confidence,
    check_n_resamples,
    check_rng,
    check_threshold,
)
from .core import NEUTRAL_THRESHOLD
from .definitions import DEFINITIONS, describe_measure
from .estimate import Estimate
from .intervals import ESTIMATORS
from .net_benefit import net_benefit_estimate

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class MeasuredValue:
    """One row of a performance table."""

    measure: str  # name of the function
    value: float | None  # None: see problem
    lower: float | None
    upper: float | None
    interval: str  # how the interval was made; "" without one
    ideal: float | None
    if_calibrated: float | None  # expected of a perfectly calibrated model of this size
    definition: str
    problem: Note | None  # why there is no value, or no interval


@dataclass(frozen=True, kw_only=True)
class Performance:
    """Measures of one model on one cohort: aggregates only."""

    table: tuple[MeasuredValue, ...]
    n_patients: int
    n_events: int
    confidence: float
    threshold: float
    smoother: str
    n_resamples: int  # asked for, for intervals without a formula
    n_failed_resamples: int  # of them, without a value
    problem: Note | None  # why nothing could be measured

    def row(self, measure: str) -> MeasuredValue:
        """Row of one measure by name."""
        rows = {row.measure: row for row in self.table}
        check_one_of(measure, rows, name="measure")
        return rows[measure]

    def value(self, measure: str) -> float | None:
        """Value of one measure by name; None when it has a problem."""
        return self.row(measure).value

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(asdict(self)))

    def to_frame(self) -> pd.DataFrame:
        """Table as a DataFrame with one row per measure."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.table])


def _estimators(threshold: float) -> dict[str, Callable[..., Estimate]]:
    def treat_all(y: Floats, p: Floats, *, confidence: float) -> Estimate:
        everybody = np.ones_like(p)
        return net_benefit_estimate(
            y, everybody, threshold=threshold, confidence=confidence
        )

    return {
        **ESTIMATORS,
        "net_benefit": partial(net_benefit_estimate, threshold=threshold),
        "net_benefit_treat_all": treat_all,
    }


def _distance_rows(
    found: distances.Distances, describe: Callable[[str], str]
) -> tuple[MeasuredValue, ...]:
    def at(values: Floats | None, k: int) -> float | None:
        return None if values is None else float(values[k])

    return tuple(
        MeasuredValue(
            measure=name,
            value=float(found.value[k]),
            lower=at(found.lower, k),
            upper=at(found.upper, k),
            interval="" if found.lower is None else distances.SHIFTED,
            ideal=DEFINITIONS[name].ideal,
            if_calibrated=at(found.if_calibrated, k),
            definition=describe(name),
            problem=None,
        )
        for k, name in enumerate(distances.DISTANCES)
    )


def _row(
    name: str,
    measure: Callable[[], Estimate],
    describe: Callable[[str], str],
    bare: Callable[[], float] | None = None,
) -> MeasuredValue:
    """Row of a measure; ``bare`` gives the value where only the interval fails."""
    try:
        found = measure()
    except ResponderModelError as error:
        row = _problem_row(name, error.said, describe)
        return row if bare is None else replace(row, value=bare())
    return MeasuredValue(
        measure=name,
        value=found.value,
        lower=found.lower,
        upper=found.upper,
        interval=found.method,
        ideal=DEFINITIONS[name].ideal,
        if_calibrated=None,
        definition=describe(name),
        problem=None,
    )


def _problem_row(
    name: str, problem: Note, describe: Callable[[str], str]
) -> MeasuredValue:
    return MeasuredValue(
        measure=name,
        value=None,
        lower=None,
        upper=None,
        interval="",
        ideal=DEFINITIONS[name].ideal,
        if_calibrated=None,
        definition=describe(name),
        problem=problem,
    )


def measure_performance(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    level: ArrayLike | None = None,
    upper_level: ArrayLike | None = None,
    threshold: float = NEUTRAL_THRESHOLD,
    smoother: calibration_distance.Smoother = "loess",
    confidence: float = 0.95,
    n_resamples: int = 200,
    rng: np.random.Generator | None = None,
) -> Performance:
    """Every measure with its interval and its definition.

    A measure that cannot be estimated has no value but a ``problem`` that says why;
    a cohort of one outcome class gives a table of problems, not an error.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].
    level : array_like of shape (n_patients,), optional
        Ordered level of the outcome (or its lower end): adds the ordinal concordance.
    upper_level : array_like of shape (n_patients,), optional
        Upper end of the interval of levels.
    threshold : float, default 0.5
        Threshold probability of the net benefit. 0.5 is neutral, not clinical.
    smoother : {"loess", "lowess", "spline"}, default "loess"
        Smoother of the distances between probability and observed proportion.
    confidence : float, default 0.95
        Coverage of the intervals.
    n_resamples : int, default 200
        Bootstrap resamples for the five distances, which have no formula. Their
        interval is shifted by the bootstrap bias and starts at 0 when a perfectly
        calibrated model would do as badly in a cohort of this size.
    rng : numpy.random.Generator, optional
        Without it the five distances have no interval.

    Returns
    -------
    Performance
        The table, counts and settings; aggregates only.

    Raises
    ------
    ResponderModelError
        If an array or a setting is not valid.

    References
    ----------
    .. [1] Steyerberg EW et al. Assessing the performance of prediction models.
       Epidemiology 2010;21:128-138. doi:10.1097/EDE.0b013e3181c30fb2
    .. [2] Van Calster B et al. Calibration: the Achilles heel of predictive
       analytics. BMC Med 2019;17:230. doi:10.1186/s12916-019-1466-7

    Examples
    --------
    >>> p = [0.2, 0.6, 0.5, 0.9, 0.3, 0.7]
    >>> found = measure_performance([0, 0, 1, 1, 0, 1], p)
    >>> round(found.value("c_statistic"), 3)
    0.889
    >>> measure_performance([1, 1], [0.4, 0.6]).value("c_statistic") is None
    True
    """
    y, p = check_arrays(outcome, probability)
    check_confidence(confidence)
    check_n_resamples(n_resamples)
    if rng is not None:
        check_rng(rng)
    calibration_distance.check_smoother(smoother)
    estimators = _estimators(check_threshold(threshold))
    describe = partial(describe_measure, smoother=smoother, threshold=threshold)
    rows, n_failed, problem = _measured_rows(
        y,
        p,
        estimators,
        describe,
        smoother=smoother,
        confidence=confidence,
        n_resamples=n_resamples,
        rng=rng,
    )
    if level is not None:
        concordance = partial(
            discrimination.ordinal_concordance_estimate,
            level,
            p,
            upper_level=upper_level,
            confidence=confidence,
        )
        rows = (*rows, _row("ordinal_concordance", concordance, describe))
    return Performance(
        table=rows,
        n_patients=int(y.size),
        n_events=int(y.sum()),
        confidence=confidence,
        threshold=threshold,
        smoother=smoother,
        n_resamples=0 if rng is None else n_resamples,
        n_failed_resamples=n_failed,
        problem=problem,
    )


def _measured_rows(
    y: Floats,
    p: Floats,
    estimators: Mapping[str, Callable[..., Estimate]],
    describe: Callable[[str], str],
    *,
    smoother: str,
    confidence: float,
    n_resamples: int,
    rng: np.random.Generator | None,
) -> tuple[tuple[MeasuredValue, ...], int, Note | None]:
    order = [n for n in DEFINITIONS if n in estimators or n in distances.DISTANCES]
    try:
        check_classes(y)
    except ResponderModelError as error:
        problem = error.said
        return tuple(_problem_row(n, problem, describe) for n in order), 0, problem
    rows = {
        name: _row(
            name,
            partial(estimate, y, p, confidence=confidence),
            describe,
            bare=partial(discrimination.c_statistic_of, y, p)
            if name == "c_statistic"
            else None,
        )
        for name, estimate in estimators.items()
    }
    n_failed = 0
    try:
        found = distances.measure_distances(
            y,
            p,
            smoother=smoother,
            confidence=confidence,
            n_resamples=n_resamples,
            rng=rng,
        )
        rows |= {row.measure: row for row in _distance_rows(found, describe)}
        n_failed = found.n_failed
    except ResponderModelError as error:
        reason = error.said
        rows |= {n: _problem_row(n, reason, describe) for n in distances.DISTANCES}
    return tuple(rows[name] for name in order), n_failed, None
