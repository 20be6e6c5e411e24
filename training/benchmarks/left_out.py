"""Cross-validated probabilities of one method on one real data set."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline

import peers
from columns import fill_and_scale
from real_sets import RealSet, declarations
from responder_model.cumulative_logit import EvidenceCumulativeLogit

OURS = "responder_model"


def predict_left_out(data: RealSet, method: str, n_repeats: int) -> NDArray[np.float64]:
    """Probability of each patient when left out, (n_patients, n_repeats)."""
    s = declarations()["settings"]
    folds = RepeatedStratifiedKFold(
        n_splits=s["n_folds"], n_repeats=n_repeats, random_state=s["seed"]
    ).split(data.columns, data.outcome)
    probability = np.empty((len(data.outcome), n_repeats))
    for k, (inside, outside) in enumerate(folds):
        outcome = data.outcome[inside]
        model = _build(method, outcome)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(data.columns[inside], outcome)
            predicted = model.predict_proba(data.columns[outside])[:, 1]
        probability[outside, k // s["n_folds"]] = predicted
    return probability


def _build(method: str, outcome: NDArray[np.int64]) -> Any:
    if method != OURS:
        return peers.build_peer(method, outcome)
    return make_pipeline(*fill_and_scale()[:2], EvidenceCumulativeLogit())
