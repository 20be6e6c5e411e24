"""Sentences as values: a code and what it names, written out in English or French.

What the package has to say travels as a ``Note`` and becomes a sentence where somebody
reads it. The sentences stand in the TOML files of this room, one file per room that
speaks: ``patient.range`` is the entry ``range`` of ``patient.toml``. A gap may say how
its value is written::

    {x}             text as it is, a number with the language's decimal mark, a note in
                    words, several of them with commas between
    {x:items}       several, with semicolons between; {x:sentences}, with spaces
    {x:lines}       several, each on a line of its own
    {x:few}         the first of several, the others counted
    {x:.2f}         a number by this format
    {x:percent}     a probability as a whole percentage
    {x:hundred}     a probability as a whole number in 100
    {x:count}       a number of patients, which ``hide_below`` may hide
    {x:row|rows}    one word or the other, as the number x asks for
    {x:label}       the label of a field, or of several
    {x:moment}      the label of a moment; {x:decision} that of a decision
    {x:name}        the name of a model or cohort
    {x:of_y}        the value x of the field that the gap y names, with its unit
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any, Protocol, cast

from responder_model.frozen import FrozenDict, freeze
from .numbers import format_hundred, format_number, format_percent, is_one

__all__ = [
    "LANGUAGES",
    "Naming",
    "Note",
    "gaps_of",
    "in_words",
    "name_in",
    "name_with",
    "note_from",
    "plain",
    "prose_in",
    "read_words",
    "say",
    "sentence_of",
    "value_from",
]

LANGUAGES = ("en", "fr")
_NO_VALUES: Mapping[str, Any] = freeze({})


class Naming(Protocol):
    """Where names of the data dictionary get their words."""

    def label_of(self, name: str, lang: str) -> str:
        """Label of a field."""

    def describe_value(self, name: str, value: Any, lang: str) -> str:
        """Value of a field with its unit or label."""

    def moment_label(self, name: str, lang: str) -> str:
        """Label of a moment."""

    def decision_label(self, name: str, lang: str) -> str:
        """Label of a decision."""


class Note:
    """Something to say: a code for programs, and the values that its sentence names.

    Two notes of one code and equal values are equal; a note pickles and cannot be
    changed.

    Parameters
    ----------
    code : str
        ``room.key``: the file of ``words`` and the entry in it.
    **values : object
        What fills the gaps: text, numbers, other notes, tuples of them.

    Examples
    --------
    >>> note = Note("model.borderline")
    >>> note.text("fr")
    'Le patient est à la limite de la population que décrit le modèle.'
    >>> str(note) == note.text("en")
    True
    """

    __slots__ = ("code", "values")

    code: str
    values: Mapping[str, Any]

    def __init__(self, code: str, /, **values: Any) -> None:
        object.__setattr__(self, "code", code)
        frozen = {name: freeze(value) for name, value in values.items()}
        object.__setattr__(self, "values", FrozenDict(frozen) if values else _NO_VALUES)

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"a note must not be changed, got a new {name}. Make another note."
        raise AttributeError(msg)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Note):
            return NotImplemented
        return self.code == other.code and self.values == other.values

    def __hash__(self) -> int:
        return hash((self.code, frozenset(self.values)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.code, dict(self.values))

    def __repr__(self) -> str:
        values = "".join(f", {name}={value!r}" for name, value in self.values.items())
        return f"Note({self.code!r}{values})"

    def __str__(self) -> str:
        return self.text()

    def text(
        self, lang: str = "en", *, naming: Naming | None = None, hide_below: int = 0
    ) -> str:
        """Sentence in a language.

        Parameters
        ----------
        lang : {"en", "fr"}
        naming : Naming, optional
            Labels of another dictionary than the installed one, as a model's own.
        hide_below : int, optional
            Counts of patients from 1 to below this number are not said.
        """
        return _Sentence(lang, naming, hide_below).of(self)

    def to_dict(self, lang: str | None = None) -> dict[str, Any]:
        """Plain data for JSON: code and values, and the sentence in a language."""
        said = {"code": self.code, "values": plain(self.values)}
        return said if lang is None else {**said, "text": self.text(lang)}


def _restore(code: str, values: Mapping[str, Any]) -> Note:
    return Note(code, **values)


def note_from(said: Mapping[str, Any]) -> Note:
    """Note from the plain data that ``Note.to_dict`` gave.

    Examples
    --------
    >>> note_from(Note("patient.given_once").to_dict())
    Note('patient.given_once')
    """
    return Note(said["code"], **{k: value_from(v) for k, v in said["values"].items()})


def plain(value: Any) -> Any:
    """Value as JSON knows it: a note is its code and its values, a tuple a list."""
    # told before anything slower is asked
    if isinstance(value, str | float | int):
        return value
    if isinstance(value, Note):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, tuple | list) else value


def value_from(said: Any) -> Any:
    """Value that ``plain`` made JSON of."""
    if isinstance(said, Mapping):
        return note_from(said)
    return tuple(map(value_from, said)) if isinstance(said, list) else said


def say(code: str, lang: str, /, **values: Any) -> str:
    """Sentence of a code in a language, its gaps filled.

    Examples
    --------
    >>> say("model.research_use", "en")
    'Research use only: not a medical device.'
    """
    return Note(code, **values).text(lang) if values else sentence_of(code, lang)


def in_words(said: Note | str, lang: str) -> str:
    """Sentence of a note in a language; what is text already, as it stands."""
    return said.text(lang) if isinstance(said, Note) else said


def name_with(naming: Callable[[], Naming]) -> None:
    """Say where names of the dictionary get their words, loaded when first needed."""
    _NAMING.append(naming)


_NAMING: list[Callable[[], Naming]] = []


@lru_cache(maxsize=2048)
def _parsed(sentence: str) -> tuple[Any, ...]:
    return tuple(Formatter().parse(sentence))


@lru_cache(maxsize=512)
def _number_format(sentence: str, gap: str) -> str:
    """How a number is written in a sentence that also asks for a word after it."""
    specs = (spec for _, name, spec, _ in _parsed(sentence) if name == gap and spec)
    return next((spec for spec in specs if "|" not in spec), ".4g")


# What stands between several, where it is no comma.
_BETWEEN = {"items": "; ", "sentences": " ", "lines": "\n- "}
# Of so many the rest is counted, where few are enough.
_FEW = 5


class _Sentence(Formatter):
    """Fills the gaps of sentences in one language."""

    def __init__(self, lang: str, naming: Naming | None, hide_below: int) -> None:
        self.lang, self.own_naming, self.hide_below = lang, naming, hide_below

    @property
    def naming(self) -> Naming:
        return self.own_naming or _NAMING[-1]()

    def of(self, note: Note) -> str:
        sentence = sentence_of(note.code, self.lang)
        if not note.values:
            return sentence
        return "".join(
            literal + (self._gap(note.values, gap, spec or "", sentence) if gap else "")
            for literal, gap, spec, _ in _parsed(sentence)
        )

    def _gap(
        self, values: Mapping[str, Any], gap: str, spec: str, sentence: str
    ) -> str:
        value = values[gap]
        if "|" in spec:
            return self._plural(value, spec, _number_format(sentence, gap))
        if spec.startswith("of_"):
            name = values[spec.removeprefix("of_")]
            each = value if isinstance(value, tuple) else (value,)
            describe = self.naming.describe_value
            return ", ".join(describe(name, part, self.lang) for part in each)
        if isinstance(value, tuple):
            if spec == "label" and self.own_naming is None:
                return _labels(value, self.lang)
            if spec == "few" and len(value) > _FEW + 1:
                rest = Note("signs.and_more", n=len(value) - _FEW)
                value = (*value[:_FEW], rest)
            between = _BETWEEN.get(spec, ", ")
            return between.join(self._written(part, spec) for part in value)
        return self._written(value, spec)

    def _written(self, value: Any, spec: str) -> str:
        if isinstance(value, Note):
            return self.of(value)
        if spec in _WRITTEN:
            return _WRITTEN[spec](self, value)
        if isinstance(value, float) or (spec and isinstance(value, int)):
            return format_number(value, self.lang, spec or ".4g")
        return str(value)

    def hides(self, n: float) -> bool:
        """Whether a count is not to be said."""
        return 0 < n < self.hide_below

    def _plural(self, n: Any, spec: str, written: str) -> str:
        """Form of a word after a number as it is written: 0.98 may stand there as 1."""
        one, many = spec.split("|")
        text = format(n, written) if isinstance(n, float) else str(n)
        shown = _NUMBER.fullmatch(text)
        hidden = isinstance(n, int) and self.hides(n)
        if shown is None or hidden:
            return many
        return one if is_one(float(shown[1].replace(",", ".")), self.lang) else many


# A number as somebody wrote it, with or without its sign.
_NUMBER = re.compile(r"[-+\u2212]?(\d+(?:[.,]\d+)?)")


@lru_cache(maxsize=4096)
def _labels(names: tuple[str, ...], lang: str) -> str:
    """Labels of fields: those that were not given are most of many a prediction."""
    return ", ".join(_NAMING[-1]().label_of(name, lang) for name in names)


_WRITTEN: dict[str, Callable[[_Sentence, Any], str]] = {
    "percent": lambda _, value: format_percent(value),
    "hundred": lambda to, value: format_hundred(value, to.lang),
    "count": lambda to, n: f"< {to.hide_below}" if to.hides(n) else str(n),
    "name": lambda to, value: name_in(value, to.lang),
    "label": lambda to, value: to.naming.label_of(value, to.lang),
    "moment": lambda to, value: to.naming.moment_label(value, to.lang),
    "decision": lambda to, value: to.naming.decision_label(value, to.lang),
}


def sentence_of(code: str, lang: str) -> str:
    """Sentence of a code in a language with its gaps open."""
    room, _, key = code.partition(".")
    return cast("str", read_words(room)[key][lang])


def gaps_of(code: str) -> dict[str, str]:
    """Gaps of a code's sentence, and how each is written.

    Examples
    --------
    >>> gaps_of("development.already_in")
    {'again': 'count', 'n': 'count'}
    """
    parts = Formatter().parse(sentence_of(code, LANGUAGES[0]))
    known = ((gap, spec or "") for _, gap, spec, _ in parts if gap)
    return {gap: spec for gap, spec in known if "|" not in spec}


def name_in(name: str, lang: str) -> str:
    """Name of a model or cohort; only what the software gave it changes.

    Examples
    --------
    >>> name_in("published evidence, updated with centre A", "fr")
    'données publiées, mis à jour avec centre A'
    >>> name_in("published evidence with 4 of 9 here", "fr")
    'données publiées avec 4 sur 9 ici'
    """
    parts = name.split(sentence_of("names.updated_with", "en"))
    joint = sentence_of("names.updated_with", lang)
    return joint.join(_given_name(part, lang) for part in parts)


def _given_name(name: str, lang: str) -> str:
    """Name in a language; of the published evidence with what was changed of it."""
    for code in ("names.with_rate", "names.without"):
        sentence = re.escape(sentence_of(code, "en"))
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", sentence)
        found = re.fullmatch(pattern, name)
        if found and name.startswith(sentence_of("names.published", "en")):
            rest = found.groupdict()
            return say(code, lang, **{**rest, "name": _given_name(rest["name"], lang)})
    return _known(_in_english("names"), name, lang)


def prose_in(text: str, lang: str) -> str:
    """Prose of a row of evidence; a row that is not the package's stays as it is.

    Examples
    --------
    >>> prose_in("direction seen, size is judgement", "fr")
    'direction observée, la taille est un jugement'
    """
    return _known(_in_english("published"), text, lang)


def _known(given: Mapping[str, Mapping[str, str]], text: str, lang: str) -> str:
    return given[text][lang] if text in given else text


@cache
def _in_english(room: str) -> dict[str, Mapping[str, str]]:
    """Words of a file by what they are in English."""
    return {words["en"]: words for words in read_words(room).values()}


@cache
def read_words(name: str) -> dict[str, Any]:
    """Return a packaged TOML file of this room."""
    path = files("responder_model") / "words" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
