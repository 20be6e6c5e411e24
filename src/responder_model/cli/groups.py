"""Parts of a cohort as they may leave a centre: no small count, nor what tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from responder_model.cli.output import console, print_json
from responder_model.reporting.suppression import SMALL_CELL, suppress
from responder_model.schema import dictionary

if TYPE_CHECKING:
    import pandas as pd

# Measures printed for a person, each with its limits; ``--json`` has all of them.
SHOWN = ("c_statistic", "calibration_in_the_large")
HIDDEN = "hidden"
SMALL = f"<{SMALL_CELL}"
# Predictors whose groups add up to those of another.
_SUMS = {"aetiology": "lesion_type"}
_COLUMNS = ("n_patients", "n_events", "n_others")


def releasable(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table of groups with true counts, small ones and their givers hidden.

    A group of fewer than 10 patients has no measure; counts of fewer than 10 events or
    non-events are hidden (``n_events`` None, ``n_patients`` "hidden"), and so is what
    would give either away: the groups of one predictor make up the whole, aetiologies
    make up a lesion type.

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
    kept = {k: v for k, v in row.items() if k not in (*labels, *_COLUMNS)}
    return {
        **labels,
        "n_patients": HIDDEN if hidden[0] else str(n),
        "n_events": None if hidden[1] else int(row["n_events"]),
        **kept,
    }


def print_groups(
    rows: list[dict[str, Any]], provenance: str, *, json_output: bool
) -> None:
    """One line per subgroup or centre: counts, then measures with 95 % limits."""
    from responder_model.cli.summary import plain

    if json_output:
        print_json({"provenance": provenance, "groups": plain(rows)})
        return
    from rich.table import Table

    whose = "SIMULATED patients" if provenance == "simulated" else "patients"
    heads = [h for h in ("predictor", "group", "centre") if any(h in r for r in rows)]
    title = f"{whose}; 95 % interval in brackets; {HIDDEN}: would tell a small count"
    shown = Table(title=title, title_justify="left")
    for head in (*heads, "patients", "events"):
        shown.add_column(head, no_wrap=True)
    for head in SHOWN:  # a long name may fold, not a number
        shown.add_column(head, overflow="fold", min_width=22)
    for row in rows:
        labels = [str(row.get(head, "")) for head in heads]
        shown.add_row(*labels, *_printed(row))
    out = console()
    out.print(shown)
    for row in rows:
        if row.get("problem") not in ("", "small", None):
            out.print(f"{' '.join(str(row[h]) for h in heads)}: {row['problem']}")


def _printed(row: dict[str, Any]) -> Iterator[str]:
    yield str(row["n_patients"])
    n_events = row.get("n_events")
    yield HIDDEN if n_events is None else str(n_events)
    for name in SHOWN:
        yield _with_limits(row, name)


def _with_limits(row: dict[str, Any], name: str) -> str:
    numbers = [row.get(name), row.get(f"{name}_lower"), row.get(f"{name}_upper")]
    value, lower, upper = ("" if x is None or x != x else f"{x:.2f}" for x in numbers)
    return f"{value} ({lower} to {upper})" if lower and upper else value
