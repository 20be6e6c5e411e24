"""What a heading means, and the words that the dictionary itself has for its fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from responder_model.schema import Dictionary, Field
from responder_model.words import LANGUAGES
from .text import normalise, without_accents

# A percent sign, a comparison and letters of other alphabets are part of a heading.
_COUNTS = re.compile(r"[%<>≤≥=~≈]|[^\W\d_a-z]")


@dataclass(frozen=True, kw_only=True, eq=False)
class Heading:
    """What a heading means.

    Parameters
    ----------
    field : Field
        The field.
    unit : str or None
        Unit of its numbers where the heading names another one than the field's: a
        name of ``synonyms.toml``, or "/100" for a scale that ends at 100.
    own : bool
        Whether it is the field's own name or label, not a synonym.
    """

    field: Field
    unit: str | None = None
    own: bool = False


def column_heading(field: Field, lang: str) -> str:
    """Label of a column as an entry sheet shows it: label and unit.

    Examples
    --------
    >>> from responder_model.schema import dictionary
    >>> column_heading(dictionary().fields["age"], "fr")
    'Âge [ans]'
    """
    unit = f" [{field.unit[lang]}]" if field.unit else ""
    return field.label[lang] + unit


def heading_of_file(heading: Heading, name: str) -> str | None:
    """A file's own heading, where it is not the label that a person is told anyway.

    Examples
    --------
    >>> from responder_model.schema import dictionary
    >>> age = Heading(field=dictionary().fields["age"])
    >>> heading_of_file(age, "Alter"), heading_of_file(age, "Âge [ans]")
    ('Alter', None)
    """
    field = heading.field
    told = {field.label[lang] for lang in LANGUAGES}
    told |= {column_heading(field, lang) for lang in LANGUAGES}
    return None if key_of(name) in map(key_of, told) else name


def key_of(text: str) -> str:
    """Text as names and labels are compared, with the marks and letters that count."""
    return normalise(text) + "".join(_COUNTS.findall(without_accents(text)))


@lru_cache(maxsize=8)
def own_words(table: Dictionary) -> dict[str, Field]:
    """Fields by their names, labels and headings, as ``key_of`` compares them."""
    words: dict[str, Field] = {}
    for field in table.fields.values():
        for lang in LANGUAGES:
            words.setdefault(key_of(column_heading(field, lang)), field)
            words.setdefault(key_of(field.label[lang]), field)
    names = {key_of(name): field for name, field in table.fields.items()}
    return words | names
