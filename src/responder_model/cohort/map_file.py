"""A mapping as text: how a file is read and what is open, for somebody to go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from responder_model.errors import Question
from responder_model.formats import open_file
from responder_model.schema import dictionary
from responder_model.vocabulary import INVALID, YES_NO, Heading, is_missing
from responder_model.words import say
from .asking import quoted
from .columns import distinct_values, read_cell
from .headings import match_headings
from .mapping import CohortMap

# Distinct words of a column beyond which it holds something else than categories.
MOST_WORDS = 200


def map_text(
    path: str | PathLike[str],
    how: CohortMap,
    questions: Sequence[Question],
    *,
    lang: str = "en",
) -> str:
    """Write a mapping: what is open as comments, then what is understood.

    Parameters
    ----------
    path : path-like
        The cohort's file.
    how : CohortMap
        What is answered already.
    questions : sequence of Question
        What is open.
    lang : {"en", "fr"}
        Of the comments.

    Raises
    ------
    InvalidCohortError
        When the file cannot be read as a table.
    """
    head = say("map.head", lang, file=Path(path).name)
    lines = [f"# {head}"]
    lines += [f"# {say(f'map.head_{key}', lang)}" for key in ("use", "open")]
    lines.append("")
    lines += [
        _asked(question, lang) for question in questions if question.code != _CODE
    ]
    lines += _asked_codes(questions, lang)
    lines += [f"# {say('map.understood', lang)}", ""]
    open_keys = {answer.partition(" = ")[0] for q in questions for answer in q.answers}
    tables = list(open_file(path, **how.of_file).tables())
    names = [str(name) for name in tables[0].cells.columns]
    headings, _, _ = match_headings(names, how)
    understood = [
        *_columns(names, headings),
        *_units(headings, how),
        *_stated(how),
        *_words([table.cells for table in tables], headings, how),
    ]
    lines += [line for key, line in dict(understood).items() if key not in open_keys]
    return "\n".join(lines) + "\n"


_CODE = "missing code"


def _asked(question: Question, lang: str) -> str:
    rows = ", ".join(map(str, question.rows[:10]))
    rows += " …" if len(question.rows) > 10 else ""
    text = say("map.asked", lang, question=question.text, rows=rows)
    return "\n".join([f"# {text}", *(f"# {answer}" for answer in question.answers), ""])


def _asked_codes(questions: Sequence[Question], lang: str) -> list[str]:
    """One line for every code that may mean missing, since a key stands there once."""
    asked = [question for question in questions if question.code == _CODE]
    codes = {_number_of(question.answers[0]): None for question in asked}
    if not asked:
        return []
    said = [f"# {question.text.text(lang)}" for question in asked]
    kept: dict[str, list[str]] = {}
    for question in asked:
        kept.setdefault(question.field, []).append(_number_of(question.answers[1]))
    values = [f"# kept.{name} = [{', '.join(of)}]" for name, of in kept.items()]
    return [*said, f"# missing_codes = [{', '.join(codes)}]", *values, ""]


def _number_of(answer: str) -> str:
    return answer.partition("[")[2].rstrip("]")


# An entry is its key and its line.
Entry = tuple[str, str]


def _entry(key: str, value: Any) -> Entry:
    return key, f"{key} = {_toml(value)}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return quoted(str(value))


def _columns(names: Sequence[str], headings: dict[int, Heading]) -> Iterator[Entry]:
    for place, name in enumerate(names):
        heading = headings.get(place)
        if name.strip():
            key = f"columns.{quoted(name)}"
            yield _entry(key, heading.field.name if heading else "")


def _units(headings: dict[int, Heading], how: CohortMap) -> Iterator[Entry]:
    for heading in headings.values():
        name = heading.field.name
        unit = how.units.get(name, heading.unit)
        if unit is not None:
            yield _entry(f"units.{name}", unit)


def _stated(how: CohortMap) -> Iterator[Entry]:
    for name in ("sheet", "long", "data_dictionary"):
        if (value := getattr(how, name)) is not None:
            yield _entry(name, value)
    if how.missing_codes:
        yield _entry("missing_codes", how.missing_codes)
    for table in ("signs", "blanks", "kept"):
        for name, value in getattr(how, table).items():
            yield _entry(f"{table}.{name}", value)
    for name, rule in how.rules.items():
        key = f"rules.{name}"
        inclusive = "true" if rule.inclusive else "false"
        yield key, f"{key} = {{ at = {rule.at:g}, inclusive = {inclusive} }}"


def _words(
    parts: Sequence[pd.DataFrame], headings: dict[int, Heading], how: CohortMap
) -> Iterator[Entry]:
    """Words that stand in columns of categories and of yes or no, as they are read."""
    own = dictionary().fields
    for place, heading in headings.items():
        field = own[heading.field.name]
        if field.kind not in ("category", "boolean"):
            continue
        words = {
            str(word).strip(): word
            for part in parts
            for word in distinct_values(part.iloc[:, place])[1]
            if not isinstance(word, int | float) and not is_missing(word)
        }
        for text, word in sorted(words.items())[:MOST_WORDS]:
            found = read_cell(field, how.replaced(field, word))
            if found is not INVALID and _plain(found) != text:
                yield _entry(f"values.{field.name}.{quoted(text)}", _plain(found))


def _plain(found: Any) -> str:
    """Value as a mapping writes it: "" for missing."""
    if isinstance(found, bool):
        return YES_NO["en"][not found]
    return "" if found is None else str(found)
