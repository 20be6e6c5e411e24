"""Lines that look like patients and are none: totals, means, a count at the bottom."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from responder_model.errors import Problem
from responder_model.formats.table import Doubt, Part, Source, Table
from responder_model.vocabulary import find_field, normalise, show

# What may head a line of totals, looked for in all cells; then what does.
_CANDIDATE = (
    r"(?i)^\s*(?:moy|mean|average|tota|m.d|median|somme|sum|.cart|standard|std|sd|"
    r"et\s*$|effectif|n\s*=|n\s*$|nb\s*$|count|min|max)"
)
_TOTAL = re.compile(
    r"(?:moyennes?|means?|averages?|total|totaux|totals|mediane?s?|medians?|sommes?|"
    r"ecarts?_types?|standard_deviations?|std_dev|effectifs?|minimum|maximum)(?:_.*)?"
)
_COUNT = re.compile(r"\s*n\s*=\s*\d+\s*", re.IGNORECASE)
# Words that head such a line, or are a pseudonym.
_PERHAPS = frozenset(
    {"sd", "et", "std", "min", "max", "n", "nb", "count", "sum", "moy"}
)
_A_TOTAL = "a patient, or a line of totals?"
_NOBODY = "no identifier below a blank line: a patient?"


@dataclass(frozen=True, kw_only=True)
class JudgedPart:
    """A part of which lines of totals are left out."""

    inner: Part
    n_columns: int
    heads: tuple[int, ...]
    n_identifiers: int

    @property
    def index(self) -> int:
        """See ``Part``."""
        return self.inner.index

    @property
    def extent(self) -> int:
        """See ``Part``."""
        return self.inner.extent

    def table(self) -> Table:
        """See ``Part``."""
        table = self.inner.table()
        return _judge(table, self.n_columns, self.heads, self.n_identifiers)


def judged(source: Source) -> Source:
    """Leave lines of totals out of a source of lines."""
    watched = [
        place
        for place, name in enumerate(source.header)
        if (field := find_field(name)) and field.role == "identifier"
    ]
    return replace(source, parts=partial(_parts, source, watched))


def _parts(
    source: Source, watched: Sequence[int], places: Sequence[int], done: Collection[int]
) -> Iterator[Part]:
    if not source.header:
        yield from source.parts(places, done)
        return
    more = [place for place in (0, *watched) if place not in places]
    read = [*places, *dict.fromkeys(more)]
    heads = dict.fromkeys([*(read.index(place) for place in watched), read.index(0)])
    for part in source.parts(read, done):
        yield JudgedPart(
            inner=part,
            n_columns=len(places),
            heads=tuple(heads),
            n_identifiers=len(watched),
        )


def _judge(
    table: Table, n_columns: int, heads: Sequence[int], n_identifiers: int
) -> Table:
    """Leave lines of totals out; ask about those that may be one."""
    totals: dict[int, str] = {}
    doubts: dict[tuple[int, int], Doubt] = {}
    for rank, column in enumerate(heads):
        head = table.cells.iloc[:, column]
        for place in _candidates(head):
            text = str(head.iloc[place])
            if _COUNT.fullmatch(text) or _TOTAL.fullmatch(normalise(text)):
                totals[place] = text
            elif rank < n_identifiers and normalise(text) in _PERHAPS:
                doubts[place, column] = Doubt(shown=text, question=_A_TOTAL)
        if rank < n_identifiers:
            for place in _below_a_blank_line(head, table.rows):
                doubts[place, column] = Doubt(shown="", question=_NOBODY)
    if not totals and not doubts:
        return _narrowed(table, n_columns)
    kept = np.ones(len(table.rows), dtype=bool)
    kept[list(totals)] = False
    cells = _with_doubts(table.cells, doubts)
    left_out = tuple(_left_out(int(table.rows[k]), totals[k]) for k in sorted(totals))
    return _narrowed(
        replace(
            table,
            cells=cells[kept].reset_index(drop=True),
            rows=table.rows[kept],
            left_out=(*table.left_out, *left_out),
        ),
        n_columns,
    )


def _narrowed(table: Table, n_columns: int) -> Table:
    if table.cells.shape[1] == n_columns:
        return table
    return replace(table, cells=table.cells.iloc[:, :n_columns])


def _candidates(cells: pd.Series) -> list[int]:
    """Places of the cells that may head a line of totals."""
    if isinstance(cells.dtype, pd.StringDtype):
        texts = pa.array(cells, type=pa.string(), from_pandas=True)
        found = pc.fill_null(
            pc.match_substring_regex(texts, _CANDIDATE), fill_value=False
        )
        return [int(k) for k in np.flatnonzero(found)]
    pattern = re.compile(_CANDIDATE)
    return [k for k, x in enumerate(cells) if isinstance(x, str) and pattern.match(x)]


def _below_a_blank_line(cells: pd.Series, rows: NDArray[np.int64]) -> list[int]:
    """Places of cells without a word, below a blank line, where all above have one."""
    after_gap = np.flatnonzero(np.diff(rows) > 1) + 1
    if not len(after_gap):
        return []
    blank = np.array([x is None or not str(x).strip() for x in cells.tolist()])
    first = int(blank.argmax())
    return [first] if blank.any() and first in after_gap else []


def _with_doubts(
    cells: pd.DataFrame, doubts: dict[tuple[int, int], Doubt]
) -> pd.DataFrame:
    columns = [cells.iloc[:, k] for k in range(cells.shape[1])]
    for (place, column), doubt in doubts.items():
        asked = columns[column].astype(object)
        asked.iloc[place] = doubt
        columns[column] = asked
    frame = pd.concat(columns, axis="columns")
    return frame.set_axis(cells.columns, axis="columns")


def _left_out(row: int, text: str) -> Problem:
    allowed = "a patient: a line of totals is left out"
    return Problem(row=row, field="line", found=show(text), allowed=allowed)
