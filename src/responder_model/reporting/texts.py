"""Sentences and numbers of the report, and the tables of its checklists."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from responder_model import words
from responder_model.words.numbers import format_number, format_percent

DIRECTORY = "reporting/words"


@cache
def read_texts(name: str) -> dict[str, Any]:
    """Return a packaged TOML file of texts."""
    path = files("responder_model") / DIRECTORY / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def say(key: str, lang: str, /, **parts: object) -> str:
    """Sentence of a key in a language, its gaps filled.

    Examples
    --------
    >>> say("patients", "fr")
    'patients'
    """
    return words.say(f"report.{key}", lang, **parts)


def number(value: float | None, lang: str, spec: str = ".3g") -> str:
    """Number with the decimal mark of the language; a dash for none.

    Examples
    --------
    >>> number(0.6524, "fr"), number(None, "en"), number(-0.1, "en")
    ('0,652', '–', '−0.1')
    """
    if value is None or value != value:
        return "–"
    rounded = float(format(value, spec))
    text = format_number(rounded + 0.0, lang, spec)
    return text.replace("-", "\N{MINUS SIGN}")


def p_value(value: float, lang: str) -> str:
    """p-value to two decimals, never 0.

    Examples
    --------
    >>> p_value(0.0001, "fr"), p_value(0.034, "en")
    ('< 0,01', '0.03')
    """
    if value < 0.005:
        return f"< {number(0.01, lang, '.2f')}"
    return number(value, lang, ".2f")


def interval(
    low: float | None, high: float | None, lang: str, spec: str = ".3g"
) -> str:
    """Two limits in words; empty without them.

    Examples
    --------
    >>> interval(0.1, 0.25, "en")
    '0.1 to 0.25'
    """
    if low is None or high is None or low != low or high != high:
        return ""
    return between(number(low, lang, spec), number(high, lang, spec), lang)


def between(low: str, high: str, lang: str) -> str:
    """Two limits as they are written, in words."""
    return words.say("signs.to", lang, low=low, high=high)


def percent(value: float | None) -> str:
    """Whole percentage; a dash for none."""
    return "–" if value is None or value != value else format_percent(value)
