"""Spreadsheets of LibreOffice (.ods), by the value of each cell and as it is shown.

The content is gone through element by element: the tree that odfpy builds of it takes
hundreds of times the size of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, iterparse
from zipfile import ZipFile

from responder_model.vocabulary import show
from responder_model.words import Note
from .excel import NEVER_CALCULATED, check_unpacked
from .spreadsheet import Grid, Sheet, lines_of, source_of_sheets
from .table import STRUCK, Doubt, Source, unreadable
from .variables import most_cells, too_large

_NAME = "{urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE, _TABLE = _NAME + "office:1.0}", _NAME + "table:1.0}"
_TEXT, _STYLE = _NAME + "text:1.0}", _NAME + "style:1.0}"
_HIDDEN = ("collapse", "filter")
# What a number is shown with that is no part of it: a unit, a currency.
_WORD = re.compile(r"[^\W\d_]+[^\d]*|%|€|£|\$")
_POWER = re.compile(r"(?<=\d)[eE][+-]?\d+")
_ZEROS = re.compile(r"0\d+")
# Rows and columns that a sheet has.
_MOST_ROWS, _MOST_COLUMNS = 1 << 20, 1 << 14


def open_document(path: Path, sheet: str | None = None) -> Source:
    """Open a spreadsheet, which is read whole."""
    with path.open("rb") as file:
        check_unpacked(file, path.stat().st_size)
    with ZipFile(path) as archive:
        if b"encryption-data" in archive.read("META-INF/manifest.xml"):
            found = Note("formats.sheet_password")
            raise unreadable(found, Note("formats.no_password"))
    most = most_cells(path.stat().st_size)
    sheets = [
        Sheet(
            name=name,
            is_visible=is_visible,
            rows=_Reader(path, place, most).rows,
            grid=partial(_grid, path, place, most),
        )
        for place, (name, is_visible) in enumerate(_tables(path))
    ]
    return source_of_sheets(sheets, sheet)


def _tables(path: Path) -> list[tuple[str, bool]]:
    """Names of the sheets, and whether they are shown."""
    hidden, tables = set(), []
    for event, element in _events(path):
        if event == "end" and element.tag == _STYLE + "style":
            shown = element.find(_STYLE + "table-properties")
            if shown is not None and shown.get(_TABLE + "display") == "false":
                hidden.add(element.get(_STYLE + "name"))
        elif event == "start" and element.tag == _TABLE + "table":
            style = element.get(_TABLE + "style-name")
            tables.append((element.get(_TABLE + "name", ""), style not in hidden))
        elif event == "end" and element.tag == _TABLE + "table-row":
            element.clear()
    return tables


def _events(path: Path) -> Iterator[tuple[str, Element]]:
    with ZipFile(path) as archive, archive.open("content.xml") as file:
        yield from iterparse(file, events=("start", "end"))


class _Reader:
    """One pass over a sheet."""

    def __init__(self, path: Path, place: int, most: int) -> None:
        self.path, self.place, self.most = path, place, most
        self.struck: set[str | None] = set()
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.merged: list[tuple[int, int, int, int]] = []
        self.formulas_without_result = False

    def rows(self) -> Iterator[tuple[int, dict[int, Any]]]:
        """Yield lines as cells by place."""
        line, n_cells = 0, 0
        for row in self._row_elements():
            cells = self._cells(row, line + 1)
            repeats = _repeats(row, "rows", _MOST_ROWS)
            numbers = range(line + 1, line + repeats + 1)
            line += repeats
            n_cells += len(cells) * repeats
            if n_cells > self.most:
                raise too_large()
            if cells and row.get(_TABLE + "visibility") in _HIDDEN:
                self.hidden_rows |= set(numbers)
            if cells:
                yield from ((number, cells) for number in numbers)

    def _row_elements(self) -> Iterator[Element]:
        """Rows of this sheet; what is said of columns and styles is noted."""
        table, column = -1, 0
        for event, element in _events(self.path):
            if event == "start":
                table += element.tag == _TABLE + "table"
            elif element.tag == _STYLE + "style":
                self._note_style(element)
            elif element.tag == _TABLE + "table" and table == self.place:
                return
            elif element.tag == _TABLE + "table-column" and table == self.place:
                column = self._note_column(element, column)
            elif element.tag == _TABLE + "table-row":
                if table == self.place:
                    yield element
                element.clear()

    def _note_style(self, element: Element) -> None:
        text = element.find(_STYLE + "text-properties")
        if text is not None:
            line = text.get(_STYLE + "text-line-through-style", "none")
            kind = text.get(_STYLE + "text-line-through-type", "none")
            if (line, kind) != ("none", "none"):
                self.struck.add(element.get(_STYLE + "name"))

    def _note_column(self, element: Element, first: int) -> int:
        last = first + _repeats(element, "columns", _MOST_COLUMNS)
        if element.get(_TABLE + "visibility") in _HIDDEN:
            self.hidden_columns |= set(range(first, last))
        return last

    def _cells(self, row: Element, line: int) -> dict[int, Any]:
        cells: dict[int, Any] = {}
        place = 0
        for element in row:
            repeats = _repeats(element, "columns", _MOST_COLUMNS)
            value = None
            if element.tag == _TABLE + "table-cell":
                value = self._value(element)
                self._note_merged(element, line, place)
            if value is not None:
                cells |= dict.fromkeys(range(place, place + repeats), value)
            place += repeats
        return cells

    def _note_merged(self, element: Element, line: int, place: int) -> None:
        rows = int(element.get(_TABLE + "number-rows-spanned", "1"))
        columns = int(element.get(_TABLE + "number-columns-spanned", "1"))
        if rows > 1 or columns > 1:
            area = (line, place, line + rows - 1, place + columns - 1)
            self.merged.append(area)

    def _value(self, cell: Element) -> Any:
        shown = _shown_text(cell)
        value = _typed(cell, shown)
        formula = cell.get(_TABLE + "formula")
        if formula is not None and cell.get(_OFFICE + "value-type") is None:
            self.formulas_without_result = True
            formula = "=" + formula.partition("=")[2]
            return Doubt(shown=formula, question=NEVER_CALCULATED)
        if value is not None and cell.get(_TABLE + "style-name") in self.struck:
            return Doubt(shown=show(value), question=STRUCK)
        return value


def _repeats(element: Element, kind: str, most: int) -> int:
    return min(int(element.get(f"{_TABLE}number-{kind}-repeated", "1")), most)


def _typed(cell: Element, shown: str) -> Any:
    """Value of a cell by its type; a number as it is shown where that says more."""
    kind = cell.get(_OFFICE + "value-type")
    if kind in ("float", "currency"):
        return _number(float(cell.get(_OFFICE + "value", "nan")), shown)
    if kind == "percentage":
        return f"{100 * float(cell.get(_OFFICE + 'value', 'nan')):.12g} %"
    if kind == "boolean":
        return cell.get(_OFFICE + "boolean-value") == "true"
    if kind == "date":
        return cell.get(_OFFICE + "date-value", "").replace("T", " ")
    if kind == "time":
        return cell.get(_OFFICE + "time-value", "")
    if kind is None:
        return shown or None
    return shown or cell.get(_OFFICE + "string-value", "")


def _number(number: float, shown: str) -> float | str:
    if _ZEROS.fullmatch(shown.strip()) and number == float(shown):
        return shown.strip()
    word = _WORD.search(_POWER.sub("", shown))
    if word:
        return f"{number:.15g} {word[0].strip()}"
    return int(number) if number.is_integer() else number


def _shown_text(cell: Element) -> str:
    """Text of a cell as it is shown; a note on it is no part of it."""
    return "\n".join(_text(part) for part in cell if part.tag == _TEXT + "p")


def _text(element: Element) -> str:
    if element.tag == _TEXT + "s":
        return " " * min(int(element.get(_TEXT + "c", "1")), 1000)
    if element.tag in (_TEXT + "tab", _TEXT + "line-break"):
        return " "
    parts = [element.text or ""]
    for part in element:
        parts += [_text(part), part.tail or ""]
    return "".join(parts)


def _grid(path: Path, place: int, most: int) -> Grid:
    reader = _Reader(path, place, most)
    lines = lines_of(reader.rows(), most)
    told = Note("formats.never_calculated")
    return Grid(
        lines=lines,
        hidden_rows=frozenset(reader.hidden_rows),
        hidden_columns=frozenset(reader.hidden_columns),
        merged=tuple(reader.merged),
        notices=(told,) if reader.formulas_without_result else (),
    )
