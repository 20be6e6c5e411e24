"""Records of made-up patients as FHIR resources."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from responder_model.interchange.code_file import shipped_codes
from responder_model.interchange.found import Reader
from responder_model.interchange.reading import Reading, read_record
from responder_model.interchange.record import record_of_bundle

WHO = "http://hl7.org/fhir/sid/icd-10"
US = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
CANONICAL = "https://responder.example/fhir"
AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SUBJECT = {"reference": "Patient/p1"}
Plain = dict[str, Any]


def patient(**more: Any) -> Plain:
    born = {"birthDate": "1972-05-03", "gender": "male"}
    return {"resourceType": "Patient", "id": "p1", **born, **more}


def concept(*pairs: tuple[str, str]) -> Plain:
    return {"coding": [{"system": s, "code": c} for s, c in pairs]}


def condition(*pairs: tuple[str, str], **more: Any) -> Plain:
    made = {"resourceType": "Condition", "id": "c1", "subject": SUBJECT}
    active = concept(("http://terminology.hl7.org/x", "active"))
    return {**made, "code": concept(*pairs), "clinicalStatus": active, **more}


def observation(
    value: Any, day: str = "2026-11-10", *, code: Any = None, **more: Any
) -> Plain:
    made = {"resourceType": "Observation", "id": "o1", "subject": SUBJECT}
    quantity = value if isinstance(value, dict) else {"value": value}
    return {
        **made,
        "status": "final",
        "code": concept(code or (SNOMED, "401320004")),
        "effectiveDateTime": day,
        "valueQuantity": quantity,
        **more,
    }


def response(day: str = "2026-11-15", **answers: Any) -> Plain:
    items = [{"linkId": name, "answer": [row]} for name, row in answers.items()]
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "q1",
        "subject": SUBJECT,
        "status": "completed",
        "questionnaire": f"{CANONICAL}/Questionnaire/rtms-response-screening|0.1",
        "authored": day,
        "item": items,
    }


def chosen(field: str, name: str) -> Plain:
    """Answer that names a category in the server's own system."""
    system = f"{CANONICAL}/CodeSystem/{field}"
    return {"valueCoding": {"system": system, "code": name}}


def bundle(*resources: Plain, **more: Any) -> Plain:
    entries = [{"resource": row} for row in resources]
    made = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return {**made, **more}


def read(*resources: Plain) -> Reading:
    """Reading of a record by the shipped table, for the test before its sessions."""
    reader = Reader(
        decision="rtms_response",
        moment="screening",
        codes=shipped_codes(),
        canonical=CANONICAL,
        at=AT,
    )
    return read_record(record_of_bundle(bundle(*resources)), reader)


def searchset(*resources: Plain, **more: Any) -> Plain:
    """Answer of a record's server to a search."""
    return bundle(*resources, **{"type": "searchset", **more})


def call(*resources: Plain, prefetch: Plain | None = None, **more: Any) -> Plain:
    """Call of CDS Hooks that brings a record of p1; ``prefetch`` changes its parts.

    A part that is ``...`` is not sent.
    """
    kinds = {
        "conditions": "Condition",
        "observations": "Observation",
        "responses": "QuestionnaireResponse",
    }
    found = {
        key: searchset(*(r for r in resources if r["resourceType"] == kind))
        for key, kind in kinds.items()
    }
    sent = {"patient": patient(), **found, **(prefetch or {})}
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/u1", "patientId": "p1"},
        "prefetch": {key: part for key, part in sent.items() if part is not ...},
        **more,
    }
