"""Read a parsed document field by field, and say where it breaks a rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from responder_model.errors import UntrustedModelError
from responder_model.features import Array
from responder_model.words import Note

# Longest name or note that a model carries.
MAX_TEXT = 2000
# Largest number: far beyond any model, and its products do not overflow.
MAX_NUMBER = 1e12


@dataclass(frozen=True, kw_only=True)
class Node:
    """One table of a document and its place, such as ``model.json: linear[0]``."""

    value: dict[str, Any]
    place: str

    @classmethod
    def of(cls, value: Any, place: str, keys: Iterable[str] | None = None) -> Node:
        """Node of a table with exactly these keys (any, when None)."""
        node = cls(value=value if isinstance(value, dict) else {}, place=place)
        if not isinstance(value, dict):
            node.refuse("be a table")
        if keys is not None and set(value) != set(keys):
            wrong = sorted(set(value) ^ set(keys))
            node.refuse(f"have exactly its own entries, got {', '.join(wrong)}")
        return node

    def refuse(self, rule: str | Note) -> NoReturn:
        """Raise: this place must <rule>.

        Text is for what only a forged folder breaks, and said in English.
        """
        key = "rule" if isinstance(rule, Note) else "forged"
        raise UntrustedModelError(Note(f"artifact.{key}", place=self.place, rule=rule))

    def _at(self, key: str) -> str:
        return f"{self.place}.{key}"

    def table(self, key: str, keys: Iterable[str] | None = None) -> Node:
        """Return a table below this one."""
        return Node.of(self.value.get(key), self._at(key), keys)

    def tables(self, key: str, keys: Iterable[str]) -> list[Node]:
        """Return a list of tables below this one."""
        keys = tuple(keys)
        return [
            Node.of(row, f"{self._at(key)}[{k}]", keys)
            for k, row in enumerate(self.items(key))
        ]

    def items(self, key: str) -> list[Any]:
        """Return a list below this one."""
        value = self.value.get(key)
        if not isinstance(value, list):
            Node(value={}, place=self._at(key)).refuse("be a list")
        return value

    def text(self, key: str, allowed: Iterable[str] | None = None) -> str:
        """Return a text, or one of the allowed ones."""
        return self._text(self.value.get(key), key, allowed)

    def texts(self, key: str, allowed: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return a list of texts, each once."""
        allowed = None if allowed is None else tuple(allowed)
        found = tuple(self._text(value, key, allowed) for value in self.items(key))
        if len(set(found)) != len(found):
            Node(value={}, place=self._at(key)).refuse("name everything once")
        return found

    def _text(self, value: Any, key: str, allowed: Iterable[str] | None) -> str:
        node = Node(value={}, place=self._at(key))
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            node.refuse(f"be text of at most {MAX_TEXT} characters")
        if not value.replace("\n", "").isprintable():
            node.refuse("be printable text")
        if allowed is not None and value not in tuple(allowed):
            node.refuse(f"be known to the dictionary, got {value[:40]!r}")
        return value

    def number(
        self, key: str, low: float = -MAX_NUMBER, high: float = MAX_NUMBER
    ) -> float:
        """Return a finite number between bounds."""
        value = self.value.get(key)
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not low <= value <= high
        ):
            rule = f"be a number from {low:g} to {high:g}"
            Node(value={}, place=self._at(key)).refuse(rule)
        return float(value)

    def count(self, key: str, most: float = MAX_NUMBER) -> int:
        """Return a whole number, 0 or more."""
        value = self.value.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            Node(value={}, place=self._at(key)).refuse("be a whole number, 0 or more")
        return int(self.number(key, 0.0, most))

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self.value.get(key)
        if not isinstance(value, bool):
            Node(value={}, place=self._at(key)).refuse("be true or false")
        return value

    def array(self, key: str, shape: tuple[int, ...]) -> Array:
        """Return finite numbers of one shape."""
        node = Node(value={}, place=self._at(key))
        try:
            array = np.array(self.value.get(key), dtype=object)
            ragged = array.shape != shape
        except ValueError:
            ragged = True
        if ragged:
            node.refuse(f"have shape {shape}")
        if not all(type(value) in (int, float) for value in array.ravel()):
            node.refuse("hold numbers")
        try:
            numbers = array.astype(np.float64)
        except OverflowError:
            # a whole number of more digits than a float holds
            numbers = np.array([np.inf])
        if not (np.abs(numbers) <= MAX_NUMBER).all():
            node.refuse(f"hold numbers up to {MAX_NUMBER:g}")
        return numbers

    def covariance(self, key: str, size: int) -> Array:
        """Return a covariance from its lower triangle, row by row."""
        node = Node(value={}, place=self._at(key))
        rows = self.items(key)
        lengths = [len(row) if isinstance(row, list) else -1 for row in rows]
        if lengths != list(range(1, size + 1)):
            node.refuse(f"be the lower triangle of shape {(size, size)}")
        flat = Node(value={"_": sum(rows, [])}, place=node.place)
        matrix = np.zeros((size, size))
        matrix[np.tril_indices(size)] = flat.array("_", (size * (size + 1) // 2,))
        matrix = matrix + np.tril(matrix, -1).T
        # as correlations: a large variance must not hide what is wrong elsewhere
        variance = np.diag(matrix)
        sd = np.sqrt(np.where(variance > 0.0, variance, 1.0))
        if size and (
            variance.min() < 0.0
            or np.linalg.eigvalsh(matrix / np.outer(sd, sd)).min() < -1e-8
        ):
            node.refuse("be a covariance, without negative variance")
        return matrix


def lower_triangle(matrix: Array) -> list[list[float]]:
    """Rows of the lower triangle of a symmetric matrix.

    Examples
    --------
    >>> lower_triangle(np.array([[2.0, 1.0], [1.0, 3.0]]))
    [[2.0], [1.0, 3.0]]
    """
    return [row[: k + 1] for k, row in enumerate(matrix.tolist())]
