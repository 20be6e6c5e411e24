"""JSON as a model folder and the server allow it: finite, flat enough, keys once."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from responder_model.errors import UntrustedModelError
from responder_model.words import Note

# Deepest nesting that a model file needs is about ten.
MAX_DEPTH = 32
_HOLD = frozenset({dict, list})
_NAME_END = re.compile(r'"\s*:')
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(data: bytes, name: str | Note, depth: int = MAX_DEPTH) -> Any:
    """Read JSON from a file called ``name``; no refusal quotes what stands in it.

    Raises
    ------
    UntrustedModelError
        For text that is not JSON, a key given twice, half a character, NaN or infinite
        numbers, or nesting deeper than ``depth``.

    Examples
    --------
    >>> parse_json(b'{"weight": 0.5}', "model.json")
    {'weight': 0.5}
    """

    def refuse_constant(_: str) -> Any:
        raise UntrustedModelError(Note("json.finite", name=name))

    def finite(number: str) -> float:
        value = float(number)
        # 1e999 becomes infinite
        return value if math.isfinite(value) else refuse_constant(number)

    try:
        text = data.decode("utf-8")
        value = json.loads(text, parse_float=finite, parse_constant=refuse_constant)
        # an escaped half of a surrogate pair cannot be written again
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise UntrustedModelError(_too_deep(name, depth)) from None
    except ValueError:
        raise UntrustedModelError(Note("json.not_json", name=name)) from None
    # a quote before a colon ends a name, or stands in a text: then all are looked at
    if _count_names(value, name, depth) != len(_NAME_END.findall(text)):
        _check_unique(text, name)
    return value


def _too_deep(name: str | Note, depth: int) -> Note:
    return Note("json.too_deep", name=name, depth=depth)


def _count_names(value: Any, name: str | Note, depth: int) -> int:
    """How many names all objects have; refuses deep nesting."""
    level = [value] if type(value) in _HOLD else []
    found = 0
    for _ in range(depth):
        found += sum(len(node) for node in level if type(node) is dict)
        # what was parsed has these types and no other
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) in _HOLD
        ]
        if not level:
            return found
    raise UntrustedModelError(_too_deep(name, depth))


def _check_unique(text: str, name: str | Note) -> None:
    """Refuse a name that an object has twice."""

    def check(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) != len(pairs):
            raise UntrustedModelError(Note("json.key_twice", name=name))

    json.loads(text, object_pairs_hook=check)


def render_json(value: Any) -> bytes:
    """Write JSON that a person can read: a line per entry, rows of numbers on one.

    Floats are written so that they read back bit for bit.

    Examples
    --------
    >>> print(render_json({"a": [1.0, 2.0], "b": {"c": None}}).decode(), end="")
    {
     "a": [1.0, 2.0],
     "b": {
      "c": null
     }
    }
    """
    return (_render(value, "\n") + "\n").encode()


_NESTED = frozenset((dict, list, tuple))


def _render(value: Any, indent: str) -> str:
    inner = indent + " "
    if isinstance(value, dict) and value:
        rows = [f"{_scalar(str(k))}: {_render(v, inner)}" for k, v in value.items()]
        return "{" + inner + f",{inner}".join(rows) + indent + "}"
    if isinstance(value, list | tuple) and not _NESTED.isdisjoint(map(type, value)):
        rows = [_render(item, inner) for item in value]
        return "[" + inner + f",{inner}".join(rows) + indent + "]"
    return _scalar(value)


# one encoder for all: a new one for every number takes longer than the number
_scalar = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def canonical_json(value: Any) -> bytes:
    r"""Write a value the one way: sorted keys, no spaces, one final newline.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}\n'
    """
    text = json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )
    return (text + "\n").encode()
