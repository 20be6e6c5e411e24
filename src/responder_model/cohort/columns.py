"""One column of a table, read by its field: typed values and the cells to refuse."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from responder_model.formats import TEXT_DTYPE, Labelled
from responder_model.schema import Field
from responder_model.vocabulary import INVALID, MISSING_MARKS, Cell, read_value

_MARKS = pa.array(sorted(MISSING_MARKS), pa.string())
# A label that begins with a number.
_NUMBERED = re.compile(r"\s*(\d+)\s*[-–.:=)]\s*(\D.*)")
_PLAIN_NUMBER = r"[+-]?[0-9]+(?:[.,][0-9]*)?(?:[eE][+-]?[0-9]+)?"

Mask = NDArray[np.bool_]


def read_column(field: Field, cells: pd.Series) -> tuple[pd.Series, Mask]:
    """Return a column in the field's own type, and which cells the field refuses.

    A refused cell is missing in the column. Columns that have the right type already,
    or hold plain numbers or texts, are checked without a loop; of the others each
    distinct value is read once.
    """
    values, refused = _read(field, cells)
    return pd.Series(values, index=cells.index, name=field.name), refused


def _read(field: Field, cells: pd.Series) -> tuple[Any, Mask]:
    nothing_refused = np.zeros(len(cells), dtype=bool)
    if field.kind == "number" and _is_numeric(cells):
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        return _check_numbers(field, numbers)
    if field.kind == "number" and _is_text(cells):
        return _read_number_texts(field, cells)
    if field.kind == "boolean" and _is_boolean(cells):
        return cells.array.astype("boolean"), nothing_refused
    if field.kind == "category" and _has_categories_of(field, cells):
        names = list(field.category_names)
        return cells.array.set_categories(names, ordered=False), nothing_refused
    if field.kind == "text" and _is_tidy(cells):
        return cells.array.astype(TEXT_DTYPE), nothing_refused
    return _read_distinct(field, cells)


def category_dtype(field: Field) -> pd.CategoricalDtype:
    """Return the dtype of a categorical field: all its categories, in order."""
    return pd.CategoricalDtype(list(field.category_names))


def _is_numeric(cells: pd.Series) -> bool:
    return getattr(cells.dtype, "kind", "O") in "iuf" and not _is_categorical(cells)


def _is_boolean(cells: pd.Series) -> bool:
    return getattr(cells.dtype, "kind", "O") == "b" and not _is_categorical(cells)


def _is_text(cells: pd.Series) -> bool:
    return isinstance(cells.dtype, pd.StringDtype)


def _is_tidy(cells: pd.Series) -> bool:
    """Whether texts stand as they are: ASCII, no space too many, no mark of missing."""
    if not _is_text(cells):
        return False
    texts = pa.array(cells, type=pa.string(), from_pandas=True)
    if not pc.all(pc.ascii_is_printable(texts)).as_py():
        return False
    return not any(
        pc.any(untidy).as_py()
        for untidy in (
            pc.starts_with(texts, " "),
            pc.ends_with(texts, " "),
            pc.match_substring(texts, "  "),
            pc.starts_with(texts, "##"),
            pc.is_in(pc.ascii_lower(texts), _MARKS),
        )
    )


def _is_categorical(cells: pd.Series) -> bool:
    return isinstance(cells.dtype, pd.CategoricalDtype)


def _has_categories_of(field: Field, cells: pd.Series) -> bool:
    dtype = cells.dtype
    return isinstance(dtype, pd.CategoricalDtype) and set(dtype.categories) <= set(
        field.category_names
    )


def _check_numbers(
    field: Field, numbers: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Mask]:
    lowest = -np.inf if field.minimum is None else field.minimum
    highest = np.inf if field.maximum is None else field.maximum
    allowed = (numbers >= lowest) & (numbers <= highest) & np.isfinite(numbers)
    if field.integer:
        allowed &= numbers == np.floor(numbers)
    refused = ~allowed & ~np.isnan(numbers)
    return np.where(refused, np.nan, numbers) if refused.any() else numbers, refused


def _read_number_texts(field: Field, cells: pd.Series) -> tuple[Any, Mask]:
    texts = pa.array(cells, type=pa.string(), from_pandas=True)
    given = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    try:
        parsed = pc.replace_substring(given, ",", ".").cast(pa.float64())
    except pa.ArrowInvalid:
        return _read_mixed_texts(field, cells)
    return _check_numbers(
        field, np.array(parsed.to_numpy(zero_copy_only=False), dtype=np.float64)
    )


def _read_mixed_texts(field: Field, cells: pd.Series) -> tuple[Any, Mask]:
    plain = cells.str.fullmatch(_PLAIN_NUMBER, na=False).to_numpy(dtype=bool)
    texts = cells.where(plain).str.replace(",", ".", regex=False)
    parsed = pa.array(texts, type=pa.string(), from_pandas=True).cast(pa.float64())
    numbers, refused = _check_numbers(
        field, np.array(parsed.to_numpy(zero_copy_only=False), dtype=np.float64)
    )
    rest = ~plain & cells.notna().to_numpy()
    if rest.any():
        numbers[rest], refused[rest] = _read_distinct(field, cells[rest])
    return numbers, refused


def _read_distinct(field: Field, cells: pd.Series) -> tuple[Any, Mask]:
    codes, distinct = distinct_values(cells)
    found = [read_cell(field, value) for value in distinct]
    refused = np.array([value is INVALID for value in found] + [False])
    # The last entry stands for a missing cell, whose code is -1.
    known = [None if value is INVALID else value for value in found] + [None]
    return _typed(field, known, codes), refused[codes]


def read_cell(field: Field, value: Any, *, unit: str | None = None) -> Cell:
    """Read one value; of a labelled code the label counts, never the code."""
    if not isinstance(value, Labelled):
        return read_value(field, value, unit=unit)
    found = read_value(field, value.label, unit=unit)
    numbered = _NUMBERED.match(value.label)
    if found is INVALID and numbered and field.kind != "number":
        # "1 - male": the label says its code before the word
        own = float(numbered[1]) == value.code
        found = read_value(field, numbered[2]) if own else INVALID
    if found is INVALID and field.kind == "number" and _names_its_code(field, value):
        return read_value(field, value.code, unit=unit)
    return found


def _names_its_code(field: Field, value: Labelled) -> bool:
    """Whether a label only explains its number: "10 = worst", or an end of a scale."""
    number = re.match(r"[+-]?\d+", value.label)
    if number:
        return float(number[0]) == value.code
    return value.is_end and value.code in (field.minimum, 0, field.maximum)


def distinct_values(cells: pd.Series) -> tuple[NDArray[np.intp], list[Any]]:
    """Distinct values of a column, and the place of each cell's; -1 where missing."""
    dtype = cells.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = np.asarray(cells.cat.codes, dtype=np.intp)
        return codes, list(dtype.categories)
    # Other objects are not told apart by their hash: True and 1 are equal.
    if dtype.kind == "O" and pd.api.types.infer_dtype(cells, skipna=True) != "string":
        return np.arange(len(cells)), list(cells)
    numbers, distinct = pd.factorize(cells)
    return numbers, distinct.tolist()


def _typed(field: Field, known: list[Any], codes: NDArray[np.intp]) -> Any:
    if field.kind == "number":
        numbers = [np.nan if value is None else value for value in known]
        return np.array(numbers, dtype=np.float64)[codes]
    if field.kind == "boolean":
        missing = np.array([value is None for value in known])
        truth = np.array([bool(value) for value in known])
        return pd.arrays.BooleanArray(truth[codes], missing[codes])
    if field.kind == "category":
        place = {name: code for code, name in enumerate(field.category_names)}
        places = np.array([place.get(value, -1) for value in known])
        return pd.Categorical.from_codes(places[codes], dtype=category_dtype(field))
    texts = np.array([np.nan if value is None else value for value in known], object)
    return pd.array(texts[codes], dtype=TEXT_DTYPE)
