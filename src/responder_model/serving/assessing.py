"""A record as a scored answer, whoever asks: FHIR, a card, or the page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from responder_model.artifact.strict_json import parse_json
from responder_model.errors import InvalidPatientError, UntrustedModelError
from responder_model.interchange.found import Reader
from responder_model.interchange.hooks import PatientMissingError
from responder_model.interchange.reading import Reading, read_record
from responder_model.interchange.record import Record, RecordError
from responder_model.model import Prediction
from responder_model.words import Note
from .answers import note_model
from .envelopes import patient_items
from .gate import Arrival
from .hospital import Hospital
from .problems import Item, Kind, Refused
from .recording import scored
from .service import Service


def reader_of(hospital: Hospital, target: tuple[str, str]) -> Reader:
    """By what a record is read, now."""
    decision, moment = target
    return Reader(
        decision=decision,
        moment=moment,
        codes=hospital.codes,
        canonical=hospital.canonical,
        at=datetime.now(tz=UTC).astimezone(),
        result_days=hospital.result_days,
    )


def parsed(body: bytes, name: str) -> Any:
    """JSON of a body.

    Raises
    ------
    Refused
        ``bad_json``.
    """
    try:
        return parse_json(body, name)
    except UntrustedModelError as error:
        raise Refused(Kind.BAD_JSON, [Item(pointer="", allowed=error.said)]) from None


def refusal_of(error: RecordError) -> Refused:
    """Refusal of a record that cannot be read as that of one patient."""
    is_missing = isinstance(error, PatientMissingError)
    kind = Kind.PATIENT_MISSING if is_missing else Kind.INVALID_PATIENT
    return Refused(kind, [Item(pointer=error.at, allowed=error.said)])


def reading_of(record: Record, reader: Reader) -> Reading:
    """Reading of a record.

    Raises
    ------
    Refused
        ``invalid_patient``.
    """
    try:
        return read_record(record, reader)
    except RecordError as error:
        raise refusal_of(error) from None


def score(
    service: Service, reading: Reading, reader: Reader, arrival: Arrival
) -> Prediction:
    """Score what was read; the log says by which model, the audit trail whom.

    Whoever answers a record comes through here: the record as it was read, the model,
    the version of the table of codes (``reading.mapping_version``) and what was said.

    Raises
    ------
    Refused
        ``invalid_patient``, also for a patient who has died.
    """
    served = service.served(reader.decision, reader.moment)
    note_model(arrival, served)
    refuse_dead(reading)
    try:
        found = served.model.predict(reading.values)
    except InvalidPatientError as error:
        items = patient_items(error.problems, "")
        raise Refused(Kind.INVALID_PATIENT, items) from None
    version = reading.mapping_version
    arrival.scored.append(scored(served.model, reading.values, found, mapping=version))
    return found


def refuse_dead(reading: Reading) -> None:
    """Refuse a patient who has died.

    Raises
    ------
    Refused
        ``invalid_patient``.
    """
    if reading.is_dead:
        items = [Item(pointer="Patient", allowed=Note("interchange.dead"))]
        raise Refused(Kind.INVALID_PATIENT, items)
