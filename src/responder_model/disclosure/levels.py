"""Which cut points a development may learn from: none that parts off a few patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class MergedLevels:
    """Outcomes as a development may see them.

    Parameters
    ----------
    lower, upper : ndarray of shape (n,)
        Lowest and highest level of each patient, widened.
    left_out : ndarray of shape (n,) of bool
        Patients whose outcome then says nothing and who are few: they take no part.
    open_cuts : tuple of int
        Cut points that still part patients.
    """

    lower: Levels
    upper: Levels
    left_out: NDArray[np.bool_]
    open_cuts: tuple[int, ...]


def merge_levels(
    lower: Levels,
    upper: Levels,
    *,
    n_cuts: int,
    main: int,
    k: int,
    counted: NDArray[np.int64] | None = None,
) -> MergedLevels:
    """Widen outcomes until nobody's is shared by fewer than ``k`` patients.

    A posterior is a sum over the patients of each outcome, and its parts can be solved
    for the sum of each: an outcome of one patient is that patient's record. So rare
    intervals are told as yes or no alone, and cut points are dropped, the two levels
    beside becoming one, until every outcome that occurs has ``k`` patients. The main
    cut point always stays: whether yes and no have as many is the caller's to judge.

    Parameters
    ----------
    lower, upper : ndarray of shape (n,)
        Lowest and highest level that each outcome allows.
    n_cuts, main : int
        Cut points, and the one that is never dropped.
    k : int
        Fewest patients; 0 merges nothing.
    counted : ndarray of int, optional
        Rows that count, one for each patient; default: all.

    Examples
    --------
    >>> level = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 2])
    >>> merge_levels(level, level, n_cuts=2, main=0, k=5).upper.tolist()
    [0, 0, 0, 0, 0, 2, 2, 2, 2, 2]
    """
    lower, upper = lower.copy(), upper.copy()
    rows = np.arange(len(lower)) if counted is None else counted
    sides = ((0, main), (main + 1, n_cuts))
    open_cuts = list(range(n_cuts))
    for one in _few(lower[rows], upper[rows], k):
        # of an outcome that few have as an interval only yes or no stays
        if one[0] < one[1]:
            _widen(lower, upper, one, sides)
    while few := [one for one in _few(lower[rows], upper[rows], k) if one not in sides]:
        cuts = [c for c in open_cuts if c in (few[0][0] - 1, few[0][1]) and c != main]
        if not cuts:
            break
        cut = min(cuts, key=lambda c: int(_decides(lower, upper, c).sum()))
        _drop(lower, upper, cut, open_cuts, n_cuts)
        open_cuts.remove(cut)
    for side in sides:
        _fill(lower, upper, side, rows, k)
    alone = set(_few(lower[rows], upper[rows], k)) - set(sides)
    pairs = zip(lower.tolist(), upper.tolist(), strict=True)
    return MergedLevels(
        lower=lower,
        upper=upper,
        left_out=np.array([pair in alone for pair in pairs], dtype=bool),
        open_cuts=tuple(open_cuts),
    )


def _widen(
    lower: Levels, upper: Levels, one: tuple[int, int], sides: Iterable[tuple[int, int]]
) -> None:
    """Let an outcome say no more than on which side of the main cut point it is."""
    for low, high in sides:
        if low <= one[0] and one[1] <= high:
            those = (lower == one[0]) & (upper == one[1])
            lower[those], upper[those] = low, high


def _fill(
    lower: Levels, upper: Levels, side: tuple[int, int], rows: Levels, k: int
) -> None:
    """Let the rarest outcomes of a side join those of which no more is known."""
    while True:
        counts = Counter(zip(lower[rows].tolist(), upper[rows].tolist(), strict=True))
        others = [
            one
            for one in counts
            if one != side and side[0] <= one[0] and one[1] <= side[1]
        ]
        if not 0 < counts[side] < k or not others:
            return
        _widen(lower, upper, min(others, key=lambda one: counts[one]), (side,))


def _few(lower: Levels, upper: Levels, k: int) -> list[tuple[int, int]]:
    """Outcomes of fewer than k patients, the rarest first."""
    counts = Counter(zip(lower.tolist(), upper.tolist(), strict=True))
    return sorted((one for one, n in counts.items() if n < k), key=lambda o: counts[o])


def _decides(lower: Levels, upper: Levels, cut: int) -> NDArray[np.bool_]:
    return np.asarray((lower == cut + 1) | (upper == cut))


def _drop(
    lower: Levels, upper: Levels, cut: int, open_cuts: list[int], n_cuts: int
) -> None:
    """Outcomes that end at the cut point reach to the next open ones."""
    at = open_cuts.index(cut)
    lower[lower == cut + 1] = open_cuts[at - 1] + 1 if at > 0 else 0
    upper[upper == cut] = (*open_cuts[at + 1 :], n_cuts)[0]
