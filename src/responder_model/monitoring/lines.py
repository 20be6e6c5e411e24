"""Lines of the files of monitoring: their columns, days, and what breaks a rule."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.cohort.checking import inspect_columns, inspect_rows
from responder_model.errors import InvalidCohortError, Problem, Question
from responder_model.formats import open_file
from responder_model.formats.table import is_blank
from responder_model.vocabulary import find_field, normalise, show
from responder_model.words import Note

Ints = NDArray[np.int64]

PATIENT, DAY = "patient_id", "date"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[T ])")
_DATES = frozenset(
    map(
        normalise,
        (
            *("date", "prediction date", "date of prediction", "date de prédiction"),
            *("outcome date", "date of outcome", "date du résultat", "date résultat"),
        ),
    )
)


class Lines:
    """One file as lines, with every problem that was found in it.

    Parameters
    ----------
    path : path-like
        The file.
    due : sequence of str
        Columns that it must have.

    Attributes
    ----------
    cells : DataFrame
        Known columns under their own names, one line a row.
    rows : ndarray of shape (n,)
        Number of each line in the file.
    problems, questions, notices : list
        What is refused or open, of this file.
    """

    def __init__(self, path: str | PathLike[str], due: tuple[str, ...]) -> None:
        parts = list(open_file(path).tables())
        self._file = Path(path).name
        self._is_scored = any(name.startswith("probability") for name in due)
        cells = [part.cells.astype(object) for part in parts]  # one kind, rows or none
        self.cells = _named(pd.concat(cells))
        self.rows: Ints = np.concatenate([part.rows for part in parts])
        self.problems = [self._of_file(p) for part in parts for p in part.problems]
        self.questions: list[Question] = []
        self.notices: list[Note] = []
        absent = tuple(name for name in due if name not in self.cells)
        self.whole = not absent
        if absent:
            key = "columns_undated" if DAY in absent and self._is_scored else "columns"
            rule = Note(f"monitoring.{key}", columns=absent)
            self.problems.append(self._of_file(Problem(field="table", allowed=rule)))

    def refuse(self, place: int, field: str, rule: str, *, found: str = "") -> None:
        """Add the rule that a line breaks."""
        allowed = Note(f"monitoring.{rule}")
        problem = Problem(field=field, allowed=allowed, found=found)
        self.problems.append(self._of_file(problem, int(self.rows[place])))

    def _of_file(self, problem: Problem, row: int | None = None) -> Problem:
        return replace(problem, file=self._file, row=row or problem.row)

    def day(self, place: int, today: date) -> date | None:
        """Day of a line; None for one that is refused."""
        cell = self.cells[DAY].iloc[place]
        day = _date(cell)
        if day is None:
            rule = "undated" if self._is_scored and is_blank(cell) else "date"
            self.refuse(place, DAY, rule, found=show(cell))
        elif day > today:
            self.refuse(place, DAY, "not_to_come")
        return day

    def cohort(self, places: Ints, leave: Collection[str] = (DAY,)) -> pd.DataFrame:
        """Lines as a typed cohort, without some columns; refused cells are missing."""
        kept = self.cells.drop(columns=[n for n in leave if n in self.cells])
        rows = self.rows[places]
        part = inspect_columns(kept.iloc[places].reset_index(drop=True), rows)
        whole = inspect_rows([part], rows, asked=True)
        asked = {(q.field, row) for q in whole.questions for row in q.rows}
        self.problems += [
            self._of_file(p) for p in whole.problems if (p.field, p.row) not in asked
        ]
        self.questions += whole.questions
        self.notices += whole.notices
        return whole.cohort


def _named(cells: pd.DataFrame) -> pd.DataFrame:
    """Columns under the names that are known here, each once."""
    names: list[str] = []
    for heading in map(str, cells.columns):
        field = find_field(heading)
        name = DAY if normalise(heading) in _DATES else heading.strip()
        if field is not None and field.name == PATIENT:
            name = PATIENT
        names.append(heading if name in names else name)
    found = cells.reset_index(drop=True)
    found.columns = pd.Index(names)
    return found


def _date(cell: Any) -> date | None:
    """Day of a cell: a date of the file's own kind, or text as 2026-05-03."""
    if isinstance(cell, datetime):
        return None if cell is pd.NaT else cell.date()
    if isinstance(cell, date):
        return cell
    start = _ISO.match(str(cell).strip())
    try:
        return date.fromisoformat(start[0]) if start else None
    except ValueError:
        return None


def refuse(*files: Lines) -> None:
    """Refuse files with everything that was found in any of them.

    Raises
    ------
    InvalidCohortError
        Unless all can be meant.
    """
    problems = tuple(p for file in files for p in file.problems)
    questions = tuple(q for file in files for q in file.questions)
    if problems or questions:
        notices = tuple(note for file in files for note in file.notices)
        raise InvalidCohortError(problems, notices, questions)
