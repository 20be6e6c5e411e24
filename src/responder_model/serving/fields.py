"""Fields of a patient as JSON: a schema and a table, both made from the dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from responder_model.patient import unknown_name
from responder_model.schema import Decision, Field, dictionary
from responder_model.vocabulary import may_be_fraction
from responder_model.words import Note
from .problems import Item

Schema = dict[str, Any]
# A percentage that is no fraction, or nothing at all: 0.3 might mean 30 %.
_WHOLE_PERCENT = 1


def patient_fields(moment: str) -> tuple[Field, ...]:
    """Predictors of any decision that are known at a moment, in dictionary order.

    Examples
    --------
    >>> [f.name for f in patient_fields("session_1")][-2:]
    ['relief_1', 'relief_days_1']
    """
    table = dictionary()
    return tuple(
        row
        for row in table.fields.values()
        if row.role == "predictor" and table.is_known(row.name, moment)
    )


def describe_field(row: Field, lang: str) -> dict[str, Any]:
    """Row of the dictionary as plain data, words in a language."""
    return {
        "name": row.name,
        "kind": row.kind,
        "label": row.label[lang],
        "help": row.help[lang],
        "unit": row.unit[lang] if row.unit else None,
        "minimum": row.minimum,
        "maximum": row.maximum,
        "integer": row.integer,
        "categories": [
            {"name": c.name, "label": c.label[lang], "lesion_type": c.lesion_type}
            for c in row.categories
        ],
        "known_from": row.known_from,
        "used_by": list(row.used_by),
    }


# ---------------------------------------------------------------- the schema


def patient_schema(moment: str, lang: str = "en") -> Schema:
    """JSON schema of a patient at a moment: what it allows can be scored.

    Examples
    --------
    >>> schema = patient_schema("screening")
    >>> schema["properties"]["age"]["minimum"], schema["additionalProperties"]
    (18, False)
    """
    rows = patient_fields(moment)
    return {
        "type": "object",
        "properties": {row.name: _field_schema(row, lang) for row in rows},
        "additionalProperties": False,
        "allOf": [*_derived(rows), *_outcomes(rows)],
    }


def _field_schema(row: Field, lang: str) -> Schema:
    unit = f" ({row.unit[lang]})" if row.unit else ""
    described = {"title": f"{row.label[lang]}{unit}", "description": row.help[lang]}
    if row.kind == "boolean":
        return {**described, "type": ["boolean", "null"]}
    if row.kind == "category":
        return {**described, "enum": [*row.category_names, None]}
    kind = "integer" if row.integer else "number"
    bounds = {"minimum": row.minimum, "maximum": row.maximum}
    schema = {**described, "type": [kind, "null"], **bounds}
    if may_be_fraction(row, 0.5):
        return {**schema, "anyOf": _no_fraction()}
    return schema


def _no_fraction() -> list[Schema]:
    return [
        {"maximum": -_WHOLE_PERCENT},
        {"const": 0},
        {"minimum": _WHOLE_PERCENT},
        {"type": "null"},
    ]


def _derived(rows: tuple[Field, ...]) -> list[Schema]:
    """What a derived field must not be beside its source."""
    table = dictionary()
    rules: list[Schema] = []
    for row in rows:
        groups: dict[str, list[str]] = {}
        for name, group in table.derived_categories(row.name).items():
            groups.setdefault(group, []).append(name)
        for group, names in groups.items():
            others = [name for name in row.category_names if name != group]
            both = {str(row.derived_from): {"enum": names}, row.name: {"enum": others}}
            rules.append(_not_both(both))
    return rules


def _outcomes(rows: tuple[Field, ...]) -> list[Schema]:
    """What a yes/no outcome must not be beside the outcome that it stands for."""
    known = {row.name for row in rows}
    rules: list[Schema] = []
    for decision in dictionary().decisions.values():
        if {decision.outcome, decision.binary_outcome} <= known:
            rules += _contradictions(decision)
    return rules


def _contradictions(decision: Decision) -> list[Schema]:
    cut = decision.main_cut_point
    passed, failed = {"minimum": cut}, {"exclusiveMaximum": cut}
    if decision.comparison == ">":
        passed, failed = {"exclusiveMinimum": cut}, {"maximum": cut}
    pairs = [(failed, True)]
    if decision.requires is None:
        pairs.append((passed, False))
    return [
        _not_both(
            {
                decision.outcome: {"type": "number", **bound},
                decision.binary_outcome: {"const": value},
            }
        )
        for bound, value in pairs
    ]


def _not_both(properties: Schema) -> Schema:
    return {"not": {"properties": properties, "required": list(properties)}}


# ---------------------------------------------------------------- the check


def check_types(values: Mapping[str, Any], pointer: str) -> list[Item]:
    """Return what has a JSON type that its field does not take.

    Ranges, moments and contradictions are the business of ``check_patient``.
    """
    table = dictionary().fields
    items = []
    for name, value in values.items():
        row = table.get(name)
        if row is None or row.role != "predictor":
            # the name was made up by the sender, and is not repeated
            items.append(Item(pointer=pointer, allowed=unknown_name(name)))
        elif value is not None and not _is_typed(row, value):
            items.append(field_item(name, pointer, _typed_rule(row)))
    return items


def field_item(name: str, pointer: str, allowed: Note) -> Item:
    """Problem of one field of the patient at a pointer."""
    label = Note("patient.name", field=name)
    return Item(pointer=f"{pointer}/{name}", field=name, label=label, allowed=allowed)


def _is_typed(row: Field, value: Any) -> bool:
    if row.kind == "boolean":
        return isinstance(value, bool)
    if row.kind == "category":
        return isinstance(value, str) and value in row.category_names
    return isinstance(value, int | float) and not isinstance(value, bool)


def _typed_rule(row: Field) -> Note:
    if row.kind == "boolean":
        return Note("serving.true_or_false")
    if row.kind == "category":
        return Note("serving.name_of", values=row.category_names)
    return Note("serving.number", allowed=row.rule)
