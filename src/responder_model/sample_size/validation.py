"""Riley's criteria for validating a model in new patients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_model.errors import ResponderModelError, got
from responder_model.schema import reaches
from responder_model.words import Note, plain
from .criterion import (
    PLANNING_C_STATISTIC,
    Criterion,
    Z,
    check_c_statistic,
    check_proportion,
    criteria_from,
    log_odds,
    whole_patients,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ValidationSampleSize:
    """Patients needed to validate a model in new patients with a given precision."""

    criteria: tuple[Criterion, ...]
    n_required: int
    n_events_required: int
    outcome_proportion: float
    c_statistic: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(asdict(self)))


def _density(mean: float, variance: float, lp: Floats) -> Floats:
    density: Floats = np.exp(-((lp - mean) ** 2) / (2.0 * variance))
    density /= density.sum()
    return density


def _linear_predictors(
    phi: float, c: float, given: tuple[float, float] | None
) -> tuple[Floats, Floats]:
    # grid of linear predictors and their probabilities; by default two normals of
    # variance v = 2 probit(c)^2, v apart, placed so that the model is calibrated
    if given is not None:
        _check_normal(given)
    v = 2.0 * NormalDist().inv_cdf(c) ** 2 if given is None else given[1] ** 2
    centre = log_odds(phi) if given is None else given[0]
    lp = np.linspace(centre - v - 9.0 * v**0.5, centre + v + 9.0 * v**0.5, 20_001)
    if given is not None:
        return lp, _density(centre, v, lp)
    events = phi * _density(centre + v / 2.0, v, lp)
    return lp, events + (1.0 - phi) * _density(centre - v / 2.0, v, lp)


def _n_for_slope(lp: Floats, weight: Floats, width: float) -> float:
    # Fisher information per patient of (a, b) at a = 0, b = 1
    p = 1.0 / (1.0 + np.exp(-lp))
    w = weight * p * (1.0 - p)
    i_a, i_ab, i_b = float(w.sum()), float(w @ lp), float(w @ (lp * lp))
    se = width / (2.0 * Z)
    return i_a / (se**2 * (i_a * i_b - i_ab**2))


def _c_statistic_width(n: float, c: float, phi: float) -> float:
    # Newcombe's standard error, as in Riley 2021
    half = n / 2.0 - 1.0
    spread = 1.0 + half * ((1.0 - c) / (2.0 - c) + c / (1.0 + c))
    return 2.0 * Z * math.sqrt(c * (1.0 - c) * spread / (n * n * phi * (1.0 - phi)))


def _smallest(width_at: Callable[[float], float], width: float) -> int:
    low, high = 2, 4
    while width_at(high) > width:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if width_at(middle) > width else (low, middle)
    return high


def _n_for_net_benefit(
    sensitivity: float, specificity: float, phi: float, t: float, width: float
) -> float:
    # of the standardised net benefit, Riley 2021
    w = (1.0 - phi) / phi * t / (1.0 - t)
    variance = (
        sensitivity * (1.0 - sensitivity) / phi
        + w**2 * specificity * (1.0 - specificity) / (1.0 - phi)
        + w**2 * (1.0 - specificity) ** 2 / (phi * (1.0 - phi))
    )
    return variance / (width / (2.0 * Z)) ** 2


def validation_criteria(
    outcome_proportion: float,
    *,
    c_statistic: float = PLANNING_C_STATISTIC,
    linear_predictor: tuple[float, float] | None = None,
    ratio_width: float = 0.2,
    slope_width: float = 0.2,
    c_width: float = 0.1,
    threshold: float | None = None,
    net_benefit_width: float = 0.2,
    n_patients: int | None = None,
) -> ValidationSampleSize:
    """Apply Riley's criteria for validating a model in new patients.

    Each asks for a 95 % interval no wider than a target, for a model that is
    calibrated: of observed/expected, calibration slope, c-statistic and, when a
    threshold is given, standardised net benefit.

    Parameters
    ----------
    outcome_proportion : float
        Expected proportion of responders in the new patients, in (0, 1).
    c_statistic : float, default 0.68
        Expected c-statistic.
    linear_predictor : tuple of float, optional
        Mean and SD of a normal linear predictor; by default the distribution that the
        c-statistic implies (normal in responders and in non-responders).
    ratio_width, slope_width, c_width : float
        Target widths of the intervals.
    threshold : float, optional
        Threshold probability of the net benefit.
    net_benefit_width : float
        Target width of the interval of the standardised net benefit.
    n_patients : int, optional
        Patients at hand, to fill ``met``.

    Returns
    -------
    ValidationSampleSize
        Criteria and the number of patients that meets all.

    Raises
    ------
    ResponderModelError
        If an argument is out of range.

    References
    ----------
    .. [1] Riley RD et al. Minimum sample size for external validation of a clinical
       prediction model with a binary outcome. Stat Med 2021;40:4230-4251.
       doi:10.1002/sim.9025

    Examples
    --------
    >>> found = validation_criteria(0.42, c_statistic=0.7)
    >>> {c.name: c.n_required for c in found.criteria}["c_statistic"]
    427
    """
    phi = check_proportion(outcome_proportion)
    c = check_c_statistic(c_statistic)
    _check_widths(ratio_width, slope_width, c_width, net_benefit_width)
    lp, weight = _linear_predictors(phi, c, linear_predictor)
    # width of the ratio at 1 = 2 sinh(1.96 SE), SE^2 = (1 - phi)/(phi n)
    ratio_se = math.asinh(ratio_width / 2.0) / Z
    required: dict[str, tuple[float, Note, bool]] = {
        "observed_expected_ratio": (
            (1.0 - phi) / (phi * ratio_se**2),
            Note("sample_size.observed_expected_ratio", width=float(ratio_width)),
            True,
        ),
        "calibration_slope": (
            _n_for_slope(lp, weight, slope_width),
            Note("sample_size.calibration_slope", width=float(slope_width)),
            True,
        ),
        "c_statistic": (
            _smallest(lambda n: _c_statistic_width(n, c, phi), c_width),
            Note("sample_size.c_statistic_interval", width=float(c_width)),
            True,
        ),
    }
    if threshold is not None:
        sensitivity, specificity = _accuracy_at(lp, weight, threshold)
        required["net_benefit"] = (
            _n_for_net_benefit(
                sensitivity, specificity, phi, threshold, net_benefit_width
            ),
            Note(
                "sample_size.net_benefit",
                threshold=float(threshold),
                width=float(net_benefit_width),
            ),
            True,
        )
    criteria = criteria_from(required, n_patients)
    n_required = max(criterion.n_required for criterion in criteria)
    return ValidationSampleSize(
        criteria=criteria,
        n_required=n_required,
        n_events_required=whole_patients(n_required * phi),
        outcome_proportion=phi,
        c_statistic=c,
    )


def _check_widths(*widths: float) -> None:
    if not all(width > 0.0 for width in widths):
        raise ResponderModelError(Note("sample_size.widths"))


def _check_normal(given: tuple[float, float]) -> None:
    # beyond +-20 every patient is certain, and no slope can be estimated
    if len(given) == 2 and abs(given[0]) <= 20.0 and 0.0 < given[1] <= 20.0:
        return
    raise ResponderModelError(Note("sample_size.linear_predictor", got=str(given)))


def _accuracy_at(lp: Floats, weight: Floats, threshold: float) -> tuple[float, float]:
    if not 0.0 < threshold < 1.0:
        raise ResponderModelError(Note("sample_size.threshold", got=got(threshold)))
    p = 1.0 / (1.0 + np.exp(-lp))
    treated = reaches(p, threshold)
    events, others = weight * p, weight * (1.0 - p)
    sensitivity = float(events[treated].sum() / events.sum())
    specificity = float(others[~treated].sum() / others.sum())
    return sensitivity, specificity
