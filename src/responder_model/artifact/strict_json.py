"""JSON as a model folder and the server allow it: finite, flat enough, keys once."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

from responder_model.errors import UntrustedModelError
from responder_model.words import Note

# Deepest nesting that a model file needs is about ten.
MAX_DEPTH = 32
_HOLD = frozenset({dict, list})
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(data: bytes, name: str | Note) -> Any:
    """Read JSON from a file called ``name``; no refusal quotes what stands in it.

    Raises
    ------
    UntrustedModelError
        For text that is not JSON, a key given twice, half a character, NaN or infinite
        numbers, or nesting deeper than ``MAX_DEPTH``.

    Examples
    --------
    >>> parse_json(b'{"weight": 0.5}', "model.json")
    {'weight': 0.5}
    """

    def refuse_constant(_: str) -> Any:
        raise UntrustedModelError(Note("json.finite", name=name))

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) != len(pairs):
            raise UntrustedModelError(Note("json.key_twice", name=name))
        return table

    try:
        text = data.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=unique, parse_constant=refuse_constant
        )
        # an escaped half of a surrogate pair cannot be written again
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise UntrustedModelError(_too_deep(name)) from None
    except ValueError:
        raise UntrustedModelError(Note("json.not_json", name=name)) from None
    _check_tree(value, name)
    return value


def _too_deep(name: str | Note) -> Note:
    return Note("json.too_deep", name=name, depth=MAX_DEPTH)


def _check_tree(value: Any, name: str | Note) -> None:
    """Refuse deep nesting, and numbers such as 1e999 that become infinite."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            children: Iterable[Any] = node.values() if type(node) is dict else node
            for child in children if type(node) in _HOLD else (node,):
                # what was parsed has these types and no other
                if type(child) in _HOLD:
                    below.append(child)
                elif type(child) is float and not math.isfinite(child):
                    raise UntrustedModelError(Note("json.finite", name=name))
        if not below:
            return
        level = below
    raise UntrustedModelError(_too_deep(name))


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
