"""Every method of the accuracy benchmarks as a function from task to predictions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from before import run_before
from floor import run_floor
from known_truth.cells import Method, Predicted, Task
from responder_model.development import build_procedure, develop
from responder_model.development.published import published_model
from responder_model.features import logit
from responder_model.settings import Settings
from rivals import run_ordinal_ridge, run_peer

OURS = "responder_model"
FLOOR = "floor"
BEFORE = "before"
FAIR = (
    "ordinal_ridge",
    "published_recalibrated",
    "published_only",
    "binary_outcome",
)


def build_methods(names: Iterable[str]) -> dict[str, Method]:
    """Return the methods by name; one that is not ours is a peer."""
    return {name: _METHODS.get(name, partial(run_peer, name)) for name in names}


def run_ours(task: Task, *, challenger: bool = True) -> Predicted:
    settings = Settings(
        decision=task.decision, moment=task.moment, challenger=challenger
    )
    model = develop(task.development, settings=settings)
    return _predicted(model.predict_cohort(task.test))


def run_published_recalibrated(task: Task) -> Predicted:
    """Published-evidence model with a new level and slope: van Calster's peer."""
    model = published_model(task.decision, task.moment)
    lp, lp_test = (
        logit(model.predict_cohort(c)["probability"].to_numpy())[:, None]
        for c in (task.development, task.test)
    )
    recalibration = LogisticRegression(C=np.inf).fit(lp, task.outcome)
    return Predicted(probability=recalibration.predict_proba(lp_test)[:, 1])


def run_published_only(task: Task) -> Predicted:
    """Published-evidence model as it is: what a centre without patients uses."""
    model = published_model(task.decision, task.moment)
    return _predicted(model.predict_cohort(task.test))


def run_binary_outcome(task: Task) -> Predicted:
    """Ours, told only whether relief passed the main cut-off, and without trees."""
    procedure = build_procedure(task.decision, task.moment, challenger=False)
    procedure.fit(task.development, task.outcome)
    return Predicted(probability=procedure.predict_proba(task.test)[:, 1])


def _predicted(table: pd.DataFrame) -> Predicted:
    names = ("probability", "lower", "upper")
    return Predicted(**{name: table[name].to_numpy(dtype=float) for name in names})


_METHODS: dict[str, Method] = {
    OURS: run_ours,
    "responder_model_linear": partial(run_ours, challenger=False),
    BEFORE: run_before,
    FLOOR: run_floor,
    "ordinal_ridge": run_ordinal_ridge,
    "published_recalibrated": run_published_recalibrated,
    "published_only": run_published_only,
    "binary_outcome": run_binary_outcome,
}
