"""One column of a table, read by its field: typed values and the cells to refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.schema import Field
from responder_model.vocabulary import INVALID, read_value

# pandas 3 has a dtype for text; before, text stands in object columns.
TEXT_DTYPE: Any = "str" if int(pd.__version__.split(".")[0]) >= 3 else "object"

Mask = NDArray[np.bool_]


def read_column(field: Field, cells: pd.Series) -> tuple[pd.Series, Mask]:
    """Return a column in the field's own type, and which cells the field refuses.

    A refused cell is missing in the column. Columns that have the right type already
    are checked without a loop; of the others each distinct value is read once.
    """
    if field.kind == "number" and _is_numeric(cells):
        values, refused = _check_numbers(field, cells)
    elif field.kind == "boolean" and _is_boolean(cells):
        values = cells.array.astype("boolean")
        refused = np.zeros(len(cells), dtype=bool)
    elif field.kind == "category" and _has_categories_of(field, cells):
        values = cells.array.set_categories(list(field.category_names), ordered=False)
        refused = np.zeros(len(cells), dtype=bool)
    else:
        values, refused = _read_distinct(field, cells)
    return pd.Series(values, index=cells.index, name=field.name), refused


def category_dtype(field: Field) -> pd.CategoricalDtype:
    """Return the dtype of a categorical field: all its categories, in order."""
    return pd.CategoricalDtype(list(field.category_names))


def _is_numeric(cells: pd.Series) -> bool:
    return getattr(cells.dtype, "kind", "O") in "iuf" and not _is_categorical(cells)


def _is_boolean(cells: pd.Series) -> bool:
    return getattr(cells.dtype, "kind", "O") == "b" and not _is_categorical(cells)


def _is_categorical(cells: pd.Series) -> bool:
    return isinstance(cells.dtype, pd.CategoricalDtype)


def _has_categories_of(field: Field, cells: pd.Series) -> bool:
    dtype = cells.dtype
    return isinstance(dtype, pd.CategoricalDtype) and set(dtype.categories) <= set(
        field.category_names
    )


def _check_numbers(field: Field, cells: pd.Series) -> tuple[Any, Mask]:
    values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    lowest = -np.inf if field.minimum is None else field.minimum
    highest = np.inf if field.maximum is None else field.maximum
    allowed = (values >= lowest) & (values <= highest) & np.isfinite(values)
    if field.integer:
        allowed &= values == np.floor(values)
    refused = ~allowed & ~np.isnan(values)
    return np.where(refused, np.nan, values) if refused.any() else values, refused


def _read_distinct(field: Field, cells: pd.Series) -> tuple[Any, Mask]:
    codes, distinct = _distinct(cells)
    found = [read_value(field, value) for value in distinct]
    refused = np.array([value is INVALID for value in found] + [False])
    # The last entry stands for a missing cell, whose code is -1.
    known = [None if value is INVALID else value for value in found] + [None]
    return _typed(field, known, codes), refused[codes]


def _distinct(cells: pd.Series) -> tuple[NDArray[np.intp], list[Any]]:
    dtype = cells.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = np.asarray(cells.cat.codes, dtype=np.intp)
        return codes, list(dtype.categories)
    # Other objects are not told apart by their hash: True and 1 are equal.
    if dtype.kind == "O" and pd.api.types.infer_dtype(cells, skipna=True) != "string":
        return np.arange(len(cells)), list(cells)
    numbers, distinct = pd.factorize(cells)
    return numbers, list(distinct)


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
