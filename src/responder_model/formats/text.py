"""Delimited text: how a file is written, and its lines as rows.

Where each line is one row, the file is read in blocks of whole lines, of which several
can be read at once: by Arrow where the lines are plain (as many cells as the header,
none blank), else line by line. Both give the same table and the same problems.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from responder_model.vocabulary import find_field, find_heading, is_allowed
from responder_model.words import Note
from . import table as tables
from .judging import judged
from .layout import TOP_LINES, Layout, find_layout
from .letters import Letters, blocks, check_letters, letters_of
from .numbers import with_doubts
from .table import (
    TEXT_DTYPE,
    Line,
    Part,
    Source,
    Table,
    TablePart,
    check_width,
    lines_table,
    refused_when_broken,
    unreadable,
)

DELIMITERS = (";", ",", "\t", "|")
# Bytes of a block, before its last line is completed.
BLOCK_BYTES = 12 << 20
# Longest line; also what a cell may hold.
LONGEST_LINE = 1 << 17
# What Arrow reads at once: longer than any line, small enough for the cache.
_ARROW_BYTES = 1 << 20
_NEWLINE, _QUOTE = 10, 34
# Blank, and how programs write a number that is missing.
_NO_NUMBER = ["", "NA", "ND", "NaN", "nan", "na", "N/A", "#N/A", "<NA>"]


@dataclass(frozen=True, kw_only=True)
class TextLayout:
    """How a file of delimited text is written.

    Parameters
    ----------
    letters : Letters
        What decodes the whole file.
    delimiter : str
        What separates its cells.
    table : Layout
        Where the headings stand, and where patients begin.
    decimals : frozenset of str
        Marks that are surely decimal ones.
    """

    letters: Letters
    delimiter: str
    table: Layout
    decimals: frozenset[str]

    @property
    def longest(self) -> int | None:
        """Most cells of a line, blank ones at its end among them.

        Where commas separate, a decimal comma may have made one more of a line whose
        last cell is blank.
        """
        return self.table.n_cells if self.delimiter == "," else None

    def may_be_doubtful(self, text: bytes) -> bool:
        """Whether a number in a text may hold a mark of thousands."""
        return any(
            (b'"' if mark == self.delimiter else mark.encode()) in text
            for mark in ".,"
            if self.decimals != {mark}
        )


def open_text(path: Path) -> Source:
    """Open a file of delimited text."""
    layout = text_layout(path)
    header = layout.table.header
    is_wide = layout.letters.encoding.startswith("utf-16")
    in_blocks = header and not is_wide and _has_plain_lines(path)
    return judged(
        Source(
            header=header,
            extent=path.stat().st_size if in_blocks else 0,
            unit="bytes" if in_blocks else "patients",
            parts=partial(block_parts if in_blocks else line_parts, path, layout),
            notices=(*layout.letters.notices, *layout.table.notices),
        )
    )


# ---------------------------------------------------------------- the layout


def text_layout(path: Path) -> TextLayout:
    """Find out how a file of delimited text is written."""
    letters = letters_of(path)
    with _opened(path, letters) as file:
        layouts = {mark: _layout(file, mark, letters.n_mark) for mark in DELIMITERS}
    delimiter = max(
        DELIMITERS, key=lambda mark: (layouts[mark].n_known, len(layouts[mark].header))
    )
    table = layouts[delimiter]
    check_width(table.header)
    check_letters(table.header)
    return TextLayout(
        letters=letters,
        delimiter=delimiter,
        table=table,
        decimals=_decimal_marks(path, delimiter),
    )


def _opened(path: Path, letters: Letters) -> TextIO:
    file = path.open("rb")
    file.seek(letters.n_mark)
    return io.TextIOWrapper(file, encoding=letters.encoding, newline="")


def _decimal_marks(path: Path, delimiter: str) -> frozenset[str]:
    """Marks that are surely decimal ones, as not three digits follow them."""
    sample = next(blocks(path), b"").replace(b"\0", b"")
    ends = rb"[\r\n\"" + re.escape(delimiter.encode()) + rb"]"

    def is_sure(mark: str) -> bool:
        # a mark that separates cells is a decimal one between quotes only
        start = rb'"' if mark == delimiter else ends
        number = rb"[+-]?\d+" + re.escape(mark.encode()) + rb"(?:\d\d?|\d{4,})"
        end = rb'"' if mark == delimiter else ends
        return re.search(start + number + end, sample) is not None

    return frozenset(filter(is_sure, (".", ",")))


def _layout(file: TextIO, delimiter: str, start: int) -> Layout:
    """Layout of a file if its lines are split by a delimiter."""
    file.seek(start)
    top: list[Line] = []
    with suppress(csv.Error):  # what is wrong there is found when it is read
        top.extend(islice(text_lines(file, delimiter), TOP_LINES))
    return find_layout(top)


def _has_plain_lines(path: Path) -> bool:
    """Whether each line is one row: quotes closed in it, ended by a line feed."""
    open_quotes, length, ended_by_return = 0, 0, False
    for block in blocks(path):
        if ended_by_return and not block.startswith(b"\n"):
            return False
        ended_by_return = block.endswith(b"\r")
        if b"\r" in block:
            alone = block.count(b"\r") - block.count(b"\r\n")
            if alone > ended_by_return:
                return False
        length = _rest_of_line(block, length)
        if length > LONGEST_LINE:
            return False
        if b'"' in block or open_quotes:
            marks = np.frombuffer(block, dtype=np.uint8)
            ends = np.flatnonzero(marks == _NEWLINE)
            counted = np.searchsorted(np.flatnonzero(marks == _QUOTE), ends)
            if ((counted + open_quotes) % 2).any():
                return False
            open_quotes = (open_quotes + block.count(b'"')) % 2
    return open_quotes == 0


def _rest_of_line(block: bytes, length: int) -> int:
    """Length of the line that a block ends in; of one that is too long, if any is.

    ``length`` is what blocks before hold of its first line.
    """
    place = 0
    while place < len(block):
        # the last line feed that the line may end in at the latest
        end = block.rfind(b"\n", place, place + max(LONGEST_LINE - length, 0) + 1)
        if end < 0:
            return length + len(block) - place
        place, length = end + 1, 0
    return 0


# ---------------------------------------------------------------- line by line


def text_lines(file: TextIO, delimiter: str) -> Iterator[Line]:
    """Yield the lines of delimited text that hold a cell, with their numbers."""
    # strict: a quote that is never closed would swallow the patients that follow.
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    line = 1
    for cells in reader:
        if cells:
            yield line, [_unwrapped(c) if c.startswith('="') else c for c in cells]
        line = reader.line_num + 1


def _unwrapped(cell: str) -> str:
    """Text of ="001", as programs write it so that Excel keeps the zeros."""
    return cell[2:-1] if cell.endswith('"') and cell.count('"') == 2 else cell


def line_parts(
    path: Path, layout: TextLayout, places: Sequence[int], done: Collection[int]
) -> Iterator[Part]:
    """Yield the file as tables, whatever its lines; see ``Source``."""
    with _opened(path, layout.letters) as file:
        lines = text_lines(file, layout.delimiter)
        shift, first = layout.table.header_line - 1, layout.table.first_line
        numbered = ((line - shift, cells) for line, cells in lines if line >= first)
        size = tables.PART_ROWS
        more = iter(lambda: list(islice(numbered, size)), [])
        for index, part in enumerate(more):
            if index not in done:
                content = _lines_table(layout, part, places)
                yield TablePart(index=index, content=content)


def _lines_table(
    layout: TextLayout, lines: Iterable[Line], places: Sequence[int]
) -> Table:
    table = lines_table(
        layout.table.header, lines, places, TEXT_DTYPE, longest=layout.longest
    )
    if layout.delimiter == "," and len(table.problems) > len(table.rows):
        raise unreadable(Note("formats.two_commas"), Note("formats.other_commas"))
    return with_doubts(table, layout.decimals)


# ---------------------------------------------------------------- block by block


@dataclass(frozen=True, kw_only=True)
class TextPart:
    """Whole lines of a file of delimited text."""

    index: int
    data: bytes
    first_row: int
    layout: TextLayout
    places: Sequence[int]

    @property
    def extent(self) -> int:
        """See ``Part``."""
        return len(self.data)

    def table(self) -> Table:
        """See ``Part``."""
        text = self.data
        if self.layout.letters.encoding != "utf-8":
            text = text.decode(self.layout.letters.encoding).encode()
        if _is_unusual(text, self.layout.delimiter.encode()):
            return self._read_lines(text)
        cells = _read_plain(text, self.layout, self.places, _numbers(self.layout))
        if cells is None or not _are_allowed(cells):
            cells = _read_plain(text, self.layout, self.places, frozenset())
        if cells is None:
            return self._read_lines(text)
        rows = np.arange(self.first_row, self.first_row + len(cells), dtype=np.int64)
        table = Table(cells=cells, rows=rows)
        if self.layout.may_be_doubtful(text):
            return with_doubts(table, self.layout.decimals)
        return table

    def _read_lines(self, text: bytes) -> Table:
        file = io.StringIO(text.decode(), newline="")
        lines = text_lines(file, self.layout.delimiter)
        numbered = ((self.first_row + line - 1, cells) for line, cells in lines)
        with refused_when_broken():
            return _lines_table(self.layout, numbered, self.places)


def block_parts(
    path: Path, layout: TextLayout, places: Sequence[int], done: Collection[int]
) -> Iterator[Part]:
    """Yield blocks of whole lines after the header, in order; see ``Source``."""
    with path.open("rb") as file:
        file.seek(layout.letters.n_mark)
        for _ in range(layout.table.first_line - 1):
            file.readline()
        index, row = 0, layout.table.first_line - layout.table.header_line + 1
        while data := file.read(BLOCK_BYTES):
            data += file.readline()
            if index not in done:
                yield TextPart(
                    index=index, data=data, first_row=row, layout=layout, places=places
                )
            index, row = index + 1, row + data.count(b"\n")


def _numbers(layout: TextLayout) -> frozenset[int]:
    """Places of columns that hold plain numbers of a field, in its own unit.

    Only where the file has shown its decimal mark to be the point, so that there is one
    way to read them.
    """
    return _places_of(layout, "number") if layout.decimals == {"."} else frozenset()


def _words(layout: TextLayout) -> frozenset[int]:
    """Places of columns of few words: each is read once, not in every row."""
    return _places_of(layout, "category", "boolean")


def _places_of(layout: TextLayout, *kinds: str) -> frozenset[int]:
    return frozenset(
        place
        for place, heading in enumerate(map(find_heading, layout.table.header))
        if heading and heading.field.kind in kinds and heading.unit is None
    )


def _read_plain(
    text: bytes, layout: TextLayout, places: Sequence[int], numbers: Collection[int]
) -> pd.DataFrame | None:
    """Cells of plain lines as texts or numbers, None where they are something else."""
    names = [str(place) for place in range(len(layout.table.header))]
    kinds = {name: pa.string() for name in names}
    kinds |= {names[k]: pa.float64() for k in numbers}
    kinds |= {names[k]: pa.dictionary(pa.int32(), pa.string()) for k in _words(layout)}
    try:
        cells = pa_csv.read_csv(
            pa.BufferReader(text),
            pa_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=_ARROW_BYTES
            ),
            pa_csv.ParseOptions(delimiter=layout.delimiter, ignore_empty_lines=False),
            pa_csv.ConvertOptions(
                column_types={names[k]: kinds[names[k]] for k in places},
                include_columns=[names[place] for place in places],
                null_values=_NO_NUMBER,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    frame: pd.DataFrame = cells.to_pandas(
        types_mapper={pa.string(): _text_dtype()}.get, use_threads=False
    )
    frame.columns = pd.Index([layout.table.header[place] for place in places])
    return frame


def _are_allowed(cells: pd.DataFrame) -> bool:
    """Whether no number breaks a rule: what is refused is quoted as it was written."""
    for place, kind in enumerate(cells.dtypes):
        if kind == np.float64:
            field = find_field(str(cells.columns[place]))
            numbers = cells.iloc[:, place].to_numpy()
            numbers = numbers[~np.isnan(numbers)]
            ends = (float(numbers.min()), float(numbers.max())) if len(numbers) else ()
            if field is None or not all(is_allowed(field, end) for end in ends):
                return False
            if field.integer and (numbers != np.floor(numbers)).any():
                return False
    return True


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
