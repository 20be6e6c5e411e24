"""A table as a file gives it: headings, cells as they stand, and each patient's row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.errors import InvalidCohortError, Problem, ResponderModelError
from responder_model.vocabulary import show
from responder_model.words import Note

# Patients read at once: small enough for the memory, large enough for the arrays.
PART_ROWS = 65_536
# Row number of the first patient: the header is row 1.
FIRST_ROW = 2
# A wider table is no export of a cohort; spreadsheets hold 16 384 columns.
MOST_COLUMNS = 20_000
# pandas 3 has a dtype for text; before, text stands in object columns.
TEXT_DTYPE: Any = "str" if int(pd.__version__.split(".")[0]) >= 3 else "object"
ALLOWED = Note("formats.a_table")
STRUCK = Note("formats.struck")

# A line is its number in the file and its cells.
Line = tuple[int, Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A cell that can be read in two ways: no value of any field, so it is asked about.

    Examples
    --------
    >>> print(Doubt(shown="PT", question=Note("formats.struck")).said.text("fr"))
    PT (barré : compte-t-il ?)
    """

    shown: str
    question: Note

    def __str__(self) -> str:
        """What is asked, in English."""
        return self.said.text()

    @property
    def said(self) -> Note:
        """Cell and question, as a problem quotes them."""
        if not self.shown:
            return self.question
        return Note("formats.doubted", shown=self.shown, question=self.question)


def quoted(cell: object) -> str | Note:
    """Write a cell as a problem quotes it, with what is asked about it."""
    return cell.said if isinstance(cell, Doubt) else show(cell)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A part of a file.

    Parameters
    ----------
    cells : DataFrame
        Cells as they stand, by heading.
    rows : array of shape (n_patients,)
        Row number of each patient, the header being row 1.
    problems : tuple of Problem
        Lines that are no row of the table.
    left_out : tuple of Problem
        Lines that were left out because they are no patients.
    """

    cells: pd.DataFrame
    rows: NDArray[np.int64]
    problems: tuple[Problem, ...] = ()
    left_out: tuple[Problem, ...] = ()


class Part(Protocol):
    """One part of a file, not yet read as a table."""

    @property
    def index(self) -> int:
        """Place among the parts, from 0."""

    @property
    def extent(self) -> int:
        """Size, in the unit of the source's extent."""

    def table(self) -> Table:
        """Cells of the chosen columns as they stand, with their row numbers."""


# Parts of a file, given the places of the columns to read and the indices of the parts
# that are done already.
Reader = Callable[[Sequence[int], Collection[int]], Iterator[Part]]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that is read in parts: the same parts each time.

    Parameters
    ----------
    header : tuple of str
        Names of its columns.
    extent : int
        Its size: patients where the file tells them, else bytes; 0 if not known.
    unit : {"patients", "bytes"}
        Unit of the extent.
    parts : callable
        Yields its parts in order, those that are done left out.
    notices : tuple of Note
        What a person has to know of how the file was read.
    sheet : str or None
        Name of the sheet that it is, in a workbook.
    """

    header: tuple[str, ...]
    extent: int
    unit: str
    parts: Reader
    notices: tuple[Note, ...] = ()
    sheet: str | None = None

    def read(
        self, places: Sequence[int] | None = None, done: Collection[int] = ()
    ) -> Iterator[Part]:
        """Yield parts in order, of all columns or some, those that are done left out.

        Raises
        ------
        InvalidCohortError
            When the file turns out to be broken.
        """
        chosen = range(len(self.header)) if places is None else places
        with refused_when_broken():
            yield from self.parts(chosen, done)

    def tables(self) -> Iterator[Table]:
        """Yield the whole file, part by part; first a table without rows.

        Raises
        ------
        InvalidCohortError
            When the file turns out to be broken.
        """
        yield lines_table(self.header, [], range(len(self.header)))
        for part in self.read():
            yield part.table()


@dataclass(frozen=True, kw_only=True)
class TablePart:
    """Rows that were read as a table already."""

    index: int
    content: Table

    @property
    def extent(self) -> int:
        """See ``Part``."""
        return len(self.content.rows)

    def table(self) -> Table:
        """See ``Part``."""
        return self.content


@contextmanager
def refused_when_broken() -> Iterator[None]:
    """Turn whatever a broken file makes its parser raise into our refusal.

    The parser's own message may quote a patient, so it is not carried along; an error
    of the disk is not the file's fault, and passes.
    """
    try:
        yield
    except ResponderModelError:
        raise
    except csv.Error:
        raise unreadable(Note("formats.quotes")) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno and error.filename:
            raise
        raise unreadable() from None


def unreadable(found: str | Note = "", allowed: Note = ALLOWED) -> InvalidCohortError:
    """Error of a file that is no table; it quotes nothing of its content."""
    problem = Problem(row=None, field="file", found=found, allowed=allowed)
    return InvalidCohortError((problem,))


def check_width(header: Sequence[str]) -> None:
    """Refuse a table that is too wide to be a cohort."""
    if len(header) > MOST_COLUMNS:
        found = Note("formats.columns", n=len(header))
        raise unreadable(found, Note("formats.narrower", most=MOST_COLUMNS))


# ---------------------------------------------------------------- lines of cells


def is_blank(cell: Any) -> bool:
    """Whether a cell holds nothing."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell))


def is_blank_line(cells: Sequence[Any]) -> bool:
    """Whether no cell of a line holds a word."""
    return all(map(is_blank, cells))


def lines_table(
    header: Sequence[str],
    lines: Iterable[Line],
    places: Sequence[int],
    dtype: Any = object,
    *,
    longest: int | None = None,
) -> Table:
    """Make a table of numbered lines; blank ones and those of other length left out.

    A line may be longer by blank cells, up to ``longest``.
    """
    width = len(header)
    problems, kept = [], []
    for row, cells in lines:
        if is_blank_line(cells):
            continue
        if _is_struck(cells):
            problems.append(_struck(row))
            continue
        if len(cells) == width or (
            width < len(cells) <= (longest or len(cells))
            and is_blank_line(cells[width:])
        ):
            kept.append((row, cells))
        else:
            problems.append(_ragged(row, len(cells), width))
    series = [
        pd.Series([cells[place] for _, cells in kept], dtype=dtype) for place in places
    ]
    rows = np.array([row for row, _ in kept], dtype=np.int64)
    frame = pd.DataFrame(dict(enumerate(series)), index=pd.RangeIndex(len(rows)))
    return Table(
        cells=frame.set_axis([header[place] for place in places], axis="columns"),
        rows=rows,
        problems=tuple(problems),
    )


def _is_struck(cells: Sequence[Any]) -> bool:
    """Whether all that stands in a line is struck through."""
    return all(
        isinstance(cell, Doubt) and cell.question is STRUCK
        for cell in cells
        if not is_blank(cell)
    )


def _struck(row: int) -> Problem:
    return Problem(
        row=row,
        field="line",
        found=Note("formats.struck_line"),
        allowed=Note("formats.counts"),
    )


def _ragged(row: int, found: int, width: int) -> Problem:
    return Problem(
        row=row,
        field="line",
        found=Note("formats.cells", n=found),
        allowed=Note("formats.as_long", n=width),
    )
