"""Values that nobody can change, because everybody in a process shares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, NoReturn, TypeVar

__all__ = [
    "FrozenDict",
    "freeze",
]

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

# What nobody can change, told before anything slower is asked.
_PLAIN = frozenset({str, float, int, bool, bytes, type(None)})


class FrozenDict(dict[K, V]):
    """A dict that refuses every change; it pickles, and ``copy`` gives a plain one.

    Examples
    --------
    >>> FrozenDict(a=1)["a"] = 2
    Traceback (most recent call last):
    TypeError: a FrozenDict must not be changed. Change a copy of it: dict(value).
    """

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        """Say that nothing may be changed."""
        msg = "a FrozenDict must not be changed. Change a copy of it: dict(value)."
        raise TypeError(msg)

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        # a dict is filled item by item when it is unpickled
        return type(self), (dict(self),)


def freeze(value: T) -> T:
    """Return a value that cannot be changed, down to its last array.

    Arrays become read-only copies, mappings a ``FrozenDict``, lists tuples; dataclasses
    are made again from frozen parts. What is frozen already comes back as it is, not
    even looked at where it says so itself (``is_frozen``).

    Examples
    --------
    >>> freeze({"rows": [1, {"mean": [0.5]}]})
    {'rows': (1, {'mean': (0.5,)})}
    """
    if type(value) in _PLAIN or _is_plain_tuple(value):
        return value
    frozen: Any = value
    if getattr(value, "is_frozen", False):
        return value
    # an array, told by its flags because numpy is not imported here
    if hasattr(value, "setflags"):
        frozen = _read_only(value)
    elif isinstance(value, Mapping):
        parts = {key: freeze(part) for key, part in value.items()}
        if not isinstance(value, FrozenDict) or _differ(parts.values(), value.values()):
            frozen = FrozenDict(parts)
    elif isinstance(value, list | tuple):
        items = tuple(map(freeze, value))
        if isinstance(value, list) or _differ(items, value):
            frozen = items
    elif is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        now = [getattr(value, name) for name in names]
        due = [freeze(part) for part in now]
        if _differ(due, now):
            frozen = replace(value, **dict(zip(names, due, strict=True)))
    return frozen  # type: ignore[no-any-return]


def _is_plain_tuple(value: Any) -> bool:
    return type(value) is tuple and all(type(part) in _PLAIN for part in value)


def _read_only(array: Any) -> Any:
    if not array.flags.writeable:
        return array
    copy = array.copy(order="K")
    copy.setflags(write=False)
    return copy


def _differ(new: Any, old: Any) -> bool:
    return any(a is not b for a, b in zip(new, old, strict=True))
