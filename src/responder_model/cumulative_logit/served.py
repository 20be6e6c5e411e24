"""From posteriors at single cut points to what is predicted."""

from __future__ import annotations

import numpy as np

from responder_model.cumulative_logit.components import Array
from responder_model.cumulative_logit.mixture import Collapsed, match_moments


def monotone(probability: Array, main: int) -> Array:
    """Make exceedance never increase along cut points, keeping the main one."""
    above = np.minimum.accumulate(probability[:, main:], axis=1)
    below = np.maximum.accumulate(probability[:, main::-1], axis=1)[:, ::-1]
    return np.hstack([below[:, :-1], above])


def averaged(served: Collapsed, design: Array) -> Array:
    """Log-odds of the probability averaged over the posterior, (n,).

    E[logistic(u)] ~ logistic(m / sqrt(1 + pi·v / 8)) for u ~ N(m, v).
    """
    shrinkage = 1.0 / np.sqrt(1.0 + np.pi * served.variance(design) / 8.0)
    return np.asarray(shrinkage * served.linear_predictor(design))


def average(ordinal: Collapsed, own: Collapsed | None) -> Collapsed:
    """Half the ordinal fit and half the cut point's own, as two equal experts."""
    if own is None:
        return ordinal
    means = np.array(
        [np.append(fit.intercept, fit.coefficients) for fit in (ordinal, own)]
    )
    covariances = np.array([ordinal.covariance, own.covariance])
    return match_moments(np.array([0.5, 0.5]), means, covariances)
