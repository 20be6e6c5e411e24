"""The door: every measure casts, refuses and cleans its input here, once."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from responder_model.errors import ResponderModelError

Floats = NDArray[np.float64]


def check_vector(values: ArrayLike, *, name: str) -> Floats:
    """Cast to a float array of one dimension; refuse text and missing values."""
    try:
        vector = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        message = f"{name} must be numbers. Convert it and map missing values first."
        raise ResponderModelError(message) from None
    if vector.ndim != 1:
        message = f"{name} must be one-dimensional, got {vector.ndim} dimensions."
        raise ResponderModelError(message)
    if not np.isfinite(vector).all():
        message = f"{name} must have no missing value. Select complete patients first."
        raise ResponderModelError(message)
    return vector


def check_classes(outcome: Floats) -> None:
    """Refuse an outcome in which nobody, or everybody, responded."""
    n_events = int(outcome.sum())
    if 0 < n_events < outcome.size:
        return
    message = (
        "outcome must hold both responders and non-responders, "
        f"got {n_events} responders of {outcome.size} patients. "
        "No measure is defined; collect more patients."
    )
    raise ResponderModelError(message)


def check_log_odds(probability: Floats) -> None:
    """Refuse probabilities of exactly 0 or 1, whose log-odds are infinite."""
    if (probability <= 0.0).any() or (probability >= 1.0).any():
        message = (
            "probability must be above 0 and below 1 for a measure on the log-odds "
            "scale. Patients are never dropped: recalibrate the model instead."
        )
        raise ResponderModelError(message)


def check_arrays(outcome: ArrayLike, probability: ArrayLike) -> tuple[Floats, Floats]:
    """Cast both to float arrays of one length, in {0, 1} and [0, 1]."""
    y = check_vector(outcome, name="outcome")
    p = check_vector(probability, name="probability")
    if y.size != p.size:
        message = (
            "outcome and probability must have the same length, "
            f"got {y.size} and {p.size}."
        )
        raise ResponderModelError(message)
    if not ((y == 0.0) | (y == 1.0)).all():
        message = "outcome must be 0 (non-responder) or 1 (responder)."
        raise ResponderModelError(message)
    if (p < 0.0).any() or (p > 1.0).any():
        message = "probability must be between 0 and 1. Pass no log-odds, no percent."
        raise ResponderModelError(message)
    return y, p


def check_outcome_probability(
    outcome: ArrayLike, probability: ArrayLike, *, log_odds: bool = False
) -> tuple[Floats, Floats]:
    """First line of every measure: clean arrays, both classes, probabilities in [0, 1].

    With ``log_odds`` exactly 0 and 1 are refused too, for measures that need a logit.
    """
    y, p = check_arrays(outcome, probability)
    check_classes(y)
    if log_odds:
        check_log_odds(p)
    return y, p


def is_number(value: object) -> bool:
    """Whether a value is one real number, of Python or numpy."""
    return isinstance(value, Real)


def check_rng(rng: object) -> np.random.Generator:
    """Refuse a seed, or nothing, in place of a generator."""
    if not isinstance(rng, np.random.Generator):
        message = (
            f"rng must be a numpy Generator, got {type(rng).__name__}. "
            "Pass numpy.random.default_rng(seed)."
        )
        raise ResponderModelError(message)
    return rng


def check_confidence(confidence: float) -> float:
    """Refuse a confidence level outside (0, 1)."""
    if not (is_number(confidence) and 0.0 < confidence < 1.0):
        message = f"confidence must be between 0 and 1, got {confidence}. Try 0.95."
        raise ResponderModelError(message)
    return float(confidence)


def check_n_resamples(n_resamples: int, *, minimum: int = 0) -> int:
    """Refuse fewer bootstrap resamples than an interval can be made of."""
    if not isinstance(n_resamples, Integral) or n_resamples < minimum:
        message = (
            f"n_resamples must be at least {minimum} and whole, got {n_resamples}. "
            "Try 200."
        )
        raise ResponderModelError(message)
    return int(n_resamples)


def check_seed(seed: int) -> int:
    """Refuse a seed that numpy would not take, and none: runs must be repeatable."""
    if not isinstance(seed, Integral) or seed < 0:
        message = f"seed must be a whole number from 0, got {seed!r}."
        raise ResponderModelError(message)
    return int(seed)


def check_threshold(threshold: float) -> float:
    """Refuse a threshold probability outside [0, 1)."""
    if not (is_number(threshold) and 0.0 <= threshold < 1.0):
        message = f"threshold must be at least 0 and below 1, got {threshold}."
        raise ResponderModelError(message)
    return float(threshold)


def check_levels(
    level: ArrayLike, upper_level: ArrayLike | None, score: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Ordered levels, possibly intervals, and one score for each patient."""
    lower = check_vector(level, name="level")
    above = lower if upper_level is None else upper_level
    upper = check_vector(above, name="upper_level")
    s = check_vector(score, name="score")
    if not lower.size == upper.size == s.size:
        message = (
            "level, upper_level and score must have the same length, "
            f"got {lower.size}, {upper.size} and {s.size}."
        )
        raise ResponderModelError(message)
    if (upper < lower).any():
        message = "upper_level must be at least level for every patient."
        raise ResponderModelError(message)
    return lower, upper, s
