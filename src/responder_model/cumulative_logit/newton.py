"""Posterior modes by Newton with step halving, of several priors on one data set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from responder_model.errors import DevelopmentError
from responder_model.words import Note
from .components import Array, Prior
from .likelihood import Observations, derivatives

# Log posterior (M,), gradient (M, d) and information (M, d, d).
Derivatives = tuple[Array, Array, Array]

_MAX_STEPS = 100
# Newton decrement below which one last step leaves a square of it: 1e-4 of an SD.
_TOLERANCE = 1e-4
# Shares of its diagonal that are added to a matrix until it is positive definite.
_RIDGES = (0.0, *(10.0**power for power in range(-3, 6)))


@dataclass(frozen=True)
class Objective:
    """Log posterior of each component in the learned parameters, up to a constant."""

    observations: Observations
    mean: Array
    precision: Array
    log_det: Array
    apart: bool  # whether each prior is independent from parameter to parameter

    @classmethod
    def under(
        cls,
        observations: Observations,
        priors: Sequence[Prior],
        learned: NDArray[np.int64],
    ) -> Objective:
        """Objective in some of the parameters."""
        J = observations.n_cuts
        apart = all(prior.covariance is None for prior in priors)
        return cls(
            replace(observations, design=observations.design[:, learned[J:] - J]),
            np.array([prior.mean for prior in priors])[:, learned],
            *(_separately if apart else _inverted)(priors, learned),
            apart,
        )

    def of(self, some: Sequence[int] | NDArray[np.int64]) -> Objective:
        """Objective of some components."""
        return replace(
            self,
            mean=self.mean[some],
            precision=self.precision[some],
            log_det=self.log_det[some],
        )

    def derivatives(self, parameters: Array) -> Derivatives:
        """At one parameter vector for all components, (1, d), or at one for each."""
        return self.penalised(parameters, derivatives(self.observations, parameters))

    def penalised(self, parameters: Array, found: Derivatives) -> Derivatives:
        """Add the priors to the derivatives of the log likelihood."""
        value, gradient, information = found
        deviation = parameters - self.mean
        if self.apart:
            pull = self.precision.diagonal(axis1=1, axis2=2) * deviation
        else:
            pull = (self.precision @ deviation[:, :, None])[:, :, 0]
        penalty = 0.5 * (deviation * pull).sum(axis=1)
        return value - penalty, gradient - pull, information + self.precision


def _separately(
    priors: Sequence[Prior], learned: NDArray[np.int64]
) -> tuple[Array, Array]:
    """Precision (M, d, d) and log determinant of the covariance (M,): independent."""
    sd = np.array([prior.sd for prior in priors])[:, learned]
    precision = sd[:, :, None] ** -2.0 * np.eye(sd.shape[1])
    return precision, 2.0 * np.log(sd).sum(axis=1)


def _inverted(
    priors: Sequence[Prior], learned: NDArray[np.int64]
) -> tuple[Array, Array]:
    """The same of priors in which parameters depend on each other."""
    spread = np.array([prior.part(learned).spread for prior in priors])
    return np.linalg.inv(spread), np.linalg.slogdet(spread)[1]


@dataclass(frozen=True)
class Ascent:
    """Newton step of each component, and what its information was factored into."""

    step: Array  # (M, d)
    factors: list[Array]  # lower triangles of Cholesky, (d, d) each
    definite: bool  # whether no information had to be damped

    @classmethod
    def of(cls, information: Array, gradient: Array) -> Ascent:
        """Step; damped where the information is not positive definite."""
        factors, ridges = zip(*map(_factor, information), strict=True)
        step = [
            dpotrs(factor, one, lower=1)[0]
            for factor, one in zip(factors, gradient, strict=True)
        ]
        return cls(np.array(step), list(factors), not any(ridges))

    @property
    def log_det(self) -> Array:
        """Log determinant of each information, (M,)."""
        diagonals = np.array([factor.diagonal() for factor in self.factors])
        return np.asarray(2.0 * np.log(diagonals).sum(axis=1))

    def covariance(self) -> Array:
        """Inverse of each information, (M, d, d)."""
        # lower triangles by columns are upper ones by rows
        half = np.triu([dpotri(factor, lower=1)[0].T for factor in self.factors])
        whole = half + half.transpose(0, 2, 1)
        index = np.arange(half.shape[1])
        whole[:, index, index] = half[:, index, index]
        return np.asarray(whole)


def _factor(matrix: Array) -> tuple[Array, float]:
    """Lower Cholesky factor, and the ridge that the matrix needed for it."""
    for ridge in _RIDGES:
        damped = matrix
        if ridge:
            damped = matrix + ridge * np.diag(np.abs(np.diag(matrix)))
        lower, failed = dpotrf(damped.T, lower=1, clean=0)
        # what is not finite reaches the last element
        if not failed and math.isfinite(lower[-1, -1]):
            return lower, ridge
    raise DevelopmentError(Note("refusal.extreme_predictors"))


def find_modes(
    objective: Objective, start: Array, tolerance: float = _TOLERANCE
) -> tuple[Array, Array, Ascent]:
    """Modes (M, d), log posteriors there (M,) and the factored information.

    ``start`` is one parameter vector for all components, (1, d), whose likelihood is
    then worked out once, or one for each; ``tolerance`` is the Newton decrement below
    which a step is the last one.
    """
    parameters, here = start, objective.derivatives(start)
    for _ in range(_MAX_STEPS):
        value, gradient, information = here
        ascent = Ascent.of(information, gradient)
        decrement = (gradient * ascent.step).sum(axis=1)
        if (decrement < tolerance).all():
            if not ascent.definite:
                raise DevelopmentError(Note("refusal.not_definite"))
            return parameters + ascent.step, value + decrement / 2.0, ascent
        parameters, here = _advance(objective, parameters, ascent.step, here)
    raise DevelopmentError(Note("refusal.no_convergence"))


def _advance(
    objective: Objective, parameters: Array, step: Array, here: Derivatives
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
