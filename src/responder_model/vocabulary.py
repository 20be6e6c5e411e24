"""How words that people write are read: column names, categories, yes/no, numbers.

One value of one field is read here, for a cohort's cell and for a single patient
alike. Imports neither pandas nor any other heavy library.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from typing import Any, Final, Literal

import numpy as np

from responder_model.schema import LANGUAGES, Dictionary, Field, dictionary


class Mark(Enum):
    """What stands for a value that a field does not allow."""

    INVALID = "invalid"


INVALID: Final = Mark.INVALID

# Marks of a missing value, lower case. "none" is not one: it is a motor deficit.
MISSING_MARKS = frozenset(
    {"", "na", "n/a", "#n/a", "n.a.", "nd", "n.d.", "nan", "<na>", "nat"}
)
# Yes and no as they are written, by language.
YES_NO = {"en": ("yes", "no"), "fr": ("oui", "non")}
# Other words for yes and no; 1.0 is how a spreadsheet writes 1 beside a blank.
_BOOLEAN_WORDS = {
    **dict.fromkeys(("y", "true", "1", "1.0", "1,0", "o", "vrai"), True),
    **dict.fromkeys(("n", "false", "0", "0.0", "0,0", "faux"), False),
    **{yes: True for yes, _ in YES_NO.values()},
    **{no: False for _, no in YES_NO.values()},
}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_WORD = re.compile(r"[^0-9a-z]+")
_BETWEEN_WORDS = re.compile("[ _'’-]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})

Cell = float | bool | str | None | Literal[Mark.INVALID]


def normalise(text: str) -> str:
    """Lower case without accents, every other run of characters one underscore.

    Examples
    --------
    >>> normalise(" Siège de la Douleur ")
    'siege_de_la_douleur'
    """
    return _NOT_WORD.sub("_", _without_accents(text)).strip("_")


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return "".join(c for c in letters if not unicodedata.combining(c))


def _as_word(text: str) -> str:
    # Punctuation stays: "-1" is not "1", and "AVC ?" is not "AVC".
    return _BETWEEN_WORDS.sub("_", _without_accents(text))


def column_heading(field: Field, lang: str) -> str:
    """Label of a column as an entry sheet shows it: label and unit.

    Examples
    --------
    >>> column_heading(dictionary().fields["age"], "fr")
    'Âge [ans]'
    """
    unit = f" [{field.unit[lang]}]" if field.unit else ""
    return field.label[lang] + unit


def find_field(text: str) -> Field | None:
    """Return the field that a column name, label or heading means, else None.

    Examples
    --------
    >>> find_field("ETIOLOGIE").name
    'aetiology'
    """
    table = dictionary()
    exact = table.fields.get(text)
    return exact or _fields_by_word(table).get(normalise(text))


def nearest_name(text: str) -> str:
    """Return the name of the field whose name or label is nearest to a text.

    Examples
    --------
    >>> nearest_name("pain_durration")
    'pain_duration'
    """
    words = _fields_by_word(dictionary())
    nearest = get_close_matches(normalise(text), words, n=1, cutoff=0.0)
    return words[nearest[0]].name


@lru_cache(maxsize=8)
def _fields_by_word(table: Dictionary) -> dict[str, Field]:
    words: dict[str, Field] = {}
    for field in table.fields.values():
        for lang in LANGUAGES:
            words.setdefault(normalise(column_heading(field, lang)), field)
            words.setdefault(normalise(field.label[lang]), field)
    names = {normalise(name): field for name, field in table.fields.items()}
    return words | names


@lru_cache(maxsize=512)
def _categories_by_word(field: Field) -> dict[str, str]:
    words = {}
    for category in field.categories:
        for word in (category.name, *category.label.values(), *category.aliases):
            words[_as_word(word)] = category.name
    return words


def read_value(field: Field, value: Any) -> Cell:
    """Read one value of a field.

    Parameters
    ----------
    field : Field
        Row of the dictionary.
    value : object
        What somebody wrote: text, number, yes/no, or nothing.

    Returns
    -------
    float, bool, str, None or INVALID
        A number, a yes/no, a category's name or a text; None when missing; INVALID
        when the field does not allow it.

    Examples
    --------
    >>> fields = dictionary().fields
    >>> read_value(fields["relief_1"], "37,5 %")
    37.5
    >>> read_value(fields["aetiology"], "AVC ischémique")
    'ischaemic_stroke'
    >>> read_value(fields["age"], "54 ans")
    <Mark.INVALID: 'invalid'>
    """
    value = _plain(value)
    if isinstance(value, str):
        value = " ".join(value.split())
    if is_missing(value):
        return None
    if field.kind == "number":
        return _read_number(field, value)
    if field.kind == "boolean":
        return _read_boolean(value)
    if field.kind == "category":
        return _read_category(field, value)
    return _read_text(value)


def _plain(value: Any) -> Any:
    """Python's own value of a number of another kind; anything else as it is."""
    if isinstance(value, np.number | np.bool_) or (
        isinstance(value, np.ndarray) and value.ndim == 0
    ):
        value = value.item()
    if not isinstance(value, Decimal | Fraction | np.longdouble):
        return value
    number = _as_float(value)
    if number is None:
        return value
    # exact, because an identifier may have more digits than a float holds
    return int(value) if number.is_integer() else number


def is_missing(value: object) -> bool:
    """Whether a value stands for nothing: None, not-a-number, blank, NA or ND."""
    if isinstance(value, str):
        return len(value) <= 5 and value.strip().casefold() in MISSING_MARKS
    if isinstance(value, float | np.floating):
        return bool(value != value)
    if isinstance(value, Decimal):
        return value.is_qnan()
    # pandas' own marks, told by name because pandas is not imported here.
    return value is None or type(value).__name__ in {"NAType", "NaTType"}


def _read_number(field: Field, value: Any) -> Cell:
    if isinstance(value, str):
        number = _number_in(value, percent=bool(field.unit and field.unit["en"] == "%"))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = _as_float(value)
    else:
        return INVALID
    return number if number is not None and is_allowed(field, number) else INVALID


def _as_float(value: Any) -> float | None:
    try:
        return float(value)
    except (OverflowError, ValueError):
        return None


def _number_in(text: str, *, percent: bool) -> float | None:
    text = text.replace("\N{MINUS SIGN}", "-")
    if percent and text.endswith("%"):
        text = text[:-1].rstrip()
    if not _NUMBER.fullmatch(text):
        return None
    return float(text.replace(",", "."))


def is_allowed(field: Field, number: float) -> bool:
    """Whether a number is finite, in the field's range and whole where it must be."""
    if not isfinite(number):
        return False
    above = field.minimum is None or number >= field.minimum
    below = field.maximum is None or number <= field.maximum
    return above and below and (not field.integer or number.is_integer())


def _read_boolean(value: Any) -> Cell:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        found = _BOOLEAN_WORDS.get(value)
        return _BOOLEAN_WORDS.get(_as_word(value), INVALID) if found is None else found
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return INVALID


def _read_category(field: Field, value: Any) -> Cell:
    if not isinstance(value, str):
        return INVALID
    words = _categories_by_word(field)
    return words.get(value) or words.get(_as_word(value), INVALID)


def _read_text(value: Any) -> Cell:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = _as_text(value)
    if not isinstance(value, str) or not value.isprintable():
        return INVALID
    return value


def show(value: object) -> str:
    """Write a value as a problem quotes it: on one line and not too long."""
    text = " ".join(_as_text(value).split())[:61]
    text = "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text
    )
    return text if len(text) <= 60 else text[:59] + "…"


def _as_text(value: object) -> str:
    try:
        return str(value)
    # whatever an object raises instead of its text, it is still to be refused
    except Exception:
        return type(value).__name__
