"""Headings of a table: which field each means, and what remains open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from responder_model.errors import Problem, Question
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import (
    Heading,
    find_heading,
    likely_fields,
    normalise,
    rival_fields,
    show,
)
from responder_model.words import Note
from .asking import Rows, ask_of_headings, ask_of_rivals, ask_of_sham, ask_of_units
from .columns import distinct_values
from .mapping import NOTHING, CohortMap

# What heads a column of units.
_UNITS = re.compile(r"(?:.*_)?(?:unites?|units?)(?:_.*)?")
# What a cell says of a patient who had no active stimulation, in a word or beside few.
_SHAM = re.compile(r"(?i)sham|placebo|factice|fictive")
_MOST_WORDS = 3
# Unknown columns that are each told, besides those that may mean a field.
MOST_UNKNOWN_COLUMNS = 100
NO_COLUMNS = Problem(field="table", allowed=Note("cohort.names_columns"))


def match_headings(
    names: Sequence[str], how: CohortMap = NOTHING
) -> tuple[dict[int, Heading], list[Problem], list[Note]]:
    """Return what each column that is read means, in dictionary order.

    A field's own name or label goes before a synonym in another column.

    Parameters
    ----------
    names : sequence of str
        Headings of a table.
    how : CohortMap, optional
        What they mean where it is stated.

    Returns
    -------
    dict, list, list
        Heading by position; problems; notices of the columns that are not read.
    """
    found = {place: _heading(name, how) for place, name in enumerate(names)}
    known = {place: heading for place, heading in found.items() if heading}
    if not known:
        return {}, [NO_COLUMNS], []
    read: dict[str, int] = {}
    problems, notices = [], []
    for place in sorted(known, key=lambda place: (not known[place].own, place)):
        field = known[place].field
        first = read.setdefault(field.name, place)
        if first != place and known[first].own != known[place].own:
            notices.append(_also(names[place], field, names[first]))
        elif first != place:
            problems.append(_repeated_column(field, place))
    ordered = [read[name] for name in dictionary().fields if name in read]
    unknown = [
        place
        for place, heading in found.items()
        if not heading and normalise(names[place]) not in set(how.field_of) - {""}
    ]
    notices += _unknown_columns(names, unknown)
    given = set(map(normalise, names))
    notices += [
        Note("cohort.heading_unmet", name=show(heading))
        for heading, name in how.columns.items()
        if name and normalise(heading) not in given
    ]
    return {place: known[place] for place in ordered}, problems, notices


def _heading(name: str, how: CohortMap) -> Heading | None:
    """What a heading means, by the mapping first."""
    stated = how.field_of.get(normalise(name)) if normalise(name) else None
    if stated == "":
        return None
    found = find_heading(name)
    if stated is None:
        return found
    unit = found.unit if found and found.field.name == stated else None
    return Heading(field=dictionary().fields[stated], unit=unit, own=True)


def likely_questions(
    names: Sequence[str], headings: Mapping[int, Heading], how: CohortMap = NOTHING
) -> list[Question]:
    """Ask of each field that is not read whether an unread heading means it."""
    left = [
        name
        for place, name in enumerate(names)
        if place not in headings and normalise(name) not in how.field_of
    ]
    read = {heading.field.name for heading in headings.values()}
    rivals = {name: fields for name in left if (fields := rival_fields(name))}
    asked = [
        ask_of_rivals(name, fields)
        for name, fields in rivals.items()
        if not read >= {field.name for field in fields}
    ]
    if read:
        left = [name for name in left if name not in rivals]
        asked += ask_of_headings(_open_headings(left, read), how)
    return [*asked, *_units_beside(names, headings, how)]


def _units_beside(
    names: Sequence[str], headings: Mapping[int, Heading], how: CohortMap
) -> Iterator[Question]:
    """Ask about a column of units to the right of one of numbers."""
    for place, heading in headings.items():
        field, beside = heading.field, names[place + 1 : place + 2]
        if field.kind != "number" or place + 1 in headings or field.name in how.units:
            continue
        for name in beside:
            key = normalise(name)
            if _UNITS.fullmatch(key) and key not in how.field_of:
                yield ask_of_units(field, name)


def sham_arms(
    frame: pd.DataFrame, headings: Mapping[int, Heading], rows: Rows, how: CohortMap
) -> Iterator[Question]:
    """Ask about a column that calls some lines sham, where an outcome is read."""
    decisions = dictionary().decisions.values()
    outcomes = {n for d in decisions for n in (d.outcome, d.binary_outcome)}
    read = [h.field for h in headings.values() if h.field.name in outcomes]
    for place, name in enumerate(map(str, frame.columns) if read else ()):
        cells = frame.iloc[:, place]
        is_word = cells.dtype == object or not pd.api.types.is_numeric_dtype(cells)
        if place in headings or normalise(name) in how.field_of or not is_word:
            continue
        codes, distinct = distinct_values(cells)
        sham = np.array([*map(_is_sham, distinct), False])[codes]
        if sham.any():
            yield ask_of_sham(name, read[0], rows[sham])


def _is_sham(cell: object) -> bool:
    text = getattr(cell, "label", cell)
    if not isinstance(text, str) or _SHAM.search(text) is None:
        return False
    words = normalise(text).split("_")
    return len(words) <= _MOST_WORDS and any(map(_SHAM.fullmatch, words))


def _open_headings(names: Sequence[str], read: set[str]) -> dict[str, list[str]]:
    """Headings that may mean a predictor or outcome of which nothing else tells."""
    told = {*read, *_follow_from(read)}
    found: dict[str, list[str]] = {}
    for name in names:
        if find_heading(name) is None:
            for field in likely_fields(name):
                if field.name not in told and field.role in ("predictor", "outcome"):
                    found.setdefault(field.name, []).append(name)
    return found


def _follow_from(read: set[str]) -> set[str]:
    table = dictionary()
    derived = {f.name for f in table.fields.values() if f.derived_from in read}
    return derived | {
        d.binary_outcome for d in table.decisions.values() if d.outcome in read
    }


def _repeated_column(field: Field, position: int) -> Problem:
    return Problem(
        row=1,
        field=field.name,
        found=Note("cohort.again_in", column=position + 1),
        allowed=Note("cohort.one_column"),
    )


def _also(name: str, field: Field, read: str) -> Note:
    names = {"name": show(name), "field": field.name, "read": show(read)}
    return Note("cohort.also", **names)


def _unknown_columns(names: Sequence[str], unknown: list[int]) -> list[Note]:
    """Say which columns are not read, those that may mean a field first."""
    likely = {place: likely_fields(names[place]) for place in unknown}
    told = sorted(unknown, key=lambda place: not likely[place])
    n_told = max(MOST_UNKNOWN_COLUMNS, sum(map(bool, likely.values())))
    notices = [_unknown_column(p, names[p], likely[p]) for p in told[:n_told]]
    if len(unknown) > n_told:
        notices.append(Note("cohort.more_unknown_columns", n=len(unknown) - n_told))
    return notices


def _unknown_column(position: int, name: str, likely: Sequence[Field]) -> Note:
    if not normalise(name):
        return Note("cohort.nameless_column", n=position + 1)
    nearest = tuple(field.name for field in likely)
    key = "likely_column" if nearest else "unknown_column"
    return Note(f"cohort.{key}", name=show(name), nearest=nearest)
