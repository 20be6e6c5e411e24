"""One value of one field, read from what somebody wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache, lru_cache
from math import isfinite
from typing import Any, Final, Literal

import numpy as np

from responder_model.schema import Field
from .synonyms import synonyms
from .text import as_text, as_word, normalise
from .units import convert, factor, own_unit, read_quantity


class Mark(Enum):
    """What stands for a value that a field does not allow."""

    INVALID = "invalid"


INVALID: Final = Mark.INVALID

# Marks of a missing value in every field, lower case. "none" is not one: it is a motor
# deficit. Fields other than texts know more words (``synonyms.toml``).
MISSING_MARKS = frozenset(
    {"", "na", "n/a", "#n/a", "n.a.", "nd", "n.d.", "nan", "<na>", "nat"}
)
# What Castor EDC writes for values that are missing; the group is its code.
CASTOR_MARK = re.compile(r"##USER_MISSING_(9[5-9])##")
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
# SAS writes a missing number as a dot, of a kind as .A to .Z.
_DOT = re.compile(r"\.[A-Za-z_]?")
_DASHES = frozenset("-–—")

Cell = float | bool | str | None | Literal[Mark.INVALID]


# Values that are of Python's own kinds, told before anything slower is asked.
_OWN_KINDS = frozenset({str, float, int, bool, type(None)})
# What a spreadsheet writes where a formula fails: "#NUL!" is no zero.
_ERROR = re.compile(r"#.*[!?]")


def read_value(field: Field, value: Any, *, unit: str | None = None) -> Cell:
    """Read one value of a field.

    Parameters
    ----------
    field : Field
        Row of the dictionary.
    value : object
        What somebody wrote: text, number, yes/no, or nothing.
    unit : str, optional
        Unit of a number that names none, where it is not the field's own
        (``Heading.unit``).

    Returns
    -------
    float, bool, str, None or INVALID
        A number, a yes/no, a category's name or a text; None when missing; INVALID
        when the field does not allow it, or more than one thing may be meant
        (``choices`` says what).

    Examples
    --------
    >>> from responder_model.schema import dictionary
    >>> fields = dictionary().fields
    >>> read_value(fields["relief_1"], "37,5 %")
    37.5
    >>> read_value(fields["aetiology"], "AVC ischémique thalamique G")
    'ischaemic_stroke'
    >>> read_value(fields["pain_duration"], "2 ans et 6 mois")
    30.0
    >>> read_value(fields["aetiology"], "AVC")
    <Mark.INVALID: 'invalid'>
    """
    value = _plain(value)
    if isinstance(value, str):
        value = " ".join(value.split())
    if is_missing(value):
        return None
    if field.kind == "text":
        return _read_text(value)
    if isinstance(value, str) and _is_of_a_program(field, value):
        return INVALID
    found = _read(field, value, unit)
    if found is INVALID and isinstance(value, str) and _says_missing(field, value):
        return None
    return found


def _is_of_a_program(field: Field, text: str) -> bool:
    """Whether a program wrote a text, not a person: an error, or Python's "None"."""
    # a person's "none" is no relief; this may be it, or a value that is missing
    is_none = field.kind == "number" and text == "None"
    return is_none or _ERROR.fullmatch(text) is not None


def _read(field: Field, value: Any, unit: str | None) -> Cell:
    if field.kind == "number":
        return _read_number(field, value, unit)
    if field.kind == "boolean":
        return _read_boolean(field, value)
    return _read_category(field, value)


def _plain(value: Any) -> Any:
    """Python's own value of a number of another kind; anything else as it is."""
    if type(value) in _OWN_KINDS:
        return value
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
        if len(value) <= 5:
            return value.strip().casefold() in MISSING_MARKS
        return value.startswith("##") and bool(CASTOR_MARK.fullmatch(value.strip()))
    if isinstance(value, float | np.floating):
        return bool(value != value)
    if isinstance(value, Decimal):
        return value.is_qnan()
    # pandas' own marks, told by name because pandas is not imported here.
    return value is None or type(value).__name__ in {"NAType", "NaTType"}


def _says_missing(field: Field, text: str) -> bool:
    """Whether a word that is no value of the field says that there is none."""
    if _DOT.fullmatch(text) or set(text) <= {".", "…"}:
        return True
    if set(text) <= _DASHES:
        # beside a yes or a "none" a dash may be a no
        return not _has_no(field)
    return _bare(text) in _missing_words() and not _is_asked(field, text)


def _bare(text: str) -> str:
    return normalise(text).replace("_", "")


def _has_no(field: Field) -> bool:
    return field.kind == "boolean" or "none" in field.category_names


@cache
def _missing_words() -> frozenset[str]:
    return frozenset(map(_bare, synonyms()["missing"]["words"]))


# ---------------------------------------------------------------- numbers


def _read_number(field: Field, value: Any, unit: str | None) -> Cell:
    if isinstance(value, str):
        number = _number_in(field, value, unit)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = _in_own_unit(field, _as_float(value), unit)
    else:
        return INVALID
    return number if number is not None and is_allowed(field, number) else INVALID


def _as_float(value: Any) -> float | None:
    try:
        return float(value)
    except (OverflowError, ValueError):
        return None


def _in_own_unit(field: Field, number: float | None, unit: str | None) -> float | None:
    if number is None or unit is None:
        return number
    ratio = factor(field, unit)
    return None if ratio is None else convert(number, ratio)


def _number_in(field: Field, text: str, unit: str | None) -> float | None:
    text = text.replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-", 1)
    percent = own_unit(field) == "percent"
    bare = text[:-1].rstrip() if percent and text.endswith("%") else text
    if _NUMBER.fullmatch(bare):
        number = float(bare.replace(",", "."))
        return _in_own_unit(field, number, unit if bare == text else None)
    quantity = read_quantity(field, text)
    return _end_of_relief(field, text) if quantity is None else quantity


def _end_of_relief(field: Field, text: str) -> float | None:
    """Number that a word means on a scale of relief, or of its days."""
    relief, word = synonyms()["relief"], normalise(text)
    if "relief" not in field.name or field.kind != "number":
        return None
    if word in map(normalise, relief["none"]):
        return 0.0
    if word in map(normalise, relief["complete"]) and own_unit(field) == "percent":
        return 100.0
    return None


def may_be_fraction(field: Field, value: Any) -> bool:
    """Whether a number that should be in percent may be a fraction: 0.45 for 45 %.

    Examples
    --------
    >>> from responder_model.schema import dictionary
    >>> relief = dictionary().fields["relief_1"]
    >>> may_be_fraction(relief, "0,45"), may_be_fraction(relief, "0.45 %")
    (True, False)
    """
    if own_unit(field) != "percent" or (isinstance(value, str) and "%" in value):
        return False
    number = read_value(field, value)
    return isinstance(number, float) and 0 < abs(number) < 1


def is_allowed(field: Field, number: float) -> bool:
    """Whether a number is finite, in the field's range and whole where it must be."""
    if not isfinite(number):
        return False
    above = field.minimum is None or number >= field.minimum
    below = field.maximum is None or number <= field.maximum
    return above and below and (not field.integer or number.is_integer())


# ---------------------------------------------------------------- yes or no


def _read_boolean(field: Field, value: Any) -> Cell:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value if value in _BOOLEAN_WORDS else as_word(value)
        found = _BOOLEAN_WORDS.get(word)
        return _more_answers(field).get(word, INVALID) if found is None else found
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return INVALID


def is_yes_or_no(text: str) -> bool:
    """Whether a word is one of those for yes or no that every yes/no field knows."""
    return as_word(text) in _BOOLEAN_WORDS


@lru_cache(maxsize=64)
def _more_answers(field: Field) -> Mapping[str, bool]:
    rows = [synonyms()["yes_no"], *_answers(field)]
    return {
        as_word(word): answer == "yes"
        for row in rows
        for answer in ("yes", "no")
        for word in row[answer]
    }


def _answers(field: Field) -> list[dict[str, Any]]:
    return [row for row in synonyms()["answers"] if field.name in row["fields"]]


def _is_asked(field: Field, text: str) -> bool:
    return any(_bare(text) in row["asked"] for row in _answers(field))


# ---------------------------------------------------------------- categories, texts


@lru_cache(maxsize=512)
def _categories_by_word(field: Field) -> dict[str, str]:
    words = {}
    for category in field.categories:
        for word in (category.name, *category.label.values(), *category.aliases):
            words[as_word(word)] = category.name
    return words


def _read_category(field: Field, value: Any) -> Cell:
    if not isinstance(value, str):
        return INVALID
    words = _categories_by_word(field)
    found = words.get(value) or words.get(as_word(value))
    if found is not None:
        return found
    from .categories import named_categories

    named = named_categories(field, value)
    return named.names[0] if named.is_sure else INVALID


def choices(field: Field, value: Any) -> tuple[str, ...]:
    """Return the values that may be meant by one that ``read_value`` refuses.

    Examples
    --------
    >>> from responder_model.schema import dictionary
    >>> aetiology = dictionary().fields["aetiology"]
    >>> choices(aetiology, "AVC"), choices(aetiology, "cancer")
    (('ischaemic_stroke', 'haemorrhagic_stroke'), ())
    """
    if isinstance(value, str) and field.kind == "category":
        from .categories import named_categories

        named = named_categories(field, value)
        # what is understood was refused for what stands in other cells
        return () if named.is_sure else named.names
    return ()


def _read_text(value: Any) -> Cell:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = as_text(value)
    if not isinstance(value, str) or not value.isprintable():
        return INVALID
    return value
