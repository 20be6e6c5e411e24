"""A record as a patient: values, where each stands, and what must be asked.

Unsure is asked, never mapped: two causes are none, a result of doubtful date, unit or
size is none, and an older one never stands in for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder_model.patient import Value
from responder_model.schema import dictionary
from responder_model.words import Note
from . import found
from .diagnoses import read_conditions
from .elements import MalformedError, span_of, text
from .record import Record, malformed
from .responses import read_responses
from .results import read_observations

# What gender means of the dictionary; any other is not known.
_SEX = {"female": "female", "male": "male"}
# A person who answers in the months after a birthday may name either age.
_YEAR = 1


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a record says of one patient.

    Parameters
    ----------
    subject : str
        Reference to the patient.
    values : mapping
        Value by field, as ``Model.predict`` takes them.
    sources : tuple of Source
        Where each value stands.
    asked : mapping
        Fields that are left open although the record speaks of them, and why.
    remarks : tuple of Note
        What must be said besides.
    is_dead : bool
    """

    subject: str
    values: Mapping[str, Value]
    sources: tuple[found.Source, ...]
    asked: Mapping[str, Note]
    remarks: tuple[Note, ...]
    is_dead: bool = False

    @property
    def basis(self) -> tuple[str, ...]:
        """Resources that a value was taken from, each once."""
        return tuple(dict.fromkeys(s.resource for s in self.sources))

    @property
    def mapping_version(self) -> str:
        """Version of the table of codes; empty where no code was used."""
        return next((s.mapping_version for s in self.sources if s.mapping_version), "")


def read_record(record: Record, reader: found.Reader) -> Reading:
    """Read a record as a patient.

    Raises
    ------
    RecordError
        For a resource whose elements have other types than FHIR's.
    """
    person = _read_person(record, reader)
    said = read_responses(record.of_kind("QuestionnaireResponse"), reader)
    coded = read_conditions(record.of_kind("Condition"), reader)
    if "Condition" in record.unsent:
        _ask_unsent(coded, reader)
    measured = read_observations(record.of_kind("Observation"), reader)
    given: dict[str, found.Given] = {**coded.given}
    asked = {**measured.asked, **coded.asked}
    _add(measured, given, asked)
    _add_said(said, given, asked)
    _add_person(person, given, asked)
    order = [name for name in dictionary().fields if name in given]
    sources = tuple(given[name].source for name in order)
    remarks = (*record.remarks, *coded.remarks, *found.remarks_of(sources))
    return Reading(
        subject=record.patient.reference,
        values={name: given[name].value for name in order},
        sources=sources,
        asked=asked,
        remarks=tuple(dict.fromkeys(remarks)),
        is_dead=_is_dead(record),
    )


def _ask_unsent(coded: found.Findings, reader: found.Reader) -> None:
    """Leave open what more diagnoses might contradict."""
    for field in {row.field for row in reader.codes.known}:
        row = reader.field_of(field)
        if row is not None and row.kind == "category":
            coded.ask(field, "more_diagnoses")


def _add(
    findings: found.Findings, given: dict[str, found.Given], asked: dict[str, Note]
) -> None:
    """Add results; where a diagnosis says otherwise, it is asked."""
    for name, row in findings.given.items():
        if name in given and given[name].value != row.value:
            del given[name]
            asked[name] = Note("interchange.differ", field=name)
        elif name not in asked:
            given[name] = row


def _add_said(
    said: found.Findings, given: dict[str, found.Given], asked: dict[str, Note]
) -> None:
    """Add what a person answered for this: it counts, unless a later result differs."""
    for name, row in said.given.items():
        other = given.get(name)
        if other is not None and not _gives_way(other, row):
            del given[name]
            asked[name] = Note("interchange.differ", field=name)
        else:
            given[name] = row
            asked.pop(name, None)
    for name, note in said.asked.items():
        given.pop(name, None)
        asked[name] = note


def _gives_way(other: found.Given, row: found.Given) -> bool:
    """Whether a result of the record may be replaced by an answer."""
    if other.value == row.value or other.span is None or row.span is None:
        return True
    return row.span.begins_after(other.span)


def _add_person(
    person: found.Findings, given: dict[str, found.Given], asked: dict[str, Note]
) -> None:
    """Add age and sex of the patient; an answer that contradicts them is asked."""
    for name, row in person.given.items():
        other = given.get(name)
        if other is None or _agree(other.value, row.value):
            given[name] = row
        else:
            del given[name]
            asked[name] = Note("interchange.differ", field=name)
    for name, note in person.asked.items():
        if name not in given:
            asked[name] = note


def _agree(one: Value, other: Value) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) <= _YEAR


def _read_person(record: Record, reader: found.Reader) -> found.Findings:
    """Age and sex, as far as the patient's resource tells them."""
    findings, patient = found.Findings(), record.patient
    try:
        born, gender = text(patient.body, "birthDate"), text(patient.body, "gender")
    except MalformedError:
        raise malformed(patient) from None
    if gender in _SEX and reader.field_of("sex"):
        source = found.source_of(patient, "sex", "gender")
        findings.given["sex"] = found.Given(value=_SEX[gender], source=source)
    span = span_of(born, reader.at.tzinfo)
    if span is None or not reader.field_of("age"):
        return findings
    latest = span.last - timedelta(days=0 if span.is_day else 1)
    youngest, oldest = (_age(day, reader.at) for day in (latest, span.first))
    if span.is_day or youngest == oldest:
        source = found.source_of(patient, "age", "birthDate", date=born)
        findings.given["age"] = found.Given(value=float(oldest), source=source)
    else:
        findings.ask("age", "birth_year", youngest=youngest, oldest=oldest)
    return findings


def _age(born: datetime, at: datetime) -> int:
    """Whole years at a time."""
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def _is_dead(record: Record) -> bool:
    body = record.patient.body
    return body.get("deceasedBoolean") is True or "deceasedDateTime" in body
