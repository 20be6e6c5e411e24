"""From outcomes as they are recorded to places in the order of their levels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .likelihood import Levels


def declared_levels(y: Any) -> NDArray[Any] | None:
    """Levels of an ordered categorical, lowest first; None where y declares no order.

    Examples
    --------
    >>> import pandas as pd
    >>> names = ["none", "mild", "severe"]
    >>> declared_levels(pd.Categorical(["mild"], names, ordered=True)).tolist()
    ['none', 'mild', 'severe']
    """
    dtype = getattr(y, "dtype", None)
    if not getattr(dtype, "ordered", False):
        return None
    return np.array(dtype.categories.tolist())  # type: ignore[union-attr]


def levels_in(y: NDArray[Any]) -> NDArray[Any]:
    """Levels that stand in y, as numbers or words sort; warns of more than two words.

    Examples
    --------
    >>> levels_in(np.array([3, 1, 1])).tolist()
    [1, 3]
    """
    levels = np.unique(y)
    if len(levels) > 2 and isinstance(levels[0], str):
        msg = f"y must have an order, got {len(levels)} words, which are now levels in "
        msg += "alphabetical order. Give `levels`, lowest first, or an ordered "
        msg += "categorical."
        warnings.warn(msg, UserWarning, stacklevel=4)
    return np.asarray(levels)


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
