"""Headings by synonyms: the field that is meant, and the unit that is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache

from responder_model.schema import Dictionary, Field
from .heading import Heading, key_of, own_words
from .synonyms import LIKENESS, Names, Phrases, phrases, sets_of, synonyms
from .text import words_of
from .units import factor
from .values import INVALID, is_yes_or_no, read_value

# More fields than these at once are no suggestion.
MOST_LIKELY = 2
# Letters from which a name that a program cut short, as SAS to 8, tells the field.
FEWEST_LETTERS = 6
_DIGITS = re.compile("[0-9]+")
_COMPARISON = re.compile("[<>≤≥=~≈]")
_SCALE = re.compile(
    r"(?:/|\bsur\b|\bout of\b)\s*([0-9]+)\b|\b0\s*(?:-|–|—|à|to)\s*([0-9]+)\b", re.I
)
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_BETWEEN_ANSWERS = re.compile(r"[/|,;]|\bou\b|\bor\b", re.I)


@cache
def _phrases() -> Phrases:
    table = synonyms()
    own = table["headings"]
    # before a unit "en" is the French preposition, not a numeric scale
    prefixed = {u: [f"en {word}" for word in row] for u, row in table["units"].items()}
    rows = [own["same"], table["units"], prefixed]
    return phrases(rows, own["filler"], split_numbers=True)


@lru_cache(maxsize=8)
def _fields_by_names(table: Dictionary, rows: str) -> Mapping[Names, tuple[Field, ...]]:
    """Fields by every set of names that means them; ``rows`` as in the file."""
    known = _phrases()
    found: dict[Names, dict[str, Field]] = {}
    for name, field in table.fields.items():
        patterns = synonyms()["headings"][rows].get(name, ())
        sets = [
            s for p in patterns for s in sets_of(p, known, set(known.names.values()))
        ]
        if rows == "fields":
            texts = (name, *field.label.values())
            sets += [frozenset(sum(known.read(text), [])) for text in texts]
        for names in sets:
            found.setdefault(names, {})[name] = field
    return {names: tuple(fields.values()) for names, fields in found.items()}


@lru_cache(maxsize=4096)
def by_synonyms(table: Dictionary, text: str) -> Heading | None:
    """Heading whose every word is understood, else None."""
    if _COMPARISON.search(text):
        return None
    text = _BRACKETS.sub(_long_unit, text)
    heading = _read(table, text)
    inside = _BRACKETS.findall(text)
    if heading is not None or not inside:
        return heading
    # "(oui/non)" names answers of the field, and nothing else
    heading = _read(table, _BRACKETS.sub(" ", text))
    answers = [part for words in inside for part in _BETWEEN_ANSWERS.split(words)]
    if heading is None or not all(_is_answer(heading.field, a) for a in answers):
        return None
    return heading


def _long_unit(inside: re.Match[str]) -> str:
    """Brackets that hold a short unit with the unit written out: "(j)" is "(day)"."""
    word = inside[1].strip().casefold()
    short = synonyms()["short_units"].items()
    return next((f"({unit})" for unit, row in short if word in row), inside[0])


def _is_answer(field: Field, text: str) -> bool:
    if field.kind not in ("boolean", "category"):
        return False
    word = text.strip()
    return is_yes_or_no(word) or read_value(field, word) not in (None, INVALID)


def _read(table: Dictionary, text: str) -> Heading | None:
    scales = [unit for unit in units_in(text) if unit.startswith("/")]
    names = _names(text)
    for kept, units in _lightened(names):
        fields = _fields_by_names(table, "fields").get(kept, ())
        written = [*units, *scales]
        if len(fields) == 1 and _fits(fields[0], names - kept):
            return _with_unit(fields[0], written)
    return None


def units_in(text: str) -> list[str]:
    """Units and ends of scales that a heading names."""
    scales = [first or second for first, second in _SCALE.findall(text)]
    return [*(_names(text) & _units()), *(f"/{int(end)}" for end in scales)]


def _names(text: str) -> Names:
    """Names of what a heading says besides a scale; unknown words as they are."""
    words = _SCALE.sub(" ", text).replace("%", " percent ")
    return frozenset(sum(_phrases().read(words), []))


def _lightened(names: Names) -> Iterator[tuple[Names, Names]]:
    """Names without what may be dropped, less and less; and the units dropped."""
    units = names & _units()
    light = names & {*synonyms()["headings"]["optional"], "baseline"}
    for dropped in (frozenset(), units, light, units | light):
        if names - dropped:
            yield names - dropped, dropped & units


def _fits(field: Field, dropped: Names) -> bool:
    # "before" and "at inclusion" are said of what is known then
    return "baseline" not in dropped or field.known_from == "screening"


def _units() -> set[str]:
    # a session is counted, but first of all it is one of the sessions
    return set(synonyms()["units"]) - {"session"}


def _with_unit(field: Field, written: list[str]) -> Heading | None:
    """Heading whose unit is understood; None where it is no unit of the field."""
    ratios = {factor(field, unit) for unit in written}
    if not ratios:
        return Heading(field=field)
    if len(ratios) > 1 or None in ratios:
        return None
    return Heading(field=field, unit=None if ratios == {1} else written[0])


# ---------------------------------------------------------------- what may be meant


@lru_cache(maxsize=4096)
def likely(table: Dictionary, text: str) -> tuple[Field, ...]:
    """Fields that a heading may mean, the likeliest first."""
    own = own_words(table)
    cut = dict.fromkeys(own[word] for word in own if word.startswith(key_of(text)))
    if len(key_of(text)) >= FEWEST_LETTERS and 0 < len(cut) <= MOST_LIKELY:
        return tuple(cut)
    slips = get_close_matches(key_of(text), own, n=1, cutoff=LIKENESS)
    if slips and _DIGITS.findall(slips[0]) == _DIGITS.findall(key_of(text)):
        return (own[slips[0]],)
    if {*words_of(text)} & {*synonyms()["headings"]["never"]}:
        return ()
    names = _names(text)
    names -= {*synonyms()["headings"]["optional"], "baseline", *_units()}
    # with a number, a unit tells when: "at 1 month"
    written = () if _DIGITS.search(text) else units_in(text)
    for found in (
        _fields_by_names(table, "maybe").get(names, ()),
        _holding(table, names),
        _fields_by_names(table, "fields").get(names, ()),
    ):
        fitting = [f for f in found if all(factor(f, unit) for unit in written)]
        if fitting:
            return tuple(fitting[:MOST_LIKELY])
    return ()


def _holding(table: Dictionary, names: Names) -> tuple[Field, ...]:
    """Fields of which the heading says all, and something more."""
    by_names = _fields_by_names(table, "fields")
    held = [
        (len(known), fields[0])
        for known, fields in by_names.items()
        if known < names and len(fields) == 1 and fields[0].kind != "text"
    ]
    most = max((size for size, _ in held), default=0)
    fields = dict.fromkeys(field for size, field in held if size == most)
    return tuple(fields) if len(fields) <= MOST_LIKELY else ()
