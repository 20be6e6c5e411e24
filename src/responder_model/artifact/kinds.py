"""Plain data as the annotations of a class say, checked down to its last part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from responder_model.errors import UntrustedModelError
from responder_model.frozen import FrozenDict
from responder_model.words import Note
from .node import MAX_NUMBER, MAX_TEXT

T = TypeVar("T")
Reader = Callable[[Any], Any]


class _KindError(Exception):
    """A part of another kind; its text is the way there, such as ``.rows[3].year``."""


def read_as(value: Any, kind: type[T], place: str) -> T:
    """Plain data as a value of a kind, with exactly the entries of each class.

    Understood are dataclasses (one that is made already is checked), ``tuple[X, ...]``,
    ``tuple[X, Y]``, ``Mapping[str, X]``, ``Literal``, ``X | None``, text, numbers, true
    or false. A number is finite, a text printable and not endless.

    Raises
    ------
    UntrustedModelError
        Names the first place that is of another kind.

    Examples
    --------
    >>> read_as([[1, "two"]], tuple[tuple[float, str], ...], "rows")
    ((1.0, 'two'),)
    >>> read_as([1.0, "two"], tuple[float, ...], "rows")
    Traceback (most recent call last):
    responder_model.errors.UntrustedModelError: rows[1] must be of its kind.
    """
    try:
        found: T = _reader(kind)(value)  # type: ignore[arg-type]
    except _KindError as error:
        said = Note("artifact.kind", place=f"{place}{error}")
        raise UntrustedModelError(said) from None
    return found


@cache
def _reader(kind: Any) -> Reader:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (one,) = (part for part in parts if part is not NoneType)
        read = _reader(one)
        return lambda value: None if value is None else read(value)
    if origin is Literal:
        return _plain(lambda value: value in parts)
    if is_dataclass(kind):
        return _record(kind)
    if origin is tuple:
        return _tuple(parts)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_reader(parts[1]))
    if kind is str:
        return _plain(_is_text)
    if kind is float:
        return _number
    return _plain(lambda value: type(value) is kind)


def _plain(fits: Callable[[Any], bool]) -> Reader:
    def read(value: Any) -> Any:
        if fits(value):
            return value
        raise _KindError

    return read


def _is_text(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MAX_TEXT
        and value.replace("\n", "").isprintable()
    )


def _number(value: Any) -> float:
    if type(value) in (int, float) and abs(value) <= MAX_NUMBER:
        return float(value)
    raise _KindError


def _record(kind: Any) -> Reader:
    kinds = get_type_hints(kind)
    readers = {row.name: _reader(kinds[row.name]) for row in fields(kind) if row.init}
    names = set(readers)

    def read(value: Any) -> Any:
        made = type(value) is kind
        if not made and not (isinstance(value, Mapping) and value.keys() == names):
            raise _KindError
        parts = {}
        for name, reader in readers.items():
            try:
                parts[name] = reader(getattr(value, name) if made else value[name])
            except _KindError as error:
                way = f".{name}{error}"
                raise _KindError(way) from None
        return value if made else kind(**parts)

    return read


def _tuple(parts: tuple[Any, ...]) -> Reader:
    endless = parts[-1] is Ellipsis
    readers = [_reader(part) for part in parts if part is not Ellipsis]

    def read(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise _KindError
        each = readers * len(value) if endless else readers
        if len(each) != len(value):
            raise _KindError
        found = []
        for k, (reader, part) in enumerate(zip(each, value, strict=True)):
            try:
                found.append(reader(part))
            except _KindError as error:
                way = f"[{k}]{error}"
                raise _KindError(way) from None
        return tuple(found)

    return read


def _mapping(reader: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, Mapping) or not all(map(_is_text, value)):
            raise _KindError
        found = {}
        for name, part in value.items():
            try:
                found[name] = reader(part)
            except _KindError as error:
                way = f".{name}{error}"
                raise _KindError(way) from None
        return FrozenDict(found)

    return read
