"""Lines that look like patients and are none: totals, means, remarks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from responder_model.errors import Problem
from responder_model.formats.table import Doubt, Part, Source, Table, is_blank
from responder_model.vocabulary import find_field, names_person, normalise, show
from responder_model.words import Note

# What may head a line of totals, looked for in all cells; then what does.
_CANDIDATE = (
    r"(?i)^\s*(?:moy|mean|average|tota|m.d|median|somme|sum|.cart|standard|std|sd|"
    r"et\s*$|effectif|n\s*=|n\s*$|nb\s*$|count|min|max|%\s*$)"
)
_TOTAL = re.compile(
    r"(?:moyennes?|means?|averages?|total|totaux|totals|mediane?s?|medians?|sommes?|"
    r"ecarts?_types?|standard_deviations?|std_dev|effectifs?|minimum|maximum)(?:_.*)?"
)
_COUNT = re.compile(r"\s*n\s*=\s*\d+\s*", re.IGNORECASE)
# Words that head such a line, or are a pseudonym.
_PERHAPS = frozenset(
    {"sd", "et", "std", "min", "max", "n", "nb", "count", "sum", "moy", ""}
)
_A_TOTAL = Note("formats.a_total")
_NOBODY = Note("formats.nobody")
# A remark where nothing else stands in the line: several words, or a mark before them.
_REMARK = r"^\s*(?:[*(#•¹²³†]|\S+\s*[:=]|\S+\s+\S+\s+\S|.*:\s*$)"
_NO_DIGIT = r"^[^0-9]*[^0-9\s][^0-9]*$"
# Patients above a line, and columns in which it is their mean or sum, from which it is
# one of totals.
_FEWEST_ABOVE, _FEWEST_MEANS = 3, 2


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
    totals: dict[int, str] = _means(table, heads[:n_identifiers])
    remarks = _remarks(table, heads[-1])
    doubts: dict[tuple[int, int], Doubt] = {}
    for rank, column in enumerate(heads):
        head = table.cells.iloc[:, column]
        for place in map(int, _matching(head, _CANDIDATE)):
            text = str(head.iloc[place])
            if _COUNT.fullmatch(text) or _TOTAL.fullmatch(normalise(text)):
                totals[place] = text
            elif rank < n_identifiers and normalise(text) in _PERHAPS:
                doubts[place, column] = Doubt(shown=text, question=_A_TOTAL)
        if rank < n_identifiers:
            for place in _nobody(head, table.rows):
                doubts[place, column] = Doubt(shown="", question=_NOBODY)
    if not totals and not doubts and not remarks:
        return _narrowed(table, n_columns)
    kept = np.ones(len(table.rows), dtype=bool)
    kept[[*totals, *remarks]] = False
    cells = _with_doubts(table.cells, doubts)
    left_out = tuple(
        _left_out(int(table.rows[k]), totals.get(k), remarks.get(k))
        for k in sorted({*totals, *remarks})
    )
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


def _matching(cells: pd.Series, pattern: str) -> NDArray[np.intp]:
    """Places of the texts in which a pattern is found."""
    if isinstance(cells.dtype, pd.StringDtype):
        texts = pa.array(cells, type=pa.string(), from_pandas=True)
        found = pc.fill_null(pc.match_substring_regex(texts, pattern), fill_value=False)
        return np.flatnonzero(found)
    if isinstance(cells.dtype, pd.CategoricalDtype):
        words = pd.Series(cells.cat.categories.astype(object))
        return np.flatnonzero(cells.cat.codes.isin(_matching(words, pattern)))
    known = re.compile(pattern)
    return np.flatnonzero([isinstance(x, str) and bool(known.search(x)) for x in cells])


def _nobody(cells: pd.Series, rows: NDArray[np.int64]) -> list[int]:
    """Places of cells without a word where all above have one.

    Those below a blank line, and the last of the table.
    """
    last = is_blank(cells.iloc[-1]) if len(cells) > 1 else False
    after_gap = np.flatnonzero(np.diff(rows) > 1) + 1
    if not len(after_gap) and not last:
        return []
    blank = _are_blank(cells)
    first = int(blank.argmax())
    is_doubtful = blank.any() and (first in after_gap or first == len(cells) - 1)
    return [first] if is_doubtful else []


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


def _left_out(row: int, total: str | None, remark: str | None) -> Problem:
    allowed = Note("formats.no_total")
    if total is None:
        allowed = Note("formats.no_remark")
    found = remark if total is None else total
    return Problem(row=row, field="line", found=show(found), allowed=allowed)


def _remarks(table: Table, head: int) -> dict[int, str]:
    """Lines that hold a remark and nothing else, by place.

    A word alone may be the pseudonym of a patient of whom nothing is known, unless a
    blank line stands above it, or it has no digit and most pseudonyms have one. A name
    is kept, to be refused without being shown.
    """
    if table.cells.shape[1] < 2:
        return {}
    texts = table.cells.iloc[:, head]
    below = np.flatnonzero(np.diff(table.rows) > 1) + 1
    alone = np.union1d(_matching(texts, _REMARK), below).astype(np.intp)
    words = _matching(texts, _NO_DIGIT)
    if 2 * len(words) < len(texts):
        alone = np.union1d(alone, words).astype(np.intp)
    for column in range(table.cells.shape[1]):
        if column != head and len(alone):
            alone = alone[_are_blank(table.cells.iloc[alone, column])]
    found = {int(k): texts.iloc[k] for k in alone}
    return {
        place: text
        for place, text in found.items()
        if isinstance(text, str) and _as_number(text) is None and text.strip()
        if not names_person(text)
    }


def _are_blank(cells: pd.Series) -> NDArray[np.bool_]:
    return np.array([is_blank(cell) for cell in cells.tolist()], dtype=bool)


def _means(table: Table, identifiers: Sequence[int]) -> dict[int, str]:
    """The last line, where it names nobody and is the mean or sum of those above."""
    n_above = len(table.rows) - 1
    if n_above < _FEWEST_ABOVE:
        return {}
    if any(not is_blank(table.cells.iloc[n_above, k]) for k in identifiers):
        return {}
    given = [
        k
        for k in range(table.cells.shape[1])
        if _as_number(table.cells.iloc[n_above, k]) is not None
    ]
    if len(given) < _FEWEST_MEANS:
        return {}
    columns = [table.cells.iloc[:, k].map(_as_number).tolist() for k in given]
    # a column of one number says nothing
    varying = [column for column in columns if len({*column[:-1]} - {None}) > 1]
    if len(varying) < _FEWEST_MEANS:
        return {}
    for statistic in (np.mean, np.sum, np.median):
        if all(_is_statistic(statistic, column) for column in varying):
            return {n_above: show(table.cells.iloc[n_above, given[0]])}
    return {}


def _is_statistic(
    statistic: Callable[..., Any], column: Sequence[float | None]
) -> bool:
    """Whether the last number is a statistic of those above, as it is rounded."""
    *above, last = column
    decimals = len(f"{last:.10g}".partition(".")[2])
    exact = float(statistic([number for number in above if number is not None]))
    return abs(exact - (last or 0.0)) <= 0.5 * 10.0**-decimals + 1e-9


def _as_number(cell: Any) -> float | None:
    """Number of a cell, also where it stands as text."""
    if isinstance(cell, bool) or is_blank(cell):
        return None
    try:
        number = float(str(cell).replace(",", ".").rstrip(" %"))
    except ValueError:
        return None
    return number if np.isfinite(number) else None
