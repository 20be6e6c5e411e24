"""Robust mixture of priors; each component a Newton fit with a Laplace posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from responder_model.cumulative_logit.components import Prior
from responder_model.cumulative_logit.likelihood import (
    Array,
    Observations,
    derivatives,
    intercept_jacobian,
    intercepts,
    log_likelihood,
)
from responder_model.errors import DevelopmentError

_MAX_STEPS = 60
_TOLERANCE = 1e-9


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


def fit_component(
    observations: Observations, prior: Prior, start: Array | None = None
) -> Component:
    """Posterior mode by Newton with step halving; Laplace covariance and evidence."""
    precision = prior.sd**-2.0
    parameters = prior.mean.copy() if start is None else start.copy()
    value, gradient, hessian = _penalised(observations, prior, precision, parameters)
    for _ in range(_MAX_STEPS):
        factor = _factor(hessian)
        step = cho_solve(factor, gradient, check_finite=False)
        decrement = float(gradient @ step)
        if decrement < _TOLERANCE:
            break
        scale = _step_length(observations, prior, precision, parameters, step, value)
        parameters = parameters + scale * step
        value, gradient, hessian = _penalised(
            observations, prior, precision, parameters
        )
    else:
        msg = "the posterior mode must be reached, got no convergence. "
        raise DevelopmentError(msg + "Check predictors for extreme values.")
    covariance = cho_solve(_factor(hessian), np.eye(len(parameters)))
    log_det = 2.0 * float(np.log(np.diag(_factor(hessian)[0])).sum())
    return Component(
        prior=prior,
        mean=parameters,
        covariance=(covariance + covariance.T) / 2,
        log_evidence=value - float(np.log(prior.sd).sum()) - 0.5 * log_det,
    )


def _penalised(
    observations: Observations, prior: Prior, precision: Array, parameters: Array
) -> tuple[float, Array, Array]:
    value, gradient, hessian = derivatives(observations, parameters)
    deviation = parameters - prior.mean
    hessian[np.diag_indices_from(hessian)] += precision
    penalty = 0.5 * float(precision @ deviation**2)
    return value - penalty, gradient - precision * deviation, hessian


def _factor(hessian: Array) -> tuple[Array, bool]:
    """Cholesky factor; a ridge is added while the Hessian is not positive definite."""
    ridge = 0.0
    diagonal = np.abs(np.diag(hessian))
    for _ in range(30):
        try:
            damped = hessian if ridge == 0.0 else hessian + np.diag(ridge * diagonal)
            return cho_factor(damped, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            ridge = max(10.0 * ridge, 1e-6)
    msg = "the information matrix must be positive definite, got none. "
    raise DevelopmentError(msg + "Check predictors for infinite values.")


def _step_length(
    observations: Observations,
    prior: Prior,
    precision: Array,
    parameters: Array,
    step: Array,
    value: float,
) -> float:
    """Largest halving of the Newton step that does not lower the objective."""
    # a log-gap that moves by more than 2 at once leaves the quadratic region
    gap_step = np.abs(step[1 : observations.n_cuts]).max(initial=0.0)
    scale = min(1.0, 2.0 / gap_step) if gap_step > 0 else 1.0
    for _ in range(40):
        candidate = parameters + scale * step
        penalty = 0.5 * float(precision @ (candidate - prior.mean) ** 2)
        if log_likelihood(observations, candidate) - penalty >= value - 1e-10:
            return scale
        scale /= 2.0
    return 0.0


def fit_mixture(
    observations: Observations,
    priors: tuple[Prior, ...],
    starts: tuple[Array, ...] | None = None,
) -> tuple[Component, ...]:
    """Fit every component and give it its posterior probability."""
    fitted: list[Component] = []
    for k, prior in enumerate(priors):
        start = starts[k] if starts is not None else None
        fitted.append(fit_component(observations, prior, start))
    log_weight = np.array([np.log(f.prior.weight) + f.log_evidence for f in fitted])
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    return tuple(
        Component(
            prior=f.prior,
            mean=f.mean,
            covariance=f.covariance,
            log_evidence=f.log_evidence,
            weight=float(w),
        )
        for f, w in zip(fitted, weight, strict=True)
    )


def collapse(
    components: tuple[Component, ...], cut: int, n_cuts: int, main: int
) -> Collapsed:
    """Moment-match the mixture to one Gaussian for one cut point."""
    means, covariances = [], []
    for component in components:
        c = intercepts(component.mean, n_cuts, main)[cut]
        jacobian = intercept_jacobian(component.mean, n_cuts, main)[cut]
        means.append(np.concatenate([[c], component.mean[n_cuts:]]))
        covariances.append(_at_cut(component.covariance, jacobian, n_cuts))
    weights = np.array([component.weight for component in components])
    return match_moments(weights, np.array(means), np.array(covariances))


def _at_cut(covariance: Array, jacobian: Array, n_cuts: int) -> Array:
    """Covariance of (intercept at one cut point, coefficients)."""
    out = np.empty((covariance.shape[0] - n_cuts + 1,) * 2)
    out[0, 0] = jacobian @ covariance[:n_cuts, :n_cuts] @ jacobian
    out[0, 1:] = out[1:, 0] = jacobian @ covariance[:n_cuts, n_cuts:]
    out[1:, 1:] = covariance[n_cuts:, n_cuts:]
    return out


def match_moments(weights: Array, means: Array, covariances: Array) -> Collapsed:
    """Mean and covariance of a mixture of Gaussians."""
    mean = weights @ means
    deviation = means - mean
    covariance = np.einsum("k,kij->ij", weights, covariances)
    covariance += (deviation * weights[:, None]).T @ deviation
    return Collapsed(
        intercept=float(mean[0]), coefficients=mean[1:], covariance=covariance
    )
