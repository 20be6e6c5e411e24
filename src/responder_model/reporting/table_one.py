"""Table 1: who the patients were, by outcome, without a count that names a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.cohort import binary_outcome, check_cohort, outcome_levels
from responder_model.schema import Field, dictionary
from .suppression import SMALL_CELL, Matrix, column_relations, row_relations, suppress

if TYPE_CHECKING:
    from responder_model.model import Model

Mask = NDArray[np.bool_]
MISSING = "missing"
# Values that follow from the others, and are therefore not printed.
UNPRINTED = ("no", "known")


@dataclass(frozen=True, kw_only=True)
class Count:
    """Patients of one group with one value; None is hidden.

    Parameters
    ----------
    n : int or None
        Patients.
    share : float or None
        Of the group's patients.
    """

    n: int | None
    share: float | None


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Middle and spread of a number in one group; None is hidden.

    Parameters
    ----------
    kind : {"mean_sd", "median_quartiles"}
        Which summary.
    values : tuple of float, or None
        Mean and SD, or median and quartiles; None from fewer than 10 known values.
    """

    kind: str
    values: tuple[float, ...] | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    predictor : str
        Field of the dictionary.
    value : str or None
        Category, ``yes``, or ``missing``; None for the summary of a number.
    cells : tuple of Count or Spread
        One for each group.
    """

    predictor: str
    value: str | None
    cells: tuple[Count | Spread, ...]


@dataclass(frozen=True, kw_only=True)
class TableOne:
    """Predictors known at the model's moment, overall and by outcome.

    Parameters
    ----------
    groups : tuple of str
        Of ``known`` (outcome known), its parts ``yes`` and ``no``, and ``unknown``
        (outcome not known). A group of fewer than 10 patients is left out; of the two
        parts, both are.
    sizes : tuple of int
        Patients in each group.
    rows : tuple of Row
        Lines.
    n_hidden : int
        Counts that are not shown.
    """

    groups: tuple[str, ...]
    sizes: tuple[int, ...]
    rows: tuple[Row, ...]
    n_hidden: int


def table_one(
    model: Model, cohort: pd.DataFrame, *, small_cell: int = SMALL_CELL
) -> TableOne:
    """Describe a cohort by the outcome of a model, small cells hidden.

    Counts from 1 to 9 are hidden, and as many others as are needed so that they do not
    follow from group sizes, from the whole, or from ``lesion_type``.

    Parameters
    ----------
    model : Model
        Says the outcome and the predictors.
    cohort : DataFrame
        The patients.
    small_cell : int, default 10
        Counts below it are hidden.
    """
    cohort = check_cohort(cohort)
    outcome = binary_outcome(outcome_levels(cohort, model.decision), model.decision)
    members = _members(outcome, small_cell)
    rows: list[Row] = []
    names = model.encoder.predictors if members else ()
    for name in names:
        field = dictionary().fields[name]
        if name in cohort:
            rows += _rows(field, cohort[name], members, small_cell)
    hidden = [
        cell
        for row in rows
        for cell in row.cells
        if isinstance(cell, Count) and cell.n is None
    ]
    return TableOne(
        groups=tuple(members),
        sizes=tuple(int(inside.sum()) for inside in members.values()),
        rows=tuple(rows),
        n_hidden=len(hidden),
    )


def _members(outcome: NDArray[np.float64], small_cell: int) -> dict[str, Mask]:
    """Patients of each group that is large enough to be described."""
    known = ~np.isnan(outcome)
    found = {"known": known, "yes": outcome == 1.0, "no": outcome == 0.0}
    found["unknown"] = ~known
    shown = {k: inside for k, inside in found.items() if inside.sum() >= small_cell}
    if not {"yes", "no"} <= set(shown):
        return {k: v for k, v in shown.items() if k not in ("yes", "no")}
    return shown


def _rows(
    field: Field, column: pd.Series, members: dict[str, Mask], small_cell: int
) -> Iterator[Row]:
    if field.kind == "number":
        yield Row(
            predictor=field.name,
            value=None,
            cells=tuple(
                _spread(field, column[inside], small_cell)
                for inside in members.values()
            ),
        )
        yield from _count_rows(
            field, column.notna().map(_known_word), members, small_cell
        )
        return
    yield from _count_rows(field, column, members, small_cell)


def _known_word(known: object) -> str | None:
    return "known" if known else None


def _spread(field: Field, values: pd.Series, small_cell: int) -> Spread:
    known = values.dropna().to_numpy(dtype=np.float64)
    kind = "mean_sd" if field.transform == "identity" else "median_quartiles"
    if len(known) < small_cell:
        return Spread(kind=kind, values=None)
    if kind == "mean_sd":
        return Spread(kind=kind, values=(float(known.mean()), float(known.std(ddof=1))))
    quartiles = np.quantile(known, [0.5, 0.25, 0.75])
    return Spread(kind=kind, values=tuple(quartiles.tolist()))


def _count_rows(
    field: Field, column: pd.Series, members: dict[str, Mask], small_cell: int
) -> Iterator[Row]:
    """Rows of counts; what is only needed to add up (no, known) is not yielded.

    Means of the whole and of its parts tell how many values each rests on: beside a
    hidden count of missing numbers, none of the parts is shown as complete.
    """
    values = _values(field, column)
    counts = np.array(
        [[_matching(column, v, inside) for inside in members.values()] for v in values],
        dtype=np.int64,
    )
    relations = _relations(field, values, tuple(members))
    silent = np.array([[value in UNPRINTED] * counts.shape[1] for value in values])
    hidden = suppress(
        counts.ravel(), relations, small_cell=small_cell, silent=silent.ravel()
    ).reshape(counts.shape)
    if field.kind == "number" and "yes" in members:
        related = [list(members).index(name) for name in ("known", "yes", "no")]
        missing = values.index(MISSING)
        hidden[missing, related] |= hidden[missing, related].any()
    sizes = [int(inside.sum()) for inside in members.values()]
    for value, line, mask in zip(values, counts, hidden, strict=True):
        if value == MISSING or (value not in UNPRINTED and line.any()):
            yield Row(
                predictor=field.name,
                value=value,
                cells=tuple(
                    _count(int(n), size, hide=bool(hide))
                    for n, size, hide in zip(line, sizes, mask, strict=True)
                ),
            )


def _values(field: Field, column: pd.Series) -> tuple[str, ...]:
    if field.kind == "boolean":
        return ("yes", "no", MISSING)
    if field.kind == "category":
        return (*field.category_names, MISSING)
    return (*sorted(set(column.dropna())), MISSING)


def _matching(column: pd.Series, value: str, inside: Mask) -> int:
    if value == MISSING:
        return int((column.isna().to_numpy() & inside).sum())
    wanted = {"yes": True, "no": False}.get(value, value)
    if column.dtype != "boolean":
        wanted = value
    equal = (column == wanted).fillna(value=False).to_numpy(dtype=bool)
    return int((equal & inside).sum())


def _relations(
    field: Field, values: tuple[str, ...], groups: tuple[str, ...]
) -> Matrix:
    """What a reader knows: group sizes, that parts add up, and lesion types."""
    n, width = len(values), len(groups)
    known = [column_relations(n, width)]
    if "yes" in groups:
        parts = [groups.index("yes"), groups.index("no")]
        known.append(row_relations(n, parts, groups.index("known"), width))
    for row in dictionary().fields.values():
        if row.derived_from == field.name:
            classes = dictionary().derived_categories(row.name)
            for label in sorted(set(classes.values())):
                part = np.array([[float(classes.get(v) == label) for v in values]])
                known.append(np.kron(part, np.eye(width)))
    return np.vstack(known)


def _count(n: int, size: int, *, hide: bool) -> Count:
    if hide:
        return Count(n=None, share=None)
    return Count(n=n, share=n / size if size else None)
