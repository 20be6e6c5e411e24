"""Open a file of patients: its kind is told by its content, never by its name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from os import PathLike
from pathlib import Path

from responder_model.formats import table as tables
from responder_model.formats.parquet import open_parquet
from responder_model.formats.table import (
    Line,
    Part,
    Source,
    Table,
    TablePart,
    check_width,
    find_header,
    lines_table,
    refused_when_broken,
    unreadable,
)
from responder_model.formats.text import open_text
from responder_model.formats.workbook import workbook_lines

_ZIP, _PARQUET, _OLE = b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"


def open_file(path: str | PathLike[str]) -> Source:
    """Open a file of patients: delimited text, XLSX or Parquet.

    Raises
    ------
    InvalidCohortError
        When the file cannot be read as a table.
    """
    path = Path(path)
    with refused_when_broken():
        check_is_file(path)
        return _open(path)


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


def _open(path: Path) -> Source:
    with path.open("rb") as file:
        start = file.read(4)
    if start == _ZIP:
        return _source_of_lines(workbook_lines(path))
    if start == _PARQUET:
        return open_parquet(path)
    if start == _OLE:
        found = "an old .xls workbook, or one with a password"
        allowed = "saved as .xlsx without a password, or as CSV"
        raise unreadable(found=found, allowed=allowed)
    return open_text(path)


def read_tables(path: str | PathLike[str]) -> Iterator[Table]:
    """Yield a file part by part, unchecked; always one, though it may have no rows.

    Raises
    ------
    InvalidCohortError
        When the file cannot be read as a table.
    """
    source = open_file(path)
    places = range(len(source.header))
    yield lines_table(source.header, [], places)
    for part in source.read():
        yield part.table()


def _source_of_lines(lines: Iterable[Line]) -> Source:
    """Lines in memory, of which the first with any word is the header."""
    rest = iter(lines)
    header_line, header = find_header(rest)
    check_width(header)
    numbered = [(line - header_line + 1, cells) for line, cells in rest]
    return Source(
        header=tuple(header),
        extent=len(numbered),
        unit="patients",
        parts=partial(_line_parts, header, numbered),
    )


def _line_parts(
    header: Sequence[str],
    lines: Sequence[Line],
    places: Sequence[int],
    done: Collection[int],
) -> Iterator[Part]:
    size, rest = tables.PART_ROWS, iter(lines)
    for index, part in enumerate(iter(lambda: list(islice(rest, size)), [])):
        if index not in done:
            yield TablePart(index=index, content=lines_table(header, part, places))
