"""Which cut points a development may learn from: none that a few patients decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.int64]


def merge_levels(
    lower: Levels, upper: Levels, *, n_cuts: int, main: int, k: int
) -> tuple[Levels, Levels]:
    """Widen outcomes until each cut point parts ``k`` patients or nobody.

    Only patients whose outcome lies next to a cut point bear on where it lies. A cut
    point that fewer than ``k`` decide is dropped: the two levels become one. The main
    cut point always stays, and its neighbours go until ``k`` patients decide it.

    Examples
    --------
    >>> level = np.array([0, 0, 0, 0, 1, 1, 1, 2])
    >>> merge_levels(level, level, n_cuts=2, main=0, k=5)[1].tolist()
    [0, 0, 0, 0, 2, 2, 2, 2]
    """
    lower, upper = lower.copy(), upper.copy()
    open_cuts = list(range(n_cuts))
    while len(open_cuts) > 1:
        deciding = [int(_decides(lower, upper, cut).sum()) for cut in open_cuts]
        few = [
            (count, cut)
            for count, cut in zip(deciding, open_cuts, strict=True)
            if 0 < count < k
        ]
        if not few:
            break
        cut = min(few)[1]
        if cut == main:
            at = open_cuts.index(main)
            beside = open_cuts[max(0, at - 1) : at] + open_cuts[at + 1 : at + 2]
            cut = min(beside, key=lambda c: int(_decides(lower, upper, c).sum()))
        _drop(lower, upper, cut, open_cuts, n_cuts)
        open_cuts.remove(cut)
    return lower, upper


def _decides(lower: Levels, upper: Levels, cut: int) -> NDArray[np.bool_]:
    return np.asarray((lower == cut + 1) | (upper == cut))


def _drop(
    lower: Levels, upper: Levels, cut: int, open_cuts: list[int], n_cuts: int
) -> None:
    """Outcomes that end at the cut point reach to the next open ones."""
    at = open_cuts.index(cut)
    lower[lower == cut + 1] = open_cuts[at - 1] + 1 if at > 0 else 0
    upper[upper == cut] = (*open_cuts[at + 1 :], n_cuts)[0]
