"""From outcomes as they are recorded to places in the order of their levels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from responder_model.cumulative_logit.likelihood import Levels


def check_classes(classes: NDArray[Any]) -> NDArray[Any]:
    """Refuse fewer than two levels, or one twice."""
    if len(np.unique(classes)) < len(classes):
        msg = "levels must differ from each other, got one twice."
        raise ValueError(msg)
    if len(classes) < 2:
        msg = "y must hold at least 2 classes, got 1 class. Give `levels`."
        raise ValueError(msg)
    return classes


def places(classes: NDArray[Any], y: ArrayLike) -> Levels:
    """Place of each outcome among the levels, which stand in their own order.

    Examples
    --------
    >>> places(np.array(["low", "mid", "high"]), ["high", "low"]).tolist()
    [2, 0]
    """
    order = np.argsort(classes)
    found = np.searchsorted(classes, np.asarray(y), sorter=order)
    level = order[found.clip(0, len(order) - 1)]
    if not np.array_equal(classes[level], y):
        msg = f"y must be one of the levels {classes.tolist()}."
        raise ValueError(msg)
    return np.asarray(level, dtype=np.int64)


def highest_places(
    classes: NDArray[Any], lower: Levels, upper: ArrayLike | None
) -> Levels:
    """Highest place that each outcome allows; the lowest where nothing is given."""
    if upper is None:
        return lower
    highest = places(classes, upper)
    if highest.shape != lower.shape or (highest < lower).any():
        msg = "upper must be one level for each outcome, none below that of y."
        raise ValueError(msg)
    return highest
