"""Units that people write, and what they are in the unit of a field."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache

from responder_model.schema import Field
from .synonyms import synonyms
from .text import without_accents

_OWN = {
    "years": "year",
    "months": "month",
    "days": "day",
    "%": "percent",
    "points": "point",
    "sessions": "session",
}
_DAYS = {
    "year": Fraction(1461, 4),
    "month": Fraction(1461, 48),
    "week": Fraction(7),
    "day": Fraction(1),
    "hour": Fraction(1, 24),
}
_NUMBER = r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:e[+-]?[0-9]+)?"
_WORDS = {
    **dict.fromkeys(("un", "une", "one"), 1),
    **dict.fromkeys(("deux", "two"), 2),
    **dict.fromkeys(("trois", "three"), 3),
    **dict.fromkeys(("quatre", "four"), 4),
    **dict.fromkeys(("cinq", "five"), 5),
    **dict.fromkeys(("six",), 6),
    **dict.fromkeys(("sept", "seven"), 7),
    **dict.fromkeys(("huit", "eight"), 8),
    **dict.fromkeys(("neuf", "nine"), 9),
    **dict.fromkeys(("dix", "ten"), 10),
}
_OF_SCALE = rf"({_NUMBER}) ?(?:/|sur|out of) ?([0-9]+)"


def own_unit(field: Field) -> str | None:
    """Unit of a field by the name that ``synonyms.toml`` gives it."""
    return _OWN.get(field.unit["en"]) if field.unit else None


def factor(field: Field, unit: str) -> Fraction | None:
    """What one of a unit is in the unit of a field, None where it is no such unit.

    A unit is a name of ``synonyms.toml`` or "/10" for a scale that ends at 10.

    Examples
    --------
    >>> from responder_model.schema import dictionary
    >>> fields = dictionary().fields
    >>> factor(fields["pain_duration"], "year"), factor(fields["age"], "percent")
    (Fraction(12, 1), None)
    >>> factor(fields["pain_intensity"], "/100"), factor(fields["dn4"], "/7")
    (Fraction(1, 10), None)
    """
    own = own_unit(field)
    if own is None:
        return None
    if unit == own:
        return Fraction(1)
    if (own, unit) == ("percent", "fraction"):
        return Fraction(100)
    if own in _DAYS and unit in _DAYS:
        return _DAYS[unit] / _DAYS[own]
    return _of_scale(field, own, unit)


def _of_scale(field: Field, own: str, unit: str) -> Fraction | None:
    ends = {"millimetre": 100, "centimetre": 10}
    end = int(unit[1:]) if unit.startswith("/") else ends.get(unit)
    if end is None or field.maximum is None or own not in ("point", "percent"):
        return None
    if end == field.maximum and (own == "point" or unit.startswith("/")):
        return Fraction(1)
    # a visual scale of 100 mm; no other scale may be stretched
    if (own, end, field.maximum, field.integer) == ("point", 100, 10, False):
        return Fraction(1, 10)
    return None


def unit_named(text: str) -> str | None:
    """Name of a unit that somebody writes, as ``factor`` takes it.

    Examples
    --------
    >>> unit_named("ans"), unit_named("/100"), unit_named("furlong")
    ('year', '/100', None)
    """
    folded = " ".join(without_accents(text).split())
    scale = re.fullmatch(r"/ ?([0-9]+)", folded)
    return f"/{int(scale[1])}" if scale else _units().get(folded)


def convert(number: float, ratio: Fraction) -> float:
    """Number in another unit, exact where binary arithmetic allows."""
    return number * ratio.numerator / ratio.denominator


def read_quantity(field: Field, text: str) -> float | None:
    """Number of a field from a text that names its units, None where it does not.

    Examples
    --------
    >>> from responder_model.schema import dictionary
    >>> fields = dictionary().fields
    >>> read_quantity(fields["pain_duration"], "2 ans et 6 mois")
    30.0
    >>> read_quantity(fields["pain_intensity"], "7/10")
    7.0
    >>> read_quantity(fields["pain_duration"], "> 10 ans") is None
    True
    """
    folded = " ".join(without_accents(text).replace("½", ",5").split())
    scaled = re.fullmatch(_OF_SCALE, folded)
    if scaled:
        ratio = factor(field, f"/{int(scaled[2])}")
        return None if ratio is None else convert(_number(scaled[1]), ratio)
    return _sum_of_parts(field, folded)


def _sum_of_parts(field: Field, text: str) -> float | None:
    total, place, smallest = 0.0, 0, None
    while place < len(text):
        part = _part().match(text, place)
        ratio = factor(field, _units()[part["unit"]]) if part else None
        # "6 months and 2 years", or twice the same: something else is meant
        if not part or ratio is None or (smallest is not None and ratio >= smallest):
            return None
        number = _number(part["number"]) + (0.5 if part["half"] else 0)
        if smallest is not None and number < 0:
            return None
        total, place, smallest = total + convert(number, ratio), part.end(), ratio
    return None if smallest is None else total


def _number(text: str) -> float:
    return float(_WORDS.get(text) or text.replace(",", "."))


@cache
def _units() -> dict[str, str]:
    table = synonyms()
    return {
        word: unit
        for part in (table["units"], table["short_units"])
        for unit, words in part.items()
        for word in words
    }


@cache
def _part() -> re.Pattern[str]:
    units = "|".join(map(re.escape, sorted(_units(), key=len, reverse=True)))
    words = "|".join(_WORDS)
    return re.compile(
        rf"(?:\s|,|et\b|and\b)*(?P<number>{_NUMBER}|(?:{words})\b) ?(?P<unit>{units})"
        r"(?![a-z])\.?(?P<half> et demie?\b| and a half\b)?"
    )
