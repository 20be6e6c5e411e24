"""Flexible calibration: the curve, its band, and where the patients are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from responder_model.errors import ResponderModelError, check_one_of, got
from responder_model.words import Note
from ._check import Floats, check_outcome_probability
from ._logistic import expit, logit
from ._smooth import fit_spline, loess, loess_variance, spline_basis, spline_knots
from .calibration import joint_fit
from .calibration_distance import SMOOTHERS
from .estimate import normal_quantile

CurveSmoother = Literal["loess", "spline", "logistic"]

LOGISTIC = "logistic regression on the log-odds: intercept and slope, no flexibility"
N_POINTS = 101  # points of a curve
FLEXIBLE_FROM = 100  # patients below which a flexible curve would draw noise
N_BINS = 10  # bins of the distribution below a curve
SMALL_CELL = 10  # patients below which a bin is not shown: it could point at a person


@dataclass(frozen=True, kw_only=True)
class CalibrationCurve:
    """Smoothed observed proportion over the central range of the probabilities."""

    probability: Floats  # (n_points,), increasing
    observed: Floats  # (n_points,), in [0, 1]
    lower: Floats  # (n_points,), pointwise band
    upper: Floats  # (n_points,)
    smoother: str
    definition: str
    confidence: float
    n_patients: int
    n_events: int
    bin_edges: Floats  # (n_bins + 1,) from 0 to 1
    responders: NDArray[np.int64]  # (n_bins,) patients; bins of fewer than 10 hold 0
    non_responders: NDArray[np.int64]  # (n_bins,)


def _loess_band(
    y: Floats, p: Floats, at: Floats, z: float
) -> tuple[Floats, Floats, Floats]:
    # a point of the curve is sum_i l_i y_i: it rests on m = 1/sum_i l_i^2 patients.
    # Wilson's interval for m patients does not collapse where the curve meets 0 or 1:
    # (q + z^2/2m -+ z sqrt(q(1-q)/m + z^2/4m^2)) / (1 + z^2/m)
    curve, squares = loess(p, y, at), loess_variance(p, at)
    q = np.clip(curve, 0.0, 1.0)
    k = z * z * squares
    half = np.sqrt(k * q * (1.0 - q) + k * k / 4.0)
    return curve, (q + k / 2.0 - half) / (1.0 + k), (q + k / 2.0 + half) / (1.0 + k)


def _spline_band(
    y: Floats, p: Floats, at: Floats, z: float
) -> tuple[Floats, Floats, Floats]:
    lp = logit(p)
    knots = spline_knots(lp)
    fit = fit_spline(lp, y, knots)
    basis = spline_basis(logit(at), knots)
    link = basis @ fit.coefficients
    half = z * np.sqrt(np.einsum("ij,jk,ik->i", basis, fit.covariance, basis))
    return expit(link), expit(link - half), expit(link + half)


def _logistic_band(
    y: Floats, p: Floats, at: Floats, z: float
) -> tuple[Floats, Floats, Floats]:
    fit = joint_fit(y, p)
    design = np.stack([np.ones_like(at), logit(at)], axis=1)
    link = design @ fit.coefficients
    half = z * np.sqrt(np.einsum("ij,jk,ik->i", design, fit.covariance, design))
    return expit(link), expit(link - half), expit(link + half)


_BANDS = {"loess": _loess_band, "spline": _spline_band, "logistic": _logistic_band}


def _counts(p: Floats, edges: Floats) -> NDArray[np.int64]:
    counts = np.histogram(p, edges)[0]
    return np.where(counts < SMALL_CELL, 0, counts)


def _points(p: Floats, share: float, at: ArrayLike | None) -> Floats:
    """Given points, else the central share of the probabilities."""
    if at is None:
        return _central_range(p, share)
    x = np.atleast_1d(np.asarray(at, dtype=np.float64))
    if x.ndim != 1 or not ((x > 0.0) & (x < 1.0)).all():
        raise ResponderModelError(Note("performance.at"))
    return x


def _central_range(p: Floats, share: float) -> Floats:
    if not 0.0 < share <= 1.0:
        raise ResponderModelError(Note("argument.share", got=got(share)))
    tail = (1.0 - share) / 2.0
    low, high = np.quantile(p, [tail, 1.0 - tail])
    if low == high:
        return np.array([low])
    return np.linspace(low, high, N_POINTS)


def calibration_curve(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    smoother: CurveSmoother | None = None,
    confidence: float = 0.95,
    share: float = 0.95,
    at: ArrayLike | None = None,
) -> CalibrationCurve:
    """Flexible calibration curve with a pointwise confidence band.

    The diagonal is ideal: among patients given 40 %, 40 % respond. The curve below the
    diagonal means probabilities that are too high. Curve and band are cut at 0 and 1.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, above 0 and below 1.
    smoother : {"loess", "spline", "logistic"}, optional
        Loess as R's defaults, with Wilson's interval for the number of patients that
        each point rests on; or a logistic restricted cubic spline of the linear
        predictor, or a logistic model with intercept and slope only, with a Wald band
        on the log-odds scale. By default loess from 100 patients, logistic below: a
        flexible curve of few patients draws noise.
    confidence : float, default 0.95
        Pointwise coverage of the band.
    share : float, default 0.95
        The curve spans this central share of the patients' probabilities: outside it
        a handful of patients would draw it.
    at : array_like of shape (n_points,), optional
        Probabilities at which to evaluate instead.

    Returns
    -------
    CalibrationCurve
        Curve, band and counts of patients in tenths below it, bins of fewer than 10
        left out: aggregates only.

    Raises
    ------
    ResponderModelError
        If only one outcome class is present, a probability is exactly 0 or 1, an
        array, ``share`` or ``at`` is not valid, or the spline cannot be fitted.

    References
    ----------
    .. [1] Austin PC, Steyerberg EW. Graphical assessment of internal and external
       calibration of logistic regression models by using loess smoothers.
       Stat Med 2014;33:517-535. doi:10.1002/sim.5941

    Examples
    --------
    >>> p = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    >>> curve = calibration_curve([0, 0, 1, 0, 1, 0, 1, 1], p, at=[0.3, 0.6])
    >>> bool(curve.observed[0] < curve.observed[1])
    True
    """
    y, p = check_outcome_probability(outcome, probability, log_odds=True)
    flexible = y.size >= FLEXIBLE_FROM or np.ptp(p) == 0.0
    chosen = smoother or ("loess" if flexible else "logistic")
    check_one_of(chosen, _BANDS, name="smoother")
    x = _points(p, share, at)
    curve, lower, upper = _BANDS[chosen](y, p, x, normal_quantile(confidence))
    edges = np.linspace(0.0, 1.0, N_BINS + 1)
    return CalibrationCurve(
        probability=x,
        observed=np.clip(curve, 0.0, 1.0),
        lower=np.clip(lower, 0.0, 1.0),
        upper=np.clip(upper, 0.0, 1.0),
        smoother=chosen,
        definition=SMOOTHERS.get(chosen, LOGISTIC),
        confidence=confidence,
        n_patients=int(y.size),
        n_events=int(y.sum()),
        bin_edges=edges,
        responders=_counts(p[y == 1.0], edges),
        non_responders=_counts(p[y == 0.0], edges),
    )
