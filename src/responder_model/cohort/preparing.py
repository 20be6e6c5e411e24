"""One column, read as its heading and a mapping say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from responder_model.cohort.columns import distinct_values, read_cell, read_column
from responder_model.cohort.mapping import CohortMap
from responder_model.cohort.questions import ask_of_blanks
from responder_model.errors import Problem, Question
from responder_model.vocabulary import (
    INVALID,
    PSEUDONYM,
    Heading,
    are_births,
    are_names,
    find_heading,
    is_formula,
    is_missing,
    names_person,
    show,
)
from responder_model.words import Note

Mask = NDArray[np.bool_]
# Marks beside which a blank may be a no.
CROSSES = frozenset({"x", "+", "✓", "✔", "coché", "checked"})
# Identifiers that are worth a look: no digit, a date, a long number, a space, or the
# sign with which a formula begins.
_SUSPECT = (
    r"^[^0-9]+$|[0-9]{1,4}[/.\-][0-9]{1,2}[/.\-][0-9]{1,4}|^[0-9ABab .\-]{13,}$| "
    r"|^[=+@\-]|^[0-9]{8}$"
)
NO_HEADING = Note("cohort.no_heading")
NO_FORMULA = Note("cohort.no_formula")
# What stands for a cell of another unit that is no value, so that it is refused.
_REFUSED = "?"


@dataclass(frozen=True, kw_only=True)
class ReadColumn:
    """A column in its field's type, the cells that are refused, and what is open."""

    values: pd.Series
    refused: Mask
    questions: tuple[Question, ...] = ()


def read_by_map(
    heading: Heading, cells: pd.Series, rows: NDArray[np.int64], how: CohortMap
) -> ReadColumn:
    """Read a column: missing codes and words of the mapping, units, signs, blanks."""
    field = heading.field
    values, refused = read_column(field, _prepared(heading, cells, how))
    if field.kind == "number" and how.signs.get(field.name) == "reversed":
        values = 0.0 - values
    if field.kind != "boolean":
        return ReadColumn(values=values, refused=refused)
    if refused.any() and _holds(cells, "+"):
        # beside a plus a dash is a minus
        return read_by_map(heading, cells.replace("-", "no"), rows, how)
    return _with_blanks(heading, cells, values, refused, rows, how)


def _prepared(heading: Heading, cells: pd.Series, how: CohortMap) -> pd.Series:
    """Cells as the mapping reads them, in the field's own unit."""
    field = heading.field
    unit = how.unit_of(field.name) or heading.unit
    touched = field.kind != "text" and (how.missing_codes or field.name in how.values)
    if not touched and (unit is None or field.kind != "number"):
        return cells

    def prepared(cell: Any) -> Any:
        meant = how.replaced(field, cell)
        if meant is not cell or unit is None:
            return meant
        found = read_cell(field, cell, unit=unit)
        return _REFUSED if found is INVALID else found

    codes, distinct = distinct_values(cells)
    meant = pd.Series([*map(prepared, distinct), None], dtype=object)
    return meant.iloc[codes].set_axis(cells.index)


def _holds(cells: pd.Series, mark: str) -> bool:
    return bool((cells.astype(object) == mark).any())


def _with_blanks(
    heading: Heading,
    cells: pd.Series,
    values: pd.Series,
    refused: Mask,
    rows: NDArray[np.int64],
    how: CohortMap,
) -> ReadColumn:
    """Fill blanks that mean no, or ask where only crosses stand beside them."""
    field = heading.field
    meaning = how.blanks.get(field.name)
    unknown = values.isna().to_numpy() & ~refused
    if meaning == "missing" or not unknown.any():
        return ReadColumn(values=values, refused=refused)
    only_yes = bool(values.any()) and bool(values.dropna().all())
    if meaning is None and not only_yes:
        return ReadColumn(values=values, refused=refused)
    blank = unknown & np.array([is_missing(cell) for cell in cells], dtype=bool)
    if meaning == "no":
        filled = values.copy()
        filled.loc[blank] = False
        return ReadColumn(values=filled, refused=refused)
    if not blank.any():
        return ReadColumn(values=values, refused=refused)
    words = {str(cell).strip().casefold() for cell in cells[~blank & ~refused]}
    asked = (ask_of_blanks(field, rows[blank]),) if words <= CROSSES else ()
    return ReadColumn(values=values, refused=refused, questions=asked)


def check_identifiers(values: pd.Series, rows: NDArray[np.int64]) -> list[Problem]:
    """Refuse names, dates and numbers of persons, and forget them."""
    texts = pa.array(values, type=pa.string(), from_pandas=True)
    suspect = pc.match_substring_regex(texts, _SUSPECT)
    places = np.flatnonzero(
        suspect.to_pandas().fillna(value=False).to_numpy(dtype=bool)
    )
    found = {int(place): str(values.iloc[place]) for place in places}
    texts_found, n_given = set(found.values()), values.notna().sum()
    all_persons = len(found) > n_given / 2 and (
        are_names(texts_found) or (len(found) == n_given and are_births(texts_found))
    )
    rules = {place: _broken(text, all_persons) for place, text in found.items()}
    wrong = {place: rule for place, rule in rules.items() if rule is not None}
    values.iloc[np.array([*wrong], dtype=np.intp)] = None
    name = str(values.name)
    return [
        Problem(
            row=int(rows[place]),
            field=name,
            found="" if rule is PSEUDONYM else show(found[place]),
            allowed=rule,
        )
        for place, rule in wrong.items()
    ]


def _broken(text: str, all_persons: bool) -> Note | None:  # noqa: FBT001
    """Rule that an identifier breaks, if any."""
    if all_persons or names_person(text):
        return PSEUDONYM
    heading = find_heading(text)
    # a synonym may be somebody's initials
    if heading is not None and heading.own:
        return NO_HEADING
    return NO_FORMULA if is_formula(text) else None
