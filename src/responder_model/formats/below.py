"""Lines below the patients: remarks, footers, and statistics of what stands above."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from responder_model.vocabulary import names_person, show
from .table import Table, is_blank

# Lines at the end of a table among which statistics and footers are looked for.
MOST_BELOW = 8
# A remark where nothing else stands in the line: several words, a mark before them, or
# how many patients there are.
_REMARK = (
    r"(?i)^\s*(?:[*(#•¹²³†]|\S+\s*[:=]|\S+\s+\S+\s+\S|.*:\s*$|"
    r"[0-9]+\s+(?:patients|sujets|subjects|participants|cas|cases|lignes|rows)\s*$)"
)
_NO_DIGIT = r"^[^0-9]*[^0-9\s][^0-9]*$"
# What a program prints below: when, by whom, which page. Only the word is quoted.
_FOOTER = (
    r"(?i)^\s*(pages?|exporte?d?|export[ée]e?s?|extraite?|extracted|extraction|edition|"
    r"imprim[ée]e?|impression|printed|[ée]dit[ée]e?|[ée]dition|g[ée]n[ée]r[ée]e?|"
    r"generated|produced|created|cr[ée][ée]e?|saved|enregistr[ée]e?|report|rapport|"
    r"derni[èe]re|last|mise? [àa] jour|updated|date|le|on|du|as of)\b\W.*[0-9]"
)
# What no pseudonym is: several words, a whole date, a page of so many. Another footer
# may be one ("Le 12/03"), and is asked about.
_SURE = re.compile(
    r"(?i)\S+\s+\S+\s+\S|\d[/.-]\d{1,2}[/.-]\d|^\s*pages?\W+\d+\s*(?:/|of|sur|de)"
)
# Patients above a line, and columns in which it is their mean or sum, from which it is
# one of totals.
_FEWEST_ABOVE, _FEWEST_MEANS = 3, 2
Statistic = Callable[..., Any]
_CENTRES: tuple[Statistic, ...] = (np.mean, np.sum, np.median)
_SPREADS: tuple[Statistic, ...] = (
    np.min,
    np.max,
    partial(np.std, ddof=1),
    np.std,
    len,
)


def remarks_of(table: Table, head: int) -> dict[int, str]:
    """Lines that hold a remark and nothing else, by place.

    A word alone may be the pseudonym of a patient of whom nothing is known, unless a
    blank line stands above it, or it has no digit and most pseudonyms have one; what
    patients of whom more is known are called, a remark is not. A name is kept, to be
    refused without being shown.
    """
    if table.cells.shape[1] < 2:
        return {}
    texts = table.cells.iloc[:, head]
    footers = {k: word for k, (word, is_sure) in footers_of(table).items() if is_sure}
    footers = _unlike_patients(table, head, footers, _FOOTER)
    below = np.flatnonzero(np.diff(table.rows) > 1) + 1
    worded = dict.fromkeys(matching(texts, _REMARK).tolist(), "")
    worded = _unlike_patients(table, head, worded, _REMARK)
    alone = np.union1d([*worded], below).astype(np.intp)
    words = matching(texts, _NO_DIGIT)
    if 2 * len(words) < len(texts):
        alone = np.union1d(alone, words).astype(np.intp)
    for column in range(table.cells.shape[1]):
        if column != head and len(alone):
            alone = alone[are_blank(table.cells.iloc[alone, column])]
    found = {int(k): texts.iloc[k] for k in alone}
    remarks = {
        place: text
        for place, text in found.items()
        if isinstance(text, str) and as_number(text) is None and text.strip()
        if not names_person(text)
    }
    return remarks | footers


def footers_of(table: Table) -> dict[int, tuple[str, bool]]:
    """Last lines that hold nothing but what a program prints below, by place.

    With its first word, and whether it cannot be a pseudonym.
    """
    first = max(len(table.rows) - MOST_BELOW, 0)
    found = {}
    for place in range(first, len(table.rows)):
        line = table.cells.iloc[place]
        given = [cell for cell in line.tolist() if not is_blank(cell)]
        if len(given) == 1 and isinstance(given[0], str):
            word = re.match(_FOOTER, given[0])
            if word is not None:
                found[place] = f"{word[1]} …", bool(_SURE.search(given[0]))
    return found


def _unlike_patients(
    table: Table, head: int, found: dict[int, str], pattern: str
) -> dict[int, str]:
    """Lines that a pattern finds, unless patients with more in their line match it."""
    texts = table.cells.iloc[:, head]
    for place in matching(texts, pattern).tolist() if found else ():
        line = table.cells.iloc[place].drop(table.cells.columns[head])
        if not all(is_blank(cell) for cell in line.tolist()):
            return {k: word for k, word in found.items() if is_blank(texts.iloc[k])}
    return found


def statistics_below(table: Table, identifiers: Sequence[int]) -> dict[int, str]:
    """Last lines that name nobody and are means, sums or spreads of those above.

    Smallest and largest values alone may be a patient's where nobody is named.
    """
    n_lines = len(table.rows)
    last = max(n_lines - MOST_BELOW, _FEWEST_ABOVE)
    cells = table.cells
    for place in range(n_lines - 1, last - 1, -1):
        if any(not is_blank(cells.iloc[place, k]) for k in identifiers):
            last = place + 1
            break
    if last >= n_lines:
        return {}
    given = [
        k
        for k in range(cells.shape[1])
        if any(
            as_number(cells.iloc[place, k]) is not None
            for place in range(last, n_lines)
        )
    ]
    if len(given) < _FEWEST_MEANS:
        return {}
    columns = [cells.iloc[:, k].map(as_number).tolist() for k in given]
    for first in range(last, n_lines):
        found = [_statistic(columns, first, place) for place in range(first, n_lines)]
        is_told = len(set(found)) > 1 and bool(identifiers)
        if all(found) and (is_told or any(one in _CENTRES for one in found)):
            return {
                place: show(_first_number(columns, place))
                for place in range(first, n_lines)
            }
    return {}


def _first_number(
    columns: Sequence[Sequence[float | None]], place: int
) -> float | None:
    return next(column[place] for column in columns if column[place] is not None)


def _statistic(
    columns: Sequence[Sequence[float | None]], first: int, place: int
) -> Statistic | None:
    """What a line is of the lines above the first one below, if anything."""
    pairs = [
        ([number for number in column[:first] if number is not None], column[place])
        for column in columns
    ]
    # a column of one number says nothing
    varying = [
        (above, number)
        for above, number in pairs
        if number is not None and len(set(above)) > 1
    ]
    if len(varying) < _FEWEST_MEANS:
        return None
    for statistic in (*_CENTRES, *_SPREADS):
        if all(_is_statistic(statistic, *pair) for pair in varying):
            return statistic
    return None


def _is_statistic(statistic: Statistic, above: Sequence[float], number: float) -> bool:
    """Whether a number is a statistic of others, as it is rounded."""
    decimals = len(f"{number:.10g}".partition(".")[2])
    return abs(float(statistic(above)) - number) <= 0.5 * 10.0**-decimals + 1e-9


# ---------------------------------------------------------------- cells


def matching(cells: pd.Series, pattern: str) -> NDArray[np.intp]:
    """Places of the texts in which a pattern is found."""
    if isinstance(cells.dtype, pd.StringDtype):
        texts = pa.array(cells, type=pa.string(), from_pandas=True)
        found = pc.fill_null(pc.match_substring_regex(texts, pattern), fill_value=False)
        return np.flatnonzero(found)
    if isinstance(cells.dtype, pd.CategoricalDtype):
        words = pd.Series(cells.cat.categories.astype(object))
        return np.flatnonzero(cells.cat.codes.isin(matching(words, pattern)))
    known = re.compile(pattern)
    return np.flatnonzero([isinstance(x, str) and bool(known.search(x)) for x in cells])


def are_blank(cells: pd.Series) -> NDArray[np.bool_]:
    """Which cells hold nothing."""
    return np.array([is_blank(cell) for cell in cells.tolist()], dtype=bool)


def as_number(cell: Any) -> float | None:
    """Number of a cell, also where it stands as text."""
    if isinstance(cell, bool) or is_blank(cell):
        return None
    try:
        number = float(str(cell).replace(",", ".").rstrip(" %"))
    except ValueError:
        return None
    return number if np.isfinite(number) else None
