"""A data frame that R saved, as .rds or .RData."""

from __future__ import annotations

import bz2
import gzip
import lzma
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from responder_model.errors import MissingExtraError
from responder_model.words import Note
from .table import Source, unreadable
from .variables import (
    Show,
    Variable,
    most_cells,
    number_cells,
    of_values,
    show_moment,
    source_of_variables,
    text_cells,
    too_large,
    without_codes,
)

_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_OPENERS: dict[bytes, Any] = {_GZIP: gzip.open, _BZIP2: bz2.open, _XZ: lzma.open}
# How a saved workspace starts, and one object; after unpacking.
_WORKSPACES = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n")
_OBJECTS = (b"X\n\0\0\0", b"A\n2\n", b"A\n3\n", b"B\n\2\0", b"B\n\3\0")
_START = datetime(1970, 1, 1)
# Unpacked, a file of R is at most so many times as large, small ones aside.
_FREE_BYTES, _MOST_TIMES = 64 << 20, 40


def open_r(path: Path) -> Source:
    """Open what R saved, where it holds one data frame."""
    data = _unpacked(path)
    if not data.startswith(_WORKSPACES + _OBJECTS):
        raise unreadable(Note("formats.packed"), Note("formats.unpacked"))
    frames = dict(_frames(_parsed(data, most_cells(path.stat().st_size))))
    if len(frames) != 1:
        found = (
            Note("formats.frames", n=len(frames), names=tuple(sorted(frames)))
            if frames
            else Note("formats.no_frame")
        )
        raise unreadable(found, Note("formats.one_frame"))
    (frame,) = frames.values()
    variables = list(_variables(frame))
    n_rows = {len(variable.cells) for variable in variables}
    if len(n_rows) > 1:
        raise unreadable()
    if sum(n_rows) * len(variables) > most_cells(path.stat().st_size):
        raise too_large()
    return source_of_variables(variables)


def _unpacked(path: Path) -> bytes:
    """Content of a file, of which no more is unpacked than memory holds."""
    with path.open("rb") as file:
        start = file.read(6)
    most = _FREE_BYTES + _MOST_TIMES * path.stat().st_size
    for mark, opener in _OPENERS.items():
        if start.startswith(mark):
            with opener(path, "rb") as packed:
                data: bytes = packed.read(most + 1)
            if len(data) > most:
                raise too_large()
            return data
    return path.read_bytes()


def _parsed(data: bytes, most: int) -> Any:
    """R's object, as its parser gives it; sequences are not written out past reason."""
    try:
        from rdata.parser import DEFAULT_ALTREP_MAP, parse_data
    except ModuleNotFoundError:
        raise MissingExtraError(library="rdata", extra="formats") from None

    def bounded(constructor: Any) -> Any:
        def construct(state: Any) -> Any:
            values = state.value
            if isinstance(values, np.ndarray) and values[0] > most:
                raise too_large()
            return constructor(state)

        return construct

    extension = ".RData" if data.startswith(_WORKSPACES) else ".rds"
    sequences = {name: bounded(make) for name, make in DEFAULT_ALTREP_MAP.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = parse_data(
            data, extension=extension, altrep_constructor_dict=sequences
        )
    return parsed.object


# ---------------------------------------------------------------- R's values


def _frames(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Data frames of an object or of a workspace, with their names."""
    if "data.frame" in _texts(_attributes(value).get("class")):
        yield name, value
    elif value.info.type.name == "LIST" and not name:
        for key, item in _pairs(value):
            yield from _frames(item, key)


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Names and values of R's linked list."""
    while value is not None and value.info.type.name == "LIST":
        symbol = value.tag
        while symbol is not None and symbol.info.type.name == "REF":
            symbol = symbol.referenced_object
        item, value_rest = value.value
        yield (symbol and _text(symbol.value)) or "", item
        value = value_rest


def _attributes(value: Any) -> dict[str, Any]:
    return dict(_pairs(value.attributes)) if value.attributes is not None else {}


def _text(value: Any) -> str | None:
    """One string of R; None for its NA."""
    if value.value is None:
        return None
    raw: bytes = value.value
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _texts(value: Any) -> list[str]:
    if value is None or value.info.type.name != "STR":
        return []
    return [_text(item) or "" for item in value.value]


def _variables(frame: Any) -> Iterator[Variable]:
    names = _texts(_attributes(frame).get("names"))
    for name, column in zip(names, frame.value, strict=True):
        yield _variable(name, column)


def _variable(name: str, column: Any) -> Variable:
    about = _attributes(column)
    label = next(iter(_texts(about.get("label"))), "")
    reasons: Counter[str] = Counter()
    cells = _cells(column, about, reasons)
    return Variable(name=name, label=label, cells=cells, reasons=reasons)


def _cells(column: Any, about: Mapping[str, Any], reasons: Counter[str]) -> pd.Series:
    kind, classes = column.info.type.name, _texts(about.get("class"))
    if kind == "STR":
        texts = [_text(item) for item in column.value]
        return text_cells(texts, _labels(about))
    if kind == "LGL":
        values = np.ma.asarray(column.value)
        missing = np.ma.getmaskarray(values)
        known = values.filled(fill_value=False)
        return pd.Series(pd.arrays.BooleanArray(known, missing))
    if kind not in ("INT", "REAL"):
        # what holds no single values is refused where it is read
        nested = [f"<{kind.lower()}>"] * len(column.value)
        return text_cells(nested, {})
    if "integer64" in classes:
        return _long_integers(column.value)
    numbers = np.ma.filled(np.ma.asarray(column.value, dtype=np.float64), np.nan)
    # R's NA is a number that warns whoever calculates with it
    numbers = np.where(np.isnan(numbers), np.nan, numbers)
    if "factor" in classes:
        return _factor(numbers, _texts(about.get("levels")))
    labels, ranges = _labels(about), _ranges(about)
    numbers = without_codes(numbers, ranges, labels, reasons)
    return number_cells(numbers, of_values(labels, ranges), _shown(classes, about))


def _long_integers(values: Any) -> pd.Series:
    """Integers of bit64, which stand in the bits of numbers."""
    integers = np.asarray(values, dtype=np.float64).view(np.int64)
    missing = integers == np.iinfo(np.int64).min
    cells: pd.Series = pd.Series(pd.arrays.IntegerArray(integers, missing))
    return cells


def _factor(codes: Any, levels: list[str]) -> pd.Series:
    places = np.where(np.isnan(codes), 0, codes).astype(np.intp) - 1
    factor = pd.Categorical.from_codes(places, pd.Index(levels, dtype=object))
    cells: pd.Series = pd.Series(factor)
    return cells


def _labels(about: Mapping[str, Any]) -> dict[Any, str]:
    """Codes and words that haven keeps of SPSS, Stata and SAS."""
    labels = about.get("labels")
    if labels is None or labels.info.type.name not in ("INT", "REAL", "STR"):
        return {}
    words = _texts(_attributes(labels).get("names"))
    if labels.info.type.name == "STR":
        return dict(zip(_texts(labels), words, strict=True))
    return dict(zip(_numbers(labels), words, strict=True))


def _ranges(about: Mapping[str, Any]) -> list[tuple[float, float]]:
    """What haven keeps of missing codes of SPSS."""
    ranges = [(code, code) for code in _numbers(about.get("na_values"))]
    if bounds := _numbers(about.get("na_range")):
        ranges.append((bounds[0], bounds[1]))
    return ranges


def _numbers(value: Any) -> list[float]:
    if value is None or value.info.type.name not in ("INT", "REAL"):
        return []
    return [float(number) for number in value.value]


def _shown(classes: list[str], about: Mapping[str, Any]) -> Show | None:
    """How dates and spans of time are shown: as no number."""
    if "Date" in classes:
        return partial(show_moment, start=_START, unit=86_400.0)
    if "POSIXct" in classes:
        return partial(show_moment, start=_START, unit=1.0)
    if {"difftime", "hms"} & set(classes):
        unit = next(iter(_texts(about.get("units"))), "")
        return lambda number: f"{number:g} {unit}"
    return None
