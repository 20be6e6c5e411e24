"""From posteriors at single cut points to what is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .components import Array
from .mixture import Collapsed, Component, match_moments


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


def widen_by_centres(
    served: Collapsed, components: Sequence[Component], slopes: Array, n_centres: int
) -> Collapsed:
    """Add what parts centres to the covariance of (intercept, coefficients).

    A row of another centre has the variance between levels, at the intercept; a row of
    one of these takes it off again at its indicator, since that level was learned.
    Slopes were learned of no centre by itself: all rows have their variances, (K,).
    """
    if n_centres == 0:
        return served
    levels = sum(part.weight * part.prior.centre_sd**2 for part in components)
    added = np.concatenate([[levels], slopes, np.full(n_centres, -levels)])
    return replace(served, covariance=served.covariance + np.diag(added))
