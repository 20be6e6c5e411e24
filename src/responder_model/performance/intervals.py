"""Intervals of the measures that have a formula for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from numpy.typing import ArrayLike

from responder_model.errors import check_one_of
from . import calibration, overall
from ._check import check_outcome_probability
from .discrimination import c_statistic_estimate
from .estimate import Estimate

ESTIMATORS: Mapping[str, Callable[..., Estimate]] = {
    "c_statistic": c_statistic_estimate,
    "calibration_in_the_large": calibration.calibration_in_the_large_estimate,
    "joint_calibration_intercept": calibration.joint_calibration_intercept_estimate,
    "calibration_slope": calibration.calibration_slope_estimate,
    "observed_expected_ratio": calibration.observed_expected_ratio_estimate,
    "brier_score": overall.brier_score_estimate,
    "scaled_brier_score": overall.scaled_brier_score_estimate,
    "log_loss": overall.log_loss_estimate,
}


def estimate_measure(
    measure: str,
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Estimate:
    """One measure with its analytic confidence interval.

    Parameters
    ----------
    measure : str
        A key of ``ESTIMATORS``: the name of the measure's function.
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].
    confidence : float, default 0.95
        Coverage of the interval.

    Returns
    -------
    Estimate
        DeLong on the logit scale for the c-statistic (Newcombe where the classes do
        not overlap), Wald for calibration (on the log scale for the ratio), means over
        patients and the delta method for the scores.

    Raises
    ------
    ResponderModelError
        If the measure is unknown or cannot be estimated, or an array is not valid.

    References
    ----------
    .. [1] DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or
       more correlated receiver operating characteristic curves. Biometrics
       1988;44:837-845. doi:10.2307/2531595
    .. [2] Newcombe RG. Confidence intervals for an effect size measure based on the
       Mann-Whitney statistic. Part 2. Stat Med 2006;25:559-573. doi:10.1002/sim.2324

    Examples
    --------
    >>> p = [0.2, 0.6, 0.5, 0.9, 0.3, 0.7]
    >>> print(estimate_measure("c_statistic", [0, 0, 1, 1, 0, 1], p))
    0.889 (0.261 to 0.995)
    """
    y, p = check_outcome_probability(outcome, probability)
    check_one_of(measure, ESTIMATORS, name="measure")
    return ESTIMATORS[measure](y, p, confidence=confidence)
