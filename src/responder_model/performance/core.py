"""The core measures, fast enough for resampling loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from . import calibration, discrimination, overall
from ._check import Floats, check_arrays, check_classes, check_threshold
from .calibration_distance import Smoother, calibration_distance, check_smoother
from .definitions import DEFINITIONS
from .distances import DISTANCES
from .net_benefit import net_benefits_of

# Neutral: a false positive weighs as much as a missed responder. Clinics set their own.
NEUTRAL_THRESHOLD = 0.5
CORE = (
    "c_statistic",
    "calibration_in_the_large",
    "calibration_slope",
    "observed_expected_ratio",
    "integrated_calibration_index",
    "brier_score",
    "scaled_brier_score",
    "log_loss",
    "net_benefit",
)


@dataclass(frozen=True, kw_only=True)
class CoreMeasures:
    """Values of the core measures, and why the others have none."""

    values: dict[str, float]  # measure: value, in a fixed order
    failures: dict[str, Note]  # measure: reason


def core_measures(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    threshold: float = NEUTRAL_THRESHOLD,
    smoother: Smoother = "loess",
) -> CoreMeasures:
    """Nine measures in about a millisecond, for use in resampling loops.

    They are the c-statistic, calibration in the large, calibration slope,
    observed/expected ratio, integrated calibration index, Brier score, scaled Brier
    score, log loss and net benefit.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].
    threshold : float, default 0.5
        Threshold probability of the net benefit. 0.5 is neutral, not clinical.
    smoother : {"loess", "lowess", "spline"}, default "loess"
        Smoother of the integrated calibration index.

    Returns
    -------
    CoreMeasures
        ``values``, and in ``failures`` the reason of each measure without one (one
        outcome class, separation, probabilities of 0 or 1): never NaN.

    Raises
    ------
    ResponderModelError
        If an array, the threshold or the smoother is not valid.

    Examples
    --------
    >>> found = core_measures([0, 0, 1, 1], [0.2, 0.6, 0.5, 0.9])
    >>> found.values["c_statistic"], round(found.values["brier_score"], 3)
    (0.75, 0.165)
    >>> list(core_measures([1, 1], [0.2, 0.6]).values)
    []
    """
    y, p = check_arrays(outcome, probability)
    measures = _measures(y, p, check_threshold(threshold), check_smoother(smoother))
    return _tried(y, {name: measures[name] for name in CORE})


def all_measures(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    level: ArrayLike,
    upper_level: ArrayLike | None = None,
    threshold: float = NEUTRAL_THRESHOLD,
    smoother: Smoother = "loess",
) -> CoreMeasures:
    """Every measure without an interval, for use in resampling loops.

    Parameters
    ----------
    outcome, probability, threshold, smoother
        As :func:`core_measures`.
    level, upper_level : array_like of shape (n_patients,)
        Ordered level of the outcome, or the ends of the interval of levels, for the
        ordinal concordance.

    Returns
    -------
    CoreMeasures
        Values and reasons, in the order of ``DEFINITIONS``.

    Raises
    ------
    ResponderModelError
        If an array, the threshold or the smoother is not valid.

    Examples
    --------
    >>> found = all_measures(
    ...     [0, 0, 1, 1], [0.2, 0.6, 0.5, 0.9], level=[0, 1, 3, 5], threshold=0.3)
    >>> round(found.values["ordinal_concordance"], 3)
    0.833
    """
    y, p = check_arrays(outcome, probability)
    measures = _measures(y, p, check_threshold(threshold), check_smoother(smoother))
    measures["ordinal_concordance"] = lambda: discrimination.ordinal_concordance(
        level, p, upper_level=upper_level
    )
    return _tried(y, {name: measures[name] for name in DEFINITIONS})


def _measures(
    y: Floats, p: Floats, threshold: float, smoother: str
) -> dict[str, Callable[[], float]]:
    """Each measure as a call; fits and curves that several need are made once."""
    t = np.array([threshold])
    joint = cache(lambda: calibration.joint_fit(y, p).coefficients)
    distances = cache(lambda: calibration_distance(y, p, smoother))

    def summary(name: str) -> Callable[[], float]:
        return lambda: DISTANCES[name](distances())

    return {
        "c_statistic": lambda: discrimination.c_statistic_of(y, p),
        "calibration_in_the_large": lambda: calibration.calibration_in_the_large_of(
            y, p
        ),
        "joint_calibration_intercept": lambda: float(joint()[0]),
        "calibration_slope": lambda: float(joint()[1]),
        "observed_expected_ratio": lambda: calibration.observed_expected_ratio_of(y, p),
        **{name: summary(name) for name in DISTANCES},
        "brier_score": lambda: overall.brier_score_of(y, p),
        "scaled_brier_score": lambda: overall.scaled_brier_score_of(y, p),
        "log_loss": lambda: overall.log_loss_of(y, p),
        "net_benefit": lambda: float(net_benefits_of(y, p, t)[0]),
        "net_benefit_treat_all": lambda: float(
            net_benefits_of(y, np.ones_like(p), t)[0]
        ),
    }


def _tried(y: Floats, measures: Mapping[str, Callable[[], float]]) -> CoreMeasures:
    """Value of each measure, or the reason that it has none."""
    try:
        check_classes(y)
    except ResponderModelError as error:
        return CoreMeasures(values={}, failures=dict.fromkeys(measures, error.said))
    values: dict[str, float] = {}
    failures: dict[str, Note] = {}
    for name, measure in measures.items():
        try:
            values[name] = measure()
        except ResponderModelError as error:
            failures[name] = error.said
    return CoreMeasures(values=values, failures=failures)
