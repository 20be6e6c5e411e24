"""Workbooks of Excel (.xlsx, .xlsm), as Excel shows them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree
from zipfile import ZipFile

import openpyxl
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from responder_model.vocabulary import show
from responder_model.words import Note
from .number_format import shown
from .spreadsheet import Grid, Sheet, lines_of, source_of_sheets
from .table import STRUCK, Doubt, Source
from .variables import most_cells, too_large

# Unpacked, a workbook is at most so many times as large, small ones aside.
_FREE_BYTES, _MOST_TIMES = 64 << 20, 40
NEVER_CALCULATED = Note("formats.not_calculated")
_OUT_OF_DATE = Note("formats.by_hand")


def open_excel(path: Path, sheet: str | None = None) -> Source:
    """Open a workbook, which is read whole."""
    # openpyxl would refuse a path by its ending; the content tells.
    with path.open("rb") as file, warnings.catch_warnings():
        # openpyxl warns of decorations that it does not know.
        warnings.simplefilter("ignore")
        check_unpacked(file, path.stat().st_size)
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True)
        most = most_cells(path.stat().st_size)
        sheets = [
            Sheet(
                name=each.title,
                is_visible=each.sheet_state == "visible",
                rows=_Reader(workbook, each).rows,
                grid=partial(_grid, workbook, each, most),
            )
            for each in workbook.worksheets
        ]
        return source_of_sheets(sheets, sheet)


def check_unpacked(file: IO[bytes], n_bytes: int) -> None:
    """Refuse a packed file that would fill the memory."""
    with ZipFile(file) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > _FREE_BYTES + _MOST_TIMES * n_bytes:
        raise too_large()


class _Parser(WorkSheetParser):
    """openpyxl's parser, which keeps whether a result belongs to a formula."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """Return a cell, with its formula if it has one."""
        cell: dict[str, Any] = super().parse_cell(element)
        if element.find(FORMULA_TAG) is not None:
            cell["formula"] = self.parse_formula(element)  # type: ignore[no-untyped-call]
        return cell


class _Reader:
    """One pass over a sheet."""

    def __init__(self, workbook: Any, sheet: Any) -> None:
        self.workbook, self.sheet = workbook, sheet
        self.calculation = _calculation(workbook._archive)
        self.parser: Any = None
        self.formulas_without_result = False
        self._looks: dict[int, tuple[str, bool]] = {}

    def rows(self) -> Iterator[tuple[int, dict[int, Any]]]:
        """Yield lines as cells by place."""
        workbook = self.workbook
        with workbook._archive.open(self.sheet._worksheet_path) as file:
            self.parser = _Parser(
                file,
                self.sheet._shared_strings,
                data_only=True,
                epoch=workbook.epoch,
                date_formats=workbook._date_formats,
                timedelta_formats=workbook._timedelta_formats,
            )
            for number, cells in self.parser.parse():
                values = {cell["column"] - 1: self._value(cell) for cell in cells}
                yield number, {k: v for k, v in values.items() if v is not None}

    def _value(self, cell: dict[str, Any]) -> Any:
        value, formula = cell["value"], cell.pop("formula", None)
        if formula is not None:
            doubt = self._doubt_of_formula(cell, str(getattr(formula, "text", formula)))
            if doubt is not None:
                return doubt
        if value is None:
            return "" if cell["data_type"] == "str" else None
        form, is_struck = self._look(cell)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = shown(value, form)
        return Doubt(shown=show(value), question=STRUCK) if is_struck else value

    def _doubt_of_formula(self, cell: dict[str, Any], formula: str) -> Doubt | None:
        """Doubt of a result that is none, or may be an old one."""
        is_blank = cell["value"] is None and cell["data_type"] != "str"
        if is_blank or _is_true(self.calculation.get("fullCalcOnLoad")):
            self.formulas_without_result = True
            return Doubt(shown=formula, question=NEVER_CALCULATED)
        by_hand = self.calculation.get("calcMode") == "manual"
        if by_hand and self.calculation.get("calcOnSave") in ("0", "false"):
            return Doubt(shown=str(cell["value"]), question=_OUT_OF_DATE)
        return None

    def _look(self, cell: dict[str, Any]) -> tuple[str, bool]:
        """Number format of a cell, and whether it is struck through."""
        style = cell["style_id"]
        if style not in self._looks:
            whole = ReadOnlyCell(self.sheet, **cell)
            self._looks[style] = (whole.number_format or "", bool(whole.font.strike))
        return self._looks[style]


def _grid(workbook: Any, sheet: Any, most: int) -> Grid:
    reader = _Reader(workbook, sheet)
    lines = lines_of(reader.rows(), most)
    parser = reader.parser
    hidden_columns = {
        place
        for about in parser.column_dimensions.values()
        if _is_true(about.get("hidden"))
        for place in range(int(about["min"]) - 1, min(int(about["max"]), 1 << 14))
    }
    told = Note("formats.never_calculated")
    return Grid(
        lines=lines,
        hidden_rows=frozenset(
            int(number)
            for number, about in parser.row_dimensions.items()
            if _is_true(about.get("hidden"))
        ),
        hidden_columns=frozenset(hidden_columns),
        merged=tuple(
            (area.min_row, area.min_col - 1, area.max_row, area.max_col - 1)
            for area in (parser.merged_cells.mergeCell if parser.merged_cells else ())
        ),
        notices=(told,) if reader.formulas_without_result else (),
    )


def _calculation(archive: ZipFile) -> dict[str, str]:
    """What a workbook says of its calculation; openpyxl reads what is not said."""
    (name,) = [n for n in archive.namelist() if n.endswith("xl/workbook.xml")]
    for element in ElementTree.fromstring(archive.read(name)):
        if element.tag.endswith("}calcPr"):
            return dict(element.attrib)
    return {}


def _is_true(text: str | None) -> bool:
    return text in ("1", "true")
