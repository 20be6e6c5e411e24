"""Headings of columns: the field that is meant, and the unit that is written.

Synonyms are loaded when a heading is none of the dictionary's own words.
"""

from __future__ import annotations

import re

from responder_model.schema import Field, dictionary
from .heading import Heading, key_of, own_words
from .text import words_of
from .units import factor


def find_field(text: str) -> Field | None:
    """Return the field that a column name, label or heading means, else None.

    A heading that leaves a doubt means none: ``likely_fields`` has what may be meant.

    Examples
    --------
    >>> find_field("ETIOLOGIE").name, find_field("Soulagement S1 (%)").name
    ('aetiology', 'relief_1')
    >>> find_field("Durée") is None
    True
    """
    heading = find_heading(text)
    return None if heading is None else heading.field


def find_heading(text: str) -> Heading | None:
    """Return what a heading means for sure, None where a word of it is not understood.

    Examples
    --------
    >>> heading = find_heading("Ancienneté de la douleur (années)")
    >>> heading.field.name, heading.unit
    ('pain_duration', 'year')
    """
    table = dictionary()
    own = table.fields.get(text) or own_words(table).get(key_of(text))
    if own is not None:
        return Heading(field=own, own=True)
    from .synonymous import by_synonyms

    return by_synonyms(table, text)


def rival_fields(text: str) -> tuple[Field, ...]:
    """Two fields that a heading names, one before brackets and another inside.

    Examples
    --------
    >>> [field.name for field in rival_fields("relief_1 (Relief after session 2)")]
    ['relief_1', 'relief_2']
    >>> rival_fields("Fatigue (0-10)")
    ()
    """
    parts = re.fullmatch(r"([^()]+)\((.+)\)\s*", text.strip(), re.DOTALL)
    fields = [find_field(part) for part in parts.groups()] if parts else []
    named = tuple(dict.fromkeys(field for field in fields if field))
    return named if len(named) > 1 and find_heading(text) is None else ()


def says_more(text: str, field: Field) -> bool:
    """Whether a label that is not understood speaks of another thing than a field.

    Of another time, person or measure, in another unit, or of a cut of it.

    Examples
    --------
    >>> age = dictionary().fields["age"]
    >>> says_more("Age at pain onset", age), says_more("Age, as in the file", age)
    (True, False)
    """
    if find_heading(text) is not None:
        return False
    from .synonymous import units_in
    from .synonyms import synonyms

    likely = likely_fields(text)
    return (
        bool({*synonyms()["headings"]["other"]} & {*words_of(text)})
        or (field.kind == "number" and re.search("[<>≤≥]", text) is not None)
        or (bool(likely) and field not in likely)
        or any(factor(field, unit) != 1 for unit in units_in(text))
    )


def likely_fields(text: str) -> tuple[Field, ...]:
    """Fields that a heading may mean though it leaves a doubt, the likeliest first.

    Examples
    --------
    >>> [field.name for field in likely_fields("pain_durration")]
    ['pain_duration']
    >>> [field.name for field in likely_fields("EVA à 1 mois")]
    ['pain_intensity']
    >>> [field.name for field in likely_fields("relief_t")]
    ['relief_test']
    >>> likely_fields("relief, days")
    ()
    >>> likely_fields("Poids")
    ()
    """
    from .synonymous import likely

    return likely(dictionary(), text)
