"""Numbers of a text file that can be read in two ways: thousands, or a decimal mark."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from responder_model.vocabulary import find_field
from responder_model.words import Note
from .table import Doubt, Table

# By the mark that it has; no number with a 0 in front of it.
_GROUPS = {mark: rf"^\s*[+-]?[1-9]\d{{0,2}}(?:[{mark}]\d{{3}})+\s*$" for mark in ".,"}


def with_doubts(table: Table, decimals: Collection[str]) -> Table:
    """Ask about "1.200" where the file has shown no decimal point, or commas too.

    Parameters
    ----------
    table : Table
        Cells as texts, or as numbers that are read in one way only.
    decimals : collection of str
        Marks that are surely decimal ones in the file.
    """
    doubtful = [mark for mark in ".," if set(decimals) != {mark}]
    pattern = "|".join(_GROUPS[mark] for mark in doubtful)
    columns = [table.cells.iloc[:, place] for place in range(table.cells.shape[1])]
    asked = [_asked(column, pattern) for column in columns]
    if all(new is old for new, old in zip(asked, columns, strict=True)):
        return table
    frame = pd.concat(asked, axis="columns").set_axis(table.cells.columns, axis=1)
    return replace(table, cells=frame)


def _asked(cells: pd.Series, pattern: str) -> pd.Series:
    field = find_field(str(cells.name))
    if not isinstance(cells.dtype, pd.StringDtype) and cells.dtype != object:
        return cells
    if field and field.kind == "text":
        return cells
    texts = pa.array(cells, type=pa.string(), from_pandas=True)
    found = pc.fill_null(pc.match_substring_regex(texts, pattern), fill_value=False)
    places = np.flatnonzero(found)
    if not len(places):
        return cells
    with_doubts = cells.astype(object)
    for place in places.tolist():
        text = str(cells.iloc[place]).strip()
        plain, decimal = text.replace(".", "").replace(",", ""), text.replace(",", ".")
        question = Note("formats.which_number", plain=plain, decimal=decimal)
        with_doubts.iloc[place] = Doubt(shown=text, question=question)
    return with_doubts
