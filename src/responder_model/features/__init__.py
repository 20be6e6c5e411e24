"""Features of the decision models, in reference units."""

from __future__ import annotations

import numpy as np

from .columns import Array, Column, is_curve
from .encoding import Encoder, Interval
from .population import Gaps, Population, gaps_of

__all__ = [
    "Array",
    "Column",
    "Encoder",
    "Gaps",
    "Interval",
    "Population",
    "expit",
    "gaps_of",
    "is_curve",
    "logit",
]


def expit(log_odds: Array) -> Array:
    """Return the probability of log-odds, without overflow.

    Examples
    --------
    >>> float(expit(np.float64(0.0)))
    0.5
    """
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(log_odds))))


def logit(probability: Array) -> Array:
    """Return the log-odds of probabilities strictly between 0 and 1."""
    probability = np.asarray(probability, dtype=np.float64)
    return np.asarray(np.log(probability) - np.log1p(-probability))
