"""Delimited text in blocks of whole lines, of which several are read at once.

A block is read by Arrow where its lines are plain: as many cells as the header, none
blank. Any other block, and any file whose lines are not rows, goes through the reader
of ``cohort``, so that both give the same table and the same problems.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from responder_model.cohort.columns import TEXT_DTYPE
from responder_model.cohort.reading import (
    Table,
    TextLayout,
    is_text,
    lines_table,
    text_layout,
    text_lines,
    unreadable,
)
from responder_model.scoring.columns import Columns

# Bytes of a block, before its last line is completed.
BLOCK_BYTES = 12 << 20
# Longest line; also what a cell may hold by the reader of `cohort`.
LONGEST_LINE = 1 << 17
_SCANNED = 1 << 20
_NEWLINE, _QUOTE = 10, 34


@dataclass(frozen=True, kw_only=True)
class TextPart:
    """Whole lines of a file of delimited text."""

    index: int
    extent: int
    data: bytes
    first_row: int
    layout: TextLayout

    def table(self, columns: Columns) -> Table:
        """See ``sources.Part``; both readers give the same."""
        text = self.data
        if self.layout.encoding != "utf-8-sig":
            text = text.decode(self.layout.encoding).encode()
        cells = _read_plain(text, self.layout, columns)
        if cells is None:
            return self._read_lines(text, columns)
        rows = np.arange(self.first_row, self.first_row + len(cells))
        return Table(cells=cells, rows=rows)

    def _read_lines(self, text: bytes, columns: Columns) -> Table:
        file = io.StringIO(text.decode(), newline="")
        lines = text_lines(file, self.layout.delimiter)
        numbered = ((self.first_row + line - 1, cells) for line, cells in lines)
        try:
            table = lines_table(self.layout.header, numbered, TEXT_DTYPE)
        except csv.Error:
            raise unreadable(found="quotes that do not match") from None
        cells = table.cells.iloc[:, list(columns.positions)]
        return Table(cells=cells, rows=table.rows, problems=table.problems)


def open_text(path: Path) -> TextLayout | None:
    """Layout of a text file whose lines are rows; None for any other file.

    Raises
    ------
    InvalidCohortError
        For text that holds binary content.
    """
    if not is_text(path):
        return None
    try:
        layout = text_layout(path)
    except (csv.Error, UnicodeError):
        return None
    has_rows = layout.header and layout.encoding != "utf-16" and _has_plain_lines(path)
    return layout if has_rows else None


def text_parts(
    path: Path, layout: TextLayout, columns: Columns, done: Collection[int]
) -> Iterator[TextPart]:
    """Yield blocks of whole lines after the header, in order; see ``Source.read``."""
    del columns  # a block is cut into columns by whoever reads it
    with path.open("rb") as file:
        for _ in range(layout.header_line):
            file.readline()
        index, row = 0, 2
        while data := file.read(BLOCK_BYTES):
            data += file.readline()
            if index not in done:
                yield TextPart(
                    index=index,
                    extent=len(data),
                    data=data,
                    first_row=row,
                    layout=layout,
                )
            index, row = index + 1, row + data.count(b"\n")


def _has_plain_lines(path: Path) -> bool:
    """Whether each line is one row: quotes closed in it, ended by a line feed."""
    open_quotes, length, ended_by_return = 0, 0, False
    with path.open("rb") as file:
        while block := file.read(_SCANNED):
            if ended_by_return and not block.startswith(b"\n"):
                return False
            ended_by_return = block.endswith(b"\r")
            if block.count(b"\r") - block.count(b"\r\n") > ended_by_return:
                return False
            marks = np.frombuffer(block, dtype=np.uint8)
            ends = np.flatnonzero(marks == _NEWLINE)
            lengths = np.diff(ends, prepend=-1 - length, append=len(block))
            if lengths.max() > LONGEST_LINE:
                return False
            length = int(lengths[-1])
            counted = np.searchsorted(np.flatnonzero(marks == _QUOTE), ends)
            if ((counted + open_quotes) % 2).any():
                return False
            open_quotes = (open_quotes + block.count(b'"')) % 2
    return open_quotes == 0


def _read_plain(
    text: bytes, layout: TextLayout, columns: Columns
) -> pd.DataFrame | None:
    """Cells of plain lines as text, None when a line needs the other reader."""
    if _is_unusual(text, layout.delimiter.encode()):
        return None
    places = [str(place) for place in range(len(layout.header))]
    used = [places[place] for place in columns.positions]
    try:
        cells = pa_csv.read_csv(
            pa.BufferReader(text),
            pa_csv.ReadOptions(
                column_names=places, use_threads=False, block_size=len(text) + 1
            ),
            pa_csv.ParseOptions(delimiter=layout.delimiter, ignore_empty_lines=False),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(used, pa.string()),
                include_columns=used,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    frame: pd.DataFrame = cells.to_pandas(
        types_mapper={pa.string(): _text_dtype()}.get, use_threads=False
    )
    frame.columns = pd.Index(columns.names)
    return frame


def _text_dtype() -> pd.StringDtype | None:
    return pd.StringDtype(na_value=np.nan) if TEXT_DTYPE == "str" else None


def _is_unusual(text: bytes, delimiter: bytes) -> bool:
    """Whether a line is blank, or a quote neither opens nor closes a cell."""
    mark = re.escape(delimiter)
    blank = rb'[\x00-\x09\x0b-\x20"\x85\xa0\xc2' + mark + rb"]"
    if re.search(rb"\n" + blank + rb"*(?:\n|(?<=" + blank + rb")\Z)", b"\n" + text):
        return True
    return b'"' in text and _has_stray_quote(text, delimiter)


def _has_stray_quote(text: bytes, delimiter: bytes) -> bool:
    """Whether a quote stands elsewhere than around a cell, or doubled inside one."""
    marks = np.frombuffer(b"\n" + text + b"\n", dtype=np.uint8)
    places = np.flatnonzero(marks == _QUOTE)
    before = np.isin(marks[places[0::2] - 1], list(b'"\n' + delimiter))
    after = np.isin(marks[places[1::2] + 1], list(b'"\r\n' + delimiter))
    return len(before) != len(after) or not (before.all() and after.all())
