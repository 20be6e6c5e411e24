"""How well a model would discriminate if its prior means were the truth."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from responder_model.features import expit

_Z = np.linspace(-8.0, 8.0, 1601)
_WEIGHT = np.exp(-0.5 * _Z**2)
# Steps of the shrinkage of judgement means: coarse, so that it prints exactly.
_STEPS = 100


def implied_c_statistic(mean: float, variance: float) -> float:
    """c-statistic of the true probabilities when the linear predictor is normal.

    P(higher for a patient with the event than for one without); higher is better,
    0.5 when nothing is predicted.

    Parameters
    ----------
    mean, variance : float
        Of the linear predictor over a population, log-odds.

    Examples
    --------
    >>> round(implied_c_statistic(-0.32, 0.94**2), 2)
    0.73
    >>> round(implied_c_statistic(-0.32, 0.0), 2)
    0.5
    """
    probability = expit(mean + math.sqrt(variance) * _Z)
    event = _WEIGHT * probability
    other = _WEIGHT * (1.0 - probability)
    # Patients without the event below each grid point, half of those on it.
    below = np.cumsum(other) - 0.5 * other
    return float(event @ below / (event.sum() * other.sum()))


def largest_shrinkage(claimed: Callable[[float], float], *, cap: float) -> float:
    """Largest factor on some prior means at which the c-statistic respects a cap.

    Parameters
    ----------
    claimed : callable
        c-statistic that the prior means imply when those are multiplied by a factor.
    cap : float
        Highest c-statistic allowed.

    Returns
    -------
    float
        One of 0.00, 0.01, ..., 1.00; 0 also when the other means alone exceed the cap.

    Examples
    --------
    >>> def claimed(factor):
    ...     return implied_c_statistic(-0.32, 0.3**2 + (0.9 * factor) ** 2)
    >>> largest_shrinkage(claimed, cap=0.68)
    0.69
    """
    for step in range(_STEPS, 0, -1):
        if claimed(step / _STEPS) <= cap:
            return step / _STEPS
    return 0.0
