"""The door: every measure casts, refuses and cleans its input here, once."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from responder_model.errors import ResponderModelError, got
from responder_model.words import Note

Floats = NDArray[np.float64]


def check_vector(values: ArrayLike, *, name: str) -> Floats:
    """Cast to a float array of one dimension; refuse text and missing values."""
    try:
        vector = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ResponderModelError(Note("argument.numbers", name=name)) from None
    if vector.ndim != 1:
        said = Note("argument.one_dimension", name=name, n=vector.ndim)
        raise ResponderModelError(said)
    if not np.isfinite(vector).all():
        raise ResponderModelError(Note("argument.none_missing", name=name))
    return vector


def check_classes(outcome: Floats) -> None:
    """Refuse an outcome in which nobody, or everybody, responded."""
    n_events = int(outcome.sum())
    if 0 < n_events < outcome.size:
        return
    said = Note("performance.one_class", n=n_events, all=outcome.size)
    raise ResponderModelError(said)


def check_log_odds(probability: Floats) -> None:
    """Refuse probabilities of exactly 0 or 1, whose log-odds are infinite."""
    if (probability <= 0.0).any() or (probability >= 1.0).any():
        raise ResponderModelError(Note("performance.log_odds"))


def check_arrays(outcome: ArrayLike, probability: ArrayLike) -> tuple[Floats, Floats]:
    """Cast both to float arrays of one length, in {0, 1} and [0, 1]."""
    y = check_vector(outcome, name="outcome")
    p = check_vector(probability, name="probability")
    if y.size != p.size:
        said = Note(
            "argument.same_length", names=("outcome", "probability"), n=(y.size, p.size)
        )
        raise ResponderModelError(said)
    if not ((y == 0.0) | (y == 1.0)).all():
        raise ResponderModelError(Note("performance.outcome_binary"))
    if (p < 0.0).any() or (p > 1.0).any():
        raise ResponderModelError(Note("performance.probability_range"))
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
        raise ResponderModelError(Note("argument.generator", got=type(rng).__name__))
    return rng


def check_confidence(confidence: float) -> float:
    """Refuse a confidence level outside (0, 1)."""
    if not (is_number(confidence) and 0.0 < confidence < 1.0):
        raise ResponderModelError(Note("argument.confidence", got=got(confidence)))
    return float(confidence)


def check_n_resamples(n_resamples: int, *, minimum: int = 0) -> int:
    """Refuse fewer bootstrap resamples than an interval can be made of."""
    if not isinstance(n_resamples, Integral) or n_resamples < minimum:
        said = Note("argument.resamples", least=minimum, got=str(n_resamples))
        raise ResponderModelError(said)
    return int(n_resamples)


def check_seed(seed: int) -> int:
    """Refuse a seed that numpy would not take, and none: runs must be repeatable."""
    if not isinstance(seed, Integral) or seed < 0:
        raise ResponderModelError(Note("argument.seed", got=got(seed)))
    return int(seed)


def check_threshold(threshold: float) -> float:
    """Refuse a threshold probability outside [0, 1)."""
    if not (is_number(threshold) and 0.0 <= threshold < 1.0):
        raise ResponderModelError(Note("argument.threshold", got=got(threshold)))
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
        said = Note(
            "argument.same_length",
            names=("level", "upper_level", "score"),
            n=(lower.size, upper.size, s.size),
        )
        raise ResponderModelError(said)
    if (upper < lower).any():
        raise ResponderModelError(Note("performance.upper_level"))
    return lower, upper, s
