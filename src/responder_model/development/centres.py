"""Which centres a development tells apart: none of which a few patients decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from responder_model.disclosure import code_of
from responder_model.features import Array
from responder_model.model.parts import OTHER_CENTRES

if TYPE_CHECKING:
    import pandas as pd


Names = NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class CentresApart:
    """Centres of a development, and that of each patient.

    Parameters
    ----------
    names : tuple of str
        Centres that have a level: those of the earlier model first.
    own : ndarray of shape (n,)
        Position of each patient's centre among them, -1 for none.
    left_out : ndarray of shape (n,) of bool
        Patients of small centres who are few together: they take no part.
    """

    names: tuple[str, ...]
    own: NDArray[np.int64]
    left_out: NDArray[np.bool_]

    @property
    def indicators(self) -> Array:
        """0/1 columns, (n, n_centres)."""
        return np.asarray(self.own[:, None] == np.arange(len(self.names)), dtype=float)


def tell_apart(
    centre: Names | None,
    patients: NDArray[np.int64],
    *,
    k: int,
    known: tuple[str, ...] | None = (),
) -> CentresApart:
    """Centres with at least ``k`` patients; the others are one centre together.

    Parameters
    ----------
    centre : ndarray of shape (n,) of str, or None
        Centre of each row, empty where it is not told.
    patients : ndarray of shape (n,)
        Patient behind each row; copies count once.
    k : int
        Fewest patients of a centre.
    known : tuple of str or None
        Centres of an earlier model; None tells no centres apart.

    Examples
    --------
    >>> centre = np.array(["A"] * 6 + ["B"] * 5 + ["C"] * 2)
    >>> found = tell_apart(centre, np.arange(13), k=5)
    >>> found.names, int(found.left_out.sum())
    (('A', 'B'), 2)
    """
    n = len(patients)
    nobody = np.zeros(n, dtype=bool)
    together = CentresApart(names=known or (), own=np.full(n, -1), left_out=nobody)
    if known is None or (centre is None and not known):
        return together
    centre = np.full(n, OTHER_CENTRES) if centre is None else centre
    first = np.unique(patients, return_index=True)[1]
    named, counts = np.unique(centre[first], return_counts=True)
    large = [
        str(name)
        for name, count in zip(named, counts, strict=True)
        if count >= max(k, 1) and name != OTHER_CENTRES
    ]
    if len(large) < 2 and not known:
        return together
    small = ~np.isin(centre, large)
    few = 0 < np.isin(first, np.flatnonzero(small)).sum() < k
    if few and not large:
        # so few patients in all move the level only
        return together
    centre = np.where(small, OTHER_CENTRES, centre)
    seen = large if few or not small.any() else [*large, OTHER_CENTRES]
    names = (*together.names, *(name for name in seen if name not in together.names))
    own = np.array([names.index(c) if c in names else -1 for c in centre.tolist()])
    return CentresApart(names=names, own=own, left_out=small if few else nobody)


def read_centres(cohort: pd.DataFrame) -> Names | None:
    """Centre of each row of a checked cohort, empty where it is not told."""
    if "centre" not in cohort.columns:
        return None
    told = cohort["centre"].astype(object)
    return np.asarray(told.where(told.notna(), OTHER_CENTRES), dtype=np.str_)


def coded(cohort: pd.DataFrame, known: tuple[str, ...] = ()) -> pd.DataFrame:
    """Cohort whose centres go by their codes; those that are codes already stay."""
    if "centre" not in cohort.columns:
        return cohort
    names: dict[Any, str] = {
        name: str(name) if name in known else code_of(str(name))
        for name in cohort["centre"].dropna().unique()
    }
    changed = cohort.assign(centre=cohort["centre"].map(names))
    changed.attrs = dict(cohort.attrs)
    return changed
