"""Internal validation: how much of the apparent performance is optimism."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from responder_model.cohort import check_cohort, repeated_rows
from responder_model.development.notes import repeated_rows_note
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.features import Array, expit, logit
from responder_model.performance import DEFINITIONS, estimate_measure
from responder_model.validation.resampling import (
    Data,
    Repetition,
    Repetitions,
    bootstrap_rows,
    develop_on,
    measure,
    read_data,
    repeat,
    settings_of,
)
from responder_model.validation.stability import Stability

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.development.procedure import Procedure
    from responder_model.development.settings import Settings
    from responder_model.model import Model

Design = Literal["bootstrap", "cross_validation"]

# Below this size bootstrap optimism is mostly noise (statistics.md 1.11).
INFORMATIVE_FROM = 50
N_FOLDS = 10
# Measures that every refitted model meets on its own resample.
_CALIBRATION = (
    "calibration_in_the_large",
    "calibration_slope",
    "observed_expected_ratio",
    "integrated_calibration_index",
)
_NEVER_NEGATIVE = ("integrated_calibration_index", "brier_score", "log_loss")
# Value of each measure when predictions and outcomes are unrelated, where it is known.
_NO_INFORMATION = {"c_statistic": 0.5, "calibration_slope": 0.0}


@dataclass(frozen=True, kw_only=True, eq=False)
class InternalValidation:
    """Result of an internal validation: one row per measure.

    Parameters
    ----------
    design : str
        ``bootstrap`` or ``cross_validation``.
    table : DataFrame
        Columns ``measure``, ``apparent``, ``optimism``, ``optimism_corrected``,
        ``lower``, ``upper`` (95 %), ``corrected_632``, ``corrected_632_plus``,
        ``n_resamples`` (that gave a value), ``n_failed_resamples``, ``definition``.
    n_patients, n_events : int
        Patients with a known outcome at the main cut-off, and events.
    n_resamples, n_failed_resamples : int
        Asked for, and those on which the procedure could not be developed.
    failures : dict
        Reason of each failure and how often it came.
    stability : Stability or None
        How predictions vary between resamples; bootstrap only.
    challenger_weight : float
        Mean weight of the challenger over the resamples.
    notes : tuple of str
        What the reader must know.
    left_out : ndarray of shape (n,) or None
        Probability of each patient whose outcome is known, by models that never saw
        the patient; cross-validation only. For curves, never part of a model.
    """

    design: Design
    table: pd.DataFrame
    n_patients: int
    n_events: int
    n_resamples: int
    n_failed_resamples: int
    failures: dict[str, int]
    stability: Stability | None
    challenger_weight: float
    notes: tuple[str, ...] = ()
    left_out: Array | None = None

    def value(self, name: str, column: str = "optimism_corrected") -> float:
        """One number of the table."""
        found = self.table.loc[self.table["measure"] == name, column]
        return float(found.to_numpy(dtype=float)[0])


def validate_internally(
    source: Settings | Model,
    cohort: pd.DataFrame,
    *,
    n_resamples: int = 200,
    n_jobs: int = 1,
    seed: int = 0,
    design: Design = "bootstrap",
) -> InternalValidation:
    """Validate the whole development procedure by resampling.

    Everything that ``develop`` does is repeated on every resample: imputation,
    mixture weights, challenger, its weight. Optimism is the mean difference between
    performance on the resample and on the original cohort (Harrell). The interval is
    the percentile interval of the resamples' apparent values, shifted onto the
    corrected value (after Noma 2021; shifting by the optimism alone would leave it too
    favourable, since copies of patients make a resample easier to fit than the
    cohort): it needs no nested bootstrap. Refitted models are calibrated on their own
    resample by construction, so for measures of calibration the developed model is
    measured on the resamples instead.

    Parameters
    ----------
    source : Settings or Model
        What to repeat; a developed model carries its own settings.
    cohort : DataFrame
        The development cohort.
    n_resamples : int
        Bootstrap resamples, or repeats of 10-fold cross-validation.
    n_jobs : int
        Processes; inside ``joblib.parallel_config`` any backend, also a cluster.
    seed : int
        Seed of the resamples.
    design : {"bootstrap", "cross_validation"}
        How to resample.

    Raises
    ------
    DevelopmentError
        When the procedure cannot be developed on the cohort itself, or on no resample.

    References
    ----------
    .. [1] Harrell FE, Lee KL, Mark DB. Stat Med 1996;15:361-387.
       doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4
    .. [2] Noma H et al. Stat Med 2021;40:5691-5701. doi:10.1002/sim.9148
    .. [3] Efron B, Tibshirani R. J Am Stat Assoc 1997;92:548-560.
       doi:10.1080/01621459.1997.10474007
    """
    settings = settings_of(source)
    procedure = settings.build_procedure().set_params(main_cut_only=True)
    data = read_data(procedure, cohort)
    everybody = np.arange(len(data))
    fitted = develop_on(procedure, data, everybody)
    probability = expit(fitted.linear_predictor_raw(data.raw))
    apparent = measure(data, probability, everybody)
    left_out: Array | None = None
    if design == "bootstrap":
        resamples = bootstrap_rows(len(data), n_resamples, seed)
        done = repeat(procedure, data, resamples, probability, n_jobs=n_jobs)
        _check_any(done)
        rows = [
            _bootstrap_row(name, value, done, data, probability)
            for name, value in apparent.items()
        ]
        stability = Stability.from_resamples(
            probability, [r.probability for r in done.done], data.outcome
        )
    elif design == "cross_validation":
        done, left_out = _cross_validate(
            procedure, data, probability, n_resamples, seed=seed, n_jobs=n_jobs
        )
        rows = [
            _cross_validated_row(name, value, left_out, data, done)
            for name, value in apparent.items()
        ]
        stability = None
    else:
        msg = "design must be bootstrap or cross_validation, "
        raise DevelopmentError(msg + f"got {design!r}.")
    result = _result(design, rows, data, done, n_resamples, stability)
    again = repeated_rows(check_cohort(cohort))
    notes = (*result.notes, repeated_rows_note(again)) if again else result.notes
    return replace(result, left_out=left_out, notes=notes)


def _check_any(done: Repetitions) -> None:
    if not done.done:
        reason = next(iter(done.failures), "none was asked for")
        msg = f"at least one resample must succeed, got none: {reason}"
        raise DevelopmentError(msg)


def _result(
    design: Design,
    rows: list[dict[str, object]],
    data: Data,
    done: Repetitions,
    n_resamples: int,
    stability: Stability | None,
) -> InternalValidation:
    import pandas as pd

    n_patients = int((~np.isnan(data.outcome)).sum())
    notes = []
    if n_patients < INFORMATIVE_FROM:
        notes.append(
            f"Internal validation is not informative with {n_patients} patients: "
            "read the interval, not the value."
        )
    if done.n_failed:
        notes.append(f"{done.n_failed} resamples failed and are not in the means.")
    weights = [repetition.weight for repetition in done.done]
    return InternalValidation(
        design=design,
        table=pd.DataFrame(rows),
        n_patients=n_patients,
        n_events=int(np.nansum(data.outcome)),
        n_resamples=n_resamples,
        n_failed_resamples=done.n_failed,
        failures=done.failures,
        stability=stability,
        challenger_weight=float(np.mean(weights)) if weights else 0.0,
        notes=tuple(notes),
    )


def _values(repetitions: Iterable[Repetition], part: str, name: str) -> Array:
    """Measure of each repetition, NaN where it has none."""
    return np.array([getattr(r, part).get(name, np.nan) for r in repetitions])


def _bootstrap_row(
    name: str, apparent: float, done: Repetitions, data: Data, probability: Array
) -> dict[str, object]:
    inside = _values(done.done, "inside", name)
    original = _values(done.done, "original", name)
    paired = np.isfinite(inside) & np.isfinite(original)
    if not paired.any():
        return _row_without_value(name, apparent, done)
    optimism = float((inside - original)[paired].mean())
    spread = _values(done.done, "developed", name) if name in _CALIBRATION else inside
    spread = spread[paired & np.isfinite(spread)]
    shift = float(spread.mean()) - (apparent - optimism)
    low, high = np.quantile(spread, [0.025, 0.975]) - shift
    if name in _NEVER_NEGATIVE:
        low = max(0.0, low)
    outside = _values(done.done, "outside", name)
    outside = outside[np.isfinite(outside)]
    simple, plus = _corrected_632(name, apparent, outside, data, probability)
    return {
        "measure": name,
        "apparent": apparent,
        "optimism": optimism,
        "optimism_corrected": apparent - optimism,
        "lower": float(low),
        "upper": float(high),
        "corrected_632": simple,
        "corrected_632_plus": plus,
        "n_resamples": int(paired.sum()),
        "n_failed_resamples": len(paired) - int(paired.sum()) + done.n_failed,
        "definition": DEFINITIONS[name].definition["en"],
    }


def _row_without_value(
    name: str, apparent: float, done: Repetitions
) -> dict[str, object]:
    """Row of a measure that no resample had: every one of them counts as failed."""
    corrected = ("corrected_632", "corrected_632_plus")
    columns = ("optimism", "optimism_corrected", "lower", "upper", *corrected)
    return {
        "measure": name,
        "apparent": apparent,
        **dict.fromkeys(columns),
        "n_resamples": 0,
        "n_failed_resamples": len(done.done) + done.n_failed,
        "definition": DEFINITIONS[name].definition["en"],
    }


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
    gap = nothing - apparent
    rate = (left_out - apparent) / gap if abs(gap) > 1e-12 else 0.0
    rate = min(1.0, max(0.0, rate))
    weight = 0.632 / (1.0 - 0.368 * rate)
    bounded = apparent + rate * gap
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


def _cross_validate(
    procedure: Procedure,
    data: Data,
    developed: Array,
    n_repeats: int,
    *,
    seed: int,
    n_jobs: int,
) -> tuple[Repetitions, Array]:
    """Repeated 10-fold: log-odds of left-out patients, averaged over the repeats."""
    rng = np.random.default_rng(seed)
    everybody = np.arange(len(data))
    folds = []
    for _ in range(n_repeats):
        order = rng.permutation(len(data))
        order = order[np.argsort(np.nan_to_num(data.outcome[order]), kind="stable")]
        fold = np.empty(len(data), dtype=np.int64)
        fold[order] = np.arange(len(data)) % N_FOLDS
        folds += [everybody[fold != k] for k in range(N_FOLDS)]
    done = repeat(procedure, data, folds, developed, n_jobs=n_jobs)
    _check_any(done)
    if done.n_failed:
        reason = next(iter(done.failures))
        msg = f"every fold must be developed, got {done.n_failed} failures: {reason}"
        raise DevelopmentError(msg)
    total, count = np.zeros(len(data)), np.zeros(len(data))
    for rows, repetition in zip(folds, done.done, strict=True):
        left_out = np.setdiff1d(everybody, rows)
        total[left_out] += logit(repetition.probability[left_out])
        count[left_out] += 1
    return done, expit(total / count)


def _cross_validated_row(
    name: str, apparent: float, held_out: Array, data: Data, done: Repetitions
) -> dict[str, object]:
    known = ~np.isnan(data.outcome)
    lower: float | None
    upper: float | None
    value = measure(data, held_out, np.arange(len(data)))[name]
    try:
        found = estimate_measure(name, data.outcome[known], held_out[known])
        lower, upper = found.lower, found.upper
    except ResponderModelError:
        lower, upper = None, None
    return {
        "measure": name,
        "apparent": apparent,
        "optimism": apparent - value,
        "optimism_corrected": value,
        "lower": lower,
        "upper": upper,
        "n_resamples": len(done.done),
        "n_failed_resamples": done.n_failed,
        "definition": DEFINITIONS[name].definition["en"],
    }
