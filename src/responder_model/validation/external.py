"""A released model on patients whom it has never seen, and on parts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.cohort import (
    OutcomeLevels,
    binary_outcome,
    check_cohort,
    outcome_levels,
)
from responder_model.development.from_cohort import check_overlap
from responder_model.development.newcomers import check_any_known, new_patients
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.features import Array, expit
from responder_model.model import Model
from responder_model.model.given import check_model
from responder_model.performance import (
    NEUTRAL_THRESHOLD,
    Performance,
    core_measures,
    estimate_measure,
    measure_performance,
)
from responder_model.performance._check import check_seed
from responder_model.schema import dictionary
from responder_model.settings import Settings
from responder_model.words import Note
from . import resampling
from .notes import MIN_RARER as MIN_RARER
from .notes import external_notes

Mask = NDArray[np.bool_]

# Patients below which a cell is not shown: it could point at a person.
SMALL_CELL = 10
AGE_BOUNDS = (0.0, 50.0, 65.0, 200.0)
AGE_GROUPS = ("under 50", "50 to 64", "65 and over")
# Measures of a part of a cohort that are given with an interval.
WITH_LIMITS = (
    "c_statistic",
    "calibration_in_the_large",
    "calibration_slope",
    "observed_expected_ratio",
    "brier_score",
)
SUBGROUPS = ("lesion_type", "sex", "age", "aetiology")
# Group of those whose value is missing.
NOT_KNOWN = "not known"


@dataclass(frozen=True, kw_only=True, eq=False)
class ExternalValidation:
    """Performance of a released model on another cohort.

    Parameters
    ----------
    performance : Performance
        Measures with intervals and definitions; ``problem`` says why there are none.
    n_patients, n_events : int
        Patients with a known outcome, and events.
    n_unknown : int
        Patients without an outcome that is known at the main cut-off, left out.
    sensitivity : Performance or None
        The same measures with patients of whom no outcome is known counted as
        non-responders; None when there is no such patient, and for a decision after a
        test, whose unknown outcomes are patients without an implant.
    applicability : dict
        Number of patients inside, borderline and outside.
    provenance, model : str
        Of the cohort; name of the model.
    notes : tuple of Note
        What the reader must know.
    """

    performance: Performance
    n_patients: int
    n_events: int
    n_unknown: int
    applicability: dict[str, int]
    provenance: str
    model: str
    sensitivity: Performance | None = None
    notes: tuple[Note, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """One row per measure: value, 95 % limits, definition, problem."""
        return self.performance.to_frame()


def validate_externally(
    model: Model,
    cohort: pd.DataFrame,
    *,
    n_resamples: int = 200,
    seed: int = 0,
    threshold: float = NEUTRAL_THRESHOLD,
    count_again: bool = False,
) -> ExternalValidation:
    """Measure a model on a cohort that it was not developed on.

    A cohort that is too small, or has one outcome class, gives a table whose rows
    state the problem.

    Parameters
    ----------
    model : Model
        Published or developed.
    cohort : DataFrame
        Patients of another place or time.
    n_resamples : int
        For the intervals of the calibration distances.
    seed : int
        Their seed.
    threshold : float, default 0.5
        Threshold probability of the net benefit. 0.5 is neutral, not clinical.
    count_again : bool
        Measure patients who are in the model, too: for those who are alike by chance.

    Raises
    ------
    DevelopmentError
        When no outcome is known, or only of patients who are in the model.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="session_2")
    >>> found = validate_externally(model, rm.simulate_cohort(n_patients=60, seed=0))
    >>> found.provenance, found.n_patients
    ('simulated', 54)
    >>> row = found.table.set_index("measure").loc["c_statistic"]
    >>> bool(row["lower"] < row["value"] < row["upper"])
    True
    """
    check_seed(seed)
    check_model(model)
    cohort, left_out = new_patients(
        model, check_cohort(cohort), count_again=count_again
    )
    levels = outcome_levels(cohort, model.decision)
    outcome = binary_outcome(levels, model.decision)
    known = ~np.isnan(outcome)
    check_any_known(known, model.decision)
    table = model.predict_cohort(cohort)
    measured = partial(
        _measured,
        decision=model.decision,
        probability=table["probability"].to_numpy(dtype=np.float64),
        threshold=threshold,
        n_resamples=n_resamples,
        seed=seed,
    )
    as_no = _non_completers_as_no(levels, model.decision)
    return ExternalValidation(
        performance=measured(levels),
        n_patients=int(known.sum()),
        n_events=int(outcome[known].sum()),
        n_unknown=int((~known).sum()),
        applicability={
            str(level): int(n)
            for level, n in table["applicability"].value_counts().items()
        },
        provenance=str(cohort.attrs.get("provenance", "cohort")),
        model=model.name,
        sensitivity=None if as_no is None else measured(as_no),
        notes=(*left_out, *external_notes(model, outcome[known], cohort)),
    )


def _measured(
    levels: OutcomeLevels,
    *,
    decision: str,
    probability: Array,
    threshold: float,
    n_resamples: int,
    seed: int,
) -> Performance:
    outcome = binary_outcome(levels, decision)
    known = ~np.isnan(outcome)
    return measure_performance(
        outcome[known],
        probability[known],
        level=levels.lower[known],
        upper_level=levels.upper[known],
        threshold=threshold,
        n_resamples=n_resamples,
        rng=np.random.default_rng(seed),
    )


def _non_completers_as_no(levels: OutcomeLevels, decision: str) -> OutcomeLevels | None:
    """Unknown outcomes as non-response; None where that would mean nothing."""
    if levels.observed.all() or not resampling.has_non_completers(decision):
        return None
    main = dictionary().decisions[decision].main_index
    return replace(levels, upper=np.where(levels.observed, levels.upper, main))


def validate_by_subgroup(
    model: Model,
    cohort: pd.DataFrame,
    *,
    by: Sequence[str] | None = None,
    small_cell: int = SMALL_CELL,
    probability: Array | None = None,
    count_again: bool = False,
) -> pd.DataFrame:
    """Core measures in parts of a cohort; small cells are suppressed.

    ``by`` names columns of the cohort; by default those of ``SUBGROUPS`` that it has.
    ``probability`` replaces the model's own, one for each patient of the cohort: in
    the development cohort, those of models that never saw the patient. Without it,
    patients who are in the model are left out, unless ``count_again``.

    Returns
    -------
    DataFrame
        Columns ``predictor``, ``group``, ``n_patients``, ``n_events``, then measures
        and, as ``…_lower`` and ``…_upper``, the 95 % limits of the main ones.
        A cell of fewer than ``small_cell`` patients shows only ``n_patients`` as
        ``"<10"``; a measure that cannot be estimated is left empty and
        ``problem`` says why. Counts of larger cells are true: the table is for the
        centre itself. ``validate --design by_subgroup`` and reports also hide few
        events or non-events and what would tell them (``reporting.groups``).
    """
    import pandas as pd

    check_model(model)
    cohort = check_cohort(cohort)
    if probability is None:
        cohort, _ = new_patients(model, cohort, count_again=count_again)
    outcome = binary_outcome(outcome_levels(cohort, model.decision), model.decision)
    known = ~np.isnan(outcome)
    check_any_known(known, model.decision)
    names = _names(by, cohort)
    if probability is None:
        probability = model.predict_cohort(cohort)["probability"].to_numpy()
    if len(probability) != len(cohort):
        said = Note("validation.one_each", got=len(probability), n=len(cohort))
        raise DevelopmentError(said)
    known &= ~np.isnan(probability)
    rows = []
    for name in names:
        groups = _groups(cohort, name)
        for group in pd.unique(groups[known]):
            inside = known & (groups == group).to_numpy()
            rows.append(
                {"predictor": name, "group": str(group)}
                | _cell(outcome[inside], probability[inside], small_cell)
            )
    return _labelled(rows, cohort)


def _names(by: Sequence[str] | None, cohort: pd.DataFrame) -> tuple[str, ...]:
    """Columns whose groups are measured."""
    if isinstance(by, str):
        return (by,)
    found = [name for name in SUBGROUPS if name in cohort] if by is None else by
    if not found:
        raise DevelopmentError(Note("validation.by_none", allowed=tuple(SUBGROUPS)))
    return tuple(found)


def _labelled(rows: list[dict[str, Any]], cohort: pd.DataFrame) -> pd.DataFrame:
    """Table that says whose patients it is about, in its ``attrs``."""
    import pandas as pd

    table = pd.DataFrame(rows)
    table.attrs["provenance"] = str(cohort.attrs.get("provenance", "cohort"))
    return table


def _groups(cohort: pd.DataFrame, name: str) -> pd.Series[Any]:
    import pandas as pd

    if name not in cohort.columns:
        raise DevelopmentError(Note("validation.by_column", got=repr(name)))
    values = cohort[name]
    if dictionary().fields[name].kind == "number":
        if name != "age":
            raise DevelopmentError(Note("validation.by_kind", got=repr(name)))
        values = pd.cut(values, AGE_BOUNDS, right=False, labels=list(AGE_GROUPS))
    return values.astype(object).where(values.notna(), NOT_KNOWN)


def _cell(outcome: Array, probability: Array, small_cell: int) -> dict[str, Any]:
    if len(outcome) < small_cell:
        return {"n_patients": f"<{small_cell}", "n_events": None, "problem": "small"}
    found = core_measures(outcome, probability)
    reasons = tuple(dict.fromkeys(found.failures.values()))
    return {
        "n_patients": str(len(outcome)),
        "n_events": int(outcome.sum()),
        **found.values,
        **_limits(outcome, probability, found.values),
        "problem": Note("refusal.several", said=reasons) if reasons else "",
    }


def _limits(
    outcome: Array, probability: Array, values: Mapping[str, float]
) -> dict[str, float]:
    """95 % limits of the main measures that have a value and an interval."""
    limits: dict[str, float] = {}
    for name in WITH_LIMITS:
        if name not in values:
            continue
        try:
            found = estimate_measure(name, outcome, probability)
        except ResponderModelError:
            continue
        limits |= {f"{name}_lower": found.lower, f"{name}_upper": found.upper}
    return limits


def validate_by_centre(
    source: Settings | Model,
    cohort: pd.DataFrame,
    *,
    small_cell: int = SMALL_CELL,
    updated_from: Model | None = None,
) -> pd.DataFrame:
    """Internal–external validation: develop on all centres but one, measure on it.

    For a model that was updated, ``updated_from`` is the earlier one, whose update is
    repeated.

    Returns
    -------
    DataFrame
        One row per centre, as ``validate_by_subgroup``, with true counts; a centre that
        is too small, or without which nothing can be developed, says so in ``problem``.

    References
    ----------
    .. [1] Steyerberg EW, Harrell FE. J Clin Epidemiol 2016;69:245-247.
       doi:10.1016/j.jclinepi.2015.04.005
    """
    import pandas as pd

    cohort = check_cohort(cohort)
    settings = resampling.settings_of(source)
    check_overlap(cohort, settings)
    procedure = resampling.procedure_of(source, updated_from)
    if "centre" not in cohort.columns or cohort["centre"].nunique() < 2:
        raise DevelopmentError(Note("refusal.one_centre"))
    known = outcome_levels(cohort, settings.decision).observed
    check_any_known(known, settings.decision)
    data = resampling.read_data(procedure, cohort)
    centre = cohort["centre"].to_numpy()[known]
    rows = []
    for name in sorted(set(centre[pd.notna(centre)])):
        outside = np.flatnonzero(centre == name)
        try:
            fitted = resampling.develop_on(
                procedure, data, np.flatnonzero(centre != name)
            )
        except ResponderModelError as error:
            rows.append({"centre": name, "n_patients": "", "problem": error.said})
            continue
        probability = expit(fitted.linear_predictor_raw(data.raw[outside]))
        judged = ~np.isnan(data.outcome[outside])
        rows.append(
            {"centre": name}
            | _cell(data.outcome[outside][judged], probability[judged], small_cell)
        )
    return _labelled(rows, cohort)
