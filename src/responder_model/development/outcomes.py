"""Outcomes as a procedure learns from them: an interval of ordered levels each."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.cohort import OutcomeLevels
from responder_model.errors import DevelopmentError
from responder_model.features import Array
from responder_model.schema import Decision


def split_levels(
    outcome: Any, target: Decision
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lowest and highest level of each outcome: ``OutcomeLevels``, or 0/1 for no/yes.

    Examples
    --------
    >>> from responder_model.schema import dictionary
    >>> split_levels([1, 0, None], dictionary().decisions["emcs_success"])
    (array([3, 0, 0]), array([5, 2, 5]))
    """
    n_cuts, main = len(target.cut_points), target.main_index
    if isinstance(outcome, OutcomeLevels):
        lower = np.where(outcome.observed, outcome.lower, 0)
        return lower, np.where(outcome.observed, outcome.upper, n_cuts)
    answer = _read_answers(outcome)
    return np.where(answer == 1, main + 1, 0), np.where(answer == 0, main, n_cuts)


def _read_answers(outcome: Any) -> Array:
    """Answers as 1, 0 or NaN where missing; (n,)."""
    answer = np.empty(0)
    with suppress(TypeError, ValueError):
        answer = pd.Series(outcome).to_numpy(dtype=np.float64, na_value=np.nan)
    if not len(answer) or not np.isin(answer[~np.isnan(answer)], (0.0, 1.0)).all():
        msg = "outcome must be 0 (no) or 1 (yes) for each patient, or OutcomeLevels. "
        raise DevelopmentError(msg + "Pass outcome_levels(cohort, decision).")
    return answer


def at_cut(lower: NDArray[np.int64], upper: NDArray[np.int64], cut: int) -> Array:
    """1 above the cut point, 0 not above, NaN when the interval straddles it."""
    return np.where(lower > cut, 1.0, np.where(upper <= cut, 0.0, np.nan))


def check_lengths(n_patients: int, **given: Any) -> None:
    """Refuse values that are not one for each patient; None is not given."""
    for name, values in given.items():
        if values is not None and len(values) != n_patients:
            msg = f"{name} must have one value for each of {n_patients} patients, "
            raise DevelopmentError(msg + f"got {len(values)}.")
