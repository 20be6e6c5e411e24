"""A number as a spreadsheet shows it: with its percent, unit and leading zeros."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

# Pieces of a number format: literal text, padding, what stands in brackets, characters.
_PIECE = re.compile(r'"([^"]*)"|\\(.)|[_*].|\[([^\]]*)\]|(.)', re.DOTALL)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?[\d.]+)")
_DIGITS = "0#?"
_TESTS = {
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "=": lambda a, b: a == b,
}


class _Section(NamedTuple):
    """One part of a format, which shows the numbers that meet its condition."""

    condition: tuple[str, float] | None
    before: str
    pattern: str  # digits, and what stands between them
    after: str
    percents: int


def shown(number: float, form: str) -> float | str:
    """Return a number, or the text that says more: percent, unit, leading zeros.

    Examples
    --------
    >>> shown(0.45, "0 %"), shown(45, "0_%"), shown(2, '0.0" ans"'), shown(7, "000")
    ('45 %', 45, '2 ans', '007')
    """
    section = _section_of(number, _sections(form))
    before, after = section.before.strip(), section.after.strip()
    if section.percents:
        number = number * 100**section.percents
        return f"{before}{number:.12g} %"
    digits = _with_zeros(number, section.pattern)
    if digits is None and not before and not after:
        return number
    return f"{before}{digits or f'{number:.15g}'} {after}".strip()


def _section_of(number: float, sections: tuple[_Section, ...]) -> _Section:
    for section in sections:
        if section.condition is not None:
            test, limit = section.condition
            if _TESTS[test](number, limit):
                return section
    plain = [section for section in sections if section.condition is None]
    if len(plain) < len(sections):
        return plain[0] if plain else sections[-1]
    place = 1 if number < 0 else 2 if number == 0 else 0
    return sections[place] if place < min(len(sections), 3) else sections[0]


@lru_cache(maxsize=512)
def _sections(form: str) -> tuple[_Section, ...]:
    pieces: list[list[re.Match[str]]] = [[]]
    for piece in _PIECE.finditer(form):
        if piece[4] == ";":
            pieces.append([])
        else:
            pieces[-1].append(piece)
    return tuple(map(_section, pieces))


def _section(pieces: list[re.Match[str]]) -> _Section:
    condition, percents = None, 0
    texts, pattern = ["", ""], ""
    for piece in pieces:
        quoted, escaped, bracket, char = piece.groups()
        literal = quoted or escaped or ""
        if bracket is not None:
            found = _CONDITION.fullmatch(bracket)
            if found:
                condition = (found[1], float(found[2]))
            elif bracket.startswith("$"):
                literal = bracket[1:].partition("-")[0]
        elif char == "%":
            percents += 1
        elif char is not None and (char in _DIGITS or (pattern and char in ".,/- ")):
            pattern += char
        if literal and pattern and literal in "/- ":
            pattern += literal
        elif literal:
            texts[bool(pattern)] += literal
    before, after = texts
    return _Section(condition, before, pattern, after, percents)


def _with_zeros(number: float, pattern: str) -> str | None:
    """Digits with the zeros before them that the pattern asks for, if it does."""
    whole = pattern.rstrip(" ,.-/")
    if (
        whole.count("0") < 2
        or set(whole) - set("0-/ ")
        or not float(number).is_integer()
    ):
        return None
    if number < 0:
        return None
    digits = list(f"{number:.0f}".zfill(whole.count("0")))
    written = []
    for char in reversed(whole):
        written.append(digits.pop() if char == "0" else char)
    return "".join(digits + written[::-1])
