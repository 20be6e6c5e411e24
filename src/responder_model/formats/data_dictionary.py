"""The data dictionary of a REDCap project: what the codes of its raw exports mean."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from responder_model.vocabulary import find_field, normalise
from responder_model.words import Note
from .table import Doubt, is_blank, unreadable
from .variables import Labelled

BOX = re.compile(r"(.+?)___(\w+)")
_SEVERAL = Note("formats.several_boxes")
# Columns of the file, as the project's page and the interface for programs name them.
_NAME = ("variable_field_name", "field_name")
_KIND, _LABEL = ("field_type",), ("field_label",)
_CHOICES = (
    "choices_calculations_or_slider_labels",
    "select_choices_or_calculations",
    "choices_or_calculations",
)
_CODED = frozenset({"radio", "dropdown", "checkbox"})


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a project says of a variable: its label, and its codes with their words."""

    label: str
    choices: Mapping[str, str]


def read_dictionary(path: Path) -> dict[str, Declared]:
    """Read a data dictionary (CSV).

    Raises
    ------
    InvalidCohortError
        For a file that is none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(text.splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error):
        rows = []
    found = {}
    for row in rows:
        cells = {normalise(name or ""): cell or "" for name, cell in row.items()}
        name = _first(cells, _NAME).strip()
        coded = _first(cells, _KIND).strip() in _CODED
        choices = _choices(_first(cells, _CHOICES)) if coded else {}
        if name:
            found[name] = Declared(label=_first(cells, _LABEL), choices=choices)
    if not found:
        said = Note("formats.no_dictionary")
        raise unreadable(said, Note("formats.a_dictionary"))
    return found


def _first(cells: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((str(cells[name]) for name in names if name in cells), "")


def _choices(text: str) -> dict[str, str]:
    """Codes and words of "1, Male | 2, Female"."""
    pairs = (choice.partition(",") for choice in text.split("|"))
    return {code.strip(): word.strip() for code, _, word in pairs if word.strip()}


def with_words(
    header: Sequence[str],
    columns: Sequence[Sequence[Any]],
    declared: Mapping[str, Declared],
) -> tuple[list[str], list[list[Any]]]:
    """Headings and cells with the words that a project declares for its codes."""
    names, worded = [], []
    for name, column in zip(header, columns, strict=True):
        box = BOX.fullmatch(name)
        about = declared.get(box[1] if box else name)
        names.append(_heading(name, box, about))
        is_coded = about is not None and about.choices and not box
        worded.append(
            [_labelled(cell, about) for cell in column] if is_coded else list(column)
        )
    return _with_boxes_joined(header, names, worded, declared)


def _heading(name: str, box: re.Match[str] | None, about: Declared | None) -> str:
    """Name of a variable, or its label where only that is known; of a box its word."""
    if about is None or find_field(name) is not None:
        return name
    label = about.choices.get(box[2], "") if box else about.label
    return label if find_field(label) is not None else name


def _labelled(cell: Any, about: Declared | None) -> Any:
    code = "" if is_blank(cell) else str(cell).strip().removesuffix(".0")
    if about is None or code not in about.choices:
        return cell
    return Labelled(code=code, label=about.choices[code])


def _with_boxes_joined(
    header: Sequence[str],
    names: list[str],
    columns: list[list[Any]],
    declared: Mapping[str, Declared],
) -> tuple[list[str], list[list[Any]]]:
    """One column of a category whose words are boxes, of which one is checked."""
    groups: dict[str, dict[str, list[Any]]] = {}
    for place, name in enumerate(header):
        box = BOX.fullmatch(name)
        field = find_field(box[1]) if box else None
        if box and field is not None and field.kind == "category":
            groups.setdefault(box[1], {})[box[2]] = columns[place]
    for name, boxes in groups.items():
        about = declared.get(name)
        if about is not None:
            rows = zip(*boxes.values(), strict=True)
            names.append(name)
            columns.append([_checked(list(boxes), row, about) for row in rows])
    return names, columns


def _checked(codes: Sequence[str], row: Sequence[Any], about: Declared) -> Any:
    given = [
        code
        for code, cell in zip(codes, row, strict=True)
        if str(cell).strip() in ("1", "1.0")
    ]
    if len(given) > 1:
        words = " / ".join(about.choices.get(code, code) for code in given)
        return Doubt(shown=words, question=_SEVERAL)
    return _labelled(given[0], about) if given else None
