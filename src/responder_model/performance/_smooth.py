"""Smoothers of a 0/1 outcome against its probability: local regression and spline."""

from __future__ import annotations

import numpy as np

from responder_model.errors import ResponderModelError
from responder_model.performance._check import Floats
from responder_model.performance._logistic import LogisticFit, fit_logistic
from responder_model.words import Note

LOESS_SPAN = 0.75  # default of R's stats::loess
LOWESS_SPAN = 2.0 / 3.0  # default of R's stats::lowess
LOWESS_DELTA = 0.01  # of the range: points closer than this are interpolated, as in R
SINGULAR = 1e-9  # relative determinant below which a local design loses a degree
BLOCK = 2_000_000  # elements of a distance matrix held at once


def _local_weights(x: Floats, at: Floats, n_near: int) -> tuple[Floats, Floats]:
    # t = (x - x0) / h with h the distance to the n_near-th nearest patient;
    # w = (1 - |t|^3)^3 inside the window (tricube); where so many patients share x0
    # that h is 0, they alone weigh: h is then the distance to the nearest other
    difference = x[None, :] - at[:, None]  # (m, n)
    distance = np.abs(difference)
    h = np.partition(distance, n_near - 1, axis=1)[:, n_near - 1]
    if not h.all():
        h = np.where(h > 0.0, h, _nearest_other(distance))
    h = h[:, None]
    t = difference / h
    u = distance / h
    w = np.clip(1.0 - u * u * u, 0.0, 1.0)
    return t, w * w * w


def _nearest_other(distance: Floats) -> Floats:
    # smallest positive distance of each row (m,); 1 where all are 0
    nearest = np.where(distance > 0.0, distance, np.inf).min(axis=1)
    return np.where(np.isfinite(nearest), nearest, 1.0)


def _moments(t: Floats, w: Floats) -> tuple[Floats, ...]:
    # s_k = sum_i w_i t_i^k, k = 0..4
    wt = w * t
    wtt = wt * t
    return (
        w.sum(axis=1),
        wt.sum(axis=1),
        wtt.sum(axis=1),
        np.einsum("ij,ij->i", wtt, t),
        np.einsum("ij,ij->i", wtt * t, t),
    )


def _intercept_row(s: tuple[Floats, ...], degree: int) -> Floats:
    # first row of the inverse of the weighted normal matrix (m, 3), by cofactors;
    # where the local design is singular the degree falls to 1, then to 0
    s0, s1, s2, s3, s4 = s
    zero = np.zeros_like(s0)
    constant = np.stack([1.0 / s0, zero, zero], axis=1)
    det1 = s0 * s2 - s1 * s1
    ok1 = det1 > SINGULAR * s0 * s0
    safe1 = np.where(ok1, det1, 1.0)
    linear = np.stack([s2 / safe1, -s1 / safe1, zero], axis=1)
    row = np.where(ok1[:, None], linear, constant)
    if degree == 1:
        return row
    c0, c1, c2 = s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2
    det2 = s0 * c0 + s1 * c1 + s2 * c2
    ok2 = ok1 & (det2 > SINGULAR * s0**3)
    safe2 = np.where(ok2, det2, 1.0)[:, None]
    return np.where(ok2[:, None], np.stack([c0, c1, c2], axis=1) / safe2, row)


def local_regression(x: Floats, at: Floats, *, n_near: int, degree: int) -> Floats:
    """Rows (m, n) of the linear smoother: ``rows @ y`` is the curve at ``at`` (m,)."""
    t, w = _local_weights(x, at, n_near)
    a = _intercept_row(_moments(t, w), degree)
    polynomial = a[:, :1] + t * (a[:, 1:2] + t * a[:, 2:3])
    rows: Floats = w * polynomial
    return rows


def loess(
    x: Floats, y: Floats, at: Floats, *, variance: Floats | None = None
) -> tuple[Floats, Floats]:
    """Local quadratic curve and its variance given that of each outcome.

    Equals R's ``loess(y ~ x, surface = "direct")`` with its default span and degree.
    """
    n_near = max(int(LOESS_SPAN * x.size + 1e-5), 1)
    v = np.zeros_like(x) if variance is None else variance
    per_block = max(BLOCK // x.size, 1)
    curve, spread = [], []
    for start in range(0, at.size, per_block):
        block = at[start : start + per_block]
        rows = local_regression(x, block, n_near=n_near, degree=2)
        curve.append(rows @ y)
        spread.append((rows * rows) @ v)
    return np.concatenate(curve), np.concatenate(spread)


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
    per_block = max(BLOCK // x.size, 1)
    fitted = [
        local_regression(x, anchors[start : start + per_block], n_near=n_near, degree=1)
        @ y
        for start in range(0, anchors.size, per_block)
    ]
    curve: Floats = np.interp(at, anchors, np.concatenate(fitted))
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
