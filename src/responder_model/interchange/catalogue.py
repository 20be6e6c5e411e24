"""What a server takes and knows, as FHIR resources made from the dictionary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from responder_model import __version__
from responder_model.schema import Field, dictionary
from responder_model.words import Note, say
from .codes import CodeBook, Meaning, Unspecific, plain_uri
from .found import Reader, form_id

Plain = dict[str, Any]
FHIR_VERSION = "4.0.1"
MEDIA_TYPE = "application/fhir+json"
_LIMITS = "http://hl7.org/fhir/StructureDefinition/"
# How an answer is typed, by the kind of a field.
_TYPES = {"number": "decimal", "boolean": "boolean", "category": "choice"}


def capability_statement(canonical: str, date: str) -> Plain:
    """What the server does: two kinds of resource to read, and one operation.

    Examples
    --------
    >>> capability_statement("https://a.example/fhir", "2026-11-01")["fhirVersion"]
    '4.0.1'
    """
    read = [{"code": "read"}]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "responder_model", "version": __version__},
        "implementation": {"description": "responder_model", "url": canonical},
        "fhirVersion": FHIR_VERSION,
        "format": [MEDIA_TYPE],
        "rest": [
            {
                "mode": "server",
                "resource": [
                    {"type": kind, "interaction": read}
                    for kind in ("ConceptMap", "OperationDefinition", "Questionnaire")
                ],
                "operation": [
                    {
                        "name": "assess",
                        "definition": f"{canonical}/OperationDefinition/assess",
                    }
                ],
            }
        ],
    }


def operation_definition(canonical: str, lang: str) -> Plain:
    """What ``$assess`` takes and gives."""
    given = [
        ("decision", "in", 1, "code"),
        ("moment", "in", 0, "code"),
        ("record", "in", 1, "Bundle"),
        ("return", "out", 1, "RiskAssessment"),
    ]
    return {
        "resourceType": "OperationDefinition",
        "id": "assess",
        "url": f"{canonical}/OperationDefinition/assess",
        "name": "Assess",
        "status": "active",
        "kind": "operation",
        "description": say("interchange.assess", lang),
        "code": "assess",
        "affectsState": False,
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [
            {"name": name, "use": use, "min": least, "max": "1", "type": kind}
            for name, use, least, kind in given
        ],
    }


def questionnaire(reader: Reader, lang: str) -> Plain:
    """Every value that a model reads, as a form.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from responder_model.interchange.code_file import shipped_codes
    >>> reader = Reader(decision="rtms_response", moment="screening",
    ...     codes=shipped_codes(), canonical="https://a.example/fhir",
    ...     at=datetime(2026, 11, 1, tzinfo=UTC))
    >>> form = questionnaire(reader, "fr")
    >>> form["item"][0]["linkId"], form["item"][0]["text"]
    ('age', 'Âge (ans)')
    """
    name = form_id(reader.decision, reader.moment)
    asked = {"decision": reader.decision, "moment": reader.moment}
    fields = dictionary().predictors(reader.decision, reader.moment)
    return {
        "resourceType": "Questionnaire",
        "id": name,
        "language": lang,
        "url": reader.questionnaire(reader.moment),
        "version": __version__,
        "name": "".join(part.capitalize() for part in name.split("-")),
        "title": say("interchange.asks_for", lang, **asked),
        "status": "active",
        "subjectType": ["Patient"],
        "item": [_item(row, reader, lang) for row in fields if not row.derived_from],
    }


def _item(row: Field, reader: Reader, lang: str) -> Plain:
    unit = f" ({row.unit[lang]})" if row.unit else ""
    kind = "integer" if row.integer else _TYPES[row.kind]
    item: Plain = {
        "linkId": row.name,
        "code": [{"system": reader.own_fields, "code": row.name}, *_codes(row, reader)],
        "text": f"{row.label[lang]}{unit}",
        "type": kind,
    }
    if row.kind == "category":
        system = reader.own_categories(row.name)
        item["answerOption"] = [
            {
                "valueCoding": {
                    "system": system,
                    "code": c.name,
                    "display": c.label[lang],
                }
            }
            for c in row.categories
        ]
    if row.kind == "number":
        typed = "valueInteger" if row.integer else "valueDecimal"
        bounds = {"minValue": row.minimum, "maxValue": row.maximum}
        item["extension"] = [
            {"url": f"{_LIMITS}{name}", typed: bound}
            for name, bound in bounds.items()
            if bound is not None
        ]
    return item


def _codes(row: Field, reader: Reader) -> Iterable[Plain]:
    book = reader.codes
    return (
        {"system": plain_uri(book.systems[m.code.system].uris[0]), "code": m.code.code}
        for m in book.known
        if isinstance(m, Meaning) and m.field == row.name and m.category is None
    )


def concept_map(book: CodeBook, canonical: str, lang: str) -> Plain:
    """Codes of diagnoses, what they mean and which are asked; who signed it.

    Examples
    --------
    >>> from responder_model.interchange.code_file import shipped_codes
    >>> found = concept_map(shipped_codes(), "https://a.example/fhir", "en")
    >>> found["status"], found["description"]
    ('draft', 'No clinician has signed this table of codes yet.')
    """
    signed = Note("interchange.signed_by", **book.signed).text(lang)
    unsigned = say("interchange.unsigned", lang)
    return {
        "resourceType": "ConceptMap",
        "id": "predictors",
        "language": lang,
        "url": f"{canonical}/ConceptMap/predictors",
        "version": book.mapping_version,
        "name": "Predictors",
        "status": "active" if book.is_signed else "draft",
        "description": signed if book.is_signed else unsigned,
        "group": [
            {
                "source": uri,
                "target": f"{canonical}/CodeSystem/{field}",
                "element": [_element(row, lang) for row in rows],
            }
            for (uri, field), rows in _groups(book).items()
        ],
    }


def _groups(book: CodeBook) -> dict[tuple[str, str], list[Meaning | Unspecific]]:
    groups: dict[tuple[str, str], list[Meaning | Unspecific]] = {}
    for row in book.known:
        if isinstance(row, Meaning) and row.category is None:
            continue
        for uri in book.systems[row.code.system].uris:
            groups.setdefault((uri, row.field), []).append(row)
    return groups


def _element(row: Meaning | Unspecific, lang: str) -> Plain:
    """One code: what it means, or the question that it raises."""
    is_prefix = row.code.match == "prefix"
    below = say("interchange.begins_with", lang) if is_prefix else ""
    if isinstance(row, Unspecific):
        said = f"{row.question.text(lang)} {below}".strip()
        return {
            "code": row.code.code,
            "target": [{"equivalence": "unmatched", "comment": said}],
        }
    kind = "wider" if is_prefix else "equivalent"
    target: Plain = {"code": row.category, "equivalence": kind}
    if below:
        target["comment"] = below
    return {"code": row.code.code, "target": [target]}
