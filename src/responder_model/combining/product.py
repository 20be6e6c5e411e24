"""Multiply what centres learned, each prior taken out and the common one put in once.

Of one component of the mixture, a centre c holds a Laplace posterior N(m_c, C_c), its
own prior N(m_0c, C_0c) and a log evidence Z_c. With P = C⁻¹ and
a(P, v) = (v'P⁻¹v - log det P) / 2,

    A_c = P_c - P_0c,   e_c = P_c m_c - P_0c m_0c              its likelihood
    A_c ← (I + A_c T)⁻¹ A_c,   e_c ← (I + A_c T)⁻¹ e_c        if it differs by N(0, T)
    P = P_0 + Σ A_c,   v = v_0 + Σ e_c                         the common prior, once
    log Z = -a(P_0, v_0) + a(P, v) + Σ [log Z_c - a(P_c, P_c m_c) + a(P_0c, v_0c)
            + ½ e_c'T(I + A_c T)⁻¹e_c - ½ log det(I + A_c T)]

T has tau² at the level, nothing at the gaps between cut-offs and a variance at every
slope, on a grid: components and grid share one posterior, by Z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_model.cumulative_logit.components import Prior
from responder_model.errors import ResponderModelError
from responder_model.model import Model
from responder_model.words import Note

Floats = NDArray[np.float64]

# SDs between centres of the level and of each slope, with prior weights: half-normal,
# SD 0.5 and 0.15.
LEVEL_SDS = (
    (0.0, 0.13),
    (0.15, 0.25),
    (0.3, 0.25),
    (0.5, 0.2),
    (0.75, 0.12),
    (1.1, 0.05),
)
SLOPE_SDS = ((0.0, 0.3), (0.1, 0.4), (0.2, 0.22), (0.3, 0.08))

# A weight below this was rounded to nothing.
_LEAST_WEIGHT = 1e-300


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far centres may lie apart: SD of the level, of each slope, prior weight."""

    level: float
    slope: float
    weight: float


ALIKE = (Spread(level=0.0, slope=0.0, weight=1.0),)
APART = tuple(
    Spread(level=level, slope=slope, weight=a * b)
    for level, a in LEVEL_SDS
    for slope, b in SLOPE_SDS
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Likelihoods:
    """What patients said: each centre's of one component, or of each component.

    Parameters
    ----------
    precision : ndarray of shape (C, d, d)
        A_c.
    vector : ndarray of shape (C, d)
        e_c.
    constant : ndarray of shape (C,)
        log Z_c - a(P_c, P_c m_c) + a(P_0c, v_0c).
    """

    precision: Floats
    vector: Floats
    constant: Floats

    def apart(self, variances: Floats) -> Likelihoods:
        """Of centres that differ by independent N(0, ``variances``), (d,)."""
        if not variances.any():
            return self
        factor = np.eye(len(variances)) + self.precision * variances
        precision = np.linalg.solve(factor, self.precision)
        vector = np.asarray(np.linalg.solve(factor, self.vector[..., None])[..., 0])
        gain = ((self.vector * variances) * vector).sum(axis=-1)
        log_det = np.linalg.slogdet(factor)[1]
        return Likelihoods(
            precision=(precision + precision.transpose(0, 2, 1)) / 2.0,
            vector=vector,
            constant=self.constant + 0.5 * (gain - log_det),
        )

    def of(self, members: Sequence[int]) -> Likelihoods:
        """Of some of the centres."""
        chosen = list(members)
        return Likelihoods(
            precision=self.precision[chosen],
            vector=self.vector[chosen],
            constant=self.constant[chosen],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Gaussian:
    """A normal distribution by precision and precision times mean, and a log weight."""

    precision: Floats
    vector: Floats
    log_weight: float = 0.0

    @property
    def mean(self) -> Floats:
        """Mean, (d,)."""
        return np.asarray(np.linalg.solve(self.precision, self.vector))

    @property
    def covariance(self) -> Floats:
        """Covariance, (d, d)."""
        found = np.linalg.inv(self.precision)
        return np.asarray((found + found.T) / 2.0)


def mass(precision: Floats, vector: Floats) -> Floats:
    """a(P, v), of a stack of Gaussians.

    Raises
    ------
    ResponderModelError
        Where a precision is not positive definite.
    """
    sign, log_det = np.linalg.slogdet(precision)
    if not (np.asarray(sign) > 0.0).all():
        raise ResponderModelError(Note("combining.not_definite"))
    mean = np.linalg.solve(precision, vector[..., None])[..., 0]
    return np.asarray(0.5 * ((vector * mean).sum(axis=-1) - log_det))


def gaussian_of(prior: Prior) -> Gaussian:
    """Gaussian of a prior."""
    precision = prior.precision
    return Gaussian(precision=precision, vector=precision @ prior.mean)


def likelihoods_of(
    model: Model, parameters: NDArray[np.int64], priors: Sequence[Prior] | None = None
) -> Likelihoods:
    """What a model's patients said of some parameters, one row a component.

    Of parameters that the patients left as the prior had them nothing is lost. An
    updated model keeps yesterday's posterior as its prior: ``priors`` are those of the
    evidence, and the evidence of all its patients, but for a constant that components
    share, is what the weights have become.
    """
    parts, square = model.components, np.ix_(parameters, parameters)
    after = np.linalg.inv(np.array([part.covariance[square] for part in parts]))
    mean = np.array([part.mean[parameters] for part in parts])
    if priors is None:
        sd = np.array([part.prior_sd[parameters] for part in parts])
        prior_mean = np.array([part.prior_mean[parameters] for part in parts])
        evidence = np.array([part.log_evidence for part in parts])
    else:
        sd = np.array([prior.sd[parameters] for prior in priors])
        prior_mean = np.array([prior.mean[parameters] for prior in priors])
        weight = np.array([part.weight for part in parts])
        at_first = np.array([prior.weight for prior in priors])
        evidence = np.log(np.maximum(weight, _LEAST_WEIGHT) / at_first)
    before = np.eye(len(parameters)) * sd[:, None] ** -2.0
    v_after = (after @ mean[..., None])[..., 0]
    v_before = (before @ prior_mean[..., None])[..., 0]
    precision = after - before
    return Likelihoods(
        precision=(precision + precision.transpose(0, 2, 1)) / 2.0,
        vector=v_after - v_before,
        constant=evidence - mass(after, v_after) + mass(before, v_before),
    )


def of_component(centres: Sequence[Likelihoods], k: int) -> Likelihoods:
    """What each centre said, of its component ``k``."""
    return Likelihoods(
        precision=np.array([one.precision[k] for one in centres]),
        vector=np.array([one.vector[k] for one in centres]),
        constant=np.array([one.constant[k] for one in centres]),
    )


def multiply(prior: Gaussian, parts: Likelihoods) -> Gaussian:
    """Prior times likelihoods, with the log evidence."""
    precision = prior.precision + parts.precision.sum(axis=0)
    vector = prior.vector + parts.vector.sum(axis=0)
    log_z = (
        mass(precision, vector)
        - mass(prior.precision, prior.vector)
        + parts.constant.sum()
    )
    return Gaussian(precision=precision, vector=vector, log_weight=float(log_z))


def variances_of(spread: Spread, size: int, n_cuts: int) -> Floats:
    """Diagonal of T, (size,): level, gaps, slopes."""
    found = np.full(size, spread.slope**2)
    found[0], found[1:n_cuts] = spread.level**2, 0.0
    return found
