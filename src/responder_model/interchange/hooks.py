"""Calls of CDS Hooks 2.0: what is asked to be sent with them, and what was sent.

The record's own server is never asked: what a call does not bring is not known, and
that is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from responder_model.schema import dictionary
from responder_model.words import Note
from . import record
from .codes import CodeBook, Meaning
from .found import Reader

Plain = dict[str, Any]
HOOK = "patient-view"
# What is asked to be sent with a call, and the type of resource that it holds.
PATIENT = "patient"
SEARCHES = {
    "conditions": "Condition",
    "observations": "Observation",
    "responses": "QuestionnaireResponse",
}
# Results that are asked for at most; more are a page of many.
COUNT = 100
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_TOKEN = "{{context.patientId}}"  # noqa: S105 - a place in a template, no secret


class PatientMissingError(record.RecordError):
    """A call without the patient, of whom nothing can be said."""


def prefetch(reader: Reader) -> dict[str, str]:
    """Templates of what a call should bring.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from responder_model.interchange.code_file import shipped_codes
    >>> reader = Reader(decision="rtms_response", moment="screening",
    ...     codes=shipped_codes(), canonical="https://a.example/fhir",
    ...     at=datetime(2026, 11, 1, tzinfo=UTC))
    >>> prefetch(reader)["conditions"]
    'Condition?patient={{context.patientId}}'
    """
    moments = dictionary().decisions[reader.decision].moments
    codes = [*_results(reader), f"{reader.own_fields}|"]
    forms = [reader.questionnaire(moment) for moment in moments]
    of_patient = f"?patient={_TOKEN}"
    return {
        PATIENT: f"Patient/{_TOKEN}",
        "conditions": f"Condition{of_patient}",
        "observations": f"Observation{of_patient}&code={_list(codes)}&_count={COUNT}",
        "responses": f"QuestionnaireResponse{of_patient}&questionnaire={_list(forms)}",
    }


def _results(reader: Reader) -> list[str]:
    """Codes of results that mean a field of this question, as FHIR searches them."""
    book: CodeBook = reader.codes
    return [
        f"{uri}|{row.code.code}"
        for row in book.known
        if isinstance(row, Meaning) and row.category is None
        if reader.field_of(row.field)
        for uri in book.systems[row.code.system].uris
    ]


def _list(values: list[str]) -> str:
    """Alternatives of a search, written so that they stand in an address."""
    return ",".join(quote(value, safe=":/") for value in values)


def record_of_call(asked: Any) -> record.Record:
    """Record that a call brings, with what was not sent.

    Raises
    ------
    PatientMissingError
        Without the patient.
    RecordError
        For no call of this hook, another patient than that of the context, and what
        ``record_of`` refuses.
    """
    if not isinstance(asked, Mapping):
        raise record.RecordError(Note("interchange.no_call"), at="")
    context = _context_of(asked)
    sent = asked.get("prefetch", {})
    if not isinstance(sent, Mapping):
        raise record.RecordError(Note("interchange.no_call"), at="prefetch")
    patient = _patient(sent, context)
    found: list[record.Resource] = []
    unsent: dict[str, Note] = {}
    remarks: list[Note] = []
    for key, kind in SEARCHES.items():
        how, rows = _search(sent, key)
        found += [row for row in rows if row.kind == kind]
        if how in _INCOMPLETE:
            unsent[kind] = _say(how, kind)
        elif how:
            remarks.append(_say(how, kind))
    server = asked.get("fhirServer")
    own = server if isinstance(server, str) else ""
    return record.record_of(patient, found, unsent=unsent, remarks=remarks, server=own)


def _context_of(asked: Mapping[str, Any]) -> str:
    """Patient whom a call names.

    Raises
    ------
    RecordError
        For another hook, a call without identity, and no identity of FHIR.
    """
    if asked.get("hook") != HOOK:
        raise record.RecordError(Note("interchange.hook", name=HOOK), at="hook")
    if not isinstance(asked.get("hookInstance"), str):
        raise record.RecordError(Note("interchange.hook_instance"), at="hookInstance")
    context = asked.get("context")
    named = context.get("patientId") if isinstance(context, Mapping) else None
    if not isinstance(named, str) or not _ID.fullmatch(named):
        raise record.RecordError(Note("interchange.patient_id"), at="context.patientId")
    return named


# How a search was answered, where it was not by all that the record holds.
_INCOMPLETE = ("not_sent", "not_answered", "page_sent")


def _say(how: str, kind: str) -> Note:
    return Note(f"interchange.{how}", kind=Note(f"interchange.kind_{kind}"))


def _patient(sent: Mapping[str, Any], named: str) -> record.Resource:
    at = f"prefetch.{PATIENT}"
    body = sent.get(PATIENT)
    if body is None or _is_outcome(body):
        how = "patient_not_sent" if PATIENT not in sent else "patient_not_found"
        raise PatientMissingError(Note(f"interchange.{how}"), at=at)
    kind = "Patient"
    if not isinstance(body, Mapping) or body.get("resourceType") != kind:
        raise record.RecordError(Note("interchange.malformed"), at=at)
    if body.get("id") != named:
        raise record.RecordError(Note("interchange.not_this_patient"), at=at)
    return record.Resource(kind=kind, body=body, url="", at=at)


def _search(sent: Mapping[str, Any], key: str) -> tuple[str, list[record.Resource]]:
    """How a search was answered (empty: by all of it), and what it found."""
    at, body = f"prefetch.{key}", sent.get(key)
    if key not in sent:
        return "not_sent", []
    if body is None:
        return "not_found", []
    if _is_outcome(body):
        return "not_answered", []
    if not isinstance(body, Mapping) or body.get("resourceType") != "Bundle":
        raise record.RecordError(Note("interchange.malformed"), at=at)
    found, is_whole = record.read_bundle(body, at)
    return "" if is_whole else "page_sent", found


def _is_outcome(body: Any) -> bool:
    return isinstance(body, Mapping) and body.get("resourceType") == "OperationOutcome"
