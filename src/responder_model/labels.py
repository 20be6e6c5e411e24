"""How names and values of the dictionary read for a person, in English or French."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any, cast

from responder_model.schema import Decision, Field, dictionary
from responder_model.words import Note, read_words, say
from responder_model.words.numbers import format_number, is_one

__all__ = [
    "NOT_GIVEN",
    "component_label",
    "decision_label",
    "describe_cut_point",
    "describe_value",
    "label_of",
    "moment_label",
    "question_label",
    "short_moment",
    "standing_note",
    "unit_after",
]

NOT_GIVEN = {"en": "not given", "fr": "non renseigné"}
# What the names of prior components start with.
_CENTRES = ("published", "zero-centred")
# How they go on: a number, or what there is a word for.
_SD = re.compile(r"SD (\d+(?:\.\d+)?)")
_SIZES = {
    "sizes as published": "sizes_as_published",
    "SDs doubled": "sds_doubled",
    "firm effects weak": "firm_effects_weak",
    "firm effects unknown": "firm_effects_unknown",
}


def component_label(name: str, lang: str = "en") -> str:
    """Name of a prior component in words: centre, then size; others stay as they are.

    Examples
    --------
    >>> component_label("zero-centred, SD 0.25", "fr")
    "centrée sur l'absence d'effet, écart-type 0,25"
    """
    centre, _, size = name.partition(", ")
    sd = _SD.fullmatch(size)
    if centre not in _CENTRES or not (size in _SIZES or sd or not size):
        return name
    words = say(f"report.component_{centre}", lang)
    if sd is not None:
        spread = format_number(float(sd[1]), lang)
        return f"{words}, {say('report.sd', lang)} {spread}"
    return f"{words}, {say(f'report.{_SIZES[size]}', lang)}" if size else words


def label_of(name: str, lang: str = "en") -> str:
    """Label of a field, with a capital; a name that is no field stays as it is.

    Examples
    --------
    >>> label_of("pain_site", "fr")
    'Siège de la douleur'
    """
    row = dictionary().fields.get(name)
    return name if row is None else row.label[lang]


def describe_value(name: str, value: Any, lang: str = "en") -> str:
    """Value of a field with its unit or label.

    Examples
    --------
    >>> describe_value("age", 54.0), describe_value("relief_days_1", 1.0)
    ('54 years', '1 day')
    >>> describe_value("aetiology", "ischaemic_stroke", "fr")
    'AVC ischémique'
    >>> describe_value("opioid", None)
    'not given'
    """
    if value is None or value != value:
        return NOT_GIVEN[lang]
    row = dictionary().fields[name]
    if row.kind == "boolean":
        from responder_model.vocabulary import YES_NO  # numpy: not for --help

        yes, no = YES_NO[lang]
        return yes if value else no
    if row.kind == "category":
        return _category_label(row, value, lang)
    if row.kind == "number":
        return _number(row, float(value), lang)
    return str(value)


def _category_label(row: Field, value: Any, lang: str) -> str:
    """Label of a category given by name or by its position; other text as it is."""
    if isinstance(value, str) and value not in row.category_names:
        return value
    position = row.category_names.index(value) if isinstance(value, str) else int(value)
    return row.categories[position].label[lang]


def _number(row: Field, value: float, lang: str) -> str:
    text = format_number(value, lang)
    return f"{text} {unit_after(row, value, lang)}" if row.unit else text


def unit_after(row: Field, value: float, lang: str) -> str:
    """Unit of a field as it stands after a number, singular where that asks for it.

    Examples
    --------
    >>> age = dictionary().fields["age"]
    >>> unit_after(age, 1.0, "en"), unit_after(age, 1.5, "fr")
    ('year', 'an')
    """
    if row.unit is None:
        return ""
    # as it is written: 1.99996 is 2
    if is_one(float(f"{value:.4g}"), lang):
        return cast("str", read_words("units").get(row.unit["en"], row.unit)[lang])
    return row.unit[lang]


def standing_note(name: str) -> Note | None:
    """Say of a field that it has no effect of its own in the published models.

    Examples
    --------
    >>> standing_note("relief_days_2").code
    'answers.standing_told'
    >>> standing_note("aetiology") is None
    True
    """
    used_by = dictionary().fields[name].used_by
    kinds = {decision: _standing().get(decision, {}).get(name) for decision in used_by}
    told = [
        Note(f"answers.standing_{kind}", decision=decision)
        for decision, kind in kinds.items()
        if kind is not None
    ]
    if len(told) == len(kinds) and len(set(kinds.values())) == 1:
        return told[0]
    parts = tuple(
        Note("answers.standing_for", said=note, **note.values) for note in told
    )
    return Note("answers.standing", parts=parts) if parts else None


@cache
def _standing() -> dict[str, dict[str, str]]:
    path = files("responder_model") / "data" / "published_standing.json"
    found: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def moment_label(name: str, lang: str = "en") -> str:
    """Label of a moment; a name that is none stays as it is.

    Examples
    --------
    >>> moment_label("session_1", "fr")
    'après la séance 1, à la visite précédant la séance 2'
    """
    labels = {moment.name: moment.label[lang] for moment in dictionary().moments}
    return labels.get(name, name)


def short_moment(name: str, lang: str = "en") -> str:
    """Label of a moment without the visit at which that is.

    Examples
    --------
    >>> short_moment("session_1")
    'after session 1'
    """
    return moment_label(name, lang).split(",")[0]


def decision_label(name: str, lang: str = "en") -> str:
    """Label of a decision; a name that is none stays as it is."""
    row = dictionary().decisions.get(name)
    return name if row is None else row.label[lang]


def question_label(decision: str, moment: str, lang: str = "en") -> str:
    """What a model is asked: its decision and the moment.

    Examples
    --------
    >>> question_label("emcs_success", "implantation").split(", ")[0]
    'Success of an implanted epidural motor cortex stimulator'
    """
    return f"{decision_label(decision, lang)}, {moment_label(moment, lang)}"


def describe_cut_point(decision: Decision, cut_point: float) -> str:
    """Cut-off with its direction.

    Examples
    --------
    >>> describe_cut_point(dictionary().decisions["emcs_success"], 40.0)
    '≥ 40 %'
    """
    sign = "≥" if decision.comparison == ">=" else ">"
    return f"{sign} {cut_point:g} %"
