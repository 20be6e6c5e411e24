"""What each parameter of the estimator must be; all wrong ones are named at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

COMPONENTS = ("robust", "published", "zero")


def check_parameters(given: Mapping[str, Any], n_cuts: int) -> None:
    """Refuse parameters that no fit can start from.

    Examples
    --------
    >>> given = {"gap_sd": 0.35, "main_cut": 0, "components": "all"}
    >>> check_parameters(given, n_cuts=1)
    Traceback (most recent call last):
    ...
    ValueError: components must be one of robust, published, zero.
    """
    wrong = [*_wrong_priors(given), *_wrong_cuts(given, n_cuts)]
    if wrong:
        raise ValueError("; ".join(wrong) + ".")


def check_names(X: object) -> None:
    """Refuse a frame whose columns have names of several parts: priors name columns."""
    if hasattr(getattr(X, "columns", None), "levels"):
        msg = "X must have a single name for each column, got a MultiIndex. Keep the "
        msg += "part that names the column: X.columns.get_level_values."
        raise ValueError(msg)


def _wrong_priors(given: Mapping[str, Any]) -> Iterator[str]:
    components, priors = given["components"], given.get("priors")
    if components not in COMPONENTS:
        yield f"components must be one of {', '.join(COMPONENTS)}"
    if priors is not None and not isinstance(priors, Mapping):
        yield "priors must be None or map columns to (mean, sd)"
    elif not all(map(_is_prior, (priors or {}).values())):
        yield "priors must be (mean, sd) or (mean, sd, scale, centre), sd and scale > 0"
    if not set(given.get("firm") or ()) <= set(priors or ()):
        yield "firm must name columns of priors"
    earlier = given.get("earlier")
    if earlier is not None and len(earlier.components) == 0:
        yield "earlier must hold at least one component, or be None"
    if components == "published" and not priors and earlier is None:
        yield "priors must be given for the published component alone, got none"
    anchor = given.get("anchor")
    if anchor is not None and not (_is_prior(anchor) and len(anchor) == 2):
        yield "anchor must be (mean, sd), sd > 0"


def _wrong_cuts(given: Mapping[str, Any], n_cuts: int) -> Iterator[str]:
    gaps, served = given.get("gaps"), given.get("served_cuts")
    if gaps is not None and not _are_gaps(gaps, n_cuts - 1):
        yield f"gaps must be {n_cuts - 1} numbers above 0, one between two cut points"
    if not _numbers((given["gap_sd"],)) or not given["gap_sd"] > 0.0:
        yield "gap_sd must be a number above 0"
    if not _is_cut(given["main_cut"]) or given["main_cut"] >= n_cuts:
        yield (
            f"main_cut must be a whole number from 0 to {n_cuts - 1}, the last cut "
            "point (give `levels` if y lacks one)"
        )
    if served is not None and not all(_is_cut(cut) and cut < n_cuts for cut in served):
        yield f"served_cuts must be cut points from 0 to {n_cuts - 1}"


def _numbers(values: Any) -> bool:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return array.ndim == 1 and bool(np.isfinite(array).all())


def _is_prior(row: Any) -> bool:
    """Whether this is (mean, sd), (mean, sd, scale) or (mean, sd, scale, centre)."""
    if not _numbers(row) or len(row) not in (2, 3, 4):
        return False
    return all(value > 0.0 for value in row[1:3])


def _are_gaps(gaps: Sequence[float], n_gaps: int) -> bool:
    return _numbers(gaps) and len(gaps) == n_gaps and all(gap > 0.0 for gap in gaps)


def _is_cut(cut: Any) -> bool:
    return isinstance(cut, Integral) and int(cut) >= 0
