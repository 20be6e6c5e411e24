"""How far the probabilities lie from the smoothed observed proportion."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from responder_model.errors import check_one_of
from responder_model.words import say
from ._check import Floats, check_log_odds, check_outcome_probability
from ._logistic import expit, logit
from ._smooth import fit_spline, loess, lowess, spline_basis, spline_knots

Smoother = Literal["loess", "lowess", "spline"]

SMOOTHERS: dict[str, str] = {
    name: say(f"measures.smoother_{name}", "en") for name in get_args(Smoother)
}

EXACT_LIMIT = 500  # distinct probabilities above which loess is interpolated
# Where it is then exact: at quantiles, at the ends, and on both sides of the widest
# gaps, in which the curve may bend sharply. Error below 1e-3, mean below 3e-5 (tests).
N_QUANTILES = 201
N_AT_ENDS = 25  # patients at either end
N_GAPS = 100


def check_smoother(smoother: str) -> str:
    """Refuse a smoother that is not one of the three."""
    check_one_of(smoother, get_args(Smoother), name="smoother")
    return smoother


def _loess_at_patients(y: Floats, p: Floats) -> Floats:
    values = p if p.size <= EXACT_LIMIT else np.unique(p)
    if values.size <= EXACT_LIMIT:
        return loess(p, y)
    inner = np.quantile(values, np.linspace(0.0, 1.0, N_QUANTILES))
    widest = np.argsort(np.diff(values))[-N_GAPS:]
    ends = np.r_[values[:N_AT_ENDS], values[-N_AT_ENDS:]]
    anchors = np.unique(np.r_[ends, inner, values[widest], values[widest + 1]])
    interpolated: Floats = np.interp(p, anchors, loess(p, y, anchors))
    return interpolated


def smoothed_at_patients(y: Floats, p: Floats, smoother: str) -> Floats:
    """Smoothed observed proportion at each patient's own probability (n,)."""
    if smoother == "loess":
        return _loess_at_patients(y, p)
    if smoother == "lowess":
        return lowess(p, y, p)
    check_log_odds(p)
    lp = logit(p)
    knots = spline_knots(lp)
    return expit(spline_basis(lp, knots) @ fit_spline(lp, y, knots).coefficients)


def calibration_distance(y: Floats, p: Floats, smoother: str) -> Floats:
    """Absolute difference between probability and curve for each patient (n,)."""
    return np.abs(p - smoothed_at_patients(y, p, smoother))


def _distance(outcome: ArrayLike, probability: ArrayLike, smoother: Smoother) -> Floats:
    y, p = check_outcome_probability(outcome, probability)
    return calibration_distance(y, p, check_smoother(smoother))


def integrated_calibration_index(
    outcome: ArrayLike, probability: ArrayLike, *, smoother: Smoother = "loess"
) -> float:
    """Mean absolute difference between probability and smoothed observed proportion.

    Lower is better; 0 is ideal. It is never negative, so in a small cohort it is
    above 0 for a perfect model too: state the smoother and the number of patients.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].
    smoother : {"loess", "lowess", "spline"}, default "loess"
        How the observed proportion is smoothed; see ``SMOOTHERS``. Above 500 distinct
        probabilities loess is evaluated at some 450 points and interpolated, with an
        error below 0.001, on average below 0.00003.

    Returns
    -------
    float
        The index, on the probability scale (``Eavg`` of ``rms::val.prob`` for lowess).

    Raises
    ------
    ResponderModelError
        If only one outcome class is present, an array is not valid, or the spline
        cannot be fitted.

    References
    ----------
    .. [1] Austin PC, Steyerberg EW. The Integrated Calibration Index (ICI) and related
       metrics for quantifying the calibration of logistic regression models.
       Stat Med 2019;38:4051-4065. doi:10.1002/sim.8281

    Examples
    --------
    One probability for all: the curve is the outcome proportion.

    >>> round(integrated_calibration_index([0, 1, 0, 1, 1], [0.5] * 5), 6)
    0.1
    """
    return float(_distance(outcome, probability, smoother).mean())


def e50(
    outcome: ArrayLike, probability: ArrayLike, *, smoother: Smoother = "loess"
) -> float:
    """Median absolute difference between probability and smoothed observed proportion.

    Lower is better; 0 is ideal. Half of the patients are further from the curve.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].
    smoother : {"loess", "lowess", "spline"}, default "loess"
        As in :func:`integrated_calibration_index`.

    Returns
    -------
    float
        The median, on the probability scale.

    Raises
    ------
    ResponderModelError
        As :func:`integrated_calibration_index`.

    Examples
    --------
    >>> round(e50([0, 1, 0, 1, 1], [0.5] * 5), 6)
    0.1
    """
    return float(np.median(_distance(outcome, probability, smoother)))


def e90(
    outcome: ArrayLike, probability: ArrayLike, *, smoother: Smoother = "loess"
) -> float:
    """90th centile of the absolute difference between probability and curve.

    Lower is better; 0 is ideal. One patient in ten is further from the curve.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].
    smoother : {"loess", "lowess", "spline"}, default "loess"
        As in :func:`integrated_calibration_index`.

    Returns
    -------
    float
        The centile, on the probability scale (``E90`` of ``rms::val.prob`` for lowess).

    Raises
    ------
    ResponderModelError
        As :func:`integrated_calibration_index`.

    Examples
    --------
    >>> round(e90([0, 1, 0, 1, 1], [0.5] * 5), 6)
    0.1
    """
    return float(np.quantile(_distance(outcome, probability, smoother), 0.9))


def emax(
    outcome: ArrayLike, probability: ArrayLike, *, smoother: Smoother = "loess"
) -> float:
    """Largest absolute difference between probability and curve.

    Lower is better; 0 is ideal. One patient at the edge decides it: never read it
    alone.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].
    smoother : {"loess", "lowess", "spline"}, default "loess"
        As in :func:`integrated_calibration_index`.

    Returns
    -------
    float
        The maximum, on the probability scale (``Emax`` of ``rms::val.prob`` for
        lowess).

    Raises
    ------
    ResponderModelError
        As :func:`integrated_calibration_index`.

    Examples
    --------
    >>> round(emax([0, 1, 0, 1, 1], [0.5] * 5), 6)
    0.1
    """
    return float(_distance(outcome, probability, smoother).max())


def estimated_calibration_index(
    outcome: ArrayLike, probability: ArrayLike, *, smoother: Smoother = "loess"
) -> float:
    """100 × mean squared difference between probability and smoothed proportion.

    Lower is better; 0 is ideal, 100 the worst. The square weighs the patients with
    large errors more than :func:`integrated_calibration_index` does.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].
    smoother : {"loess", "lowess", "spline"}, default "loess"
        As in :func:`integrated_calibration_index`.

    Returns
    -------
    float
        The index.

    Raises
    ------
    ResponderModelError
        As :func:`integrated_calibration_index`.

    References
    ----------
    .. [1] Van Hoorde K et al. A spline-based tool to assess and visualize the
       calibration of multiclass risk predictions. J Biomed Inform 2015;54:283-293.
       doi:10.1016/j.jbi.2014.12.016

    Examples
    --------
    >>> round(estimated_calibration_index([0, 1, 0, 1, 1], [0.5] * 5), 6)
    1.0
    """
    return 100.0 * float((_distance(outcome, probability, smoother) ** 2).mean())
