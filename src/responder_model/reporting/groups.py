"""Parts of a cohort as they may leave a centre: no small count, nor what tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.labels import describe_value
from responder_model.schema import dictionary
from responder_model.validation.external import NOT_KNOWN
from responder_model.words import say
from .suppression import SMALL_CELL, suppress

HIDDEN = "hidden"
SMALL = f"<{SMALL_CELL}"
# Predictors whose groups add up to those of another.
_SUMS = {"aetiology": "lesion_type"}
_DECIMALS = 2
_COLUMNS = ("n_patients", "n_events", "n_others")


def releasable(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table of groups with true counts, small ones and their givers hidden.

    Counts of fewer than 10 patients, events or non-events are hidden (``n_patients``
    "<10" or "hidden", ``n_events`` None), and so is what would give them away: the
    groups of one predictor make up the whole, aetiologies make up a lesion type. Such a
    small group has no measure (``problem`` is "small"): exact measures and the width of
    their intervals tell the counts behind them. A larger group that is hidden beside
    it keeps its measures, to two decimals and without limits.

    Parameters
    ----------
    table : DataFrame
        From ``validate_by_subgroup`` or ``validate_by_centre`` with ``small_cell=1``.
    """
    records = [
        {str(name): value for name, value in row.items()}
        for row in table.to_dict(orient="records")
    ]
    rows = [row for row in records if _is_counted(row)]
    others = [row for row in records if not _is_counted(row)]
    sizes = np.array([[int(r["n_patients"]), int(r["n_events"])] for r in rows])
    counts = np.column_stack([sizes, sizes[:, 0] - sizes[:, 1]]) if rows else sizes
    hidden = _hidden(rows, counts)
    shown = [
        _row(row, int(n[0]), mask[:2])
        for row, n, mask in zip(rows, counts, hidden, strict=True)
    ]
    return shown + others


def group_label(name: str, group: str, lang: str) -> str:
    """Group of a predictor in words.

    Examples
    --------
    >>> group_label("age", "under 50", "fr"), group_label("sex", "not known", "en")
    ('moins de 50 ans', 'not recorded')
    """
    if group == NOT_KNOWN:
        return say("report.missing", lang)
    if dictionary().fields[name].kind == "number":
        return say("report.age_" + group.replace(" ", "_"), lang)
    return describe_value(name, group, lang)


def _is_counted(row: dict[str, Any]) -> bool:
    return str(row["n_patients"]).isdigit()


def _hidden(rows: list[dict[str, Any]], counts: NDArray[Any]) -> NDArray[np.bool_]:
    """Which of the counts (n_groups, 3) must not be shown, predictor by predictor."""
    found = np.zeros(counts.shape, dtype=bool)
    blocks: dict[str, list[int]] = {}
    for k, row in enumerate(rows):
        name = str(row.get("predictor", "centre"))
        blocks.setdefault(_SUMS.get(name, name), []).append(k)
    for places in blocks.values():
        part = counts[places]
        silent = np.zeros(part.shape, dtype=bool)
        silent[:, 2] = True
        relations = np.array([r.ravel() for r in _relations([rows[k] for k in places])])
        hidden = suppress(part.ravel(), relations, silent=silent.ravel())
        found[places] = hidden.reshape(part.shape)
    return found


def _relations(rows: list[dict[str, Any]]) -> Iterator[NDArray[np.float64]]:
    """What a reader can add up, each as coefficients (n_groups, 3)."""
    whole = np.array([str(row.get("predictor", "centre")) for row in rows])
    for k in range(len(rows)):  # events and non-events make up a group
        line = np.zeros((len(rows), 3))
        line[k] = (-1.0, 1.0, 1.0)
        yield line
    sums = [np.where(whole == name, 1.0, 0.0) for name in dict.fromkeys(whole)]
    for sign in (*sums, *_lesion_types(rows)):
        for column in range(3):
            line = np.zeros((len(rows), 3))
            line[:, column] = sign
            yield line


def _lesion_types(rows: list[dict[str, Any]]) -> Iterator[NDArray[np.float64]]:
    """Aetiologies (1) that make up a lesion type (-1), where both are in the table."""
    lesions = dictionary().derived_categories("lesion_type")
    names = [(row.get("predictor"), str(row.get("group"))) for row in rows]
    for lesion in dict.fromkeys(lesions.values()):
        part = [p == "aetiology" and lesions.get(group) == lesion for p, group in names]
        sign = np.array(part, dtype=float)
        sign[[name == ("lesion_type", lesion) for name in names]] = -1.0
        if {1.0, -1.0} <= set(sign):
            yield sign


def _row(row: dict[str, Any], n: int, hidden: NDArray[np.bool_]) -> dict[str, Any]:
    labels = {k: v for k, v in row.items() if k in ("predictor", "group", "centre")}
    if n < SMALL_CELL:
        return {**labels, "n_patients": SMALL, "n_events": None, "problem": "small"}
    n_events = int(row["n_events"])
    counts = {
        **labels,
        "n_patients": HIDDEN if hidden[0] else str(n),
        "n_events": None if hidden[1] else n_events,
    }
    if 0 < min(n_events, n - n_events) < SMALL_CELL:
        return {**counts, "problem": "small"}
    kept = {k: v for k, v in row.items() if k not in (*labels, *_COLUMNS)}
    return counts | (_coarse(kept) if hidden[:2].any() else kept)


def _coarse(measures: dict[str, Any]) -> dict[str, Any]:
    """Measures from which no count can be worked out: two decimals, no limits."""
    return {
        name: round(value, _DECIMALS) if isinstance(value, float) else value
        for name, value in measures.items()
        if not name.endswith(("_lower", "_upper"))
    }
