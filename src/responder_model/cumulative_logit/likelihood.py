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

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from .components import Array

Levels = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Observations:
    """Design (n, K), and the lowest and highest level that each outcome allows.

    ``lower`` and ``upper`` are (n,); or, at single cut points, (M, n): each parameter
    vector has its own outcomes. ``count`` says how often each row counts, (n,).
    """

    design: Array
    lower: Levels
    upper: Levels
    n_cuts: int
    main: int
    count: Array | None = None

    def at_cuts(self, cuts: NDArray[np.int64]) -> Observations:
        """Outcomes at single cut points (J = 1), those of M parameter vectors."""
        repeated = cuts[:, None]
        return Observations(
            design=self.design,
            lower=(self.lower > repeated).astype(np.int64),
            upper=(self.upper > repeated).astype(np.int64),
            n_cuts=1,
            main=0,
        )

    def rows(self, keep: NDArray[np.int64] | NDArray[np.bool_]) -> Observations:
        """Some of the patients."""
        return replace(
            self,
            design=self.design[keep],
            lower=self.lower[..., keep],
            upper=self.upper[..., keep],
            count=None if self.count is None else self.count[keep],
        )

    def merged(self) -> Observations:
        """One row, and how often it counts, for equal ones that stand together."""
        begins = np.ones(len(self.design), dtype=bool)
        begins[1:] = (self.design[1:] != self.design[:-1]).any(axis=1)
        for level in np.vstack([self.lower, self.upper]):
            begins[1:] |= level[1:] != level[:-1]
        first = np.flatnonzero(begins)
        if len(first) == len(begins):
            return self
        count = np.diff(np.append(first, len(begins))).astype(np.float64)
        return replace(self.rows(first), count=count)

    @cached_property
    def with_intercept(self) -> Array:
        """Design behind a column of ones, (n, 1 + K)."""
        return np.column_stack([np.ones(len(self.design)), self.design])

    @cached_property
    def at_top(self) -> Array:
        """Whether each outcome lies just above each cut point, (J, n) of 0/1."""
        return self._at_cut(self.lower)

    @cached_property
    def at_bottom(self) -> Array:
        """Whether each outcome lies just below each cut point, (J, n) of 0/1."""
        return self._at_cut(self.upper + 1)

    @cached_property
    def between(self) -> Array:
        """Whether each outcome lies between each pair of cut points, (n, J²) of 0/1."""
        pairs = self.at_top[:, None] * self.at_bottom
        return np.ascontiguousarray(pairs.reshape(self.n_cuts**2, -1).T)

    def _at_cut(self, level: Levels) -> Array:
        cut = np.arange(1, self.n_cuts + 1)[:, None]
        return np.asarray(level == cut, dtype=np.float64)


def intercepts(parameters: Array, n_cuts: int, main: int) -> Array:
    """Intercepts c_1 .. c_J of the cut points, decreasing, (M, J)."""
    fall = np.zeros((len(parameters), n_cuts))
    np.cumsum(np.exp(parameters[:, 1:n_cuts]), axis=1, out=fall[:, 1:])
    return np.asarray(parameters[:, :1] + fall[:, main : main + 1] - fall)


def intercept_jacobian(parameters: Array, n_cuts: int, main: int) -> Array:
    """Derivative of c with respect to (a, l), (M, J, J)."""
    jacobian = np.ones((len(parameters), n_cuts, n_cuts))
    fall = np.exp(parameters[:, None, 1:n_cuts])
    np.multiply(_signs(n_cuts, main), fall, out=jacobian[:, :, 1:])
    return jacobian


@cache
def _signs(n_cuts: int, main: int) -> Array:
    """Whether a gap lowers (-1) or raises (1) each cut point, (J, J - 1)."""
    cut, gap = np.arange(n_cuts)[:, None], np.arange(n_cuts - 1)
    # gap i lies between cut i and cut i + 1
    return np.where(gap >= main, -1.0 * (cut > gap), 1.0 * (cut <= gap))


def _edges(observations: Observations, parameters: Array) -> tuple[Array, Array]:
    """Log-odds of reaching each outcome's lower edge and of staying below its upper.

    (2, M, n); and the gap between the two edges, (M, n).
    """
    J, M = observations.n_cuts, len(parameters)
    extended = np.full((M, J + 2), np.inf)
    extended[:, 1 : J + 1] = intercepts(parameters, J, observations.main)
    extended[:, J + 1] = -np.inf
    eta = parameters[:, J:] @ observations.design.T
    if observations.lower.ndim == 1:
        top = extended[:, observations.lower]
        bottom = extended[:, observations.upper + 1]
    else:
        top = np.take_along_axis(extended, observations.lower, axis=1)
        bottom = np.take_along_axis(extended, observations.upper + 1, axis=1)
    return np.array([eta + top, -eta - bottom]), top - bottom


def linear_predictor_slopes(
    observations: Observations, parameters: Array
) -> tuple[Array, Array]:
    """Score and information of each outcome in its linear predictor, (M, n) each."""
    (sb, sa), _ = _logistic(_edges(observations, parameters)[0])
    return sa - sb, sb * (1.0 - sb) + sa * (1.0 - sa)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What each outcome adds to log likelihood, score and information, (M, n) each.

    ``slope`` is the score in the linear predictor, ``at_top`` and ``at_bottom`` those
    in the cut points that bound the outcome, ``curvature`` (2, M, n) the information in
    the log-odds of the two, and ``bend`` what the gap between them adds.
    """

    value: Array
    slope: Array
    at_top: Array
    at_bottom: Array
    curvature: Array
    bend: Array

    def rows(self, keep: NDArray[np.int64]) -> Terms:
        """Those of some patients."""
        return Terms(**{name: part[..., keep] for name, part in vars(self).items()})

    def times(self, count: Array) -> Terms:
        """Those of rows that count more than once."""
        return Terms(**{name: part * count for name, part in vars(self).items()})


def terms(observations: Observations, parameters: Array) -> Terms:
    """Terms of each outcome at M parameter vectors."""
    edges, gap = _edges(observations, parameters)
    s, log_s = _logistic(edges)
    # log(s(b) - s(a)) = log s(b) + log s(-a) + log(1 - exp(-gap))
    with np.errstate(over="ignore"):
        h = 1.0 / np.expm1(gap)
    found = Terms(
        value=log_s[0] + log_s[1] + np.log1p(-np.exp(-gap)),
        slope=s[1] - s[0],
        at_top=1.0 - s[0] + h,
        at_bottom=s[1] - 1.0 - h,
        curvature=s * (1.0 - s),
        bend=h * (1.0 + h),
    )
    return found if observations.count is None else found.times(observations.count)


def derivatives(
    observations: Observations, parameters: Array
) -> tuple[Array, Array, Array]:
    """Log likelihood (M,), gradient (M, J + K) and negative Hessian."""
    return summed(observations, parameters, terms(observations, parameters))


def summed(
    observations: Observations, parameters: Array, of: Terms
) -> tuple[Array, Array, Array]:
    """Sums of terms at their parameters: log likelihood, gradient, negative Hessian."""
    J, X = observations.n_cuts, observations.design
    fb, fa = of.curvature
    value = np.asarray(of.value.sum(axis=1))
    if J == 1:
        # the one cut point is an intercept
        Z = observations.with_intercept
        return value, of.slope @ Z, _products((fb + fa)[:, None] * Z.T, Z)
    top, bottom = observations.at_top, observations.at_bottom
    gc = of.at_top @ top.T + of.at_bottom @ bottom.T
    # information, first of (c, b)
    Icc = _diagonal((fb + of.bend) @ top.T + (fa + of.bend) @ bottom.T)
    cross = (of.bend @ observations.between).reshape(-1, J, J)
    Icc -= cross + cross.transpose(0, 2, 1)
    weighed = np.empty((len(fb), J + X.shape[1], len(X)))
    np.add(fb[:, None] * top, fa[:, None] * bottom, out=weighed[:, :J])
    np.multiply((fb + fa)[:, None], X.T, out=weighed[:, J:])
    Ixb = _products(weighed, X)
    D = intercept_jacobian(parameters, J, observations.main)
    gl = (gc[:, None, :] @ D)[:, 0, :]
    Ill = D.transpose(0, 2, 1) @ Icc @ D
    # c is exponential in l: its second derivative equals its first
    Ill[:, range(1, J), range(1, J)] -= gl[:, 1:]
    information = _blocks(Ill, D.transpose(0, 2, 1) @ Ixb[:, :J], Ixb[:, J:])
    gradient = np.hstack([gl, of.slope @ X])
    return value, gradient, information


def _products(weighed: Array, design: Array) -> Array:
    """(M, k, n) by (n, K) as one product, which is faster than M small ones."""
    M, k, n = weighed.shape
    return np.asarray((weighed.reshape(M * k, n) @ design).reshape(M, k, -1))


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


def _logistic(x: Array) -> tuple[Array, Array]:
    """Logistic and its logarithm; several times faster than ``logaddexp``."""
    tail = np.exp(-np.abs(x))
    probability = np.where(x >= 0.0, 1.0, tail) / (1.0 + tail)
    return probability, np.minimum(x, 0.0) - np.log1p(tail)
