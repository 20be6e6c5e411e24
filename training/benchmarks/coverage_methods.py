"""One developed model, asked in several ways: complete, with gaps, without the pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from known_truth.cells import Method, Predicted, Task
from responder_model.development import develop
from responder_model.model import Model
from responder_model.schema import dictionary
from responder_model.settings import Settings

# The model developed last, and the cohort that it was developed on.
_LAST: list[tuple[pd.DataFrame, Model]] = []


def developed(task: Task) -> Model:
    """Develop on the task's cohort, once for all methods that ask."""
    if not _LAST or _LAST[0][0] is not task.development:
        settings = Settings(decision=task.decision, moment=task.moment)
        _LAST[:] = [(task.development, develop(task.development, settings=settings))]
    return _LAST[0][1]


def blanked(cohort: pd.DataFrame, task: Task, share: float) -> pd.DataFrame:
    """Return a copy with a share of each predictor blank, completely at random.

    What follows from a blank predictor is blank too.
    """
    rng = np.random.default_rng([len(cohort), int(1e9 * task.true_probability[0])])
    cohort = cohort.copy()
    for row in dictionary().predictors(task.decision, task.moment):
        if row.name not in cohort or row.derived_from:
            continue
        gone = rng.random(len(cohort)) < share
        follows = (r.name for r in dictionary().fields.values())
        names = [n for n in follows if dictionary().fields[n].derived_from == row.name]
        for name in (row.name, *names):
            if name in cohort:
                cohort.loc[gone, name] = None
    return cohort


def predicted(model: Model, cohort: pd.DataFrame) -> Predicted:
    table = model.predict_cohort(cohort)
    names = ("probability", "lower", "upper")
    return Predicted(**{name: table[name].to_numpy(dtype=float) for name in names})


def served(task: Task) -> Predicted:
    """Every predictor known."""
    return predicted(developed(task), task.test)


def linear_posterior(task: Task) -> Predicted:
    """Without the pool and without what a linear predictor misses."""
    return predicted(replace(developed(task), pool=None, discrepancy=0.0), task.test)


def missing_30(task: Task) -> Predicted:
    """A third of what is asked is not known of the patient."""
    return predicted(developed(task), blanked(task.test, task, 0.3))


def missing_60(task: Task) -> Predicted:
    """Most of what is asked is not known of the patient."""
    return predicted(developed(task), blanked(task.test, task, 0.6))


def missing_everywhere(task: Task) -> Predicted:
    """A third is missing in the development cohort as well."""
    settings = Settings(decision=task.decision, moment=task.moment)
    cohort = blanked(task.development, task, 0.3)
    return predicted(develop(cohort, settings=settings), blanked(task.test, task, 0.3))


_ALL: tuple[Callable[[Task], Predicted], ...] = (
    served,
    linear_posterior,
    missing_30,
    missing_60,
    missing_everywhere,
)
METHODS: dict[str, Method] = {method.__name__: method for method in _ALL}
