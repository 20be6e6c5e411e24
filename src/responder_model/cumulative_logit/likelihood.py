"""Interval-censored cumulative logit: likelihood, gradient and information.

Levels 0..J are separated by J cut points. With ``c`` the decreasing intercepts,

    P(level >= j | x) = logistic(c_j + x·b),    j = 1..J,

and an outcome known to lie in [lower, upper] has

    P = logistic(c_lower + x·b) - logistic(c_{upper+1} + x·b),

where c_0 = inf and c_{J+1} = -inf.

Parameters are ``(a, l_1 .. l_{J-1}, b)``: the intercept at the main cut point and the
logarithms of the gaps between neighbours, so that the order always holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Levels = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Observations:
    """Design (n, K), and the lowest and highest level that each outcome allows (n,)."""

    design: Array
    lower: Levels
    upper: Levels
    n_cuts: int
    main: int

    def at_cut(self, cut: int) -> Observations:
        """The same outcomes seen at one cut point only (J = 1)."""
        return Observations(
            design=self.design,
            lower=(self.lower > cut).astype(np.int64),
            upper=(self.upper > cut).astype(np.int64),
            n_cuts=1,
            main=0,
        )

    def rows(self, keep: NDArray[np.int64] | NDArray[np.bool_]) -> Observations:
        """Some of the patients."""
        return Observations(
            design=self.design[keep],
            lower=self.lower[keep],
            upper=self.upper[keep],
            n_cuts=self.n_cuts,
            main=self.main,
        )


def intercepts(parameters: Array, n_cuts: int, main: int) -> Array:
    """Intercepts c_1 .. c_J of the cut points, decreasing."""
    gaps = np.exp(parameters[1:n_cuts])
    fall = np.concatenate([[0.0], np.cumsum(gaps)])
    return np.asarray(parameters[0] + fall[main] - fall)


def intercept_jacobian(parameters: Array, n_cuts: int, main: int) -> Array:
    """Derivative of c with respect to (a, l), (J, J)."""
    jacobian = np.zeros((n_cuts, n_cuts))
    jacobian[:, 0] = 1.0
    cut = np.arange(n_cuts)
    for i, gap in enumerate(np.exp(parameters[1:n_cuts])):
        # gap i lies between cut i and cut i + 1
        sign = np.where(cut > i, -1.0, 0.0) if i >= main else (cut <= i) * 1.0
        jacobian[:, i + 1] = sign * gap
    return jacobian


@dataclass(frozen=True, kw_only=True)
class Slopes:
    """What the linear predictor needs of one fit: score and information, (n,)."""

    score: Array
    information: Array


def _edges(
    observations: Observations, parameters: Array
) -> tuple[Array, Array, Array, Array]:
    """Upper and lower tail log-odds, their gap, and the intercepts."""
    J = observations.n_cuts
    c = intercepts(parameters, J, observations.main)
    extended = np.concatenate([[np.inf], c, [-np.inf]])
    eta = observations.design @ parameters[J:]
    top, bottom = extended[observations.lower], extended[observations.upper + 1]
    return eta + top, eta + bottom, top - bottom, c


def log_likelihood(observations: Observations, parameters: Array) -> float:
    """Sum of log P(lower <= level <= upper)."""
    b, a, gap, _ = _edges(observations, parameters)
    # log(s(b) - s(a)) = log s(b) + log s(-a) + log(1 - exp(-gap))
    total = np.logaddexp(0.0, -b) + np.logaddexp(0.0, a)
    return float(-total.sum() + np.log1p(-np.exp(-gap)).sum())


def linear_predictor_slopes(observations: Observations, parameters: Array) -> Slopes:
    """Score and information of each outcome in its linear predictor."""
    b, a, _, _ = _edges(observations, parameters)
    sb, sa = _logistic(b), _logistic(a)
    return Slopes(score=1.0 - sb - sa, information=sb * (1 - sb) + sa * (1 - sa))


def derivatives(
    observations: Observations, parameters: Array
) -> tuple[float, Array, Array]:
    """Log likelihood, its gradient and its negative Hessian."""
    J, X = observations.n_cuts, observations.design
    b, a, gap, _ = _edges(observations, parameters)
    sb, sa = _logistic(b), _logistic(a)
    fb, fa = sb * (1.0 - sb), sa * (1.0 - sa)
    with np.errstate(over="ignore"):
        h = 1.0 / np.expm1(gap)
    value = float(
        -(np.logaddexp(0.0, -b) + np.logaddexp(0.0, a)).sum()
        + np.log1p(-np.exp(-gap)).sum()
    )
    top, bottom = observations.lower, observations.upper + 1
    gc = _by_cut(top, 1.0 - sb + h, J) + _by_cut(bottom, -sa - h, J)
    gb = X.T @ (1.0 - sb - sa)
    # the information matrix, first for (c, b)
    bend = h * (1.0 + h)
    Icc = np.diag(_by_cut(top, fb + bend, J) + _by_cut(bottom, fa + bend, J))
    if J > 1:
        pair = top * (J + 2) + bottom
        cross = np.bincount(pair, weights=bend, minlength=(J + 2) ** 2)
        cross = cross.reshape(J + 2, J + 2)[1 : J + 1, 1 : J + 1]
        Icc = Icc - cross - cross.T
    at_cut = np.zeros((len(sb), J + 2))
    rows = np.arange(len(sb))
    at_cut[rows, top] = fb
    at_cut[rows, bottom] += fa
    Icb = at_cut[:, 1 : J + 1].T @ X
    Ibb = (X * (fb + fa)[:, None]).T @ X
    return value, *_in_gaps(observations, parameters, gc, gb, Icc, Icb, Ibb)


def _in_gaps(
    observations: Observations,
    parameters: Array,
    gc: Array,
    gb: Array,
    Icc: Array,
    Icb: Array,
    Ibb: Array,
) -> tuple[Array, Array]:
    """Gradient and negative Hessian in (a, l, b) from those in (c, b)."""
    J = observations.n_cuts
    D = intercept_jacobian(parameters, J, observations.main)
    gl = D.T @ gc
    information = np.empty((len(parameters), len(parameters)))
    information[:J, :J] = D.T @ Icc @ D
    # c is exponential in l: its second derivative equals its first
    information[range(1, J), range(1, J)] -= gl[1:]
    information[:J, J:] = D.T @ Icb
    information[J:, :J] = information[:J, J:].T
    information[J:, J:] = Ibb
    return np.concatenate([gl, gb]), information


def _by_cut(cut: Levels, values: Array, n_cuts: int) -> Array:
    """Sum by cut point 1..J; the open ends 0 and J + 1 are dropped."""
    total = np.bincount(cut, weights=values, minlength=n_cuts + 2)
    return np.asarray(total[1 : n_cuts + 1], dtype=np.float64)


def _logistic(x: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-x)))
