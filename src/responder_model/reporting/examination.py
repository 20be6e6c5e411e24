"""Examine a model in one cohort: who the patients were, how good it is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.cohort import binary_outcome, check_cohort, outcome_levels
from responder_model.development.building import procedure_from
from responder_model.development.from_cohort import check_overlap
from responder_model.development.newcomers import new_patients
from responder_model.disclosure import already_in, fingerprints_of
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.model import Model
from responder_model.model.limits import preceding_test
from responder_model.performance import (
    CalibrationCurve,
    DecisionInstability,
    InstabilityCurve,
    calibration_curve,
    decision_curve,
    instability_curve,
)
from responder_model.settings import Settings
from responder_model.validation import (
    ExternalValidation,
    InternalValidation,
    validate_by_centre,
    validate_by_subgroup,
    validate_externally,
    validate_internally,
)
from responder_model.validation.external import SUBGROUPS
from responder_model.validation.verification import Verification, verify
from responder_model.words import Note
from .groups import releasable
from .response import response_table
from .study import Curves, Flow, Role, Study
from .suppression import SMALL_CELL
from .table_one import table_one

Array = NDArray[np.float64]
Found = TypeVar("Found")

# Resamples for one repeat of cross-validation; its predictions draw the curves.
RESAMPLES_PER_REPEAT = 50
# A neutral range: no published text says which thresholds clinicians use.
THRESHOLDS = np.round(np.arange(0.10, 0.801, 0.025), 3)
# Known outcomes below which a decision curve tells responders between two thresholds.
FEWEST_FOR_DECISIONS = 50
# Counts of fewer patients are not drawn below a calibration curve.
COARSE_EDGES = np.linspace(0.0, 1.0, 11)
# Coefficients that differ less were developed on the same patients.
SAME = 1e-6


def role_of(model: Model, cohort: pd.DataFrame) -> Role:
    """Say whether a model was developed on a cohort.

    By the fingerprints of its patients; where another centre's key made them, by
    developing it again.

    Raises
    ------
    DevelopmentError
        When the patients are some of the model's own. Without fingerprints: when the
        counts are the model's own but the coefficients are not (the same patients with
        other values or other software, which is neither), and when the model was
        updated, because then only the user knows.
    """
    if not model.settings:
        return "new"
    levels = outcome_levels(cohort, model.rules)
    found = already_in(model.fingerprints, cohort)
    if found is not None:
        return _known_role(model, cohort[levels.observed], found[levels.observed])
    if model.is_update:
        raise DevelopmentError(Note("refusal.role_of_update"))
    events = int((binary_outcome(levels, model.rules) == 1.0).sum())
    if (int(levels.observed.sum()), events) != (model.n_patients, model.n_events):
        return "new"
    settings = replace(model.settings, challenger=False, table=model.dictionary)
    procedure = procedure_from(settings, model=model)
    fitted = procedure.fit(cohort, levels)
    again = fitted.estimator_.coef_ @ fitted.encoder_.projection
    if np.allclose(again, model.main.coefficients, rtol=SAME, atol=SAME):
        return "development"
    raise DevelopmentError(Note("refusal.role_unsure"))


def _known_role(model: Model, patients: pd.DataFrame, known: NDArray[np.bool_]) -> Role:
    """Role of patients of whom it is known who is in the model."""
    if not known.all():
        return "new"
    if len(known) != model.n_patients or model.is_update:
        said = Note("refusal.role_partly", n=len(known), all=model.n_patients)
        raise DevelopmentError(said)
    if fingerprints_of(patients) != model.fingerprints:
        raise DevelopmentError(Note("refusal.role_changed"))
    return "development"


def examine(
    model: Model,
    cohort: pd.DataFrame,
    *,
    role: Role | None = None,
    n_resamples: int = 200,
    n_jobs: int = 1,
    seed: int = 0,
) -> Study:
    """Describe a cohort and measure the model in it.

    Parameters
    ----------
    model : Model
        The model.
    cohort : DataFrame
        Its development cohort, or other patients.
    role : {"development", "new"}, optional
        Which of the two; by default found out by developing the model again.
    n_resamples, n_jobs, seed
        Of the bootstrap.
    """
    cohort = check_cohort(cohort)
    role = _check_role(model, cohort, role)
    left_out: tuple[Note, ...] = ()
    if role == "new":
        cohort, left_out = new_patients(model, cohort)
    work = _Work(model, cohort)
    if role == "development":
        measured = _internally(work, n_resamples, n_jobs, seed)
    else:
        measured = _externally(work, n_resamples, seed)
    levels = outcome_levels(cohort, model.decision)
    table = table_one(model, cohort)
    names = [name for name in model.encoder.predictors if name in cohort]
    known = levels.observed
    return Study(
        role=role,
        name=str(cohort.attrs.get("name", "cohort")),
        provenance=str(cohort.attrs.get("provenance", "cohort")),
        outcome_definition=levels.definition,
        flow=_flow(model, cohort),
        table=table,
        internal=measured.internal,
        external=measured.external,
        curves=measured.curves,
        instability=measured.instability,
        decision_instability=_decision_instability(measured.internal),
        response=response_table(model, cohort, table, measured.probability),
        subgroups=measured.subgroups,
        centres=work.centres(role),
        verification=work.verification(),
        missing={name: float(cohort[name][known].isna().mean()) for name in names},
        overlaps=_overlaps(model, cohort),
        notices=(*left_out, *cohort.attrs.get("notices", ())),
        problems=work.problems,
    )


def _check_role(model: Model, cohort: pd.DataFrame, role: Role | None) -> Role:
    """Find the role out, or refuse a given one that cannot be."""
    if role == "development" and (model.is_update or not model.settings):
        raise DevelopmentError(Note("refusal.role_new"))
    if role == "new" and _is_development(model, cohort):
        raise DevelopmentError(Note("refusal.role_development"))
    return role or role_of(model, cohort)


def _is_development(model: Model, cohort: pd.DataFrame) -> bool:
    """Whether a cohort is found to be the development cohort; False when unsure."""
    try:
        return role_of(model, cohort) == "development"
    except DevelopmentError:
        return False


def _overlaps(model: Model, cohort: pd.DataFrame) -> bool:
    """Whether the patients may stand behind the published evidence of the model."""
    excluded = model.excluded_evidence
    settings = Settings(
        decision=model.decision, moment=model.moment, exclude_evidence=excluded
    )
    try:
        check_overlap(cohort, settings)
    except DevelopmentError:
        return True
    return False


@dataclass(frozen=True, kw_only=True, eq=False)
class _Measured:
    internal: InternalValidation | None
    external: ExternalValidation | None
    curves: Curves
    instability: InstabilityCurve | None
    subgroups: pd.DataFrame | None
    probability: Array


class _Work:
    """A model, a cohort, and what could not be done with them."""

    def __init__(self, model: Model, cohort: pd.DataFrame) -> None:
        self.model = model
        self.cohort = cohort
        self.problems: dict[str, Note] = {}
        levels = outcome_levels(cohort, model.decision)
        self.observed = levels.observed
        self.outcome = binary_outcome(levels, model.decision)

    def attempt(self, name: str, analysis: Callable[[], Found]) -> Found | None:
        """Do an analysis; one that cannot be done leaves its reason."""
        try:
            return analysis()
        except ResponderModelError as error:
            self.problems[name] = error.said
            return None

    def subgroups(self, probability: Array | None) -> pd.DataFrame | None:
        by = [name for name in SUBGROUPS if name in self.cohort]
        if not by:
            return None
        return self.attempt("subgroups", lambda: self._by_subgroup(by, probability))

    def _by_subgroup(self, by: list[str], probability: Array | None) -> pd.DataFrame:
        found = validate_by_subgroup(
            self.model, self.cohort, by=by, probability=probability, small_cell=1
        )
        return _releasable(found)

    def centres(self, role: Role) -> pd.DataFrame | None:
        """Internal–external validation, or the model in each centre of new patients."""
        if "centre" not in self.cohort or self.cohort["centre"].nunique() < 2:
            return None
        if role == "development":
            return self.attempt(
                "centres",
                lambda: _releasable(
                    validate_by_centre(self.model, self.cohort, small_cell=1)
                ),
            )
        found = self.attempt("centres", lambda: self._by_subgroup(["centre"], None))
        return None if found is None else found.rename(columns={"group": "centre"})

    def verification(self) -> Verification | None:
        if preceding_test(self.model.encoder) is None:
            return None
        return self.attempt("verification", lambda: verify(self.model, self.cohort))

    def curves(self, probability: Array) -> Curves:
        known = ~np.isnan(self.outcome) & ~np.isnan(probability)
        outcome, p = self.outcome[known], probability[known]
        if len(outcome) < SMALL_CELL:
            problem = Note("performance.few_for_curve", n=SMALL_CELL)
            return Curves(calibration=None, decision=None, problem=problem)
        try:
            return Curves(
                calibration=_without_small_bars(
                    calibration_curve(outcome, p), p, outcome
                ),
                decision=decision_curve(outcome, p, thresholds=THRESHOLDS)
                if len(outcome) >= FEWEST_FOR_DECISIONS
                else None,
                problem=None,
            )
        except ResponderModelError as error:
            return Curves(calibration=None, decision=None, problem=error.said)


def _releasable(found: pd.DataFrame) -> pd.DataFrame:
    """Table of groups without small counts, nor what tells them."""
    import pandas as pd

    return pd.DataFrame(releasable(found))


def _internally(work: _Work, n_resamples: int, n_jobs: int, seed: int) -> _Measured:
    internal = work.attempt(
        "internal",
        lambda: validate_internally(
            work.model, work.cohort, n_resamples=n_resamples, n_jobs=n_jobs, seed=seed
        ),
    )
    repeats = max(1, n_resamples // RESAMPLES_PER_REPEAT)
    folds = work.attempt(
        "cross_validation",
        lambda: validate_internally(
            work.model,
            work.cohort,
            n_resamples=repeats,
            n_jobs=n_jobs,
            seed=seed,
            design="cross_validation",
        ),
    )
    probability = np.full(len(work.cohort), np.nan)
    if folds is not None and folds.left_out is not None:
        probability[work.observed] = folds.left_out
        curves, subgroups = work.curves(probability), work.subgroups(probability)
    else:
        reason = work.problems.get("cross_validation")
        curves = Curves(calibration=None, decision=None, problem=reason)
        subgroups = None
    return _Measured(
        internal=internal,
        external=None,
        curves=curves,
        instability=_instability(work, internal),
        subgroups=subgroups,
        probability=probability,
    )


def _instability(
    work: _Work, internal: InternalValidation | None
) -> InstabilityCurve | None:
    if internal is None or internal.stability is None:
        return None
    stability = internal.stability
    return work.attempt(
        "stability",
        lambda: instability_curve(stability.probability, stability.resampled),
    )


def _decision_instability(
    internal: InternalValidation | None,
) -> DecisionInstability | None:
    if internal is None or internal.stability is None:
        return None
    if internal.n_patients < FEWEST_FOR_DECISIONS:
        return None
    return internal.stability.decision_instability(THRESHOLDS)


def _externally(work: _Work, n_resamples: int, seed: int) -> _Measured:
    external = work.attempt(
        "external",
        lambda: validate_externally(
            work.model, work.cohort, n_resamples=n_resamples, seed=seed
        ),
    )
    table = work.model.predict_cohort(work.cohort)
    probability = table["probability"].to_numpy(dtype=np.float64)
    return _Measured(
        internal=None,
        external=external,
        curves=work.curves(probability),
        instability=None,
        subgroups=work.subgroups(None),
        probability=probability,
    )


def _flow(model: Model, cohort: pd.DataFrame) -> Flow:
    levels = outcome_levels(cohort, model.decision)
    outcome = binary_outcome(levels, model.decision)
    centres = cohort["centre"].nunique() if "centre" in cohort else 0
    return Flow(
        n_patients=len(cohort),
        n_unknown=int((~levels.observed).sum()),
        n_straddling=int((levels.observed & np.isnan(outcome)).sum()),
        n_events=int((outcome == 1.0).sum()),
        n_non_events=int((outcome == 0.0).sum()),
        n_centres=int(centres),
    )


def _without_small_bars(
    curve: CalibrationCurve, probability: Array, outcome: Array
) -> CalibrationCurve:
    """Draw where the patients are by tenths, leaving out bars of fewer than 10."""
    bars = []
    for value in (1.0, 0.0):
        counts = np.histogram(probability[outcome == value], COARSE_EDGES)[0]
        bars.append(np.where(counts < SMALL_CELL, 0, counts))
    return replace(
        curve, bin_edges=COARSE_EDGES, responders=bars[0], non_responders=bars[1]
    )
