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


def columns_left_out(
    z: Array, encoder: Encoder, k: int, groups: NDArray[np.int64] | None = None
) -> Mask:
    """Columns from which nothing may be learned, (p,).

    1. A column in which fewer than ``k`` patients differ from the most common value,
       among those for whom it is known.
    2. Of two contrasts whose sum or difference is the same in all but fewer than
       ``k`` patients, the rarer one.
    3. A contrast that, with any others, singles out fewer than ``k`` patients who are
       alike (their leverage is 1): the rarest of those that take part.
    4. The rarest ones while fewer than ``k`` patients more than columns are left.

    Parameters
    ----------
    z : ndarray of shape (n, p)
        Base columns of the patients, NaN where missing.
    encoder : Encoder
    k : int
        Fewest patients; 0 leaves nothing out.
    groups : ndarray of shape (n,), optional
        Patient behind each row; copies of one patient count once.

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
    if k == 0:
        return np.zeros(z.shape[1], dtype=bool)
    if groups is not None:
        z = z[np.unique(groups, return_index=True)[1]]
    differing = np.array([_differing(column) for column in z.T])
    left_out = differing < k
    contrast = np.array(
        [
            encoder.fields[position].kind != "number"
            for position in encoder.column_predictor
        ]
    )
    kept = np.flatnonzero(contrast & ~left_out)
    # the rarest last: it goes first
    kept = kept[np.argsort(-differing[kept], kind="stable")]
    left_out[kept] = True
    kept = kept[_apart(z[:, kept], k)]
    left_out[kept[_not_alone(z[:, kept], k)]] = False
    return _fewer_than_patients(left_out, differing, len(z) - k)


def _differing(column: Array) -> int:
    """Patients whose known value is not the most common one."""
    known = column[~np.isnan(column)].round(9)
    if known.size == 0:
        return 0
    return int(known.size - np.unique(known, return_counts=True)[1].max())


def _apart(contrasts: Array, k: int) -> list[int]:
    """Positions of contrasts that differ from all earlier ones in many, or in none."""
    few = _differ_in_few(contrasts, k)
    kept: list[int] = []
    for column in range(contrasts.shape[1]):
        if not few[column, kept].any():
            kept.append(column)
    return kept


def _differ_in_few(contrasts: Array, k: int) -> Mask:
    """Whether two contrasts, or one and the other's opposite, part few patients."""
    low, high = np.nanmin(contrasts, axis=0), np.nanmax(contrasts, axis=0)
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


def _not_alone(contrasts: Array, k: int) -> list[int]:
    """Positions of contrasts that together single out no few patients."""
    # with their mean where they are missing: what relates columns stays
    filled = np.where(np.isnan(contrasts), np.nanmean(contrasts, axis=0), contrasts)
    kept = list(range(contrasts.shape[1]))
    while kept and (drop := _alone(filled[:, kept], k)) is not None:
        del kept[drop]
    return kept


def _alone(contrasts: Array, k: int) -> int | None:
    """Last contrast among those that together single out few patients who are alike."""
    design = np.column_stack([np.ones(len(contrasts)), contrasts])
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    leverage = np.einsum("ij,ij->i", design @ inverse, design)
    # who is alone shares a leverage of 1 with fewer than k
    suspects = np.flatnonzero(leverage * k > _ALONE)
    _, first, count = np.unique(
        contrasts[suspects].round(9), axis=0, return_index=True, return_counts=True
    )
    alone = (count < k) & (count * leverage[suspects[first]] > _ALONE)
    few = suspects[first[alone]]
    if len(few) == 0:
        return None
    takes_part = np.abs(design[few] @ inverse)[:, 1:].max(axis=0) > 1e-9
    return int(np.flatnonzero(takes_part).max())


def _fewer_than_patients(
    left_out: Mask, differing: NDArray[np.int64], most: int
) -> Mask:
    """Leave out the rarest columns until no more than ``most`` are left."""
    kept = np.flatnonzero(~left_out)
    order = kept[np.argsort(-differing[kept], kind="stable")]
    left_out = left_out.copy()
    left_out[order[max(0, most) :]] = True
    return left_out
