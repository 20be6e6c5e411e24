"""Response by aetiology: the groups whose counts Table 1 shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from responder_model.cohort import binary_outcome, outcome_levels
from responder_model.figures.response import (
    ResponseRow,
    ResponseTable,
    response_by_aetiology,
)
from .suppression import SMALL_CELL
from .table_one import MISSING, Count, Spread, TableOne

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.model import Model

Array = NDArray[np.float64]


def response_table(
    model: Model, cohort: pd.DataFrame, table: TableOne, probability: Array
) -> ResponseTable | None:
    """Response in the groups that Table 1 shows in full, the others together.

    The counts of the others follow from the totals: nothing is told that Table 1 hides.
    """
    outcome = binary_outcome(outcome_levels(cohort, model.decision), model.decision)
    known = ~np.isnan(outcome)
    if "yes" not in table.groups or np.isnan(probability[known]).any():
        return None
    for field in ("aetiology", "lesion_type"):
        if field not in cohort:
            continue
        found = response_by_aetiology(
            outcome[known],
            list(cohort[field][known].astype(object)),
            predicted=probability[known],
            field=field,
            apart=_shown_in_full(table, field),
        )
        rows = tuple(filter(_is_large, found.rows))
        if any(row.group is not None for row in rows):
            return replace(found, rows=rows)
    return None


def _shown_in_full(table: TableOne, field: str) -> list[str]:
    """Categories whose patients, events and non-events Table 1 shows."""
    places = [table.groups.index(name) for name in ("known", "yes", "no")]
    return [
        row.value
        for row in table.rows
        if row.predictor == field
        and row.value not in (None, MISSING)
        and not any(_is_hidden(row.cells[k]) for k in places)
    ]


def _is_hidden(cell: Count | Spread) -> bool:
    return isinstance(cell, Count) and cell.n is None


def _is_large(row: ResponseRow) -> bool:
    """Whether a group has no events or 10, and no non-events or 10."""
    counts = (row.n_events, row.n_patients - row.n_events)
    return all(n == 0 or n >= SMALL_CELL for n in counts)
