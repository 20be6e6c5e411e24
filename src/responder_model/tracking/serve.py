"""What the served model computes from a table of MLflow's types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from responder_model.model import Model


def score_served(model: Model, patients: pd.DataFrame) -> pd.DataFrame:
    """Probability, interval, cut-offs and contributions, never a label.

    Parameters
    ----------
    model : Model
        The loaded model.
    patients : DataFrame
        One row per patient; predictors may be absent, None or NaN.

    Returns
    -------
    DataFrame
        ``probability``, ``lower``, ``upper``, ``probability_<cut-off>`` for each served
        cut-off, ``baseline`` and ``contribution_<predictor>`` in log-odds.
    """
    scores = model.score_cohort(patients)
    columns = {
        "probability": scores.probability,
        "lower": scores.lower,
        "upper": scores.upper,
    }
    for k, cut in enumerate(model.served_cut_points):
        columns[f"probability_{cut:g}"] = scores.probabilities[:, k]
    columns["baseline"] = np.full(len(patients), model.baseline)
    for k, name in enumerate(model.encoder.predictors):
        columns[f"contribution_{name}"] = scores.contributions[:, k]
    return pd.DataFrame(columns, index=patients.index)
