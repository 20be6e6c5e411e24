"""Riley's criteria for developing a model with a binary outcome."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from .criterion import (
    PLANNING_C_STATISTIC,
    Criterion,
    Z,
    check_c_statistic,
    check_counts,
    check_proportion,
    criteria_from,
    log_odds,
)

Floats = NDArray[np.float64]

SHRINKAGE = 0.9  # criterion 1, Riley 2020
OPTIMISM = 0.05  # criterion 2, of Nagelkerke's R2
MARGIN = 0.05  # criterion 3, of the outcome proportion, absolute
MEAN_ERROR = 0.05  # criterion 4, mean absolute error of the probabilities
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)


def cox_snell_maximum(outcome_proportion: float) -> float:
    """Largest Cox–Snell R² that any model can reach at an outcome proportion φ.

    Parameters
    ----------
    outcome_proportion : float
        Proportion of responders φ, in (0, 1).

    Returns
    -------
    float
        1 − exp(2(φ log φ + (1 − φ) log(1 − φ))).

    Raises
    ------
    ResponderModelError
        If the proportion is out of range.

    Examples
    --------
    >>> round(cox_snell_maximum(0.5), 4)
    0.75
    """
    phi = check_proportion(outcome_proportion)
    log_likelihood = phi * math.log(phi) + (1.0 - phi) * math.log(1.0 - phi)
    return 1.0 - math.exp(2.0 * log_likelihood)


def cox_snell_r2(c_statistic: float, outcome_proportion: float) -> float:
    """Cox–Snell R² that goes with a c-statistic, by quadrature.

    The linear predictor is taken as normal with equal variance in responders and
    non-responders, as in the published approximation. The published tools simulate a
    million patients and differ by their random numbers (0.1782 in R and 0.1787 in
    Python for a c-statistic of 0.75 and a proportion of 0.4); here the same
    expectation is integrated and has no random error (0.17895). In numbers of
    patients the difference is below 1 %.

    Parameters
    ----------
    c_statistic : float
        Expected c-statistic, in (0.5, 1), corrected for optimism.
    outcome_proportion : float
        Proportion of responders, in (0, 1).

    Returns
    -------
    float
        R² = 1 − exp(−LR/n).

    Raises
    ------
    ResponderModelError
        If an argument is out of range.

    References
    ----------
    .. [1] Riley RD, Van Calster B, Collins GS. A note on estimating the Cox-Snell R2
       from a reported C statistic (AUROC) to inform sample size calculations for
       developing a prediction model with a binary outcome. Stat Med 2021;40:859-864.
       doi:10.1002/sim.8806

    Examples
    --------
    >>> round(cox_snell_r2(0.75, 0.4), 3)
    0.179
    """
    phi = check_proportion(outcome_proportion)
    mu = math.sqrt(2.0) * NormalDist().inv_cdf(check_c_statistic(c_statistic))
    # x ~ N(0, 1) in non-responders, N(mu, 1) in responders, so by Bayes
    # logit P(outcome) = mu x - mu^2/2 + logit(phi)
    weights = _WEIGHTS / _WEIGHTS.sum()

    def lp(x: Floats) -> Floats:
        return mu * x - mu * mu / 2.0 + log_odds(phi)

    in_events = -np.logaddexp(0.0, -lp(_NODES + mu)) @ weights
    in_others = -np.logaddexp(0.0, lp(_NODES)) @ weights
    model = phi * float(in_events) + (1.0 - phi) * float(in_others)
    null = phi * math.log(phi) + (1.0 - phi) * math.log(1.0 - phi)
    return 1.0 - math.exp(-2.0 * (model - null))


def _n_for_shrinkage(n_parameters: int, r2: float, shrinkage: float) -> float:
    # n = P / ((S - 1) ln(1 - R2/S))
    return n_parameters / ((shrinkage - 1.0) * math.log(1.0 - r2 / shrinkage))


def expected_shrinkage(
    n_patients: int, n_candidate_parameters: int, r2: float
) -> float:
    """Uniform shrinkage that an unpenalised model of this size is expected to need.

    It is the calibration slope to expect in new patients: 1 is ideal, 0.9 the usual
    target; the equation of criterion 1 solved for S. At very few patients it tends
    to ``r2``.

    Parameters
    ----------
    n_patients : int
        Patients in development, at least 1.
    n_candidate_parameters : int
        Coefficients considered, intercept excluded, at least 1.
    r2 : float
        Expected Cox–Snell R² in new patients, in (0, 1).

    Returns
    -------
    float
        The shrinkage factor S, in (r2, 1).

    Raises
    ------
    ResponderModelError
        If an argument is out of range.

    Examples
    --------
    Criterion 1 asks for 543 patients to reach 0.9 in the published example.

    >>> round(expected_shrinkage(543, 12, 0.1787), 3)
    0.9
    """
    check_counts(n_patients, n_candidate_parameters)
    if not 0.0 < r2 < 1.0 or not n_patients > 0:
        raise ResponderModelError(Note("sample_size.r2"))
    low, high = r2, 1.0  # the required n grows from 0 to infinity with S
    for _ in range(48):  # further, middle would round to r2 itself
        middle = (low + high) / 2.0
        enough = _n_for_shrinkage(n_candidate_parameters, r2, middle) <= n_patients
        low, high = (middle, high) if enough else (low, middle)
    return (low + high) / 2.0


def _required(
    n_parameters: int, explained: float, phi: float, ceiling: float
) -> dict[str, tuple[float, Note, bool]]:
    # S that makes the optimism of Nagelkerke's R2 equal to 0.05
    s_optimism = explained / (explained + OPTIMISM * ceiling)
    rarer = min(phi, 1.0 - phi)
    # ln MAPE = -0.508 - 0.544 ln n + 0.259 ln phi + 0.504 ln P
    log_n = (
        -0.508
        + 0.259 * math.log(rarer)
        + 0.504 * math.log(n_parameters)
        - math.log(MEAN_ERROR)
    ) / 0.544
    return {
        "shrinkage": (
            _n_for_shrinkage(n_parameters, explained, SHRINKAGE),
            Note("sample_size.shrinkage", limit=SHRINKAGE),
            True,
        ),
        "optimism": (
            _n_for_shrinkage(n_parameters, explained, s_optimism),
            Note("sample_size.optimism", limit=OPTIMISM),
            True,
        ),
        "outcome_proportion": (
            (Z / MARGIN) ** 2 * phi * (1.0 - phi),
            Note("sample_size.outcome_proportion", limit=MARGIN),
            True,
        ),
        "mean_error": (
            math.exp(log_n),
            Note("sample_size.mean_error", limit=MEAN_ERROR),
            False,
        ),
    }


def development_criteria(
    n_candidate_parameters: int,
    outcome_proportion: float,
    *,
    c_statistic: float = PLANNING_C_STATISTIC,
    r2: float | None = None,
    n_patients: int | None = None,
) -> tuple[Criterion, ...]:
    """Apply Riley's criteria for developing a model with a binary outcome.

    1: shrinkage of 0.9 or more; 2: optimism of Nagelkerke's R² of 0.05 or less;
    3: outcome proportion known to ± 0.05. They decide, as in the published tool.
    4, the mean absolute error of the probabilities of 0.05 or less, is reported beside
    them: its formula was fitted to simulations with at most 30 parameters.

    Parameters
    ----------
    n_candidate_parameters : int
        Coefficients considered, intercept excluded.
    outcome_proportion : float
        Expected proportion of responders, in (0, 1).
    c_statistic : float, default 0.68
        Expected c-statistic; the default is what the published evidence supports.
    r2 : float, optional
        Expected Cox–Snell R², instead of the c-statistic.
    n_patients : int, optional
        Patients at hand, to fill ``met``.

    Returns
    -------
    tuple of Criterion
        The four criteria.

    Raises
    ------
    ResponderModelError
        If an argument is out of range.

    References
    ----------
    .. [1] Riley RD et al. Minimum sample size for developing a multivariable prediction
       model: Part II. Stat Med 2019;38:1276-1296. doi:10.1002/sim.7992
    .. [2] Riley RD et al. Calculating the sample size required for developing a
       clinical prediction model. BMJ 2020;368:m441. doi:10.1136/bmj.m441
    .. [3] van Smeden M et al. Sample size for binary logistic prediction models: beyond
       events per variable criteria. Stat Methods Med Res 2019;28:2455-2474.
       doi:10.1177/0962280218784726

    Examples
    --------
    >>> found = development_criteria(12, 0.4, c_statistic=0.75)
    >>> [criterion.n_required for criterion in found]
    [542, 288, 369, 626]
    """
    check_counts(n_patients or 0, n_candidate_parameters)
    phi = check_proportion(outcome_proportion)
    explained = cox_snell_r2(c_statistic, phi) if r2 is None else r2
    ceiling = cox_snell_maximum(phi)
    if not 0.0 < explained < ceiling:
        raise ResponderModelError(Note("sample_size.r2_ceiling", most=ceiling))
    return criteria_from(
        _required(n_candidate_parameters, explained, phi, ceiling), n_patients
    )
