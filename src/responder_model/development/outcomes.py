"""Outcomes as a procedure learns from them: an interval of ordered levels each."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.cohort import OutcomeLevels
from responder_model.cohort.outcomes import MIN_PATIENTS
from responder_model.disclosure import ENOUGH_VALUES
from responder_model.errors import DevelopmentError
from responder_model.features import Array
from responder_model.schema import Decision
from responder_model.words import Note


def split_levels(
    outcome: Any, target: Decision
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lowest and highest level of each outcome.

    From ``OutcomeLevels``; from numbers, 0 and 1 alone are no and yes at the main
    cut-off, and with any higher one they are levels (one a patient, or two columns for
    the lowest and the highest that it may be).

    Examples
    --------
    >>> from responder_model.schema import dictionary
    >>> split_levels([1, 0, None], dictionary().decisions["emcs_success"])
    (array([3, 0, 0]), array([5, 2, 5]))
    >>> split_levels([1, 0, 4], dictionary().decisions["emcs_success"])
    (array([1, 0, 4]), array([1, 0, 4]))
    """
    n_cuts, main = len(target.cut_points), target.main_index
    if isinstance(outcome, OutcomeLevels):
        lower = np.where(outcome.observed, outcome.lower, 0)
        return lower, np.where(outcome.observed, outcome.upper, n_cuts)
    found = _read_numbers(outcome, n_cuts)
    if are_levels(found):
        known = ~np.isnan(found)
        lower, upper = np.where(known, found, (0, n_cuts)).astype(np.int64).T
        return lower, upper
    answer = found[:, 0]
    return np.where(answer == 1, main + 1, 0), np.where(answer == 0, main, n_cuts)


def are_levels(outcome: Any) -> bool:
    """Whether an outcome is levels as numbers: then it has other classes than 0, 1."""
    if isinstance(outcome, OutcomeLevels):
        return False
    values = pd.DataFrame(outcome).to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~np.isnan(values[:, 0])]
    return bool((known > 1).any() or (known[:, 0] != known[:, -1]).any())


def check_outcomes(
    lower: NDArray[np.int64], upper: NDArray[np.int64], target: Decision
) -> None:
    """Refuse outcomes of too few patients, or the same for all."""
    if len(lower) < MIN_PATIENTS:
        sizes = {"least": MIN_PATIENTS, "n": len(lower)}
        names = {"outcome": target.outcome, "binary": target.binary_outcome}
        raise DevelopmentError(Note("refusal.too_few_patients", **sizes, **names))
    outcome = at_cut(lower, upper, target.main_index)
    if len(np.unique(outcome[~np.isnan(outcome)])) < 2:
        raise DevelopmentError(Note("refusal.one_class", binary=target.binary_outcome))


def _read_numbers(outcome: Any, n_cuts: int) -> Array:
    """Numbers as lowest and highest of each patient, NaN where missing; (n, 2)."""
    found = np.empty((0, 2))
    with suppress(TypeError, ValueError):
        found = pd.DataFrame(outcome).to_numpy(dtype=np.float64, na_value=np.nan)
    if found.shape[1:] == (1,):
        found = np.repeat(found, 2, axis=1)
    known = found[~np.isnan(found)]
    if (
        not len(found)
        or found.shape[1] != 2
        or not np.isin(known, np.arange(n_cuts + 1.0)).all()
        or (found[:, 0] > found[:, 1]).any()
    ):
        raise DevelopmentError(Note("refusal.outcome_values", n=n_cuts))
    return found


def at_cut(lower: NDArray[np.int64], upper: NDArray[np.int64], cut: int) -> Array:
    """1 above the cut point, 0 not above, NaN when the interval straddles it."""
    return np.where(lower > cut, 1.0, np.where(upper <= cut, 0.0, np.nan))


def check_lengths(n_patients: int, **given: Any) -> None:
    """Refuse values that are not one for each patient; None is not given."""
    for name, values in given.items():
        if values is not None and len(values) != n_patients:
            said = Note("refusal.one_each", name=name, n=n_patients, got=len(values))
            raise DevelopmentError(said)


def patients_of(raw: Array, groups: NDArray[Any]) -> NDArray[np.int64]:
    """Patient behind each row, (n,): rows of one group, or alike in enough values.

    A patient who was entered twice is no second patient of a small cell.
    """
    known = ~np.isnan(raw)
    # rows as their bytes, which sort faster than their values; no zero is negative
    rows = np.ascontiguousarray(np.where(known, raw, np.inf) + 0.0)
    rows = rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel()
    _, alike = np.unique(rows, return_inverse=True)
    _, group = np.unique(groups, return_inverse=True)
    enough = known.sum(axis=1) >= ENOUGH_VALUES
    return np.asarray(np.where(enough, alike.ravel(), len(raw) + group.ravel()))


def is_rare(
    lower: NDArray[np.int64],
    upper: NDArray[np.int64],
    patients: NDArray[np.int64],
    *,
    cut: int,
    k: int,
) -> bool:
    """Whether so few have yes, or no, that only the level may be learned."""
    outcome = at_cut(lower, upper, cut)
    outcome = outcome[np.unique(patients, return_index=True)[1]]
    counts = (outcome == 1.0).sum(), (outcome == 0.0).sum()
    return any(0 < n < k for n in counts)


def order_of(raw: Array, *others: NDArray[Any]) -> NDArray[np.int64]:
    """Order of rows by their values: no number depends on how a file was sorted."""
    columns = [*others, *np.where(np.isnan(raw), np.inf, raw).T]
    return np.asarray(np.lexsort(columns))


def as_they_come(groups: NDArray[Any]) -> NDArray[np.int64]:
    """Groups numbered by their first row."""
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[member.ravel()])
