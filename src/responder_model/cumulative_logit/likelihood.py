"""Interval-censored cumulative logit: likelihood, gradient and information.

Levels 0..J are separated by J cut points. With ``c`` the decreasing intercepts,

    P(level >= j | x) = logistic(c_j + x·b),    j = 1..J,

and an outcome known to lie in [lower, upper] has

    P = logistic(c_lower + x·b) - logistic(c_{upper+1} + x·b),

where c_0 = inf and c_{J+1} = -inf. Parameters are ``(a, l_1 .. l_{J-1}, b)``: the
intercept at the main cut point and the logarithms of the gaps between neighbours, so
that the order always holds. Functions take M parameter vectors at once, (M, J + K):
the components of a mixture share one design.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_model.cumulative_logit.components import Array

Levels = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Observations:
    """Design (n, K), and the lowest and highest level that each outcome allows.

    ``lower`` and ``upper`` are (n,), or (M, n) when each parameter vector has its own
    outcomes.
    """

    design: Array
    lower: Levels
    upper: Levels
    n_cuts: int
    main: int

    def at_cuts(self, cuts: list[int], copies: int) -> Observations:
        """Outcomes at single cut points (J = 1), each ``copies`` times, (M, n)."""
        repeated = np.repeat(np.array(cuts), copies)[:, None]
        return Observations(
            design=self.design,
            lower=(self.lower > repeated).astype(np.int64),
            upper=(self.upper > repeated).astype(np.int64),
            n_cuts=1,
            main=0,
        )

    def rows(self, keep: NDArray[np.int64] | NDArray[np.bool_]) -> Observations:
        """Some of the patients."""
        return Observations(
            design=self.design[keep],
            lower=self.lower[..., keep],
            upper=self.upper[..., keep],
            n_cuts=self.n_cuts,
            main=self.main,
        )


def intercepts(parameters: Array, n_cuts: int, main: int) -> Array:
    """Intercepts c_1 .. c_J of the cut points, decreasing, (M, J)."""
    fall = np.zeros((len(parameters), n_cuts))
    np.cumsum(np.exp(parameters[:, 1:n_cuts]), axis=1, out=fall[:, 1:])
    return np.asarray(parameters[:, :1] + fall[:, main : main + 1] - fall)


def intercept_jacobian(parameters: Array, n_cuts: int, main: int) -> Array:
    """Derivative of c with respect to (a, l), (M, J, J)."""
    cut, gap = np.arange(n_cuts)[:, None], np.arange(n_cuts - 1)
    # gap i lies between cut i and cut i + 1
    sign = np.where(gap >= main, -1.0 * (cut > gap), 1.0 * (cut <= gap))
    jacobian = np.ones((len(parameters), n_cuts, n_cuts))
    jacobian[:, :, 1:] = sign * np.exp(parameters[:, None, 1:n_cuts])
    return jacobian


def _edges(observations: Observations, parameters: Array) -> tuple[Array, Array, Array]:
    """Log-odds of the lower and the upper edge of each outcome, and their gap."""
    J, M = observations.n_cuts, len(parameters)
    c = intercepts(parameters, J, observations.main)
    extended = np.full((M, J + 2), np.inf)
    extended[:, 1 : J + 1] = c
    extended[:, J + 1] = -np.inf
    eta = parameters[:, J:] @ observations.design.T
    if observations.lower.ndim == 1:
        top = extended[:, observations.lower]
        bottom = extended[:, observations.upper + 1]
    else:
        top = np.take_along_axis(extended, observations.lower, axis=1)
        bottom = np.take_along_axis(extended, observations.upper + 1, axis=1)
    return eta + top, eta + bottom, top - bottom


def linear_predictor_slopes(
    observations: Observations, parameters: Array
) -> tuple[Array, Array]:
    """Score and information of each outcome in its linear predictor, (M, n) each."""
    b, a, _ = _edges(observations, parameters)
    (sb, _), (sa, _) = _logistic(b), _logistic(a)
    return 1.0 - sb - sa, sb * (1.0 - sb) + sa * (1.0 - sa)


def derivatives(
    observations: Observations, parameters: Array
) -> tuple[Array, Array, Array]:
    """Log likelihood (M,), gradient (M, J + K) and negative Hessian."""
    J, X = observations.n_cuts, observations.design
    b, a, gap = _edges(observations, parameters)
    sb, log_sb = _logistic(b)
    sa, log_sa = _logistic(a)
    # log(s(b) - s(a)) = log s(b) + log s(-a) + log(1 - exp(-gap)), s(-a) = s(a) / e^a
    at_bottom = np.where(np.isinf(a), 0.0, log_sa - np.where(np.isinf(a), 0.0, a))
    value = (log_sb + at_bottom + np.log1p(-np.exp(-gap))).sum(axis=1)
    fb, fa = sb * (1.0 - sb), sa * (1.0 - sa)
    with np.errstate(over="ignore"):
        h = 1.0 / np.expm1(gap)
    bend = h * (1.0 + h)
    top = np.broadcast_to(observations.lower, b.shape)
    bottom = np.broadcast_to(observations.upper + 1, b.shape)
    gc = _by_cut(top, 1.0 - sb + h, J) + _by_cut(bottom, -sa - h, J)
    gb = (1.0 - sb - sa) @ X
    # information, first of (c, b)
    Icc = _diagonal(_by_cut(top, fb + bend, J) + _by_cut(bottom, fa + bend, J))
    if J > 1:
        cross = _by_pair(top, bottom, bend, J)
        Icc -= cross + cross.transpose(0, 2, 1)
    at_cut = np.zeros((*b.shape, J + 2))
    np.put_along_axis(at_cut, top[:, :, None], fb[:, :, None], axis=2)
    np.put_along_axis(at_cut, bottom[:, :, None], fa[:, :, None], axis=2)
    Icb = at_cut[:, :, 1 : J + 1].transpose(0, 2, 1) @ X
    Ibb = (X.T * (fb + fa)[:, None, :]) @ X
    D = intercept_jacobian(parameters, J, observations.main)
    gl = (gc[:, None, :] @ D)[:, 0, :]
    Ill = D.transpose(0, 2, 1) @ Icc @ D
    # c is exponential in l: its second derivative equals its first
    Ill[:, range(1, J), range(1, J)] -= gl[:, 1:]
    information = _blocks(Ill, D.transpose(0, 2, 1) @ Icb, Ibb)
    return np.asarray(value), np.hstack([gl, gb]), information


def _blocks(Ill: Array, Ilb: Array, Ibb: Array) -> Array:
    J, K = Ilb.shape[1:]
    out = np.empty((len(Ill), J + K, J + K))
    out[:, :J, :J] = Ill
    out[:, :J, J:] = Ilb
    out[:, J:, :J] = Ilb.transpose(0, 2, 1)
    out[:, J:, J:] = Ibb
    return out


def _diagonal(values: Array) -> Array:
    out = np.zeros((*values.shape, values.shape[1]))
    index = np.arange(values.shape[1])
    out[:, index, index] = values
    return out


def _by_cut(cut: Levels, values: Array, n_cuts: int) -> Array:
    """Sum by cut point 1..J, (M, J); the open ends 0 and J + 1 are dropped."""
    size = n_cuts + 2
    offset = np.arange(len(cut))[:, None] * size
    total = np.bincount(
        (cut + offset).ravel(), weights=values.ravel(), minlength=len(cut) * size
    )
    return np.asarray(total.reshape(-1, size)[:, 1 : n_cuts + 1], dtype=np.float64)


def _by_pair(top: Levels, bottom: Levels, values: Array, n_cuts: int) -> Array:
    """Sum by pair of cut points, (M, J, J)."""
    size = n_cuts + 2
    pair = top * size + bottom + np.arange(len(top))[:, None] * size**2
    total = np.bincount(
        pair.ravel(), weights=values.ravel(), minlength=len(top) * size**2
    )
    cut = slice(1, n_cuts + 1)
    return np.asarray(total.reshape(-1, size, size)[:, cut, cut], dtype=np.float64)


def _logistic(x: Array) -> tuple[Array, Array]:
    """Logistic and its logarithm; several times faster than ``logaddexp``."""
    tail = np.exp(-np.abs(x))
    probability = np.where(x >= 0.0, 1.0, tail) / (1.0 + tail)
    return probability, np.minimum(x, 0.0) - np.log1p(tail)
