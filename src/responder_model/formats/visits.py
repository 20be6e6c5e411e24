"""Several lines of one patient: events of REDCap, or a line for each visit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from shlex import quote
from typing import Any

import numpy as np
import pandas as pd

from responder_model.formats.table import Doubt, Source, Table, is_blank, unreadable
from responder_model.formats.variables import source_of_columns
from responder_model.vocabulary import find_field, likely_fields, normalise, show
from responder_model.words import Note

# Headings that number the visits of a patient, without accents.
_VISIT = re.compile(
    r"(?:n_|no_|num(?:ero)?_|nr_)?(?:de_|of_)?"
    r"(?:seances?|sessions?|visites?|visits?|timepoints?|time_points?|moments?|temps)"
    r"(?:_n|_no|_num(?:ero|ber)?|_name)?"
)
_DIFFERS = Note("formats.differs")


def whole(source: Source) -> Table:
    """Read a source as a whole: cells by place, whatever their headings."""
    parts = list(source.tables())
    places = range(len(source.header))
    frames = [part.cells.astype(object).set_axis(places, axis=1) for part in parts]
    return Table(
        cells=pd.concat(frames, ignore_index=True),
        rows=np.concatenate([part.rows for part in parts]),
        problems=tuple(problem for part in parts for problem in part.problems),
        left_out=tuple(line for part in parts for line in part.left_out),
    )


def identifier_place(header: Sequence[str]) -> int | None:
    """Place of the column that tells patients apart, for sure or in all likelihood."""
    fields = [(find_field(name),) for name in header]
    for meant in (fields, [likely_fields(name) for name in header]):
        for place, (name, found) in enumerate(zip(header, meant, strict=True)):
            is_visit = _VISIT.fullmatch(normalise(name)) is not None
            if not is_visit and any(f and f.role == "identifier" for f in found):
                return place
    return None


def refuse_visits(source: Source) -> None:
    """Refuse a file with a line for each visit: its lines are no patients.

    Raises
    ------
    InvalidCohortError
        When identifiers come again in a file that numbers visits.
    """
    visits = [name for name in source.header if _VISIT.fullmatch(normalise(name))]
    visits = [name for name in visits if find_field(name) is None]
    place = identifier_place(source.header) if visits else None
    if place is None:
        return
    seen: set[Any] = set()
    for part in source.read([place]):
        cells = [x for x in part.table().cells.iloc[:, 0] if not is_blank(x)]
        if len(set(cells)) < len(cells) or seen & set(cells):
            found = Note("formats.several_lines", heading=show(visits[0]))
            raise unreadable(found, Note("formats.one_line", heading=quote(visits[0])))
        seen |= set(cells)


def widened(source: Source, visit: str, value: str) -> Source:
    """One line per patient of a line for each visit.

    Parameters
    ----------
    source : Source
        With a line for each visit.
    visit, value : str
        Headings of the column that numbers visits, and of what is measured at each:
        "relief" at visit 2 becomes "relief 2".

    Raises
    ------
    InvalidCohortError
        When a heading is not there, or a visit gives no field of the dictionary.
    """
    lines = whole(source)
    place = identifier_place(source.header)
    if place is None:
        raise unreadable(Note("formats.no_identifier"), Note("formats.names_patients"))
    at, of = (_place(source.header, name) for name in (visit, value))
    numbers = ["" if is_blank(cell) else show(cell) for cell in lines.cells[at]]
    headings = {n: _heading(value, n) for n in dict.fromkeys(numbers) if n}
    kept = [k for k in range(len(source.header)) if k not in (at, of)]
    columns = [lines.cells[k].tolist() for k in kept]
    for number in headings:
        column = zip(numbers, lines.cells[of], strict=True)
        columns.append([cell if n == number else None for n, cell in column])
    header = (*(source.header[k] for k in kept), *headings.values())
    told = Note("formats.visits_joined", headings=tuple(headings.values()))
    notices = (*source.notices, told)
    return joined(header, columns, lines, kept.index(place), notices=notices)


def _place(header: Sequence[str], name: str) -> int:
    for place, heading in enumerate(header):
        if normalise(heading) == normalise(name):
            return place
    raise unreadable(Note("formats.no_column", name=name), Note("formats.by_headings"))


def _heading(value: str, number: str) -> str:
    digits = re.search(r"\d+", number)
    short = digits[0] if digits else number
    names = (number, f"session {short}", f"séance {short}", short)
    for heading in (f"{value} {name}" for name in names):
        if find_field(heading) is not None:
            return heading
    found = Note("formats.visit", number=number)
    raise unreadable(found, Note("formats.known_visit", heading=value))


def joined(
    header: Sequence[str],
    columns: Sequence[Sequence[Any]],
    lines: Table,
    identifier: int,
    *,
    notices: Sequence[Note],
) -> Source:
    """One line per patient, of all lines that have the same identifier."""
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(columns[identifier]):
        # a line without an identifier is a patient of its own
        key = f"\0{place}" if is_blank(name) else show(name)
        groups.setdefault(key, []).append(place)
    cells = [
        pd.Series([_one(column, places) for places in groups.values()], dtype=object)
        for column in columns
    ]
    first = np.array([places[0] for places in groups.values()], dtype=np.intp)
    about = replace(lines, rows=lines.rows[first])
    return source_of_columns(header, cells, about, notices=notices)


def _one(column: Sequence[Any], places: Sequence[int]) -> Any:
    """The value of a patient: what one line has, or all that have any."""
    given = {show(column[k]): column[k] for k in places if not is_blank(column[k])}
    if len(given) > 1:
        return Doubt(shown=" / ".join(given), question=_DIFFERS)
    return next(iter(given.values()), None)
