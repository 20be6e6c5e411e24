"""Calibration as numbers: in the large, slope, observed over expected."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from ._check import Floats, check_log_odds, check_outcome_probability
from ._logistic import LogisticFit, fit_logistic, logit
from .estimate import Estimate, normal_quantile, wald

CONSTANT = 1e-6  # spread of log-odds below which all probabilities count as equal
WIDE_SLOPE = 2.0  # limits of a slope that hold no strength and twice the right one


def offset_fit(y: Floats, p: Floats) -> LogisticFit:
    """Fit logit P(outcome) = a + 1 * linear_predictor."""
    check_log_odds(p)
    return fit_logistic(np.ones((y.size, 1)), y, logit(p))


def _check_slope(y: Floats, lp: Floats) -> None:
    if np.ptp(lp) < CONSTANT:
        raise ResponderModelError(Note("performance.all_equal"))
    events, others = lp[y == 1.0], lp[y == 0.0]
    if others.max() <= events.min() or events.max() <= others.min():
        raise ResponderModelError(Note("performance.separated"))


def joint_fit(y: Floats, p: Floats) -> LogisticFit:
    """Fit logit P(outcome) = a + b * linear_predictor."""
    check_log_odds(p)
    lp = logit(p)
    _check_slope(y, lp)
    design = np.stack([np.ones_like(lp), lp], axis=1)
    return fit_logistic(design, y, np.zeros_like(lp))


def calibration_in_the_large_of(y: Floats, p: Floats) -> float:
    """Bare calibration in the large of clean arrays."""
    return float(offset_fit(y, p).coefficients[0])


def observed_expected_ratio_of(y: Floats, p: Floats) -> float:
    """Bare observed to expected ratio of clean arrays."""
    expected = float(p.sum())
    if expected <= 0.0:
        raise ResponderModelError(Note("performance.none_expected"))
    return float(y.sum()) / expected


def calibration_in_the_large(outcome: ArrayLike, probability: ArrayLike) -> float:
    """Intercept a of logit P(outcome) = a + 1 · linear_predictor (offset model).

    Ideal value 0; above 0 the probabilities are too low on average, below 0 too high.
    This is not the intercept of the model with a free slope: that one is
    :func:`joint_calibration_intercept`. Some authors reserve the name for the
    comparison of means, which is :func:`observed_expected_ratio` here.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, above 0 and below 1.

    Returns
    -------
    float
        Log-odds to add to every linear predictor.

    Raises
    ------
    ResponderModelError
        If only one outcome class is present, a probability is exactly 0 or 1, or an
        array is not valid.

    References
    ----------
    .. [1] Cox DR. Two further applications of a model for binary regression.
       Biometrika 1958;45:562-565. doi:10.1093/biomet/45.3-4.562
    .. [2] Van Calster B et al. A calibration hierarchy for risk models was defined:
       from utopia to empirical data. J Clin Epidemiol 2016;74:167-176.
       doi:10.1016/j.jclinepi.2015.12.005

    Examples
    --------
    Half respond where a fifth was predicted: logit(1/2) − logit(1/5) = log 4.

    >>> round(calibration_in_the_large([0, 1, 0, 1], [0.2, 0.2, 0.2, 0.2]), 6)
    1.386294
    """
    y, p = check_outcome_probability(outcome, probability, log_odds=True)
    return calibration_in_the_large_of(y, p)


def joint_calibration_intercept(outcome: ArrayLike, probability: ArrayLike) -> float:
    """Intercept a of logit P(outcome) = a + b · linear_predictor, b free.

    Ideal value 0, together with a slope of 1. It is the log-odds of response of a
    patient whose linear predictor is 0, so it depends on the slope and is not the
    mean miscalibration: for that use :func:`calibration_in_the_large`.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, above 0 and below 1.

    Returns
    -------
    float
        The intercept, log-odds (``Intercept`` of R's ``rms::val.prob``).

    Raises
    ------
    ResponderModelError
        If only one outcome class is present, a probability is exactly 0 or 1, all
        are equal, or they separate the classes.

    Examples
    --------
    >>> p = [0.2, 0.2, 0.2, 0.8, 0.8, 0.8]
    >>> abs(round(joint_calibration_intercept([0, 0, 1, 0, 1, 1], p), 6))
    0.0
    """
    y, p = check_outcome_probability(outcome, probability, log_odds=True)
    return float(joint_fit(y, p).coefficients[0])


def calibration_slope(outcome: ArrayLike, probability: ArrayLike) -> float:
    """Slope b of logit P(outcome) = a + b · linear_predictor.

    Ideal value 1. Below 1 the probabilities are too extreme (overfitting), above 1
    too timid. A slope of 1 does not mean that they are right on average: read it
    together with :func:`calibration_in_the_large`.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, above 0 and below 1.

    Returns
    -------
    float
        The slope (``Slope`` of R's ``rms::val.prob``).

    Raises
    ------
    ResponderModelError
        If only one outcome class is present, a probability is exactly 0 or 1, all
        are equal, or they separate the classes.

    References
    ----------
    .. [1] Van Calster B et al. Calibration: the Achilles heel of predictive
       analytics. BMC Med 2019;17:230. doi:10.1186/s12916-019-1466-7

    Examples
    --------
    Odds of 1:2 and 2:1 where 1:4 and 4:1 were predicted: half as extreme.

    >>> p = [0.2, 0.2, 0.2, 0.8, 0.8, 0.8]
    >>> round(calibration_slope([0, 0, 1, 0, 1, 1], p), 6)
    0.5
    """
    y, p = check_outcome_probability(outcome, probability, log_odds=True)
    return float(joint_fit(y, p).coefficients[1])


def observed_expected_ratio(outcome: ArrayLike, probability: ArrayLike) -> float:
    """Σ outcome / Σ probability: responders seen for each responder predicted.

    Ideal value 1; above 1 the probabilities are too low on average. Read it on the
    log scale: 0.5 and 2 are equally bad.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].

    Returns
    -------
    float
        The ratio.

    Raises
    ------
    ResponderModelError
        If only one outcome class is present, every probability is 0, or an array is
        not valid.

    Examples
    --------
    >>> observed_expected_ratio([0, 1, 1, 1], [0.25, 0.25, 0.5, 0.5])
    2.0
    """
    y, p = check_outcome_probability(outcome, probability)
    return observed_expected_ratio_of(y, p)


def calibration_in_the_large_estimate(
    y: Floats, p: Floats, *, confidence: float
) -> Estimate:
    """Wald interval of the offset model."""
    fit = offset_fit(y, p)
    return wald(float(fit.coefficients[0]), float(fit.standard_errors[0]), confidence)


def joint_calibration_intercept_estimate(
    y: Floats, p: Floats, *, confidence: float
) -> Estimate:
    """Wald interval of the intercept of the joint model."""
    fit = joint_fit(y, p)
    return wald(float(fit.coefficients[0]), float(fit.standard_errors[0]), confidence)


def calibration_slope_estimate(y: Floats, p: Floats, *, confidence: float) -> Estimate:
    """Wald interval of the slope of the joint model."""
    fit = joint_fit(y, p)
    return wald(float(fit.coefficients[1]), float(fit.standard_errors[1]), confidence)


def slope_says_little(lower: float, upper: float) -> bool:
    """Whether the limits of a calibration slope lie far apart, on both sides of 1.

    Examples
    --------
    >>> slope_says_little(-1.93, 10.43), slope_says_little(0.4, 1.5)
    (True, False)
    """
    return lower < 1.0 < upper and upper - lower > WIDE_SLOPE


def observed_expected_ratio_estimate(
    y: Floats, p: Floats, *, confidence: float
) -> Estimate:
    """Interval on the log scale, SE² = (1 − outcome_proportion)/n_events."""
    ratio = observed_expected_ratio_of(y, p)
    # binomial observed, fixed expected: Riley 2021, doi:10.1002/sim.9025
    se = math.sqrt((1.0 - float(y.mean())) / float(y.sum()))
    factor = math.exp(normal_quantile(confidence) * se)
    return Estimate(
        value=ratio,
        lower=ratio / factor,
        upper=ratio * factor,
        standard_error=se,
        method="Wald on the log scale",
    )
