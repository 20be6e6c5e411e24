"""Hide small counts so that no sum in the same table gives them back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
Matrix = NDArray[np.float64]

# Counts from 1 to SMALL_CELL - 1 could point at a person and are not shown.
SMALL_CELL = 10
_ZERO = 1e-9


def suppress(
    counts: Counts,
    relations: Matrix,
    *,
    small_cell: int = SMALL_CELL,
    silent: Mask | None = None,
) -> Mask:
    """Say which counts must be hidden: the small ones, and what would reveal them.

    A reader knows every relation (a column adds up to the size of its group, groups
    add up to all) and every count that is shown. No small count may follow from them,
    nor may several together be known to be fewer than ten. Zeros are shown.

    Parameters
    ----------
    counts : ndarray of shape (n_cells,)
        The cells of one table.
    relations : ndarray of shape (n_relations, n_cells)
        Coefficients of linear combinations whose value the reader knows.
    small_cell : int, default 10
        Counts below it, except 0, are hidden.
    silent : ndarray of shape (n_cells,), optional
        Counts that the table does not print anyway, but that relations speak of.

    Returns
    -------
    ndarray of shape (n_cells,)
        True where a count must not be shown.

    Examples
    --------
    Of 39 patients, 5 + 4 would follow from 30: together they are still a small cell.

    >>> suppress(np.array([30, 5, 4]), np.ones((1, 3))).tolist()
    [True, True, True]
    >>> suppress(np.array([28, 12, 0]), np.ones((1, 3))).tolist()
    [False, False, False]
    """
    small = (counts > 0) & (counts < small_cell)
    hidden = small.copy() if silent is None else small | silent
    while True:
        revealing = _revealing(counts, relations, hidden, small_cell)
        touched = (relations[revealing] != 0.0).any(axis=0)
        where = np.flatnonzero(touched & ~hidden & (counts > 0))
        if where.size == 0:
            break
        hidden[where[np.argmin(counts[where])]] = True
    known = _determined(relations, hidden)
    if (known & small).any():  # nothing is left to hide: hide all
        return np.ones(counts.shape, dtype=bool)
    return hidden & (small | ~known)


def _revealing(
    counts: Counts, relations: Matrix, hidden: Mask, small_cell: int
) -> Mask:
    """Relations that give a small count away, or a small sum of hidden counts."""
    small = (counts > 0) & (counts < small_cell)
    known = _determined(relations, hidden)
    unknown = hidden & ~known
    # a small count is given away: hide more wherever a hidden count follows
    following = known if (known & small).any() else np.zeros_like(known)
    found = np.zeros(len(relations), dtype=bool)
    for line, row in enumerate(relations):
        members = unknown & (row > 0.0)
        closed = members.any() and not (unknown & (row < 0.0)).any()
        is_small = closed and 0 < counts[members].sum() < small_cell
        found[line] = is_small or (following & (row != 0.0)).any()
    return found


def _determined(relations: Matrix, hidden: Mask) -> Mask:
    """Hidden cells whose value follows exactly from the relations."""
    found = np.zeros(hidden.shape, dtype=bool)
    where = np.flatnonzero(hidden)
    if where.size == 0:
        return found
    _, values, rows = np.linalg.svd(relations[:, where])
    rank = int((values > _ZERO).sum())
    free = rows[rank:]
    found[where] = (np.abs(free) <= _ZERO).all(axis=0) if len(free) else True
    return found


def column_relations(n_rows: int, n_columns: int) -> Matrix:
    """Relations of a table whose column sums are known, row-major cells.

    Examples
    --------
    >>> column_relations(2, 2).tolist()
    [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]
    """
    return np.asarray(np.kron(np.ones((1, n_rows)), np.eye(n_columns)))


def row_relations(n_rows: int, parts: Sequence[int], whole: int, width: int) -> Matrix:
    """Relations of a table in which, on each row, some columns add up to another."""
    one = np.zeros((1, width))
    one[0, list(parts)] = 1.0
    one[0, whole] = -1.0
    return np.asarray(np.kron(np.eye(n_rows), one))
