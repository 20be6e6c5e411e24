"""Variables of a statistics package: labels as words, and why values are missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.errors import InvalidCohortError
from responder_model.schema import Field
from responder_model.vocabulary import (
    find_field,
    find_heading,
    rival_fields,
    says_more,
    unit_named,
)
from responder_model.words import Note
from . import table as tables
from .table import (
    FIRST_ROW,
    TEXT_DTYPE,
    Part,
    Source,
    Table,
    TablePart,
    check_width,
    unreadable,
)

# A number as the package shows it: where that is no number, it is not read as one.
Show = Callable[[float], str]
# Lowest and highest code of a range that is declared missing.
Range = tuple[float | str, float | str]

# Cells of a file that is read whole: what a machine of a hospital holds.
MOST_CELLS = 60_000_000
# Cells that any file may hold, and those that each of its bytes adds: a small file that
# claims more is broken, or was made to fill the memory.
_FREE_CELLS, _CELLS_OF_BYTE = 3_000_000, 4


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A code and the word that the file gives it; the word is what counts.

    Examples
    --------
    >>> print(Labelled(code=1, label="Homme"))
    Homme (code 1)
    """

    code: float | str
    label: str
    is_end: bool = False  # one of the two labelled ends of a scale

    def __str__(self) -> str:
        """Word and code, as a problem quotes them."""
        code = self.code if isinstance(self.code, str) else f"{self.code:g}"
        return f"{self.label} (code {code})"


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One column of a file that knows labels.

    Parameters
    ----------
    name, label : str
        What the file calls it; either may be the heading.
    cells : Series
        Numbers, texts or ``Labelled`` codes; missing where the file says so.
    reasons : mapping of str to int
        Why cells are missing that the file declares missing, with their numbers.
    """

    name: str
    label: str = ""
    cells: pd.Series
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """The name, or the label where only that is known to the dictionary.

        Both, as "name (label)", where they mean two fields, or the label says more:
        such a heading is asked about.
        """
        named, labelled = find_field(self.name), find_field(self.label)
        both = f"{self.name} ({self.label})"
        if named and (rival_fields(both) or says_more(self.label, named)):
            return both
        if labelled and not named:
            return self.label
        return self._with_unit(named) if named else self.name

    def _with_unit(self, named: Field) -> str:
        """The name, with the unit where the label states one."""
        stated = find_heading(self.label)
        if stated and stated.field is named and stated.unit is not None:
            return self.label
        in_brackets = re.search(r"[\[(]([^\[\]()]+)[\])]\s*$", self.label)
        if in_brackets and unit_named(in_brackets[1]) is not None:
            heading = f"{self.name} [{in_brackets[1].strip()}]"
            found = find_heading(heading)
            if found and found.field is named:
                return heading
        return self.name


def most_cells(n_bytes: int) -> int:
    """Cells that a file of so many bytes may hold."""
    return min(MOST_CELLS, _FREE_CELLS + _CELLS_OF_BYTE * n_bytes)


def too_large() -> InvalidCohortError:
    """Error of a file that would fill the memory."""
    return unreadable(Note("formats.many_cells"), Note("formats.smaller"))


def source_of_variables(variables: Sequence[Variable]) -> Source:
    """Variables in memory as a source."""
    n_rows = len(variables[0].cells) if variables else 0
    return source_of_columns(
        [variable.heading for variable in variables],
        [variable.cells for variable in variables],
        Table(cells=pd.DataFrame(), rows=np.arange(n_rows, dtype=np.int64) + FIRST_ROW),
        notices=tuple(_told(variables)),
    )


def source_of_columns(
    header: Sequence[str],
    columns: Sequence[pd.Series],
    about: Table,
    *,
    notices: Sequence[Note],
) -> Source:
    """Columns in memory as a source; ``about`` has their rows and what was left out."""
    check_width(header)
    return Source(
        header=tuple(header),
        extent=len(about.rows),
        unit="patients",
        parts=partial(_parts, header, columns, about),
        notices=tuple(notices),
    )


def _told(variables: Sequence[Variable]) -> Iterator[Note]:
    for variable in variables:
        if variable.reasons and find_field(variable.heading):
            why = tuple(
                Note("formats.reason", code=code, n=n)
                for code, n in variable.reasons.items()
            )
            yield Note(
                "formats.declared_missing",
                n=sum(variable.reasons.values()),
                heading=variable.heading,
                why=why,
            )


def _parts(
    header: Sequence[str],
    columns: Sequence[pd.Series],
    about: Table,
    places: Sequence[int],
    done: Collection[int],
) -> Iterator[Part]:
    size, n_rows = tables.PART_ROWS, len(about.rows)
    for index, first in enumerate(range(0, n_rows, size)):
        if index not in done:
            last = min(first + size, n_rows)
            cells = pd.DataFrame(
                {k: columns[place].iloc[first:last] for k, place in enumerate(places)},
                index=pd.RangeIndex(first, last),
            )
            cells.columns = pd.Index([header[place] for place in places])
            content = Table(
                cells=cells.reset_index(drop=True),
                rows=about.rows[first:last],
                problems=() if index else about.problems,
                left_out=() if index else about.left_out,
            )
            yield TablePart(index=index, content=content)


# ---------------------------------------------------------------- cells


def number_cells(
    codes: NDArray[np.float64],
    labels: Mapping[float, str],
    show: Show | None = None,
) -> pd.Series:
    """Numbers as cells: labelled where they have a label, else as they are shown.

    ``labels`` are those of values, not those of codes that are declared missing.
    """
    if not labels and show is None:
        return pd.Series(codes)
    places, distinct = pd.factorize(codes)
    words: list[Any] = [
        Labelled(code=code, label=label, is_end=len(labels) == 2)
        if (label := labels.get(code, "").strip())
        else show(code)
        if show
        else code
        for code in distinct.tolist()
    ]
    return _of_distinct(places, words)


def text_cells(texts: Sequence[str | None], labels: Mapping[str, str]) -> pd.Series:
    """Texts as cells, labelled where they have a label."""
    cells: pd.Series = pd.Series(list(texts), dtype=TEXT_DTYPE)
    if not labels:
        return cells
    places, distinct = pd.factorize(cells)
    words = [
        Labelled(code=text, label=label)
        if (label := labels.get(text.strip(), "").strip())
        else text
        for text in distinct.tolist()
    ]
    return _of_distinct(places, words)


def _of_distinct(places: NDArray[np.intp], words: list[Any]) -> pd.Series:
    """One cell for each place; a place of -1 is missing."""
    if all(isinstance(word, str) for word in words):
        texts = np.array([*words, None], dtype=object)[places]
        shown: pd.Series = pd.Series(texts.tolist(), dtype=TEXT_DTYPE)
        return shown
    labelled = pd.Categorical.from_codes(places, pd.Index(words, dtype=object))
    cells: pd.Series = pd.Series(labelled)
    return cells


# ---------------------------------------------------------------- missing by reason


def without_codes(
    numbers: NDArray[np.float64],
    ranges: Sequence[Range],
    labels: Mapping[Any, str],
    reasons: Counter[str],
) -> NDArray[np.float64]:
    """Numbers without those that are declared missing, from LO and to HI too."""
    declared = np.zeros(len(numbers), dtype=bool)
    for low, high in ranges:
        declared |= (numbers >= float(low)) & (numbers <= float(high))
    for code, count in zip(
        *np.unique(numbers[declared], return_counts=True), strict=True
    ):
        reasons[reason(f"{code:g}", labels.get(float(code)))] += int(count)
    return np.where(declared, np.nan, numbers) if declared.any() else numbers


def of_values(labels: Mapping[Any, str], ranges: Sequence[Range]) -> dict[float, str]:
    """Labels of codes that are no declared missing."""
    return {
        code: label
        for code, label in labels.items()
        if not isinstance(code, str)
        and not any(float(low) <= code <= float(high) for low, high in ranges)
    }


def reason(code: str, label: str | None) -> str:
    """Why a cell is missing: the code, and its label."""
    return f"{code} ({label})" if label else code


def show_moment(number: float, *, start: datetime, unit: float) -> str:
    """Date and time, given as a number since some start."""
    try:
        return f"{start + timedelta(seconds=number * unit)}".removesuffix(" 00:00:00")
    except OverflowError:
        return f"{number:g} as a date"
