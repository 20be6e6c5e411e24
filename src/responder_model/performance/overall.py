"""Overall accuracy: squared and logarithmic error of the probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._check import Floats, check_log_odds, check_outcome_probability
from .definitions import DEFINITIONS
from .estimate import Estimate, wald


def brier_score_of(y: Floats, p: Floats) -> float:
    """Bare Brier score of clean arrays."""
    return float(((y - p) ** 2).mean())


def scaled_brier_score_of(y: Floats, p: Floats) -> float:
    """Bare scaled Brier score of clean arrays."""
    proportion = float(y.mean())
    return 1.0 - brier_score_of(y, p) / (proportion * (1.0 - proportion))


def _log_losses(y: Floats, p: Floats) -> Floats:
    check_log_odds(p)
    return -np.where(y == 1.0, np.log(p), np.log1p(-p))


def log_loss_of(y: Floats, p: Floats) -> float:
    """Bare log loss of clean arrays."""
    return float(_log_losses(y, p).mean())


def brier_score(outcome: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared difference between outcome and probability.

    Lower is better; 0 is ideal, 0.25 is what a probability of 1/2 for everybody gets.
    It depends on the outcome proportion: compare it within one cohort only, or use
    :func:`scaled_brier_score`.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].

    Returns
    -------
    float
        The Brier score, in [0, 1].

    Raises
    ------
    ResponderModelError
        If only one outcome class is present or an array is not valid.

    References
    ----------
    .. [1] Brier GW. Verification of forecasts expressed in terms of probability.
       Mon Weather Rev 1950;78:1-3.

    Examples
    --------
    >>> brier_score([0, 1, 1, 0], [0.5, 0.5, 1.0, 0.0])
    0.125
    """
    y, p = check_outcome_probability(outcome, probability)
    return brier_score_of(y, p)


def scaled_brier_score(outcome: ArrayLike, probability: ArrayLike) -> float:
    """1 − Brier score / Brier score of the outcome proportion for everybody.

    Higher is better; 1 is ideal, 0 is no better than giving everybody the outcome
    proportion, and below 0 is worse than that.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].

    Returns
    -------
    float
        The scaled score, at most 1.

    Raises
    ------
    ResponderModelError
        If only one outcome class is present or an array is not valid.

    References
    ----------
    .. [1] Steyerberg EW et al. Assessing the performance of prediction models.
       Epidemiology 2010;21:128-138. doi:10.1097/EDE.0b013e3181c30fb2

    Examples
    --------
    >>> scaled_brier_score([0, 1, 1, 0], [0.5, 0.5, 1.0, 0.0])
    0.5
    """
    y, p = check_outcome_probability(outcome, probability)
    return scaled_brier_score_of(y, p)


def log_loss(outcome: ArrayLike, probability: ArrayLike) -> float:
    """Mean of −log(probability given to what happened), in nats.

    Lower is better; 0 is ideal and log 2 = 0.693 is what 1/2 for everybody gets. A
    probability of exactly 0 or 1 is refused, never clipped.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, above 0 and below 1.

    Returns
    -------
    float
        The log loss.

    Raises
    ------
    ResponderModelError
        If only one outcome class is present, a probability is exactly 0 or 1, or an
        array is not valid.

    Examples
    --------
    >>> round(log_loss([0, 1], [0.5, 0.25]), 6)
    1.039721
    """
    y, p = check_outcome_probability(outcome, probability, log_odds=True)
    return log_loss_of(y, p)


def _mean_estimate(name: str, values: Floats, confidence: float) -> Estimate:
    se = float(values.std(ddof=1)) / values.size**0.5
    found = wald(float(values.mean()), se, confidence)
    return found.within(*DEFINITIONS[name].possible)


def brier_score_estimate(y: Floats, p: Floats, *, confidence: float) -> Estimate:
    """Interval of a mean of squared errors."""
    return _mean_estimate("brier_score", (y - p) ** 2, confidence)


def log_loss_estimate(y: Floats, p: Floats, *, confidence: float) -> Estimate:
    """Interval of a mean of log losses."""
    return _mean_estimate("log_loss", _log_losses(y, p), confidence)


def scaled_brier_score_estimate(y: Floats, p: Floats, *, confidence: float) -> Estimate:
    """Delta method: both Brier scores vary with the outcome."""
    proportion = float(y.mean())
    reference = proportion * (1.0 - proportion)
    scaled = scaled_brier_score_of(y, p)
    # 1 - B/R with dB = e_i^2 - B and dR = (1 - 2 ybar)(y_i - ybar)
    influence = (
        -(
            ((y - p) ** 2 - brier_score_of(y, p))
            - (1.0 - scaled) * (1.0 - 2.0 * proportion) * (y - proportion)
        )
        / reference
    )
    se = float(influence.std(ddof=1)) / y.size**0.5
    found = wald(scaled, se, confidence)
    return found.within(*DEFINITIONS["scaled_brier_score"].possible)
