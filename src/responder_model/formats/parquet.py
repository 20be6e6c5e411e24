"""Parquet, group by group: the parts of a huge file with constant memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from . import table as tables
from .table import FIRST_ROW, Part, Source, Table, check_width, refused_when_broken

# Bytes read ahead of each column, which may be one huge group.
_AHEAD = 1 << 18
_INDEX_COLUMN = "__index_level_"  # how pandas names a nameless index
# Missing values beside these leave them as they are: a pseudonym of 17 digits has no
# float of its own.
_NULLABLE = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}


@dataclass(frozen=True, kw_only=True)
class ParquetPart:
    """Consecutive rows of a Parquet file."""

    index: int
    first_row: int
    cells: pa.Table

    @property
    def extent(self) -> int:
        """See ``Part``."""
        return int(self.cells.num_rows)

    def table(self) -> Table:
        """See ``Part``."""
        with refused_when_broken():  # dates and time zones that pandas does not know
            cells = _arrow_cells(self.cells)
        rows = np.arange(self.first_row, self.first_row + len(cells), dtype=np.int64)
        return Table(cells=cells, rows=rows)


def _arrow_cells(table: pa.Table) -> pd.DataFrame:
    """Cells as pandas holds them, on this thread."""
    for place, column in enumerate(table.columns):
        text = _as_text(column)
        if text is not None:
            table = table.set_column(place, table.column_names[place], text)
    cells: pd.DataFrame = table.to_pandas(
        ignore_metadata=True, types_mapper=_NULLABLE.get, use_threads=False
    )
    return cells


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Bytes that stand for a text; None for a column of anything else."""
    if isinstance(column.type, pa.UuidType):
        texts = [None if value is None else str(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid:
            return None
    return None


def open_parquet(path: Path) -> Source:
    """Open a Parquet file."""
    with pq.ParquetFile(path) as file:
        header = _named(file.schema_arrow.names)
        n_rows = file.metadata.num_rows
    check_width(header)
    return Source(
        header=tuple(header),
        extent=n_rows,
        unit="patients",
        parts=partial(_parts, path, tuple(header)),
    )


def _parts(
    path: Path, header: Sequence[str], places: Sequence[int], done: Collection[int]
) -> Iterator[Part]:
    size = tables.PART_ROWS
    first = next(k for k in count() if k not in done)
    with pq.ParquetFile(path, buffer_size=_AHEAD, pre_buffer=False) as file:
        groups = range(file.num_row_groups)
        sizes = [file.metadata.row_group(k).num_rows for k in groups]
        ends = np.cumsum([0, *sizes])
        # The group that holds the first row to read.
        group = max(0, int(np.searchsorted(ends, first * size, side="right")) - 1)
        batches = file.iter_batches(
            size,
            row_groups=range(group, len(sizes)),
            columns=_columns(file, places),
            use_threads=False,
        )
        skipped = first * size - int(ends[group])
        for index, cells in enumerate(_recut(batches, skipped, size), start=first):
            if index not in done:
                yield ParquetPart(
                    index=index,
                    first_row=FIRST_ROW + index * size,
                    cells=_chosen(cells, header, places),
                )


def _columns(file: pq.ParquetFile, places: Sequence[int]) -> list[str] | None:
    """Names of the columns to read; None, for all, where a name stands for two."""
    names = _named(file.schema_arrow.names)
    return [names[k] for k in places] if len(set(names)) == len(names) else None


def _named(names: Iterable[object]) -> list[str]:
    return [str(name) for name in names if not str(name).startswith(_INDEX_COLUMN)]


def _chosen(cells: pa.Table, header: Sequence[str], places: Sequence[int]) -> pa.Table:
    if len(set(header)) == len(header):
        return cells.select([header[place] for place in places])
    kept = [k for k, name in enumerate(cells.column_names) if _named([name])]
    return cells.select([kept[place] for place in places])


def _recut(
    batches: Iterable[pa.RecordBatch], skipped: int, size: int
) -> Iterator[pa.Table]:
    """Tables of ``size`` rows, whatever the sizes of the batches."""
    held: list[pa.RecordBatch] = []
    n_held = 0
    for batch in batches:
        # text that is not UTF-8 would break its reader later
        batch.validate(full=True)
        dropped = min(skipped, batch.num_rows)
        skipped -= dropped
        held.append(batch.slice(dropped))
        n_held += held[-1].num_rows
        while n_held >= size:
            whole = pa.Table.from_batches(held)
            yield whole.slice(0, size).combine_chunks()
            held = whole.slice(size).to_batches()
            n_held -= size
    if n_held:
        yield pa.Table.from_batches(held).combine_chunks()
