"""Smoothers of a 0/1 outcome against its probability: local regression and spline."""

from __future__ import annotations

import numpy as np

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from ._check import Floats
from ._logistic import LogisticFit, fit_logistic

LOESS_SPAN = 0.75  # default of R's stats::loess
LOWESS_SPAN = 2.0 / 3.0  # default of R's stats::lowess
LOWESS_DELTA = 0.01  # of the range: points closer than this are interpolated, as in R
SINGULAR = 1e-9  # relative determinant below which a local design loses a degree
BLOCK = 16_000  # elements of a matrix held at once: it stays in the cache


def _local_weights(
    x: Floats, ordered: Floats, at: Floats, n_near: int
) -> tuple[Floats, Floats]:
    # t = (x - x0) / h with h the distance to the n_near-th nearest patient, of all in
    # order; w = (1 - |t|^3)^3 inside the window (tricube); where so many patients share
    # x0 that h is 0, they alone weigh: h is then the distance to the nearest other
    h = _half_widths(ordered, at, n_near)
    if not h.all():
        few = h == 0.0
        h[few] = _nearest_other(np.abs(x[None, :] - at[few, None]))
    t = x[None, :] - at[:, None]  # (m, n)
    t /= h[:, None]
    # in place: memory that is asked for anew costs more than the sums
    u = np.abs(t)
    np.minimum(u, 1.0, out=u)
    w = u * u
    w *= u
    np.subtract(1.0, w, out=w)
    np.multiply(w, w, out=u)
    w *= u
    return t, w


def _half_widths(x_sorted: Floats, at: Floats, n_near: int) -> Floats:
    # the n_near nearest are neighbours in order: of all windows of as many, the one
    # whose further end is nearest (m,)
    last = x_sorted.size - n_near + 1
    below = at[:, None] - x_sorted[None, :last]
    above = x_sorted[None, n_near - 1 :] - at[:, None]
    return np.asarray(np.maximum(below, above).min(axis=1))


def _nearest_other(distance: Floats) -> Floats:
    # smallest positive distance of each row (m,); 1 where all are 0
    nearest = np.where(distance > 0.0, distance, np.inf).min(axis=1)
    return np.where(np.isfinite(nearest), nearest, 1.0)


def _intercept_row(s: tuple[Floats, ...], degree: int) -> Floats:
    # first row of the inverse of the weighted normal matrix (m, 3), by cofactors;
    # where the local design is singular the degree falls to 1, then to 0
    s0, s1, s2, s3, s4 = s
    det1 = s0 * s2 - s1 * s1
    ok1 = det1 > SINGULAR * s0 * s0
    if degree == 2:
        c = np.stack([s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2], axis=1)
        det2 = s0 * c[:, 0] + s1 * c[:, 1] + s2 * c[:, 2]
        ok2 = ok1 & (det2 > SINGULAR * s0**3)
        if ok2.all():
            return np.asarray(c / det2[:, None])
    zero = np.zeros_like(s0)
    constant = np.stack([1.0 / s0, zero, zero], axis=1)
    safe1 = np.where(ok1, det1, 1.0)
    linear = np.stack([s2 / safe1, -s1 / safe1, zero], axis=1)
    row = np.where(ok1[:, None], linear, constant)
    if degree == 1:
        return row
    return np.where(ok2[:, None], c / np.where(ok2, det2, 1.0)[:, None], row)


def _moments(t: Floats, w: Floats, sums: Floats) -> list[Floats]:
    # of w t^k, k = 0..4, with each column of ``sums`` (n, c): five of (m, c)
    found = [w @ sums]
    power = w.copy()
    for _ in range(4):
        power *= t
        found.append(power @ sums)
    return found


def _smoothed(
    x: Floats, y: Floats, at: Floats | None, *, n_near: int, degree: int
) -> Floats:
    # curve at ``at`` (m,), or at each patient (n,); equal x are one row of the design
    own, place, count = np.unique(x, return_inverse=True, return_counts=True)
    ordered = np.repeat(own, count)
    sums = np.stack([count, np.bincount(place, weights=y)], axis=1)
    parts = []
    for block in _blocks(own, own if at is None else at):
        found = _moments(*_local_weights(own, ordered, block, n_near), sums)
        a = _intercept_row(tuple(one[:, 0] for one in found), degree)
        parts.append(sum(a[:, k] * found[k][:, 1] for k in range(3)))
    curve = np.concatenate(parts)
    return curve[place] if at is None else curve


def _blocks(x: Floats, at: Floats) -> list[Floats]:
    per_block = max(BLOCK // x.size, 16)
    return [at[start : start + per_block] for start in range(0, at.size, per_block)]


def loess(x: Floats, y: Floats, at: Floats | None = None) -> Floats:
    """Local quadratic curve at some points, or at each patient.

    Equals R's ``loess(y ~ x, surface = "direct")`` with its default span and degree.
    """
    return _smoothed(x, y, at, n_near=_n_near(x), degree=2)


def loess_variance(x: Floats, at: Floats) -> Floats:
    """Variance of the curve of ``loess`` where that of each outcome is 1."""
    ordered, one = np.sort(x), np.ones((x.size, 1))
    squares = []
    for block in _blocks(x, at):
        t, w = _local_weights(x, ordered, block, _n_near(x))
        a = _intercept_row(tuple(v[:, 0] for v in _moments(t, w, one)), degree=2)
        rows = w * (a[:, :1] + t * (a[:, 1:2] + t * a[:, 2:]))
        squares.append((rows * rows).sum(axis=1))
    return np.concatenate(squares)


def _n_near(x: Floats) -> int:
    return max(int(LOESS_SPAN * x.size + 1e-5), 1)


def _lowess_anchors(x_sorted: Floats) -> Floats:
    # R's clowess: from the last fitted point jump to the furthest one within delta
    delta = LOWESS_DELTA * (x_sorted[-1] - x_sorted[0])
    values = np.unique(x_sorted)
    anchors = [0]
    while anchors[-1] < values.size - 1:
        reach = np.searchsorted(values, values[anchors[-1]] + delta, side="right") - 1
        anchors.append(max(int(reach), anchors[-1] + 1))
    return values[anchors]


def lowess(x: Floats, y: Floats, at: Floats) -> Floats:
    """Local linear curve without robustness steps.

    Equals R's ``lowess(x, y, iter = 0)``, as ``rms::val.prob`` calls it.
    """
    n_near = max(min(x.size, int(LOWESS_SPAN * x.size + 1e-7)), 2)
    anchors = _lowess_anchors(np.sort(x))
    fitted = _smoothed(x, y, anchors, n_near=n_near, degree=1)
    curve: Floats = np.interp(at, anchors, fitted)
    return curve


def spline_knots(x: Floats) -> Floats:
    """Harrell's knots: 4 at the 5, 35, 65, 95th centile; 3 below 100 patients."""
    small = x.size < 100
    knots = np.quantile(x, [0.1, 0.5, 0.9] if small else [0.05, 0.35, 0.65, 0.95])
    if small and x.size >= 10:  # the fifth smallest and largest, as Hmisc does
        ordered = np.sort(x)
        knots[0], knots[-1] = ordered[4], ordered[-5]
    if np.unique(knots).size < knots.size:
        raise ResponderModelError(Note("performance.few_distinct"))
    return knots


def spline_basis(x: Floats, knots: Floats) -> Floats:
    """Intercept, x and the restricted cubic terms (n, 1 + k - 1), Harrell's scaling."""
    first, before_last, last = knots[0], knots[-2], knots[-1]
    columns = [np.ones_like(x), x]
    for knot in knots[:-2]:
        # (x - t_j)+^3 - (x - t_k-1)+^3 (t_k - t_j)/(t_k - t_k-1)
        #              + (x - t_k)+^3 (t_k-1 - t_j)/(t_k - t_k-1), over (t_k - t_1)^2
        gap = last - before_last
        column = (
            np.maximum(x - knot, 0.0) ** 3
            - np.maximum(x - before_last, 0.0) ** 3 * (last - knot) / gap
            + np.maximum(x - last, 0.0) ** 3 * (before_last - knot) / gap
        ) / (last - first) ** 2
        columns.append(column)
    return np.stack(columns, axis=1)


def fit_spline(x: Floats, y: Floats, knots: Floats) -> LogisticFit:
    """Logistic regression of the outcome on a restricted cubic spline of x."""
    return fit_logistic(spline_basis(x, knots), y, np.zeros_like(x))
