"""Slopes at given other predictors, from published ones over mixed patients."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array

# expit(x) averaged over x ~ N(m, v) is about expit(m / sqrt(1 + PROBIT v)).
PROBIT = math.pi / 8.0
# Rounds of the conditioning, what ends them, and a variance that nothing modest has.
_ROUNDS = 200
_SETTLED = 1e-12
_UNBOUNDED = 1e3


def conditional_effects(marginal: Array, covariance: Array) -> Array:
    """Conditional slopes of predictors from their marginal ones.

    A marginal slope u_j is what predictor j carries alone, the others following it:
    u_j = sum_k cov_jk b_k / var_j. In SD units this is b = R⁻¹u. (Slopes of a latent
    scale; the small effect of non-collapsibility is left out.)

    Parameters
    ----------
    marginal : ndarray of shape (k,)
        Slopes u, each in its predictor's own unit.
    covariance : ndarray of shape (k, k)
        Covariance of the predictors in these units.

    Examples
    --------
    >>> correlation = np.full((4, 4), 0.55) + 0.45 * np.eye(4)
    >>> u = np.array([-0.30, -0.30, -0.20, -0.20])
    >>> b = conditional_effects(u, correlation)
    >>> [round(float(x), 2) for x in b]
    [-0.21, -0.21, 0.02, 0.02]
    """
    return np.asarray(np.linalg.solve(covariance, np.diag(covariance) * marginal))


def conditional_sds(marginal: Array, covariance: Array) -> Array:
    """SDs of independent conditional slopes that give about these marginal SDs.

    A marginal slope is u = Rb in SD units, so its variance is the sum of R_kj² s_j²:
    exact where the members of a block are alike.

    Examples
    --------
    >>> correlation = np.full((4, 4), 0.55) + 0.45 * np.eye(4)
    >>> conditional_sds(np.full(4, 0.30), correlation).round(3)
    array([0.217, 0.217, 0.217, 0.217])
    """
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    return np.asarray(marginal / np.sqrt((correlation**2).sum(axis=1)))


def condition(
    published: Array,
    marginal: NDArray[np.bool_],
    spread: float,
    blocks: Sequence[NDArray[np.int64]],
    covariance: Array,
) -> tuple[Array, float]:
    """Slopes at given other predictors, and the variance of the linear predictor.

    ``spread`` is the part of that variance that uncertain slopes add. Each round makes
    the slopes conditional on what the last round left open; where they would grow
    without bound (no cap holds there) the last round stands.
    """
    diagonal = np.diag(covariance)
    slopes, total = published, spread
    for _ in range(_ROUNDS):
        open_ = np.maximum(total - (covariance @ slopes) ** 2 / diagonal, 0.0)
        scaled = published * np.sqrt(1.0 + PROBIT * open_ * marginal)
        for at in blocks:
            scaled[at] = same_signs(scaled[at], covariance[np.ix_(at, at)])
        before, slopes = total, scaled
        total = variance_of(slopes, covariance) + spread
        if abs(total - before) < _SETTLED or total > _UNBOUNDED:
            break
    return slopes, total


def same_signs(marginal: Array, covariance: Array) -> Array:
    """Conditional slopes, 0 for members whose sign the others would turn.

    Examples
    --------
    >>> R = np.array([[1.0, 0.9], [0.9, 1.0]])
    >>> conditional_effects(np.array([1.0, 0.5]), R).round(2)
    array([ 2.89, -2.11])
    >>> same_signs(np.array([1.0, 0.5]), R).round(2)
    array([1., 0.])
    """
    slopes, kept = np.zeros(len(marginal)), np.arange(len(marginal))
    while len(kept):
        found = conditional_effects(marginal[kept], covariance[np.ix_(kept, kept)])
        turned = found * marginal[kept] < 0.0
        if not turned.any():
            slopes[kept] = found
            break
        # the most contradicted one first: the others may then keep their sign
        worst = np.where(turned, np.abs(found * np.sqrt(np.diag(covariance)[kept])), -1)
        kept = np.delete(kept, int(worst.argmax()))
    return slopes


def variance_of(b: Array, covariance: Array) -> float:
    """Variance of the linear predictor with these slopes."""
    return max(0.0, float(b @ covariance @ b))
