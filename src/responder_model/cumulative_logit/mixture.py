"""Robust mixture of Laplace posteriors: weights, moments and single cut points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .components import Array, Prior
from .likelihood import intercept_jacobian, intercepts


@dataclass(frozen=True, kw_only=True)
class Component:
    """Laplace posterior of one component and its posterior probability."""

    prior: Prior
    mean: Array
    covariance: Array
    log_evidence: float
    weight: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Collapsed:
    """One Gaussian for (intercept at one cut point, coefficients)."""

    intercept: float
    coefficients: Array
    covariance: Array

    def variance(self, design: Array) -> Array:
        """Posterior variance of the linear predictor, (n,)."""
        C, X = self.covariance, design
        along = X @ C[1:, 1:]
        return np.asarray(
            C[0, 0] + 2.0 * X @ C[1:, 0] + np.einsum("ik,ik->i", along, X)
        )

    def linear_predictor(self, design: Array) -> Array:
        """Posterior mean of the linear predictor, (n,)."""
        return np.asarray(self.intercept + design @ self.coefficients)


def normalised(priors: Sequence[Prior], log_evidence: Array) -> Array:
    """Posterior probabilities from prior weights and marginal likelihoods, (..., M)."""
    log_weight = np.log([prior.weight for prior in priors]) + log_evidence
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def weigh(components: Sequence[Component]) -> tuple[Component, ...]:
    """Posterior probabilities from prior weights and marginal likelihoods."""
    weight = normalised(
        [part.prior for part in components],
        np.array([part.log_evidence for part in components]),
    )
    return tuple(
        replace(part, weight=float(w))
        for part, w in zip(components, weight, strict=True)
    )


def collapse(
    components: Sequence[Component], cut: int, n_cuts: int, main: int
) -> Collapsed:
    """Moment-match the mixture to one Gaussian for one cut point."""
    return collapse_at(components, [cut], n_cuts, main)[cut]


def collapse_at(
    components: Sequence[Component], cuts: Sequence[int], n_cuts: int, main: int
) -> dict[int, Collapsed]:
    """Moment-match the mixture to one Gaussian for each of some cut points."""
    J = n_cuts
    weights = np.array([component.weight for component in components])
    modes = np.array([component.mean for component in components])
    posterior = np.array([component.covariance for component in components])
    # coefficients are those of all cut points, and one by one only intercepts move
    shared = match_moments(weights, modes[:, J - 1 :], posterior[:, J - 1 :, J - 1 :])
    slopes = modes[:, J:] - shared.coefficients
    c = intercepts(modes, J, main)
    along = intercept_jacobian(modes, J, main)
    moved = along @ posterior[:, :J]
    variance = (moved[:, :, :J] * along).sum(axis=2)
    found = {}
    for cut in cuts:
        intercept = float(weights @ c[:, cut])
        apart = c[:, cut] - intercept
        covariance = shared.covariance.copy()
        covariance[0, 0] = weights @ (variance[:, cut] + apart**2)
        between = weights @ moved[:, cut, J:] + (weights * apart) @ slopes
        covariance[0, 1:] = covariance[1:, 0] = between
        found[cut] = replace(shared, intercept=intercept, covariance=covariance)
    return found


def prior_at(prior: Prior, cut: int, n_cuts: int, main: int) -> Prior:
    """Prior of (intercept at one cut point, coefficients) that another one implies."""
    J, mean = n_cuts, prior.mean[None]
    # the intercept moves by g with (anchor, log-gaps); the coefficients stay
    g = intercept_jacobian(mean, J, main)[0, cut]
    mean = np.append(intercepts(mean, J, main)[0, cut], prior.mean[J:])
    if prior.covariance is None:
        # independent parameters stay so: those of which nothing is learned take no part
        sd = np.append(np.sqrt(((g * prior.sd[:J]) ** 2).sum()), prior.sd[J:])
        return replace(prior, mean=mean, sd=sd)
    along = np.zeros((len(mean), len(prior.mean)))
    along[0, :J] = g
    along[1:, J:] = np.eye(len(mean) - 1)
    spread = along @ prior.covariance @ along.T
    return replace(prior, mean=mean, sd=np.sqrt(np.diag(spread)), covariance=spread)


def match_moments(
    weights: NDArray[np.float64], means: Array, covariances: Array
) -> Collapsed:
    """Mean and covariance of a mixture of Gaussians."""
    mean = weights @ means
    deviation = means - mean
    covariance = np.tensordot(weights, covariances, axes=1)
    covariance += (deviation * weights[:, None]).T @ deviation
    return Collapsed(
        intercept=float(mean[0]), coefficients=mean[1:], covariance=covariance
    )
