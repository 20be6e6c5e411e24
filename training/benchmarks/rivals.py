"""Peers that learn from the cohort alone, as functions from task to predictions."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

import peers
from columns import encoder_of, peer_columns
from known_truth.cells import Predicted, Task
from ordinal_ridge import OrdinalRidge

Array = NDArray[np.float64]


def run_peer(name: str, task: Task) -> Predicted:
    """Fit a peer to the outcome at the main cut-off."""
    X, X_test = _columns(task)
    if name == "firth_relief":
        name, (X, X_test) = "firth", _relief(task)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = peers.build_peer(name, task.outcome).fit(X, task.outcome)
        return Predicted(probability=model.predict_proba(X_test)[:, 1])


def run_ordinal_ridge(task: Task) -> Predicted:
    """Ridge on the same ordered levels as ours, its penalty tuned, no evidence."""
    X, X_test = _columns(task)
    s = peers.settings()
    model = OrdinalRidge(s["ordinal_ridge"]["slope_sds"], s["folds"]["n_folds"])
    model.fit(X, task.levels, task.decision)
    return Predicted(probability=model.predict(X_test))


def _columns(task: Task) -> tuple[Array, Array]:
    encoder = encoder_of(task.decision, task.moment)
    return peer_columns(task.development, encoder), peer_columns(task.test, encoder)


def _relief(task: Task) -> tuple[Array, Array]:
    development, test = task.development["relief_test"], task.test["relief_test"]
    return development.to_numpy()[:, None], test.to_numpy()[:, None]
