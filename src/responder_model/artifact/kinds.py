"""Whether a value is what the annotations of its class say, down to its last part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from responder_model.artifact.node import MAX_NUMBER, MAX_TEXT


def misfit(value: Any, kind: Any, place: str = "value") -> str | None:
    """Place of the first part that is not of its kind; None where all are.

    Understood are dataclasses, ``tuple[X, ...]``, ``tuple[X, Y]``, ``Mapping[str, X]``,
    ``Literal``, unions, text, numbers, true or false, None. A number is finite, a text
    printable and not endless.

    Examples
    --------
    >>> misfit((1.0, "two"), tuple[float, ...])
    'value[1]'
    >>> misfit({"age": 54}, Mapping[str, float]) is None
    True
    """
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        found = [misfit(value, one, place) for one in get_args(kind)]
        return None if None in found else found[0]
    if origin is Literal:
        return None if value in get_args(kind) else place
    if isinstance(kind, type) and is_dataclass(kind):
        if type(value) is not kind:
            return place
        kinds = _kinds(kind)  # type: ignore[arg-type]
        names = [part.name for part in fields(kind) if part.init]
        pairs = [(getattr(value, name), kinds[name], name) for name in names]
    elif origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping) or not all(map(_is_text, value)):
            return place
        pairs = [(part, get_args(kind)[1], name) for name, part in value.items()]
    elif origin is tuple:
        return _misfit_of_tuple(value, get_args(kind), place)
    else:
        return None if _is_plain(value, kind) else place
    misfits = (misfit(part, one, f"{place}.{name}") for part, one, name in pairs)
    return next(filter(None, misfits), None)


@cache
def _kinds(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _misfit_of_tuple(value: Any, kinds: tuple[Any, ...], place: str) -> str | None:
    if not isinstance(value, tuple):
        return place
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(value) != len(kinds):
        return place
    misfits = (
        misfit(part, kind, f"{place}[{k}]")
        for k, (part, kind) in enumerate(zip(value, kinds, strict=True))
    )
    return next(filter(None, misfits), None)


def _is_plain(value: Any, kind: Any) -> bool:
    if kind is str:
        return _is_text(value)
    if kind is float:
        return type(value) in (int, float) and abs(value) <= MAX_NUMBER
    return type(value) is kind and kind in (bool, int, NoneType)


def _is_text(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MAX_TEXT
        and all(c.isprintable() or c == "\n" for c in value)
    )
