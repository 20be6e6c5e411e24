"""Read a cohort from a file as centres export it: delimited text, XLSX or Parquet."""

from __future__ import annotations

import csv
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from os import PathLike
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from responder_model.cohort.checking import (
    NO_COLUMNS,
    NO_PATIENTS,
    Inspection,
    inspect_columns,
    inspect_rows,
    label_cohort,
    repeated_rows,
)
from responder_model.cohort.columns import TEXT_DTYPE
from responder_model.cohort.workbook import workbook_lines
from responder_model.errors import InvalidCohortError, Problem
from responder_model.vocabulary import find_field

# A file is read in parts of so many patients: text is bulky until it is typed.
ROWS_AT_ONCE = 50_000
# A wider table is no export of a cohort, and takes minutes to refuse cell by cell.
MOST_COLUMNS = 2_000
DELIMITERS = (";", ",", "\t")
_BLOCK = 1 << 20  # characters
_INDEX_COLUMN = "__index_level_"  # how pandas names a nameless index in Parquet
_ZIP, _PARQUET, _OLE = b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"
_ALLOWED = "delimited text (CSV), XLSX or Parquet that can be opened"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A part of a file: cells as they stand, and the row number of each patient."""

    cells: pd.DataFrame
    rows: NDArray[np.int64]
    problems: tuple[Problem, ...] = ()


def read_cohort(
    path: str | PathLike[str], *, overlap_groups: Iterable[str] = ()
) -> pd.DataFrame:
    """Read a cohort from a file, or refuse it with every problem at once.

    The kind of file is told by its content: text separated by ``;``, ``,`` or tabs
    (UTF-8, UTF-16 with its mark, or Latin-1; decimal point or comma), XLSX (first
    sheet) or Parquet. Columns are named by field or by label, in English or French;
    blanks, NA and ND are missing. Empty lines are skipped.

    Parameters
    ----------
    path : path-like
        The file.
    overlap_groups : iterable of str, optional
        Overlap groups of the evidence that these patients are part of: that evidence
        must then be left out of development.

    Returns
    -------
    DataFrame
        As ``check_cohort`` returns it; ``attrs["name"]`` is the file's name without
        its ending, ``attrs["notices"]`` tells what was left out.

    Raises
    ------
    InvalidCohortError
        With one problem per offending cell; the header is row 1. Whatever the file
        holds, no other exception is raised.
    """
    path = Path(path)
    whole, _ = inspect_file(path)
    if whole.problems:
        raise InvalidCohortError(whole.problems, whole.notices)
    again = repeated_rows(whole.cohort)
    repeated = (f"{again} rows are identical to an earlier one",) if again else ()
    label_cohort(
        whole.cohort,
        name=path.stem,
        notices=(*whole.notices, *repeated),
        overlap_groups=overlap_groups,
    )
    return whole.cohort


def inspect_file(path: str | PathLike[str]) -> tuple[Inspection, NDArray[np.int64]]:
    """Read what can be read of a file, with its problems and each patient's row.

    Raises
    ------
    InvalidCohortError
        When the file cannot be read as a table at all, or names no known column.
    """
    parts, rows = [], []
    for table in read_tables(path):
        part = inspect_columns(table.cells, table.rows)
        problems = (*table.problems, *part.problems)
        if NO_COLUMNS in problems:
            raise InvalidCohortError((NO_COLUMNS,), part.notices)
        parts.append(replace(part, problems=problems))
        rows.append(table.rows)
    whole = inspect_rows(parts, np.concatenate(rows))
    if not len(whole.cohort) and not whole.problems:
        whole = replace(whole, problems=(NO_PATIENTS,))
    return whole, np.concatenate(rows)


def read_tables(
    path: str | PathLike[str], *, rows_at_once: int = ROWS_AT_ONCE
) -> Iterator[Table]:
    """Yield a file part by part, unchecked, with constant memory.

    Raises
    ------
    InvalidCohortError
        When the file cannot be read as a table.
    """
    try:
        check_is_file(Path(path))
        yield from _tables(Path(path), rows_at_once)
    except InvalidCohortError:
        raise
    except csv.Error:
        raise unreadable(found="quotes that do not match, or a huge cell") from None
    # Whatever a broken file makes its parser raise, it is the file that is wrong; the
    # parser's own message may quote a patient, so it is not carried along.
    except Exception:
        raise unreadable() from None


def check_is_file(path: Path) -> None:
    """Refuse what cannot be read twice, and may never end.

    Raises
    ------
    InvalidCohortError
        For a path that leads nowhere, a folder, a pipe or a device.
    """
    if not path.is_file():
        found = "a folder, a pipe or a device" if path.exists() else "no such file"
        raise unreadable(found=found)


def unreadable(*, found: str = "", allowed: str = _ALLOWED) -> InvalidCohortError:
    """Error of a file that is no table; it quotes nothing of its content."""
    problem = Problem(row=None, field="file", found=found, allowed=allowed)
    return InvalidCohortError((problem,))


def is_text(path: Path) -> bool:
    """Whether a file's content is neither Parquet nor a workbook."""
    with path.open("rb") as file:
        return not file.read(4).startswith((_ZIP, _PARQUET, _OLE))


def _tables(path: Path, rows_at_once: int) -> Iterator[Table]:
    with path.open("rb") as file:
        start = file.read(4)
    if start == _ZIP:
        return _as_tables(iter(workbook_lines(path)), rows_at_once)
    if start == _PARQUET:
        return _parquet_tables(path, rows_at_once)
    if start == _OLE:
        found = "an old .xls workbook, or one with a password"
        allowed = "saved as .xlsx without a password, or as CSV"
        raise unreadable(found=found, allowed=allowed)
    return _text_tables(path, rows_at_once)


# ---------------------------------------------------------------- lines of cells

# A line is its number in the file and its cells.
Line = tuple[int, list[Any]]


def _as_tables(
    lines: Iterator[Line], rows_at_once: int, *, dtype: Any = object
) -> Iterator[Table]:
    """Turn lines, of which the first with any word is the header, into tables."""
    header_line, header = _header(lines)
    _check_width(header)
    first = list(islice(lines, rows_at_once))
    more = iter(lambda: list(islice(lines, rows_at_once)), [])
    for part in chain([first], more):
        numbered = [(line - header_line + 1, cells) for line, cells in part]
        yield lines_table(header, numbered, dtype)


def _header(lines: Iterator[Line]) -> Line:
    for line, cells in lines:
        if not _is_blank(cells) and not _is_separator_note(cells):
            names = ["" if cell is None else str(cell) for cell in cells]
            while not names[-1].strip():
                names.pop()
            return line, names
    return 0, []


def _check_width(header: Sequence[str]) -> None:
    if len(header) > MOST_COLUMNS:
        allowed = f"a table of at most {MOST_COLUMNS} columns"
        raise unreadable(found=f"{len(header)} columns", allowed=allowed)


def _is_blank(cells: Sequence[Any]) -> bool:
    return all(
        cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells
    )


def _is_separator_note(cells: Sequence[Any]) -> bool:
    # Excel may write "sep=;" above the header.
    return str(cells[0]).lower().startswith("sep=") and _is_blank(cells[1:])


def lines_table(header: Sequence[str], lines: Iterable[Line], dtype: Any) -> Table:
    """Make a table of numbered lines; blank ones and those of other length left out."""
    width = len(header)
    problems, kept = [], []
    for row, cells in lines:
        if _is_blank(cells):
            continue
        if len(cells) == width or (len(cells) > width and _is_blank(cells[width:])):
            kept.append((row, cells))
        else:
            problems.append(_ragged(row, len(cells), width))
    columns = list(zip(*(cells[:width] for _, cells in kept), strict=True))
    series = [pd.Series(column, dtype=dtype) for column in columns or [()] * width]
    frame = pd.DataFrame(dict(enumerate(series)))
    return Table(
        cells=frame.set_axis(list(header), axis="columns"),
        rows=np.array([row for row, _ in kept], dtype=np.int64),
        problems=tuple(problems),
    )


def _ragged(row: int, found: int, width: int) -> Problem:
    return Problem(
        row=row,
        field="line",
        found=f"{found} cells",
        allowed=f"as long as the header: {width} cells",
    )


# ---------------------------------------------------------------- delimited text


@dataclass(frozen=True, kw_only=True)
class TextLayout:
    """How a file of delimited text is written.

    Parameters
    ----------
    encoding, delimiter : str
        What decodes the whole file, and what separates its cells.
    header_line : int
        Line of the file that names the columns; 0 where none does.
    header : tuple of str
        The names, without blank ones at the end.
    """

    encoding: str
    delimiter: str
    header_line: int
    header: tuple[str, ...]


def text_layout(path: Path) -> TextLayout:
    """Find out how a file of delimited text is written."""
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        delimiter = max(DELIMITERS, key=lambda mark: _known_names(file, mark))
        file.seek(0)
        header_line, header = _header(text_lines(file, delimiter))
    _check_width(header)
    return TextLayout(
        encoding=encoding,
        delimiter=delimiter,
        header_line=header_line,
        header=tuple(header),
    )


def _text_tables(path: Path, rows_at_once: int) -> Iterator[Table]:
    layout = text_layout(path)
    with path.open(encoding=layout.encoding, newline="") as file:
        lines = text_lines(file, layout.delimiter)
        yield from _as_tables(lines, rows_at_once, dtype=TEXT_DTYPE)


def _encoding(path: Path) -> str:
    """Return the encoding that decodes the whole file, UTF-8 before Latin-1."""
    with path.open("rb") as file:
        if file.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE):
            return "utf-16"
    # cp1252 is Latin-1 with the characters that Windows adds.
    fitting = (name for name in ("utf-8-sig", "cp1252") if _decodes(path, name))
    encoding = next(fitting, "latin-1")
    if _holds_binary(path):
        raise unreadable(found="binary content")
    return encoding


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as file:
            while file.read(_BLOCK):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _holds_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return any(b"\0" in block for block in iter(lambda: file.read(_BLOCK), b""))


def _known_names(file: TextIO, delimiter: str) -> tuple[int, int]:
    """Count the fields that the header names if split by a delimiter."""
    file.seek(0)
    try:
        _, header = _header(text_lines(file, delimiter))
    except csv.Error:
        return -1, 0
    return len({field.name for field in map(find_field, header) if field}), len(header)


def text_lines(file: TextIO, delimiter: str) -> Iterator[Line]:
    """Yield the lines of delimited text that hold a cell, with their numbers."""
    # strict: a quote that is never closed would swallow the patients that follow.
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    line = 1
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 1


# ---------------------------------------------------------------- Parquet


# Missing values beside these leave them as they are: a pseudonym of 17 digits has no
# float of its own.
_NULLABLE = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}


def arrow_cells(table: pa.Table | pa.RecordBatch) -> pd.DataFrame:
    """Cells of a Parquet file as pandas holds them, on this thread."""
    cells: pd.DataFrame = table.to_pandas(
        ignore_metadata=True, types_mapper=_NULLABLE.get, use_threads=False
    )
    return cells


def _parquet_tables(path: Path, rows_at_once: int) -> Iterator[Table]:
    with pq.ParquetFile(path) as file:
        _check_width(file.schema_arrow.names)
        row = 2
        batches = file.iter_batches(batch_size=rows_at_once)
        for batch in chain([file.schema_arrow.empty_table()], batches):
            # text that is not UTF-8 would break its reader later
            batch.validate(full=True)
            cells = arrow_cells(batch)
            named = [c for c in cells if not str(c).startswith(_INDEX_COLUMN)]
            rows = np.arange(row, row + len(cells), dtype=np.int64)
            yield Table(cells=cells[named], rows=rows)
            row += len(cells)
