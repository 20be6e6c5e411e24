"""Rows of an internal validation's table: apparent, optimism, corrected, interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from responder_model.errors import ResponderModelError
from responder_model.features import Array
from responder_model.performance import (
    DEFINITIONS,
    CoreMeasures,
    describe_measure,
    estimate_measure,
    ordinal_concordance_estimate,
)
from responder_model.performance._check import check_classes
from responder_model.performance.definitions import possible_values
from responder_model.performance.distances import DISTANCES, FEWEST, measure_distances
from responder_model.performance.estimate import Estimate, cut
from responder_model.performance.intervals import ESTIMATORS
from responder_model.performance.net_benefit import net_benefit_estimate
from responder_model.words import Note
from .resampling import Data, Indices, Repetition, Repetitions, measure_all

Row = dict[str, object]

# What the intercept of a development fits to its patients: whom it is developed on and
# whom it is measured in are the same chance, which counts once.
_FITTED = (
    "calibration_in_the_large",
    "joint_calibration_intercept",
    "observed_expected_ratio",
)
# Value of each measure when predictions and outcomes are unrelated, where it is known.
_NO_INFORMATION = {
    "c_statistic": 0.5,
    "ordinal_concordance": 0.5,
    "calibration_slope": 0.0,
}
_NO_GAP = 1e-12
# Other resamples that each resample is paired with for an interval.
_SHIFTS = 50
# Resamples of patients behind a cross-validated distance, shared out over the repeats.
_RESAMPLES, _FEWEST_RESAMPLES = 200, 40
_NO_RESAMPLE = Note("performance.no_resample")
# Columns that are empty without a corrected value: of every design, of the bootstrap.
_CORRECTED = ("optimism", "optimism_corrected", "lower", "upper")
_FROM_LEFT_OUT = ("corrected_632", "corrected_632_plus")


def bootstrap_rows_of(
    apparent: CoreMeasures,
    done: Repetitions,
    measured: Sequence[Mapping[str, float]],
    data: Data,
    probability: Array,
) -> list[Row]:
    """One row for each measure, with the reason where it has no value.

    ``measured`` holds the measures of the left-out probabilities on each resample.
    """
    return [
        _bootstrap_row(name, apparent.values[name], done, measured, data, probability)
        if name in apparent.values
        else _empty_bootstrap_row(name, None, done, data, apparent.failures[name])
        for name in DEFINITIONS
    ]


def cross_validated_rows(
    apparent: CoreMeasures,
    left_out: Array,
    data: Data,
    done: Repetitions,
    rng: np.random.Generator,
) -> list[Row]:
    """One row for each measure: the mean over repeats of its left-out value.

    ``left_out`` (n_repeats, n_patients) is NaN where a fold could not be developed. The
    interval is the mean of the repeats' own, which take the models as given; ``rng``
    resamples the patients for the measures whose interval has no formula.
    """
    judged = [(p, np.flatnonzero(~np.isnan(p))) for p in left_out]
    found = [measure_all(data, p, rows) for p, rows in judged]
    n_resamples = max(_FEWEST_RESAMPLES, _RESAMPLES // len(judged))
    limits = [_limits(data, p, rows, n_resamples, rng) for p, rows in judged]
    rows = []
    for name in DEFINITIONS:
        values = [one.values[name] for one in found if name in one.values]
        if name not in apparent.values or not values:
            lacking = (one.failures.get(name) for one in (apparent, *found))
            reason = next(filter(None, lacking))
            known = apparent.values.get(name)
            rows.append(_row_without_value(name, known, done, data, reason))
            continue
        known, value = apparent.values[name], float(np.mean(values))
        given = [one[name] for one in limits if name in one]
        rows.append(_cross_validated_row(name, known, value, given, data, done))
    return rows


def _values(repetitions: Iterable[Repetition], part: str, name: str) -> Array:
    """Measure of each repetition, NaN where it has none."""
    return np.array([getattr(r, part).get(name, np.nan) for r in repetitions])


def _bootstrap_row(
    name: str,
    apparent: float,
    done: Repetitions,
    measured: Sequence[Mapping[str, float]],
    data: Data,
    probability: Array,
) -> Row:
    inside = _values(done.done, "inside", name)
    original = _values(done.done, "original", name)
    paired = np.isfinite(inside) & np.isfinite(original)
    if not paired.any():
        return _empty_bootstrap_row(name, apparent, done, data, _NO_RESAMPLE)
    optimism = float((inside - original)[paired].mean())
    spread = np.array([found.get(name, np.nan) for found in measured])
    both = paired & np.isfinite(spread)
    possible = possible_values(name, threshold=data.threshold)
    value = apparent - optimism
    low, high = _shifted(name, spread[both], original[both], value, possible)
    outside = _values(done.done, "outside", name)
    outside = outside[np.isfinite(outside)]
    simple, plus = _corrected_632(name, apparent, outside, data, probability)
    return {
        "measure": name,
        "apparent": apparent,
        "optimism": optimism,
        "optimism_corrected": value,
        "lower": low,
        "upper": high,
        "corrected_632": simple,
        "corrected_632_plus": plus,
        "n_resamples": int(paired.sum()),
        "n_failed_resamples": len(paired) - int(paired.sum()) + done.n_failed,
        "definition": _describe(name, data),
        "problem": None,
    }


def _shifted(
    name: str,
    measured: Array,
    refitted: Array,
    value: float,
    possible: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[float | None, float | None]:
    """Percentile interval of what chance decides, moved onto a value.

    ``measured`` (n,) are the left-out probabilities on each resample: in whom a model
    is measured; ``refitted`` (n,) the model of each resample on the cohort: on whom it
    is developed. They are added over pairs of different resamples. One resample has no
    spread.
    """
    if measured.size < FEWEST:
        return None, None
    total = measured - measured.mean()
    if name not in _FITTED:
        shifts = range(1, min(measured.size, _SHIFTS + 1))
        other = refitted - refitted.mean()
        total = np.concatenate([total + np.roll(other, k) for k in shifts])
    low, high = np.quantile(total, [0.025, 0.975]) + value
    return cut((float(low), float(high)), possible, value)


def _describe(name: str, data: Data) -> str:
    return describe_measure(name, smoother="loess", threshold=data.threshold)


def _row_without_value(
    name: str, apparent: float | None, done: Repetitions, data: Data, problem: Note
) -> Row:
    """Row of a measure without a corrected value: every resample counts as failed."""
    return {
        "measure": name,
        "apparent": apparent,
        **dict.fromkeys(_CORRECTED),
        "n_resamples": 0,
        "n_failed_resamples": len(done.done) + done.n_failed,
        "definition": _describe(name, data),
        "problem": problem,
    }


def _empty_bootstrap_row(
    name: str, apparent: float | None, done: Repetitions, data: Data, problem: Note
) -> Row:
    row = _row_without_value(name, apparent, done, data, problem)
    return row | dict.fromkeys(_FROM_LEFT_OUT)


def _corrected_632(
    name: str, apparent: float, outside: Array, data: Data, probability: Array
) -> tuple[float | None, float | None]:
    """Efron's .632 and .632+ from the patients that each resample left out."""
    if outside.size == 0:
        return None, None
    left_out = float(outside.mean())
    simple = 0.368 * apparent + 0.632 * left_out
    nothing = _without_information(name, data, probability)
    if nothing is None:
        return simple, None
    # Efron and Tibshirani 1997: the left-out value is no worse than no information, and
    # no overfitting (rate 0) leaves the simple .632
    gap = nothing - apparent
    share = (left_out - apparent) / gap if abs(gap) > _NO_GAP else 0.0
    bounded = nothing if share > 1.0 else left_out
    rate = min(1.0, max(0.0, share))
    weight = 0.632 / (1.0 - 0.368 * rate)
    return simple, (1.0 - weight) * apparent + weight * bounded


def _without_information(name: str, data: Data, probability: Array) -> float | None:
    """Value of a measure if outcome and probability were independent."""
    known = ~np.isnan(data.outcome)
    share = float(data.outcome[known].mean())
    p = probability[known]
    brier = float(np.mean(share * (1.0 - p) ** 2 + (1.0 - share) * p**2))
    if name == "brier_score":
        return brier
    if name == "scaled_brier_score":
        return 1.0 - brier / (share * (1.0 - share))
    if name == "log_loss":
        return float(-np.mean(share * np.log(p) + (1.0 - share) * np.log1p(-p)))
    return _NO_INFORMATION.get(name)


def _limits(
    data: Data,
    probability: Array,
    rows: Indices,
    n_resamples: int,
    rng: np.random.Generator,
) -> dict[str, tuple[float, float]]:
    """Interval of every measure that has one, on patients with a known outcome."""
    rows = rows[~np.isnan(data.outcome[rows])]
    p = probability[rows]
    found = {}
    for name in DEFINITIONS:
        try:
            estimate = _estimate(name, data, p, rows)
        except ResponderModelError:
            continue
        if estimate is not None:
            found[name] = (estimate.lower, estimate.upper)
    return found | _distance_limits(data.outcome[rows], p, n_resamples, rng)


def _distance_limits(
    outcome: Array, p: Array, n_resamples: int, rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    try:
        check_classes(outcome)
        found = measure_distances(
            outcome,
            p,
            smoother="loess",
            confidence=0.95,
            n_resamples=n_resamples,
            rng=rng,
        )
    except ResponderModelError:
        return {}
    if found.lower is None or found.upper is None:
        return {}
    limits = np.stack([found.lower, found.upper], axis=1)
    return dict(zip(DISTANCES, map(tuple, limits.tolist()), strict=True))


def _estimate(name: str, data: Data, p: Array, rows: Indices) -> Estimate | None:
    outcome = data.outcome[rows]
    if name == "ordinal_concordance":
        return ordinal_concordance_estimate(
            data.lower[rows], p, upper_level=data.upper[rows]
        )
    if name.startswith("net_benefit"):
        p = p if name == "net_benefit" else np.ones_like(p)
        return net_benefit_estimate(
            outcome, p, threshold=data.threshold, confidence=0.95
        )
    return estimate_measure(name, outcome, p) if name in ESTIMATORS else None


def _cross_validated_row(
    name: str,
    apparent: float,
    value: float,
    limits: list[tuple[float, float]],
    data: Data,
    done: Repetitions,
) -> Row:
    lower, upper = np.mean(limits, axis=0) if limits else (None, None)
    return {
        "measure": name,
        "apparent": apparent,
        "optimism": apparent - value,
        "optimism_corrected": value,
        "lower": None if lower is None else float(lower),
        "upper": None if upper is None else float(upper),
        "n_resamples": len(done.done),
        "n_failed_resamples": done.n_failed,
        "definition": _describe(name, data),
        "problem": None,
    }
