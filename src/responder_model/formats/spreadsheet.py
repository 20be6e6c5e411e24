"""Sheets as a person sees them: which is read, and what in it leaves a doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from responder_model.vocabulary import show
from responder_model.words import Note
from .layout import TOP_LINES, find_layout
from .table import Doubt, Line, Source, unreadable
from .variables import too_large

# Fields that a line names from which it heads a table of patients.
FEWEST_KNOWN = 2


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Cells of a sheet.

    Parameters
    ----------
    lines : list of Line
        Lines that hold a cell, all as long as the longest.
    hidden_rows, hidden_columns : frozenset of int
        Numbers of lines that are not shown, and places of columns.
    merged : tuple of (top, left, bottom, right)
        Numbers of lines and places of columns of cells that are shown as one.
    notices : tuple of Note
        What a person has to know of the workbook.
    """

    lines: list[Line]
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: tuple[tuple[int, int, int, int], ...] = ()
    notices: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet of a workbook, not yet read.

    Parameters
    ----------
    name : str
        Its name.
    is_visible : bool
        Whether a person sees it.
    rows : callable
        Gives its lines one by one, as cells by place.
    grid : callable
        Reads it as a whole.
    """

    name: str
    is_visible: bool
    rows: Callable[[], Iterable[tuple[int, dict[int, Any]]]]
    grid: Callable[[], Grid]


def source_of_sheets(sheets: Sequence[Sheet], asked: str | None) -> Source:
    """Read the sheet that is asked for, else the first visible one that fits."""
    fitting = [sheet for sheet in sheets if _n_known(sheet) >= FEWEST_KNOWN]
    chosen = _chosen(sheets, fitting, asked)
    grid = chosen.grid()
    left = [sheet for sheet in fitting if sheet is not chosen]
    notices = [*grid.notices, *map(_not_read, left)]
    if left or chosen is not sheets[0]:
        notices.insert(0, Note("formats.sheet_read", name=show(chosen.name)))
    layout = find_layout(grid.lines)
    lines = [line for line in grid.lines if line[0] >= layout.first_line]
    notices += _hidden(grid, lines, layout.header)
    filled, told = _filled(grid, lines)
    source = layout.source(filled, notices=(*notices, *told))
    return replace(source, sheet=show(chosen.name))


def _n_known(sheet: Sheet) -> int:
    top = lines_of(islice(sheet.rows(), TOP_LINES))
    return find_layout(top).n_known


def _chosen(
    sheets: Sequence[Sheet], fitting: Sequence[Sheet], asked: str | None
) -> Sheet:
    if asked is not None:
        for sheet in sheets:
            if sheet.name == asked:
                return sheet
        allowed = Note("formats.sheets", names=tuple(show(one.name) for one in sheets))
        raise unreadable(Note("formats.no_sheet", name=asked), allowed)
    visible = [sheet for sheet in fitting if sheet.is_visible]
    shown_first = [sheet for sheet in sheets if sheet.is_visible]
    if not (candidates := [*visible, *shown_first, *sheets]):
        raise unreadable(Note("formats.without_sheet"))
    return candidates[0]


def _not_read(sheet: Sheet) -> Note:
    key = "sheet_not_read" if sheet.is_visible else "hidden_sheet_not_read"
    return Note(f"formats.{key}", name=show(sheet.name))


def lines_of(rows: Iterable[tuple[int, dict[int, Any]]], most: int = 0) -> list[Line]:
    """Lines all as long as the longest; refused where they hold too many cells."""
    kept = [(number, cells) for number, cells in rows if cells]
    width = max((max(cells) + 1 for _, cells in kept), default=0)
    if most and width * len(kept) > most:
        raise too_large()
    return [(n, [cells.get(place) for place in range(width)]) for n, cells in kept]


def _hidden(grid: Grid, lines: Sequence[Line], header: Sequence[str]) -> list[Note]:
    rows = [number for number, _ in lines if number in grid.hidden_rows]
    names = [n for k, n in enumerate(header) if k in grid.hidden_columns and n.strip()]
    notices = []
    if rows:
        notices.append(Note("formats.hidden_rows", n=len(rows)))
    if names:
        listed = tuple(map(show, names))
        notices.append(Note("formats.hidden_columns", names=listed))
    return notices


def _filled(grid: Grid, lines: Sequence[Line]) -> tuple[list[Line], list[Note]]:
    """Lines with each cell that is merged downwards in all of its lines."""
    cells = {number: list(line) for number, line in lines}
    n_filled = 0
    for top, left, bottom, right in grid.merged:
        if top not in cells or left >= len(cells[top]) or cells[top][left] is None:
            continue
        if right > left:
            question = Note("formats.over_columns")
            cells[top][left] = Doubt(shown=show(cells[top][left]), question=question)
        below = [n for n in cells if top < n <= bottom]
        for number in below:
            cells[number][left] = cells[top][left]
        n_filled += len(below)
    told = [Note("formats.merged_cells", n=n_filled)] if n_filled else []
    return list(cells.items()), told
