"""A file as a stream of parts: the same parts each time, with constant memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from responder_model.cohort.reading import (
    Table,
    arrow_cells,
    read_tables,
    unreadable,
)
from responder_model.scoring.columns import Columns
from responder_model.scoring.text import TextPart, open_text, text_parts

# Patients scored at once: small enough for the memory, large enough for the arrays.
PART_ROWS = 65_536
# Row number of the first patient: the header is row 1.
FIRST_ROW = 2
# Bytes read ahead of each column of a Parquet file, which may be one huge group.
_AHEAD = 1 << 18
_PARQUET = b"PAR1"


class Part(Protocol):
    """One part of a file, not yet read as a table."""

    @property
    def index(self) -> int:
        """Place among the parts, from 0."""

    @property
    def extent(self) -> int:
        """Size, in the unit of the source's extent."""

    def table(self, columns: Columns) -> Table:
        """Cells of the chosen columns as they stand, with their row numbers."""


# Parts of a file, given its columns and the indices that are done already.
Reader = Callable[[Columns, Collection[int]], Iterator[Part]]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that can be read in parts.

    Parameters
    ----------
    header : tuple of str
        Names of its columns.
    extent : int
        Its size: patients where the file tells them, else bytes.
    unit : str
        Unit of the extent.
    read : callable
        Yields its parts in order, those that are done left out.
    """

    header: tuple[str, ...]
    extent: int
    unit: str
    read: Reader


def open_source(path: Path) -> Source:
    """Open a file of patients: Parquet, delimited text or XLSX.

    Raises
    ------
    InvalidCohortError
        When the file is none of them, or holds no table.
    """
    if _starts_with(path, _PARQUET):
        return _open_parquet(path)
    layout = open_text(path)
    if layout is not None:
        return Source(
            header=layout.header,
            extent=path.stat().st_size,
            unit="bytes",
            read=partial(text_parts, path, layout),
        )
    return _open_tables(path)


def _starts_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


# ---------------------------------------------------------------- Parquet


@dataclass(frozen=True, kw_only=True)
class ParquetPart:
    """Consecutive rows of a Parquet file."""

    index: int
    extent: int
    cells: pa.Table

    def table(self, columns: Columns) -> Table:
        """See ``Part``."""
        try:
            cells = arrow_cells(self.cells.select(list(columns.names)))
        # as for `read_tables`: dates and time zones that pandas does not know
        except Exception:
            raise unreadable() from None
        first = FIRST_ROW + self.index * PART_ROWS
        return Table(cells=cells, rows=np.arange(first, first + len(cells)))


def _open_parquet(path: Path) -> Source:
    try:
        with pq.ParquetFile(path) as file:
            names = [str(name) for name in file.schema_arrow.names]
            n_rows = file.metadata.num_rows
    except (pa.ArrowException, OSError):
        raise unreadable() from None
    # pandas writes a nameless index as a column of its own.
    header = [name for name in names if not name.startswith("__index_level_")]
    return Source(
        header=tuple(header),
        extent=n_rows,
        unit="patients",
        read=partial(_parquet_parts, path),
    )


def _parquet_parts(
    path: Path, columns: Columns, done: Collection[int]
) -> Iterator[Part]:
    try:
        yield from _read_parquet(path, columns, done)
    except (pa.ArrowException, OSError):
        raise unreadable() from None


def _read_parquet(
    path: Path, columns: Columns, done: Collection[int]
) -> Iterator[ParquetPart]:
    first = next(k for k in count() if k not in done)
    with pq.ParquetFile(path, buffer_size=_AHEAD, pre_buffer=False) as file:
        groups = range(file.num_row_groups)
        sizes = [file.metadata.row_group(k).num_rows for k in groups]
        ends = np.cumsum([0, *sizes])
        # The group that holds the first row to score.
        group = max(0, int(np.searchsorted(ends, first * PART_ROWS, side="right")) - 1)
        batches = file.iter_batches(
            PART_ROWS,
            row_groups=range(group, len(sizes)),
            columns=list(dict.fromkeys(columns.names)),
            use_threads=False,
        )
        skipped = first * PART_ROWS - int(ends[group])
        for index, cells in enumerate(_recut(batches, skipped), start=first):
            if index not in done:
                yield ParquetPart(index=index, extent=len(cells), cells=cells)


def _recut(batches: Iterable[pa.RecordBatch], skipped: int) -> Iterator[pa.Table]:
    """Tables of ``PART_ROWS`` rows, whatever the sizes of the batches."""
    held: list[pa.RecordBatch] = []
    n_held = 0
    for batch in batches:
        # text that is not UTF-8 would break its reader later
        batch.validate(full=True)
        dropped = min(skipped, batch.num_rows)
        skipped -= dropped
        held.append(batch.slice(dropped))
        n_held += held[-1].num_rows
        while n_held >= PART_ROWS:
            whole = pa.Table.from_batches(held)
            yield whole.slice(0, PART_ROWS).combine_chunks()
            held = whole.slice(PART_ROWS).to_batches()
            n_held -= PART_ROWS
    if n_held:
        yield pa.Table.from_batches(held).combine_chunks()


# ---------------------------------------------------------------- all else


@dataclass(frozen=True, kw_only=True)
class TablePart:
    """Rows that were read as a table already: a workbook, or text of another kind."""

    index: int
    extent: int
    content: Table

    def table(self, columns: Columns) -> Table:
        """See ``Part``."""
        cells = self.content.cells.iloc[:, list(columns.positions)]
        return Table(
            cells=cells, rows=self.content.rows, problems=self.content.problems
        )


def _open_tables(path: Path) -> Source:
    first = next(read_tables(path, rows_at_once=PART_ROWS))
    return Source(
        header=tuple(str(name) for name in first.cells.columns),
        extent=0,
        unit="patients",
        read=partial(_table_parts, path),
    )


def _table_parts(
    path: Path,
    columns: Columns,  # noqa: ARG001 - all columns are read together
    done: Collection[int],
) -> Iterator[Part]:
    for index, content in enumerate(read_tables(path, rows_at_once=PART_ROWS)):
        if index not in done:
            yield TablePart(index=index, extent=len(content.rows), content=content)


__all__ = ["Part", "Source", "TextPart", "open_source"]
