"""Robust mixture of priors; each component a Newton fit with a Laplace posterior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from responder_model.cumulative_logit.components import Array, Prior
from responder_model.cumulative_logit.likelihood import (
    Observations,
    derivatives,
    intercept_jacobian,
    intercepts,
    summed,
    terms,
)
from responder_model.errors import DevelopmentError
from responder_model.words import Note

# Log posterior (M,), gradient (M, d) and information (M, d, d).
Derivatives = tuple[Array, Array, Array]

_MAX_STEPS = 100
# Newton decrement below which one last step leaves a square of it: 1e-4 of an SD.
_TOLERANCE = 1e-4


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


def fit_components(
    observations: Observations, priors: Sequence[Prior], starts: Array | None = None
) -> tuple[Component, ...]:
    """Posterior modes by Newton with step halving; Laplace covariance and evidence.

    Parameters
    ----------
    observations : Observations
        One design for all; one set of outcomes, or one a prior.
    priors : sequence of Prior
    starts : ndarray of shape (M, J + K), optional
        Where each fit starts; default: the prior mean.

    Notes
    -----
    A column that is 0 for everybody keeps its prior, and takes no part where that is
    independent of the others.
    """
    learned = _learned(observations, priors)
    objective = _Objective.under(observations, priors, learned)
    modes, value, information = _newton(
        objective, objective.mean.copy() if starts is None else starts[:, learned]
    )
    sign, log_det = np.linalg.slogdet(information)
    if (sign <= 0).any():
        raise DevelopmentError(Note("refusal.not_definite"))
    covariance = np.linalg.inv(information)
    covariance = (covariance + covariance.transpose(0, 2, 1)) / 2.0
    evidence = value - 0.5 * (objective.log_det + log_det)
    return tuple(
        _component(p, learned, mode, spread, log_evidence)
        for p, mode, spread, log_evidence in zip(
            priors, modes, covariance, map(float, evidence), strict=True
        )
    )


def _learned(observations: Observations, priors: Sequence[Prior]) -> NDArray[np.int64]:
    """Positions of the parameters of which these patients may say something."""
    J = observations.n_cuts
    apart = all(prior.covariance is None for prior in priors)
    used = np.flatnonzero((observations.design != 0.0).any(axis=0) | (not apart))
    return np.concatenate([np.arange(J), J + used])


def _component(
    prior: Prior,
    learned: NDArray[np.int64],
    mode: Array,
    covariance: Array,
    log_evidence: float,
) -> Component:
    """Posterior of all parameters: those that are not learned are as before."""
    mean, spread = prior.mean.copy(), prior.spread.copy()
    mean[learned] = mode
    spread[np.ix_(learned, learned)] = covariance
    return Component(
        prior=prior, mean=mean, covariance=spread, log_evidence=log_evidence
    )


@dataclass(frozen=True)
class _Objective:
    """Log posterior of each component in the learned parameters, up to a constant."""

    observations: Observations
    mean: Array
    precision: Array
    log_det: Array

    @classmethod
    def under(
        cls,
        observations: Observations,
        priors: Sequence[Prior],
        learned: NDArray[np.int64],
    ) -> _Objective:
        J = observations.n_cuts
        parts = [prior.part(learned) for prior in priors]
        return cls(
            replace(observations, design=observations.design[:, learned[J:] - J]),
            np.array([part.mean for part in parts]),
            *_inverted(parts),
        )

    def derivatives(self, parameters: Array) -> Derivatives:
        return self.penalised(parameters, derivatives(self.observations, parameters))

    def penalised(self, parameters: Array, found: Derivatives) -> Derivatives:
        value, gradient, information = found
        deviation = parameters - self.mean
        pull = (self.precision @ deviation[:, :, None])[:, :, 0]
        penalty = 0.5 * (deviation * pull).sum(axis=1)
        return value - penalty, gradient - pull, information + self.precision


def _inverted(priors: Sequence[Prior]) -> tuple[Array, Array]:
    """Precision (M, d, d) and log determinant of the covariance (M,), all at once."""
    if all(prior.covariance is None for prior in priors):
        sd = np.array([prior.sd for prior in priors])
        return sd[:, :, None] ** -2.0 * np.eye(sd.shape[1]), 2.0 * np.log(sd).sum(
            axis=1
        )
    spread = np.array([prior.spread for prior in priors])
    return np.linalg.inv(spread), np.linalg.slogdet(spread)[1]


def _newton(objective: _Objective, parameters: Array) -> tuple[Array, Array, Array]:
    """Modes (M, d), log posteriors (M,) and information (M, d, d) there."""
    here = objective.derivatives(parameters)
    for _ in range(_MAX_STEPS):
        value, gradient, information = here
        step = _ascent(information, gradient)
        decrement = (gradient * step).sum(axis=1)
        if (decrement < _TOLERANCE).all():
            return parameters + step, value + decrement / 2.0, information
        parameters, here = _advance(objective, parameters, step, here)
    raise DevelopmentError(Note("refusal.no_convergence"))


def _ascent(information: Array, gradient: Array) -> Array:
    """Newton step; damped where the information is not positive definite."""
    step = _solve(information, gradient)
    bad = ~((gradient * step).sum(axis=1) > 0.0) & (np.abs(gradient).max(axis=1) > 1e-9)
    ridge = 1e-3
    while bad.any() and ridge < 1e6:
        diagonal = np.abs(np.einsum("mii->mi", information[bad]))
        damped = information[bad].copy()
        index = np.arange(damped.shape[1])
        damped[:, index, index] += ridge * diagonal
        step[bad] = _solve(damped, gradient[bad])
        bad &= ~((gradient * step).sum(axis=1) > 0.0)
        ridge *= 10.0
    return step


def _solve(information: Array, gradient: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(information, gradient[:, :, None])[:, :, 0])
    except np.linalg.LinAlgError as error:
        raise DevelopmentError(Note("refusal.extreme_predictors")) from error


def _advance(
    objective: _Objective, parameters: Array, step: Array, here: Derivatives
) -> tuple[Array, Derivatives]:
    """Halve each step until no objective falls; parameters and derivatives there."""
    # a log-gap that moves by more than 2 at once leaves the quadratic region
    gaps = np.abs(step[:, 1 : objective.observations.n_cuts]).max(axis=1, initial=0.0)
    scale = np.minimum(1.0, 2.0 / np.maximum(gaps, 1e-12))
    for _ in range(40):
        candidate = parameters + scale[:, None] * step
        there = objective.derivatives(candidate)
        worse = ~(there[0] >= here[0] - 1e-9)
        if not worse.any():
            break
        scale = np.where(worse, scale / 2.0, scale)
    return candidate, there


def means_without(
    observations: Observations,
    components: Sequence[Component],
    parts: Sequence[NDArray[np.int64]],
    cut: int,
) -> Array:
    """Mean (intercept at a cut point, coefficients) without some patients, (F, 1 + K).

    The mixture without each of F parts of the patients, by one Newton step from the
    components of all: what a part adds to score and information is taken off, not
    fitted again. Steps are as exact as the components are Gaussian (Rad and Maleki
    2020, doi:10.1111/rssb.12374). 0 for a column that is 0 for everybody.
    """
    J, main = observations.n_cuts, observations.main
    priors = [component.prior for component in components]
    learned = _learned(observations, priors)
    objective = _Objective.under(observations, priors, learned)
    observations = objective.observations
    modes = np.array([component.mean[learned] for component in components])
    each = terms(observations, modes)
    whole = objective.penalised(modes, summed(observations, modes, each))
    added = [summed(observations.rows(p), modes, each.rows(p)) for p in parts]
    value, gradient, information = (
        np.concatenate([all_of - one for one in some])
        for all_of, some in zip(whole, zip(*added, strict=True), strict=True)
    )
    step = _ascent(information, gradient)
    log_posterior = value + (gradient * step).sum(axis=1) / 2.0
    log_evidence = log_posterior - 0.5 * np.linalg.slogdet(information)[1]
    log_evidence = log_evidence.reshape(len(parts), -1) - 0.5 * objective.log_det
    weights = _normalised(priors, log_evidence)
    moved = np.tile(modes, (len(parts), 1)) + step
    intercept = intercepts(moved, J, main)[:, cut].reshape(weights.shape)
    found = np.zeros((len(parts), 1 + len(components[0].mean) - J))
    found[:, 0] = (weights * intercept).sum(axis=1)
    moved = moved[:, J:].reshape(*weights.shape, -1)
    found[:, learned[J:] - J + 1] = (weights[:, None] @ moved)[:, 0]
    return found


def fit_mixture(
    observations: Observations, priors: Sequence[Prior]
) -> tuple[Component, ...]:
    """Fit every component and give it its posterior probability."""
    return weigh(fit_components(observations, priors))


def _normalised(priors: Sequence[Prior], log_evidence: Array) -> Array:
    """Posterior probabilities from prior weights and marginal likelihoods, (..., M)."""
    log_weight = np.log([prior.weight for prior in priors]) + log_evidence
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def weigh(components: Sequence[Component]) -> tuple[Component, ...]:
    """Posterior probabilities from prior weights and marginal likelihoods."""
    weight = _normalised(
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
    modes = np.array([component.mean for component in components])
    posterior = np.array([component.covariance for component in components])
    means, covariances = _at_cut(modes, posterior, cut, n_cuts, main)
    weights = np.array([component.weight for component in components])
    return match_moments(weights, means, covariances)


def prior_at(prior: Prior, cut: int, n_cuts: int, main: int) -> Prior:
    """Prior of (intercept at one cut point, coefficients) that another one implies."""
    mean, spread = _at_cut(prior.mean[None], prior.spread[None], cut, n_cuts, main)
    # independent parameters stay so: those of which nothing is learned take no part
    return replace(
        prior,
        mean=mean[0],
        sd=np.sqrt(np.diag(spread[0])),
        covariance=None if prior.covariance is None else spread[0],
    )


def _at_cut(
    parameters: Array, covariances: Array, cut: int, n_cuts: int, main: int
) -> tuple[Array, Array]:
    """Mean (M, 1 + K) and covariance of (intercept at one cut point, coefficients)."""
    J = n_cuts
    c = intercepts(parameters, J, main)[:, cut]
    # the intercept moves by g with (anchor, log-gaps); the coefficients stay
    g = intercept_jacobian(parameters, J, main)[:, cut, None, :]
    moved = np.concatenate([g @ covariances[:, :J], covariances[:, J:]], axis=1)
    first = moved[:, :, :J] @ g.transpose(0, 2, 1)
    means = np.column_stack([c, parameters[:, J:]])
    return means, np.concatenate([first, moved[:, :, J:]], axis=2)


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
