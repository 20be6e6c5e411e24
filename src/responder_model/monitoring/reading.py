"""Read what was predicted and what became of it, and put both together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.artifact import digest_of
from responder_model.cohort import OutcomeLevels, check_cohort, outcome_levels
from responder_model.errors import InvalidCohortError, Problem
from responder_model.formats import Table, open_file
from responder_model.model import Model
from responder_model.vocabulary import find_field, is_missing, normalise, show
from responder_model.words import Note

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[T ])")
_PATIENT, _DIGEST, _SIMULATED = "patient_id", "model_digest", "simulated"
_DATES = frozenset(
    map(
        normalise,
        (
            *("date", "prediction date", "date of prediction", "date de prédiction"),
            *("outcome date", "date of outcome", "date du résultat", "date résultat"),
        ),
    )
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Followed:
    """Predictions of one model whose outcome is due, in the order in which it was.

    Parameters
    ----------
    due : tuple of date
        When each outcome was due.
    log_odds : ndarray of shape (n, n_served)
        What was served at each cut-off.
    lower, upper : ndarray of shape (n,)
        Served cut-offs that the outcome passes, at least and at most; everything
        between where it is missing.
    known : ndarray of shape (n,)
        Whether the outcome is known.
    n_waiting : int
        Predictions whose outcome is not due yet.
    n_set_aside : int
        Lines of other models.
    simulated : bool
        Whether any prediction is marked as of a simulated patient or model.
    notices : tuple of Note
        How the files were read.
    """

    due: tuple[date, ...]
    log_odds: Floats
    lower: Ints
    upper: Ints
    known: NDArray[np.bool_]
    n_waiting: int
    n_set_aside: int
    simulated: bool
    notices: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Predictions:
    """Lines of one model, with the lines of others by their patients."""

    lines: dict[str, int]  # place of each patient
    rows: Ints
    days: tuple[date, ...]
    log_odds: Floats
    others: frozenset[str]
    n_set_aside: int
    simulated: bool


def read_followed(
    model: Model,
    predictions: str | PathLike[str],
    outcomes: str | PathLike[str],
    *,
    due_days: int,
    today: date,
) -> Followed:
    """Put predictions and outcomes of the same patients together.

    Raises
    ------
    InvalidCohortError
        With every line of either file that cannot be meant: a date that is none or to
        come, a probability outside 0-1 or rising with the cut-off, two predictions or
        two outcomes of a patient, an outcome before its prediction or of nobody.
    """
    predicted, problems = _read_predictions(model, predictions, today)
    found, more, notices = _read_outcomes(model, outcomes, predicted, today)
    problems += more
    if problems:
        raise InvalidCohortError(tuple(problems), tuple(notices))
    return _together(model, predicted, found, due_days, today, tuple(notices))


# ---------------------------------------------------------------- predictions


def _read_predictions(
    model: Model, path: str | PathLike[str], today: date
) -> tuple[_Predictions, list[Problem]]:
    table = _table(path)
    columns = _places(table.cells)
    wanted = [f"probability_{cut:g}" for cut in model.served_cut_points]
    due = [_PATIENT, "date", _DIGEST, *wanted]
    absent = [name for name in due if name not in columns]
    if absent:
        rule = Note("monitoring.columns", columns=tuple(absent))
        raise InvalidCohortError((Problem(field="table", allowed=rule),))
    cells = {name: table.cells.iloc[:, columns[name]] for name in columns}
    digest = digest_of(model)
    own = np.array([str(cell) == digest for cell in cells[_DIGEST]], dtype=bool)
    problems = list(table.problems)
    patients = [str(cell).strip() for cell in cells[_PATIENT]]
    ours = np.flatnonzero(own)
    lines: dict[str, int] = {}
    days: list[date] = []
    served = []
    for place in ours:
        row = int(table.rows[place])
        cell = cells["date"].iloc[place]
        day = _date(cell)
        problems += _about_date("date", day, cell, row, today)
        chances = [_probability(cells[name].iloc[place]) for name in wanted]
        problems += _about_chances(chances, row)
        patient = patients[place]
        if is_missing(cells[_PATIENT].iloc[place]):
            problems.append(_problem(_PATIENT, "given", row))
        elif patient in lines:
            problems.append(_problem(_PATIENT, "one_prediction", row))
        else:
            lines[patient] = len(days)
        days.append(day or today)
        served.append([0.5 if c is None else c for c in chances])
    marks = cells.get("provenance")
    return _Predictions(
        lines=lines,
        rows=table.rows[ours],
        days=tuple(days),
        log_odds=_log_odds(np.array(served).reshape(len(ours), len(wanted))),
        others=frozenset(p for p, mine in zip(patients, own, strict=True) if not mine),
        n_set_aside=int((~own).sum()),
        simulated=marks is not None and bool((marks.iloc[ours] == _SIMULATED).any()),
    ), problems


def _log_odds(probability: Floats) -> Floats:
    inside = np.clip(probability, 1e-9, 1.0 - 1e-9)
    return np.log(inside) - np.log1p(-inside)


def _probability(cell: Any) -> float | None:
    try:
        found = float(cell)
    except (TypeError, ValueError):
        return None
    return found if 0.0 <= found <= 1.0 else None


def _about_chances(chances: list[float | None], row: int) -> Iterator[Problem]:
    known = [c for c in chances if c is not None]
    if len(known) < len(chances):
        yield _problem("probability", "probability", row)
    elif any(b > a for a, b in zip(known, known[1:], strict=False)):
        yield _problem("probability", "falling", row)


# ---------------------------------------------------------------- outcomes


@dataclass(frozen=True, kw_only=True, eq=False)
class _Outcomes:
    """Outcomes by the place of their patient among the predictions."""

    places: Ints
    levels: OutcomeLevels
    chosen: Ints


def _read_outcomes(
    model: Model,
    path: str | PathLike[str],
    predicted: _Predictions,
    today: date,
) -> tuple[_Outcomes, list[Problem], list[Note]]:
    table = _table(path)
    columns = _places(table.cells)
    absent = [name for name in (_PATIENT, "date") if name not in columns]
    if absent:
        rule = Note("monitoring.columns", columns=tuple(absent))
        raise InvalidCohortError((Problem(field="table", allowed=rule),))
    days = table.cells.iloc[:, columns["date"]]
    rest = table.cells.drop(columns=table.cells.columns[columns["date"]])
    cohort = _checked(rest.reset_index(drop=True), table)
    problems = list(table.problems)
    levels = outcome_levels(cohort, model.decision)
    places, chosen = [], []
    for line, patient in enumerate(cohort[_PATIENT]):
        row, day = int(table.rows[line]), _date(days.iloc[line])
        problems += _about_date("date", day, days.iloc[line], row, today)
        place = predicted.lines.get(str(patient))
        if place is None:
            if str(patient) not in predicted.others:
                problems.append(_problem(_PATIENT, "predicted", row))
            continue
        if place in places:
            problems.append(_problem(_PATIENT, "one_outcome", row))
        elif day is not None and day < predicted.days[place]:
            problems.append(_problem("date", "after_prediction", row))
        elif levels.observed[line]:
            places.append(place)
            chosen.append(line)
    found = _Outcomes(
        places=np.array(places, dtype=np.int64),
        levels=levels,
        chosen=np.array(chosen, dtype=np.int64),
    )
    return found, problems, list(cohort.attrs["notices"])


def _checked(cells: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Cells as a cohort; refused with the rows of the file, and what is open."""
    try:
        return check_cohort(cells)
    except InvalidCohortError as error:
        first = 2  # the row that a table's first line has
        problems = [
            p if p.row is None else replace(p, row=int(table.rows[p.row - first]))
            for p in error.problems
        ]
        asked = [
            replace(q, rows=tuple(int(table.rows[row - first]) for row in q.rows))
            for q in error.questions
        ]
        raise InvalidCohortError(
            (*table.problems, *problems), error.notices, tuple(asked)
        ) from None


def _together(
    model: Model,
    predicted: _Predictions,
    found: _Outcomes,
    due_days: int,
    today: date,
    notices: tuple[Note, ...],
) -> Followed:
    n, highest = len(predicted.days), len(model.served_cut_points)
    known = np.zeros(n, dtype=bool)
    lower = np.zeros(n, dtype=np.int64)
    upper = np.full(n, highest, dtype=np.int64)
    known[found.places] = True
    passed = served_cuts_passed(model)
    lower[found.places] = passed[found.levels.lower[found.chosen]]
    upper[found.places] = passed[found.levels.upper[found.chosen]]
    due = [day + timedelta(days=due_days) for day in predicted.days]
    order = sorted(
        (k for k in range(n) if due[k] <= today),
        key=lambda k: (due[k], predicted.rows[k]),
    )
    return Followed(
        due=tuple(due[k] for k in order),
        log_odds=predicted.log_odds[order],
        lower=lower[order],
        upper=upper[order],
        known=known[order],
        n_waiting=n - len(order),
        n_set_aside=predicted.n_set_aside,
        simulated=predicted.simulated or model.provenance == _SIMULATED,
        notices=notices,
    )


def served_cuts_passed(model: Model) -> Ints:
    """Served cut-offs that each fitted level passes, (n_fitted + 1,)."""
    fitted = model.rules.cut_points
    served = model.served_cut_points
    return np.array(
        [
            sum(cut in served for cut in fitted[:level])
            for level in range(len(fitted) + 1)
        ],
        dtype=np.int64,
    )


# ---------------------------------------------------------------- cells


def _table(path: str | PathLike[str]) -> Table:
    """Read the whole file as one table."""
    parts = list(open_file(path).tables())
    return Table(
        cells=pd.concat([part.cells for part in parts], ignore_index=True),
        rows=np.concatenate([part.rows for part in parts]),
        problems=tuple(p for part in parts for p in part.problems),
    )


def _places(cells: pd.DataFrame) -> dict[str, int]:
    """Place of each column that is known here."""
    found: dict[str, int] = {}
    for place, heading in enumerate(map(str, cells.columns)):
        named = find_field(heading)
        if normalise(heading) in _DATES:
            name = "date"
        elif named is not None and named.name == _PATIENT:
            name = _PATIENT
        else:
            name = heading.strip()
        found.setdefault(name, place)
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


def _about_date(
    name: str, day: date | None, cell: Any, row: int, today: date
) -> Iterator[Problem]:
    if day is None:
        yield _problem(name, "date", row, found=show(cell))
    elif day > today:
        yield _problem(name, "not_to_come", row)


def _problem(name: str, rule: str, row: int, *, found: str = "") -> Problem:
    return Problem(field=name, allowed=Note(f"monitoring.{rule}"), row=row, found=found)
