"""Distances between probability and curve, which have intervals by resampling only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from responder_model.errors import ResponderModelError
from ._check import Floats, check_classes
from .calibration_distance import calibration_distance
from .definitions import DEFINITIONS

FEWEST = 2  # resamples below which an interval would have no width
SHIFTED = "bootstrap, shifted by its bias; from 0 when calibration is not refuted"


def _quantile(values: Floats, share: float) -> float:
    """Quantile as numpy's, in a fraction of its time for a few hundred."""
    below, between = divmod((values.size - 1) * share, 1.0)
    first = int(below)
    low, high = np.partition(values, [first, last := min(first + 1, values.size - 1)])[
        [first, last]
    ]
    return float(low + between * (high - low))


DISTANCES: Mapping[str, Callable[[Floats], float]] = {
    "integrated_calibration_index": lambda d: float(d.mean()),
    "e50": lambda d: _quantile(d, 0.5),
    "e90": lambda d: _quantile(d, 0.9),
    "emax": lambda d: float(d.max()),
    "estimated_calibration_index": lambda d: 100.0 * float((d * d).mean()),
}

_MOST = np.array([DEFINITIONS[name].possible[1] for name in DISTANCES])


def distances_of(y: Floats, p: Floats, smoother: str) -> Floats:
    """All five distances (5,) of clean arrays."""
    distance = calibration_distance(y, p, smoother)
    return np.array([summary(distance) for summary in DISTANCES.values()])


def _repeated_distances(
    draw: Callable[[], tuple[Floats, Floats]], smoother: str, n_resamples: int
) -> Floats:
    # (kept, 5); a draw of one class, or without a fit, is left out and counted
    kept = []
    for _ in range(n_resamples):
        y, p = draw()
        try:
            check_classes(y)
            kept.append(distances_of(y, p, smoother))
        except ResponderModelError:
            continue
    return np.array(kept).reshape(len(kept), len(DISTANCES))


@dataclass(frozen=True, kw_only=True)
class Distances:
    """The five distances in the order of ``DISTANCES``, with intervals when asked."""

    value: Floats  # (5,)
    lower: Floats | None = None
    upper: Floats | None = None
    if_calibrated: Floats | None = None
    n_failed: int = 0


def measure_distances(
    y: Floats,
    p: Floats,
    *,
    smoother: str,
    confidence: float,
    n_resamples: int,
    rng: np.random.Generator | None,
) -> Distances:
    """Distances, their shifted bootstrap interval, and those of a calibrated model."""
    value = distances_of(y, p, smoother)
    if rng is None or n_resamples < FEWEST:
        return Distances(value=value)

    def resampled() -> tuple[Floats, Floats]:
        chosen = rng.integers(y.size, size=y.size)
        return y[chosen], p[chosen]

    def calibrated() -> tuple[Floats, Floats]:
        return (rng.random(p.size) < p).astype(np.float64), p

    spread = _repeated_distances(resampled, smoother, n_resamples)
    null = _repeated_distances(calibrated, smoother, n_resamples)
    if min(spread.shape[0], null.shape[0]) < n_resamples / 2:
        return Distances(value=value, n_failed=n_resamples - spread.shape[0])
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(spread, [tail, 1.0 - tail], axis=0)
    bias = spread.mean(axis=0) - value  # distances are never negative: biased upwards
    undecided = value <= np.quantile(null, 1.0 - tail, axis=0)
    return Distances(
        value=value,
        lower=np.where(undecided, 0.0, np.maximum(low - bias, 0.0)),
        upper=np.maximum(np.minimum(high - bias, _MOST), value),
        if_calibrated=null.mean(axis=0),
        n_failed=n_resamples - spread.shape[0],
    )
