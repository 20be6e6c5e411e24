"""What one cohort says about a model, as values: aggregates only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from responder_model.figures.response import ResponseTable
from responder_model.performance import (
    CalibrationCurve,
    DecisionCurve,
    DecisionInstability,
    InstabilityCurve,
)
from responder_model.validation import ExternalValidation, InternalValidation
from responder_model.validation.verification import Verification
from responder_model.words import Note
from .table_one import TableOne

Role = Literal["development", "new"]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Patients from the file to the analysis.

    Parameters
    ----------
    n_patients : int
        In the file.
    n_unknown : int
        Without any known outcome: left out.
    n_straddling : int
        Whose outcome is known only as a range that holds the main cut-off: used in
        development, not in yes/no measures.
    n_events, n_non_events : int
        With a known outcome at the main cut-off.
    n_centres : int
        Named centres; 0 when no column names one.
    """

    n_patients: int
    n_unknown: int
    n_straddling: int
    n_events: int
    n_non_events: int
    n_centres: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """Curves of probabilities of patients whom the model did not see.

    ``problem`` says why both are missing. The decision curve alone is missing with few
    patients: in fine steps it tells how many responders are behind each step.
    """

    calibration: CalibrationCurve | None
    decision: DecisionCurve | None
    problem: Note | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """One cohort beside one model; aggregates only.

    Parameters
    ----------
    role : {"development", "new"}
        Whether the model was developed on these patients.
    name, provenance : str
        Of the cohort.
    outcome_definition : dict
        How the cohort records the outcome, by language.
    flow : Flow
        Patients from the file to the analysis.
    table : TableOne
        Who they were, small cells hidden.
    internal : InternalValidation or None
        Bootstrap of the whole procedure; development only.
    external : ExternalValidation or None
        The model as it is; new patients only.
    curves : Curves
        Calibration and decision curve.
    instability : InstabilityCurve or None
        How predictions vary between resamples; development only.
    decision_instability : DecisionInstability or None
        How their net benefit varies; development only, and not with few patients.
    response : ResponseTable or None
        Response by aetiology or lesion type, where no small cell shows.
    subgroups, centres : DataFrame or None
        Measures in parts of the cohort, and by centre, as ``releasable`` leaves them.
    verification : Verification or None
        Implanted among tested; only where a test precedes the decision.
    missing : dict
        Share of missing values of each predictor.
    overlaps : bool
        Whether these patients may stand behind the model's published evidence.
    notices : tuple of Note or str
        What the reader of the file left out.
    problems : dict
        Analyses that could not be done, and why.
    """

    role: Role
    name: str
    provenance: str
    outcome_definition: str
    flow: Flow
    table: TableOne
    internal: InternalValidation | None
    external: ExternalValidation | None
    curves: Curves
    instability: InstabilityCurve | None
    decision_instability: DecisionInstability | None
    response: ResponseTable | None
    subgroups: pd.DataFrame | None
    centres: pd.DataFrame | None
    verification: Verification | None
    missing: dict[str, float]
    overlaps: bool
    notices: tuple[Note, ...]
    problems: dict[str, Note]
