"""Internal validation: how much of the apparent performance is optimism."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from responder_model.cohort import check_cohort, repeated_rows
from responder_model.development.from_cohort import check_overlap
from responder_model.development.procedure import Procedure
from responder_model.errors import DevelopmentError, check_one_of
from responder_model.features import Array, expit, logit
from responder_model.model import Model
from responder_model.performance import NEUTRAL_THRESHOLD
from responder_model.performance._check import (
    check_n_resamples,
    check_seed,
    check_threshold,
)
from responder_model.performance.distances import DISTANCES
from responder_model.settings import Settings
from responder_model.words import Note
from .resampling import (
    Data,
    Indices,
    Repetitions,
    bootstrap_rows,
    develop_on,
    has_non_completers,
    left_out_by,
    measure_all,
    measure_resamples,
    procedure_of,
    read_data,
    repeat,
    settings_of,
)
from .stability import Stability
from .table import Row, bootstrap_rows_of, cross_validated_rows

Design = Literal["bootstrap", "cross_validation"]
NonCompleters = Literal["left_out", "non_responders"]

# Below this size bootstrap optimism is mostly noise (statistics.md 1.11).
INFORMATIVE_FROM = 50
N_FOLDS = 10


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
        ``n_resamples`` (that gave a value), ``n_failed_resamples``, ``definition``,
        ``problem`` (why there is no corrected value). Cross-validation has no .632.
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
    threshold : float
        Of the net benefit.
    provenance : str
        Of the cohort.
    notes : tuple of Note
        What the reader must know.
    left_out : ndarray of shape (n,) or None
        Probability of each patient whose outcome is known, by models that never saw
        the patient, NaN if none could be developed; cross-validation only. For curves,
        never part of a model.
    """

    design: Design
    table: pd.DataFrame
    n_patients: int
    n_events: int
    n_resamples: int
    n_failed_resamples: int
    failures: dict[Note, int]
    stability: Stability | None
    challenger_weight: float
    threshold: float = NEUTRAL_THRESHOLD
    provenance: str = "cohort"
    notes: tuple[Note, ...] = ()
    left_out: Array | None = None

    def value(self, name: str, column: str = "optimism_corrected") -> float:
        """One number of the table."""
        found = self.table.loc[self.table["measure"] == name, column]
        if found.empty:
            names = ", ".join(self.table["measure"])
            said = Note("validation.measure_name", allowed=names, got=repr(name))
            raise DevelopmentError(said)
        return float(found.to_numpy(dtype=float)[0])


def validate_internally(
    source: Settings | Model,
    cohort: pd.DataFrame,
    *,
    n_resamples: int = 200,
    n_jobs: int = 1,
    seed: int = 0,
    design: Design = "bootstrap",
    threshold: float = NEUTRAL_THRESHOLD,
    updated_from: Model | None = None,
    non_completers: NonCompleters = "left_out",
) -> InternalValidation:
    """Validate the whole development procedure by resampling.

    Everything that ``develop`` does is repeated on every resample: imputation,
    mixture weights, challenger, its weight. Optimism is the mean difference between
    performance on the resample and on the original cohort (Harrell). The interval
    holds both things that chance decides: in whom a model is measured (the
    probabilities by models that never saw the patient, measured in every resample) and
    on whom it is developed (the model of every resample, measured in the cohort). Their
    spreads are added and shifted onto the corrected value, as Noma (2021) does with the
    apparent values, which vary too little; no nested bootstrap is needed. What the
    intercept fits to its own patients (calibration in the large, O/E) is one chance
    seen twice, and takes the first alone.

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
        How to resample. Cross-validation gives the mean over its repeats.
    threshold : float, default 0.5
        Threshold probability of the net benefit. 0.5 is neutral, not clinical.
    updated_from : Model, optional
        The earlier model, to repeat its update with this cohort; required for a model
        that was updated.
    non_completers : {"left_out", "non_responders"}
        What patients without a known outcome count as. The second is the sensitivity
        analysis of a decision without a test before it.

    Raises
    ------
    DevelopmentError
        When the procedure cannot be developed on the cohort itself, or on no resample;
        when the prior contains the cohort's own patients.

    References
    ----------
    .. [1] Harrell FE, Lee KL, Mark DB. Stat Med 1996;15:361-387.
       doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4
    .. [2] Noma H et al. Stat Med 2021;40:5691-5701. doi:10.1002/sim.9148
    .. [3] Efron B, Tibshirani R. J Am Stat Assoc 1997;92:548-560.
       doi:10.1080/01621459.1997.10474007

    Examples
    --------
    >>> import responder_model as rm
    >>> cohort = rm.simulate_cohort(n_patients=60, seed=0)
    >>> settings = rm.Settings(decision="rtms_response", moment="session_2")
    >>> found = validate_internally(settings, cohort, n_resamples=4, seed=1)
    >>> found.n_patients, found.n_resamples
    (54, 4)
    >>> 0.5 < found.value("c_statistic") < 1.0
    True
    """
    check_one_of(design, _DESIGNS, name="design", error=DevelopmentError)
    check_n_resamples(n_resamples, minimum=1)
    check_seed(seed)
    cohort = check_cohort(cohort)
    check_overlap(cohort, settings_of(source))
    procedure = procedure_of(source, updated_from)
    data = read_data(
        procedure,
        cohort,
        threshold=check_threshold(threshold),
        unknown_as_no=_counts_as_no(non_completers, procedure.decision),
    )
    probability = _apparent(procedure, data)
    found = _DESIGNS[design](procedure, data, probability, n_resamples, seed, n_jobs)
    return _result(design, found, data, n_resamples, cohort)


def _counts_as_no(non_completers: str, decision: str) -> bool:
    """Check the choice: not implanted is no failure of an implant."""
    if non_completers == "left_out":
        return False
    if non_completers != "non_responders":
        said = Note("validation.non_completers", got=repr(non_completers))
        raise DevelopmentError(said)
    if not has_non_completers(decision):
        raise DevelopmentError(Note("validation.not_implanted", decision=decision))
    return True


def _apparent(procedure: Procedure, data: Data) -> Array:
    """Probabilities of the model developed on everybody."""
    fitted = develop_on(procedure, data, np.arange(len(data)))
    return np.asarray(expit(fitted.linear_predictor_raw(data.raw)))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    rows: list[Row]
    done: Repetitions
    stability: Stability | None = None
    left_out: Array | None = None


def _bootstrap(
    procedure: Procedure,
    data: Data,
    probability: Array,
    n_resamples: int,
    seed: int,
    n_jobs: int,
) -> _Found:
    apparent = measure_all(data, probability, np.arange(len(data)))
    resamples = bootstrap_rows(len(data), n_resamples, seed)
    done = repeat(procedure, data, resamples, n_jobs=n_jobs)
    _check_any(done)
    left_out = _mean_over_repeats(_left_out(resamples, done, len(data), 1))
    unseen = np.where(np.isnan(left_out), probability, left_out)
    kept = [resamples[place] for place in done.places]
    measured = measure_resamples(data, unseen, kept, n_jobs=n_jobs)
    stability = Stability.from_resamples(
        probability, [r.probability for r in done.done], data.outcome
    )
    return _Found(
        rows=bootstrap_rows_of(apparent, done, measured, data, probability),
        done=done,
        stability=stability,
    )


def _cross_validation(
    procedure: Procedure,
    data: Data,
    probability: Array,
    n_resamples: int,
    seed: int,
    n_jobs: int,
) -> _Found:
    apparent = measure_all(data, probability, np.arange(len(data)))
    folds = _folds(data, n_resamples, seed)
    done = repeat(procedure, data, folds, n_jobs=n_jobs)
    _check_any(done)
    left_out = _left_out(folds, done, len(data), N_FOLDS)
    rng = np.random.default_rng(seed)
    rows = cross_validated_rows(apparent, left_out, data, done, rng)
    return _Found(rows=rows, done=done, left_out=_mean_over_repeats(left_out))


_DESIGNS = {"bootstrap": _bootstrap, "cross_validation": _cross_validation}


def _check_any(done: Repetitions) -> None:
    if not done.done:
        reason = next(iter(done.failures), Note("refusal.none_asked_for"))
        raise DevelopmentError(Note("refusal.no_resample", reason=reason))


def _result(
    design: Design, found: _Found, data: Data, n_resamples: int, cohort: pd.DataFrame
) -> InternalValidation:
    import pandas as pd

    done = found.done
    return InternalValidation(
        design=design,
        table=pd.DataFrame(found.rows),
        n_patients=int((~np.isnan(data.outcome)).sum()),
        n_events=int(np.nansum(data.outcome)),
        n_resamples=n_resamples,
        n_failed_resamples=done.n_failed,
        failures=done.failures,
        stability=found.stability,
        challenger_weight=float(np.mean([one.weight for one in done.done])),
        threshold=data.threshold,
        provenance=str(cohort.attrs.get("provenance", "cohort")),
        notes=tuple(_notes(found.rows, done, data, cohort)),
        left_out=found.left_out,
    )


def _notes(
    rows: list[Row], done: Repetitions, data: Data, cohort: pd.DataFrame
) -> Iterator[Note]:
    n_patients = int((~np.isnan(data.outcome)).sum())
    if n_patients < INFORMATIVE_FROM:
        yield Note("validation.not_informative", n=n_patients)
    below = tuple(str(row["measure"]) for row in rows if _is_negative_distance(row))
    if below:
        yield Note("validation.below_zero", measures=below)
    if done.n_failed:
        yield Note("validation.resamples_failed", n=done.n_failed)
    if cohort.attrs.get("provenance") == "simulated":
        yield Note("validation.simulated")
    again = repeated_rows(cohort)
    if again:
        yield Note("development.repeated_rows", n=again)


def _is_negative_distance(row: Row) -> bool:
    value = row["optimism_corrected"]
    return row["measure"] in DISTANCES and isinstance(value, float) and value < 0.0


def _folds(data: Data, n_repeats: int, seed: int) -> list[Indices]:
    """Rows to develop on: all but one tenth, stratified by outcome."""
    rng = np.random.default_rng(seed)
    everybody = np.arange(len(data))
    folds = []
    for _ in range(n_repeats):
        order = rng.permutation(len(data))
        order = order[np.argsort(np.nan_to_num(data.outcome[order]), kind="stable")]
        fold = np.empty(len(data), dtype=np.int64)
        fold[order] = np.arange(len(data)) % N_FOLDS
        folds += [everybody[fold != k] for k in range(N_FOLDS)]
    return folds


def _left_out(
    parts: list[Indices], done: Repetitions, n_patients: int, n_per_repeat: int
) -> Array:
    """Probability of each patient by models that never saw it, (n_repeats, n)."""
    found = np.full((len(parts) // n_per_repeat, n_patients), np.nan)
    for place, repetition in zip(done.places, done.done, strict=True):
        outside = left_out_by(parts[place], n_patients)
        found[place // n_per_repeat, outside] = repetition.probability[outside]
    return found


def _mean_over_repeats(left_out: Array) -> Array:
    """Mean on the log-odds scale; NaN where no repeat has a value."""
    known = ~np.isnan(left_out)
    total = logit(np.where(known, left_out, 0.5)).sum(axis=0)
    times = known.sum(axis=0)
    return np.where(times > 0, expit(total / np.maximum(times, 1)), np.nan)
