"""Scores of every method on one real data set, paired with ours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from real_sets import RealSet
from responder_model.features import logit

Array = NDArray[np.float64]

_Z95 = 1.959963984540054
# Probabilities are kept this far from 0 and 1, where log loss is infinite.
_MARGIN = 1e-6


def score_methods(
    data: RealSet, predicted: Mapping[str, Array], ours: str
) -> pd.DataFrame:
    """Score every method on one set, and its paired difference to ours.

    ``difference``: our log loss minus theirs over the repeats that both have, with the
    95 % interval over patients; negative is better for us.
    """
    rows = []
    for method, probability in predicted.items():
        loss = _log_loss(data.outcome, probability)
        shared = min(loss.shape[1], predicted[ours].shape[1])
        our_loss = _log_loss(data.outcome, predicted[ours][:, :shared])
        difference = our_loss.mean(axis=1) - loss[:, :shared].mean(axis=1)
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        row = {
            "set": data.name,
            "n_patients": len(data.outcome),
            "n_events": int(data.outcome.sum()),
            "n_columns": data.columns.shape[1],
            "method": method,
            "n_repeats": loss.shape[1],
            "log_loss": loss.mean(),
            "brier_score": ((probability - data.outcome[:, None]) ** 2).mean(),
            "calibration_slope": _mean_slope(data.outcome, probability),
            "difference": difference.mean(),
            "difference_lower": difference.mean() - _Z95 * error,
            "difference_upper": difference.mean() + _Z95 * error,
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _log_loss(outcome: NDArray[np.int64], probability: Array) -> Array:
    p = np.clip(probability, _MARGIN, 1.0 - _MARGIN)
    return -np.log(np.where(outcome[:, None] == 1, p, 1.0 - p))


def _mean_slope(outcome: NDArray[np.int64], probability: Array) -> float:
    """Calibration slope of each repeat, averaged; NaN if all predictions are equal."""
    lp = logit(np.clip(probability, _MARGIN, 1.0 - _MARGIN))
    if np.ptp(lp) < 0.5:
        return float("nan")
    fits = [
        LogisticRegression(C=np.inf).fit(column[:, None], outcome) for column in lp.T
    ]
    return float(np.mean([fit.coef_[0, 0] for fit in fits]))
