"""Lines that look like patients and are none: totals, means, remarks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from responder_model.errors import Problem
from responder_model.vocabulary import find_field, normalise, show
from responder_model.words import Note
from .below import are_blank, footers_of, matching, remarks_of, statistics_below
from .table import Doubt, Part, Source, Table, is_blank

# What may head a line of totals, looked for in all cells; then what does.
_CANDIDATE = (
    r"(?i)^\s*(?:moy|mean|average|tota|m.d|median|somme|sum|.cart|standard|std|sd|"
    r"et\s*$|effectif|n\s*=|n\s*$|nb\s*$|count|min|max|q[13]\s*$|iqr|%\s*$)"
)
_TOTAL = re.compile(
    r"(?:moyennes?|means?|averages?|total|totaux|totals|mediane?s?|medians?|sommes?|"
    r"ecarts?_types?|standard_deviations?|std_dev|effectifs?|minimum|maximum)(?:_.*)?"
)
_COUNT = re.compile(r"\s*n\s*=\s*\d+\s*", re.IGNORECASE)
# Words that head such a line, or are a pseudonym or the initials of a centre.
_PERHAPS = frozenset(
    {"sd", "et", "std", "min", "max", "n", "nb", "count", "sum", "moy", "q1", "q3", ""}
    | {"iqr"}
)
# What shows how a sheet is filled in.
_EXAMPLE = (
    r"(?i)^\s*\(?(?:ex[ea]mples?|(?:p\.\s*)?ex\.|e\.\s*g\.)\s*[0-9]{0,2}\)?\s*:?\s*$"
)
# Lines at the end, each with such a word, from which they are totals.
_FEWEST_TOTALS = 2
_A_TOTAL = Note("formats.a_total")
_AN_EXAMPLE = Note("formats.an_example")
_A_FOOTER = Note("formats.a_footer")
_NOBODY = Note("formats.nobody")
_DIGIT = r"[0-9]"


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
    identifiers = heads[:n_identifiers]
    totals = statistics_below(table, identifiers)
    remarks = remarks_of(table, heads[-1])
    doubts: dict[tuple[int, int], Doubt] = {}
    problems: list[Problem] = []
    for column in heads:
        perhaps = _headed(table.cells.iloc[:, column], totals, remarks)
        printed = _footers_there(table, column, remarks)
        if column in identifiers:
            for place, text in perhaps.items():
                doubts[place, column] = Doubt(shown=text, question=_A_TOTAL)
            for place, text in printed.items():
                doubts[place, column] = Doubt(shown=text, question=_A_FOOTER)
            settled = {*totals, *remarks}
            for place in matching(table.cells.iloc[:, column], _EXAMPLE).tolist():
                shown = str(table.cells.iloc[place, column])
                doubts[place, column] = Doubt(shown=shown, question=_AN_EXAMPLE)
            for place in _nobody(table.cells.iloc[:, column], settled):
                doubts[place, column] = Doubt(shown="", question=_NOBODY)
        else:
            perhaps |= printed
            problems += _of_nobody(table, identifiers, perhaps, totals, remarks)
    left = {*totals, *remarks, *(_place(table, problem) for problem in problems)}
    if not left and not doubts:
        return _narrowed(table, n_columns)
    kept = np.ones(len(table.rows), dtype=bool)
    kept[[*left]] = False
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
            problems=(*table.problems, *problems),
            left_out=(*table.left_out, *left_out),
        ),
        n_columns,
    )


def _footers_there(
    table: Table, column: int, remarks: Collection[int]
) -> dict[int, str]:
    """Cells of a column that may be what a program prints below, or a pseudonym."""
    cells = table.cells.iloc[:, column]
    places = [k for k, (_, is_sure) in footers_of(table).items() if not is_sure]
    return {
        k: str(cells.iloc[k])
        for k in places
        if k not in remarks and not is_blank(cells.iloc[k])
    }


def _headed(
    head: pd.Series, totals: dict[int, str], remarks: Collection[int]
) -> dict[int, str]:
    """Cells that may head a line of totals; those that do are added to ``totals``."""
    perhaps = {}
    for place in map(int, matching(head, _CANDIDATE)):
        text = str(head.iloc[place])
        if _COUNT.fullmatch(text) or _TOTAL.fullmatch(normalise(text)):
            totals[place] = text
        elif normalise(text) in _PERHAPS:
            perhaps[place] = text
    if perhaps and _are_numbered(head, {*perhaps, *totals}):
        return _without_last(perhaps, len(head), totals, remarks)
    return perhaps


def _without_last(
    perhaps: dict[int, str],
    n_lines: int,
    totals: dict[int, str],
    remarks: Collection[int],
) -> dict[int, str]:
    """Words without those at the end, which are totals where such lines are several."""
    first = n_lines
    while first - 1 in {*perhaps, *totals, *remarks}:
        first -= 1
    if n_lines - first < _FEWEST_TOTALS:
        return perhaps
    totals |= {place: text for place, text in perhaps.items() if place >= first}
    return {place: text for place, text in perhaps.items() if place < first}


def _are_numbered(head: pd.Series, others: Collection[int]) -> bool:
    """Whether most cells have a digit, besides those at some places."""
    if getattr(head.dtype, "kind", "O") in "iuf":
        return True
    numbered = {*map(int, matching(head.astype(str), _DIGIT))} - {*others}
    return len(numbered) > (len(head) - len(others)) / 2


def _of_nobody(
    table: Table,
    identifiers: Sequence[int],
    perhaps: dict[int, str],
    totals: dict[int, str],
    remarks: Collection[int],
) -> list[Problem]:
    """Refuse lines of no patient that a word may head; several at the end are totals.

    A word that comes again, or stands beside an identifier, is a centre's.
    """
    words = Counter(perhaps.values())
    alone = {
        place: text
        for place, text in perhaps.items()
        if words[text] == 1
        and all(is_blank(table.cells.iloc[place, k]) for k in identifiers)
    }
    alone = _without_last(alone, len(table.rows), totals, remarks)
    return [
        Problem(
            row=int(table.rows[place]),
            field="line",
            found=show(text),
            allowed=Note("formats.a_patient"),
        )
        for place, text in alone.items()
        if place not in totals
    ]


def _place(table: Table, problem: Problem) -> int:
    return int(np.searchsorted(table.rows, problem.row or 0))


def _narrowed(table: Table, n_columns: int) -> Table:
    if table.cells.shape[1] == n_columns:
        return table
    return replace(table, cells=table.cells.iloc[:, :n_columns])


def _nobody(cells: pd.Series, settled: Collection[int]) -> list[int]:
    """Places of cells without a word in a column where others have one."""
    blank = are_blank(cells)
    without = [k for k in np.flatnonzero(blank).tolist() if k not in settled]
    return without if not blank.all() else []


def _with_doubts(
    cells: pd.DataFrame, doubts: dict[tuple[int, int], Doubt]
) -> pd.DataFrame:
    columns = [cells.iloc[:, k] for k in range(cells.shape[1])]
    for column in {column for _, column in doubts}:
        columns[column] = columns[column].astype(object)
    for (place, column), doubt in doubts.items():
        columns[column].iloc[place] = doubt
    frame = pd.concat(columns, axis="columns")
    return frame.set_axis(cells.columns, axis="columns")


def _left_out(row: int, total: str | None, remark: str | None) -> Problem:
    allowed = Note("formats.no_total")
    if total is None:
        allowed = Note("formats.no_remark")
    found = remark if total is None else total
    return Problem(row=row, field="line", found=show(found), allowed=allowed)
