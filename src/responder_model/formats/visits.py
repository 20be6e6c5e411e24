"""Several lines of one patient: events of REDCap, or a line for each visit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from shlex import quote
from typing import Any

import numpy as np
import pandas as pd

from responder_model.schema import dictionary
from responder_model.vocabulary import find_field, likely_fields, normalise, show
from responder_model.words import Note
from .table import Doubt, Source, Table, is_blank, unreadable
from .variables import source_of_columns

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


def identifier_places(header: Sequence[str], fields: Mapping[str, str]) -> list[int]:
    """Places of the columns that may tell patients apart.

    The one that is stated or means it for sure, else all that may in all likelihood.
    """
    sure, likely = [], []
    for place, name in enumerate(header):
        key = normalise(name)
        stated = dictionary().fields.get(fields.get(key, ""))
        meant = stated if key in fields else find_field(name)
        if meant is not None and meant.role == "identifier":
            sure.append(place)
        elif key not in fields and not _VISIT.fullmatch(key) and _may_name(name):
            likely.append(place)
    return sure[:1] or likely


def _may_name(heading: str) -> bool:
    return any(field.role == "identifier" for field in likely_fields(heading))


def refuse_visits(source: Source, fields: Mapping[str, str]) -> None:
    """Refuse a file with a line for each visit: its lines are no patients.

    Raises
    ------
    InvalidCohortError
        When identifiers come again in a file that numbers visits, or nobody is named.
    """
    keys = dict(enumerate(map(normalise, source.header)))
    visits = [
        place
        for place, key in keys.items()
        if _VISIT.fullmatch(key) and key not in fields
        if find_field(source.header[place]) is None
    ]
    if not visits:
        return
    heading = source.header[visits[0]]
    found = Note("formats.several_lines", heading=show(heading))
    places = identifier_places(source.header, fields)
    if not places and _differs(source, visits[0]):
        raise unreadable(found, Note("formats.named_lines", heading=quote(heading)))
    seen: list[set[Any]] = [set() for _ in places]
    for part in source.read(places) if places else ():
        for before, (_, column) in zip(seen, part.table().cells.items(), strict=True):
            cells = [cell for cell in column if not is_blank(cell)]
            if len(set(cells)) < len(cells) or before & set(cells):
                way_out = Note("formats.one_line", heading=quote(heading))
                raise unreadable(found, way_out)
            before |= set(cells)


def _differs(source: Source, place: int) -> bool:
    """Whether a column holds more than one thing."""
    given: set[str] = set()
    for part in source.read([place]):
        given |= {show(x) for x in part.table().cells.iloc[:, 0] if not is_blank(x)}
    return len(given) > 1


def widened(
    source: Source, visit: str, value: str, fields: Mapping[str, str]
) -> Source:
    """One line per patient of a line for each visit.

    Parameters
    ----------
    source : Source
        With a line for each visit.
    visit, value : str
        Headings of the column that numbers visits, and of what is measured at each:
        "relief" at visit 2 becomes "relief 2".
    fields : mapping of str to str
        Field by the normal form of a heading where it is stated.

    Raises
    ------
    InvalidCohortError
        When a heading is not there, nothing names patients, or a visit gives no field
        of the dictionary.
    """
    lines = whole(source)
    at, of = (_place(source.header, name) for name in (visit, value))
    place = _identifier(source.header, lines, fields)
    name = source.header[place]
    own = name if find_field(name) or normalise(name) in fields else "patient_id"
    numbers = ["" if is_blank(cell) else show(cell) for cell in lines.cells[at]]
    headings = {n: _heading(value, n) for n in dict.fromkeys(numbers) if n}
    kept = [k for k in range(len(source.header)) if k not in (at, of)]
    columns = [lines.cells[k].tolist() for k in kept]
    for number in headings:
        column = zip(numbers, lines.cells[of], strict=True)
        columns.append([cell if n == number else None for n, cell in column])
    header = [own if k == place else source.header[k] for k in kept]
    header += headings.values()
    told = [Note("formats.visits_joined", headings=tuple(headings.values()))]
    if own != name:
        told.append(Note("formats.told_apart", heading=show(name)))
    notices = (*source.notices, *told)
    return joined(header, columns, lines, kept.index(place), notices=notices)


def _identifier(header: Sequence[str], lines: Table, fields: Mapping[str, str]) -> int:
    """Place of the column whose names come again, as those of patients do."""
    places = identifier_places(header, fields)
    names = {k: [show(x) for x in lines.cells[k] if not is_blank(x)] for k in places}
    for place, given in names.items():
        if len(set(given)) < len(given) or len(given) == 1:
            return place
    found = Note("formats.no_identifier")
    if places:
        found = Note("formats.each_line", heading=show(header[places[0]]))
    raise unreadable(found, Note("formats.names_patients"))


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
