"""Lines of a workbook's first sheet, as a spreadsheet shows them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import openpyxl

_BLOCK = 1 << 20  # bytes
_QUOTED = re.compile(r'"[^"]*"|\\.')  # literal text in a spreadsheet's number format
_SHEETS = "xl/worksheets/"
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")


def workbook_lines(path: Path) -> list[tuple[int, list[Any]]]:
    """Lines of the first sheet with their numbers, all as long as the longest.

    A formula counts as its result. One that no spreadsheet has calculated has none: it
    stands as its own text, so that it is refused and not taken for a blank.
    """
    # openpyxl would refuse a path by its ending; the content tells.
    with path.open("rb") as file, warnings.catch_warnings():
        # openpyxl warns of decorations that it does not know.
        warnings.simplefilter("ignore")
        lines = [[_value(cell) for cell in row] for row in _rows(file, results=True)]
        if _has_formulas(file):
            _fill_uncalculated(lines, file)
    width = max(map(len, lines), default=0)
    # A row ends at its last written cell.
    return [
        (line, cells + [None] * (width - len(cells)))
        for line, cells in enumerate(lines, start=1)
    ]


def _rows(file: IO[bytes], *, results: bool) -> Iterator[tuple[Any, ...]]:
    """Rows of cells; of formulas either the results or the texts."""
    workbook = openpyxl.load_workbook(file, read_only=True, data_only=results)
    sheet = workbook.worksheets[0]
    sheet.reset_dimensions()
    yield from sheet.iter_rows()
    workbook.close()


def _value(cell: Any) -> Any:
    value = cell.value
    if value is None and cell.data_type == "str":
        return ""  # the result of a formula, and blank
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    # Excel stores 30 % as 0.3 and shows it by the cell's format.
    percent = "%" in _QUOTED.sub("", cell.number_format or "")
    return f"{100 * value:.12g} %" if percent else value


def _has_formulas(file: IO[bytes]) -> bool:
    with ZipFile(file) as archive:
        sheets = [name for name in archive.namelist() if name.startswith(_SHEETS)]
        return any(_holds_formula(archive, name) for name in sheets)


def _holds_formula(archive: ZipFile, name: str) -> bool:
    end = b""
    with archive.open(name) as sheet:
        while block := sheet.read(_BLOCK):
            if _FORMULA.search(end + block):
                return True
            end = block[-20:]
    return False


def _fill_uncalculated(lines: list[list[Any]], file: IO[bytes]) -> None:
    for cells, row in zip(lines, _rows(file, results=False), strict=True):
        for place, cell in enumerate(row):
            if cells[place] is None and cell.data_type == "f":
                cells[place] = str(getattr(cell.value, "text", cell.value))
