"""Questions with their answers: of headings, units, words, codes and blanks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from responder_model.errors import Problem, Question, got
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import YES_NO, own_unit, show
from responder_model.words import Note
from .mapping import CohortMap

Rows = NDArray[np.int64]
Numbers = NDArray[np.float64]

# Code of the question of a heading that names two fields.
TWO_FIELDS = "two fields"
# Units of time, which a column beside may state.
TIMES = frozenset({"year", "month", "day"})
# A number, or a mark or word of few letters: "NR", "oui", "++".
_CODE = r"[0-9]{1,2}(?:\.0)?|\D{1,3}"
# Categories of a field from which the meaning of a code is chosen.
MOST_CODED = 6


def question(
    code: str,
    field: Field,
    rows: Sequence[int] | Rows,
    text: Note,
    answers: tuple[str, ...],
) -> Question:
    """Question about a field, with the rows that it is about."""
    return Question(
        code=code,
        field=field.name,
        rows=tuple(int(row) for row in rows),
        text=text,
        answers=answers,
    )


def ask_of_words(problems: Sequence[Problem]) -> list[Question]:
    """Ask of each refused word what it means, where something may be meant."""
    asked: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        if problem.choices and problem.row is not None:
            asked.setdefault((problem.field, str(problem.found)), []).append(problem)
    return [_of_word(*key, same) for key, same in asked.items()]


def ask_of_codes(problems: Sequence[Problem]) -> list[Question]:
    """Ask what a number or short mark means in a column of few words, or of yes/no."""
    asked: dict[tuple[str, str], list[int]] = {}
    for problem in problems:
        found = str(problem.found)
        is_code = not problem.choices and re.fullmatch(_CODE, found) is not None
        field = dictionary().fields.get(problem.field)
        if problem.row is not None and is_code and field and _answers(field):
            rows = asked.setdefault((problem.field, found), [])
            rows.append(problem.row)
    return [_of_code(*key, rows) for key, rows in asked.items()]


def _answers(field: Field) -> tuple[str, ...]:
    """What a code may mean, where that is little enough to choose from."""
    if field.kind == "boolean":
        return YES_NO["en"]
    return field.category_names if len(field.categories) <= MOST_CODED else ()


def _of_code(name: str, found: str, rows: Sequence[int]) -> Question:
    field = dictionary().fields[name]
    text = Note("cohort.code", found=found, field=name, n=len(rows))
    answers = tuple(
        f"values.{name}.{quoted(found)} = {quoted(m)}" for m in (*_answers(field), "")
    )
    # a number is one in the whole column, a mark in its row
    kind = "code" if found[0].isdigit() else "word"
    return question(kind, field, rows, text, answers)


def _of_word(name: str, found: str, problems: Sequence[Problem]) -> Question:
    meant = problems[0].choices
    rows = tuple(p.row for p in problems if p.row is not None)
    return Question(
        code="word",
        field=name,
        rows=rows,
        text=Note("cohort.word", found=found, field=name, n=len(rows), meant=meant),
        answers=tuple(
            f"values.{name}.{quoted(found)} = {quoted(m)}" for m in (*meant, "")
        ),
    )


def ask_of_headings(
    likely: Mapping[str, Sequence[str]], how: CohortMap
) -> list[Question]:
    """Ask of each field that no column gives whether one of these headings means it."""
    return [
        Question(
            code="heading",
            field=name,
            rows=(1,),
            text=Note("cohort.heading", field=name, headings=_quoted(headings)),
            answers=tuple(
                f"columns.{quoted(heading)} = {quoted(meant)}"
                for heading in headings
                for meant in (name, "")
            ),
        )
        for name, headings in likely.items()
        if name not in how.columns.values()
    ]


def _quoted(headings: Sequence[str]) -> tuple[Note | str, ...]:
    return tuple(got(show(heading)) for heading in headings)


def ask_of_rivals(heading: str, fields: Sequence[Field]) -> Question:
    """Ask which of two fields a heading means that names both."""
    first, second = fields
    names = {"one": first.name, "other": second.name}
    return Question(
        code=TWO_FIELDS,
        field=first.name,
        rows=(1,),
        text=Note("cohort.rivals", heading=show(heading), **names),
        answers=tuple(
            f"columns.{quoted(heading)} = {quoted(meant)}"
            for meant in (first.name, second.name, "")
        ),
    )


def ask_of_plain(field: Field, rows: Rows) -> Question:
    """Ask for the unit of numbers that name none, beside some that name another."""
    text = Note("cohort.plain", field=field.name, n=len(rows))
    units = ("years", "months", "days")
    answers = tuple(f'units.{field.name} = "{unit}"' for unit in units)
    return question("units", field, rows, text, answers)


def ask_of_units(field: Field, heading: str) -> Question:
    """Ask what a column of units beside a field says of its numbers."""
    text = Note("cohort.units_beside", field=field.name, heading=show(heading))
    units = ("years", "months", "days") if own_unit(field) in TIMES else ()
    stated = (f'units.{field.name} = "{unit}"' for unit in units)
    return question("units", field, (1,), text, (*stated, _no_column(heading)))


def ask_of_sham(heading: str, field: Field, rows: Rows) -> Question:
    """Ask whether lines of a sham arm are patients to learn from."""
    text = Note("cohort.sham", heading=show(heading), field=field.name)
    return question("sham", field, rows, text, (_no_column(heading),))


def _no_column(heading: str) -> str:
    return f'columns.{quoted(heading)} = ""'


def ask_of_blanks(field: Field, rows: Rows) -> Question:
    """Ask what a blank means beside crosses."""
    text = Note("cohort.blank", field=field.name)
    answers = (f'blanks.{field.name} = "no"', f'blanks.{field.name} = "missing"')
    return question("blank", field, rows, text, answers)


def quoted(text: str) -> str:
    """Text as a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
