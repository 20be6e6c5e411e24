"""Which columns a development may learn from: none that a few patients decide.

Means, covariances and posteriors of a model are sums over its patients. Where some
combination of columns is the same for all but a few, such a sum is the record of
those few. A column of that kind is therefore the same for everybody before anything
is estimated, so that no later part of the model ever holds it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array, Encoder

Mask = NDArray[np.bool_]

# Share of a direction that patients of one kind must hold to be alone in it.
_ALONE = 1.0 - 1e-6
# Share of the largest squared spread below which a direction has none.
_RANK = 1e-15


def columns_left_out(
    z: Array,
    encoder: Encoder,
    k: int,
    groups: NDArray[np.int64] | None = None,
    *,
    indicators: Array | None = None,
) -> Mask:
    """Columns from which nothing may be learned, (p + n_centres,).

    1. A column in which fewer than ``k`` patients differ from the most common value,
       among those for whom it is known; a number of which one patient holds more than
       half of the squared distance from the median.
    2. Of two columns whose sum or difference is the same in all but fewer than ``k``
       patients, the later one: contrasts, and numbers in their own units.
    3. A column that, with any others, singles out fewer than ``k`` patients who are
       alike (their leverage is 1): the last of those that take part.
    4. The last ones while there are more columns than two thirds of the patients; the
       last curves while those of later moments would find no room beside them.
    5. A curve whose number is left out.

    Later is what is known later, then the curve of a number, then what stands later in
    the dictionary, then what fewer patients have.

    Parameters
    ----------
    z : ndarray of shape (n, p)
        Base columns of the patients, NaN where missing.
    encoder : Encoder
    k : int
        Fewest patients; 0 leaves nothing out.
    groups : ndarray of shape (n,), optional
        Patient behind each row; copies of one patient count once.
    indicators : ndarray of shape (n, n_centres), optional
        Centre of each patient, as 0/1 columns: known before all others, so that it is
        the last to go.

    References
    ----------
    Hundepool and others, *Statistical Disclosure Control* (2012),
    doi:10.1002/9781118348239: small cells, and what others give away of them.

    Examples
    --------
    >>> encoder = Encoder.for_decision("emcs_success")
    >>> z = np.random.default_rng(0).integers(0, 2, (40, len(encoder.columns))) * 1.0
    >>> z[3:, 0] = 0.0
    >>> bool(columns_left_out(z, encoder, 5)[0])
    True
    """
    n_columns = z.shape[1]
    if indicators is not None:
        z = np.hstack([z, indicators])
    if k == 0:
        return np.zeros(z.shape[1], dtype=bool)
    if groups is not None:
        z = z[np.unique(groups, return_index=True)[1]]
    fields = [encoder.fields[position] for position in encoder.column_predictor]
    n_centres = z.shape[1] - n_columns
    number = np.array(
        [field.kind == "number" for field in fields] + [False] * n_centres
    )
    differing = _differing(z)
    out = differing < k
    out[number] |= _dominated(z[:, number])
    since = np.append(encoder.known_from, np.zeros(n_centres, dtype=np.int64))
    curve = np.array([column.is_curve for column in encoder.columns])
    most = max(0, min(2 * len(z) // 3, len(z) - k))
    # a curve goes before any column of the same moment
    owner = encoder.column_predictor + len(encoder.predictors) * curve
    owner = np.append(owner, np.full(n_centres, -1))
    # What is known first decides first, as it does without what is known later: of two
    # models of one cohort, one holds all that the other holds. Of two fields the later
    # one of the dictionary goes, and of one field the rarest column.
    order = np.lexsort((-differing, owner, since))
    order = order[~out[order]]
    numbers, contrasts = order[number[order]], order[~number[order]]
    units = _in_units(z, encoder, numbers)
    apart = {
        *contrasts[_apart(_differ_in_few(z[:, contrasts], k))].tolist(),
        *numbers[_apart(_numbers_differ_in_few(units, k))].tolist(),
    }
    kept: list[int] = []
    for moment in np.unique(since):
        kept += [c for c in order if c in apart and since[c] == moment]
        kept = [kept[at] for at in _not_alone(z[:, kept], k)]
        # the same curves stay at every moment, and none of them costs a relief
        later = int((encoder.last.known_from > moment).sum())
        excess = len(kept) + later - most
        curves = [c for c in kept if c < n_columns and curve[c]]
        gone = curves[max(0, len(curves) - max(0, excess)) :]
        kept = [c for c in kept if c not in gone]
    left_out = np.ones(z.shape[1], dtype=bool)
    left_out[kept[:most]] = False
    # no curve without its number, which stands before it
    left_out[np.flatnonzero(curve)] |= left_out[np.flatnonzero(curve) - 1]
    return left_out


def _dominated(columns: Array) -> Mask:
    """Whether one patient makes most of what each column varies by."""
    ordered = np.sort(columns, axis=0)
    last = np.maximum((~np.isnan(ordered)).sum(axis=0) - 1, 0)
    middle = np.array([last // 2, (last + 1) // 2])
    median = np.take_along_axis(ordered, middle, axis=0).mean(axis=0)
    squared = np.nan_to_num((ordered - median) ** 2)
    return np.asarray(squared.max(axis=0) > 0.5 * squared.sum(axis=0))


def _in_units(z: Array, encoder: Encoder, columns: NDArray[np.int64]) -> Array:
    """Numbers in their own units, transformed ones on their scale."""
    rows = [encoder.columns[k] for k in columns]
    scale = np.array([row.scale for row in rows])
    return np.asarray(z[:, columns] * scale + np.array([row.centre for row in rows]))


def _differing(z: Array) -> NDArray[np.int64]:
    """Patients of each column whose known value is not the most common one."""
    ordered = np.sort(z.round(9), axis=0)
    place = np.arange(len(z))[:, None]
    # a missing value equals none, and so begins a run of its own
    begins = np.ones_like(ordered, dtype=bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    run = place - np.maximum.accumulate(np.where(begins, place, 0), axis=0) + 1
    known = (~np.isnan(ordered)).sum(axis=0)
    return np.asarray(np.maximum(known - run.max(axis=0, initial=0), 0))


def _apart(few: Mask) -> list[int]:
    """Positions of columns that differ from all earlier ones in many, or in none."""
    if not few.any():
        return list(range(len(few)))
    kept: list[int] = []
    for column in range(len(few)):
        if not few[column, kept].any():
            kept.append(column)
    return kept


def _numbers_differ_in_few(numbers: Array, k: int) -> Mask:
    """Whether the sum or difference of two numbers is the same in all but a few."""
    few = np.zeros((numbers.shape[1],) * 2, dtype=bool)
    for sign in (1.0, -1.0):
        first, second = _perhaps_few(numbers, sign, k)
        sums = np.sort(numbers[:, first] + sign * numbers[:, second], axis=0).round(6)
        known = (~np.isnan(sums)).sum(axis=0)
        # the longest run of equal values, by the k - 1 that may be missing from it
        least = np.maximum(known - k + 1, 1)
        start = np.arange(len(sums))[:, None]
        end = np.minimum(start + least - 1, len(sums) - 1)
        run = np.take_along_axis(sums, end, axis=0) == sums
        found = (run & (start + least <= known)).any(axis=0)
        last = np.take_along_axis(sums, np.maximum(known - 1, 0)[None], axis=0)[0]
        constant = sums[0] == last
        few[first, second] |= found & (known > k) & ~constant
    return np.asarray(few | few.T)


def _perhaps_few(
    numbers: Array, sign: float, k: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of numbers whose sums the first patients do not show to differ in many.

    Each patient who differs, or has no sum, parts two neighbours from each other.
    """
    first, second = np.triu_indices(numbers.shape[1], 1)
    some = numbers[: 8 * k]
    sums = (some[:, first] + sign * some[:, second]).round(6)
    changes = (sums[1:] != sums[:-1]).sum(axis=0)
    perhaps = changes <= 2 * (k - 1 + np.isnan(sums).sum(axis=0))
    return first[perhaps], second[perhaps]


def _differ_in_few(contrasts: Array, k: int) -> Mask:
    """Whether two contrasts, or one and the other's opposite, part few patients."""
    if contrasts.shape[1] == 0:
        return np.zeros((0, 0), dtype=bool)
    low, high = np.fmin.reduce(contrasts), np.fmax.reduce(contrasts)
    unit = np.round(2.0 * (contrasts - low) / (high - low) - 1.0, 9)
    known = (~np.isnan(unit)).astype(np.float64)
    level = {v: (unit == v).astype(np.float64) for v in np.unique(unit[known > 0])}
    nobody = np.zeros_like(unit)
    alike = sum((one.T @ one for one in level.values()), np.zeros((unit.shape[1],) * 2))
    opposite = sum((level[v].T @ level.get(-v, nobody) for v in level), 0.0 * alike)
    both = known.T @ known
    return np.asarray(
        ((both - alike > 0) & (both - alike < k))
        | ((both - opposite > 0) & (both - opposite < k))
    )


def _not_alone(columns: Array, k: int) -> list[int]:
    """Positions of columns that together single out no few patients."""
    # with their mean where they are missing: what relates columns stays
    if columns.shape[1] == 0:
        return []
    filled = np.where(np.isnan(columns), np.nanmean(columns, axis=0), columns)
    kept = list(range(columns.shape[1]))
    while kept and (drop := _alone(filled[:, kept], k)) is not None:
        del kept[drop]
    return kept


def _alone(columns: Array, k: int) -> int | None:
    """Last column among those that together single out few patients who are alike."""
    design = np.column_stack([np.ones(len(columns)), columns])
    values, vectors = np.linalg.eigh(design.T @ design)
    # directions without any spread tell nobody apart
    some = values > _RANK * values[-1]
    axes = vectors[:, some] / np.sqrt(values[some])
    leverage = ((design @ axes) ** 2).sum(axis=1)
    # who is alone shares a leverage of 1 with fewer than k
    suspects = np.flatnonzero(leverage * k > _ALONE)
    # rows as their bytes, which sort faster than their values; no zero is negative
    alike = np.ascontiguousarray(columns[suspects].round(9) + 0.0)
    alike = alike.view(f"V{alike.itemsize * alike.shape[1]}").ravel()
    _, first, count = np.unique(alike, return_index=True, return_counts=True)
    alone = (count < k) & (count * leverage[suspects[first]] > _ALONE)
    few = suspects[first[alone]]
    if len(few) == 0:
        return None
    takes_part = np.abs(design[few] @ axes @ axes.T)[:, 1:].max(axis=0) > 1e-9
    return int(np.flatnonzero(takes_part).max())
