"""FHIR R4: a record in, a RiskAssessment out, and what describes both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from responder_model.errors import MissingExtraError
from responder_model.interchange import catalogue
from responder_model.interchange.found import Reader, form_id
from responder_model.interchange.reading import Reading
from responder_model.interchange.record import RecordError, record_of_bundle
from responder_model.interchange.risk import risk_assessment
from responder_model.interchange.validity import check_resources
from responder_model.model import Prediction
from responder_model.patient import Value
from responder_model.schema import dictionary
from responder_model.words import Note
from . import assessing, gate, problems
from .hospital import Hospital
from .service import Service
from .shelf import KNOWN_PATIENT

Plain = dict[str, Any]
# Makes a resource in a language.
Make = Callable[[str], Plain]


def routes(service: Service, hospital: Hospital) -> list[gate.Place]:
    """Routes of FHIR; what they write is held against FHIR's classes first.

    Raises
    ------
    MissingExtraError
        Without the extra ``hospital``.
    """
    try:
        check_resources(_samples(service, hospital))
    except ModuleNotFoundError as error:
        raise MissingExtraError(library=str(error.name), extra="hospital") from error
    base, started = hospital.canonical, datetime.now(tz=UTC).date().isoformat()
    made: dict[str, Make] = {
        "/metadata": lambda _: catalogue.capability_statement(base, started),
        "/ConceptMap/predictors": partial(catalogue.concept_map, hospital.codes, base),
        "/OperationDefinition/assess": partial(catalogue.operation_definition, base),
    }
    for target in service.models:
        made[f"/Questionnaire/{form_id(*target)}"] = partial(_form, hospital, target)
    assess = partial(_answer, service, hospital)
    return [
        *(
            gate.Place(f"/fhir{path}", partial(_show, service, make), methods=["GET"])
            for path, make in made.items()
        ),
        gate.Place("/fhir/$assess", assess, methods=["POST"]),
    ]


def _form(hospital: Hospital, target: tuple[str, str], lang: str) -> Plain:
    return catalogue.questionnaire(assessing.reader_of(hospital, target), lang)


async def _show(service: Service, make: Make, request: Request) -> Response:
    lang = gate.arrival_of(request.scope).lang
    return _sent(await service.work(lambda: make(lang)))


async def _answer(service: Service, hospital: Hospital, request: Request) -> Response:
    if gate.media_type_of(request) != catalogue.MEDIA_TYPE:
        raise problems.Refused(problems.Kind.UNSUPPORTED_MEDIA_TYPE)
    body, arrival = await gate.read_body(request), gate.arrival_of(request.scope)
    target = _target(dict(request.query_params))
    return _sent(
        await service.work(lambda: _assess(service, hospital, target, body, arrival))
    )


def _target(asked: dict[str, str]) -> tuple[str, str]:
    """Question and moment that are asked for.

    Raises
    ------
    Refused
        ``invalid_request``.
    """
    known = dictionary().decisions
    decision = asked.get("decision", "")
    if decision not in known or set(asked) - {"decision", "moment"}:
        rule = Note("serving.one_of", values=tuple(known))
        raise problems.Refused(
            problems.Kind.INVALID_REQUEST,
            [problems.Item(pointer="?decision", allowed=rule)],
        )
    moments = known[decision].moments
    moment = asked.get("moment", moments[0] if len(moments) == 1 else "")
    if moment not in moments:
        rule = Note("serving.one_of", values=moments)
        raise problems.Refused(
            problems.Kind.INVALID_REQUEST,
            [problems.Item(pointer="?moment", allowed=rule)],
        )
    return decision, moment


def _assess(
    service: Service,
    hospital: Hospital,
    target: tuple[str, str],
    body: bytes,
    arrival: gate.Arrival,
) -> Plain:
    reader = assessing.reader_of(hospital, target)
    try:
        record = record_of_bundle(assessing.parsed(body, "Bundle"))
    except RecordError as error:
        raise assessing.refusal_of(error) from None
    reading = assessing.reading_of(record, reader)
    found = assessing.score(service, reading, reader, arrival)
    return _written(found, reading, reader, arrival.lang)


def _written(found: Prediction, reading: Reading, reader: Reader, lang: str) -> Plain:
    base, at = reader.canonical, reader.at
    return risk_assessment(found, reading, canonical=base, at=at, lang=lang)


def _samples(service: Service, hospital: Hospital) -> list[Plain]:
    """One of each resource that the server writes."""
    base, samples = hospital.canonical, []
    for target, served in service.models.items():
        reader = assessing.reader_of(hospital, target)
        samples.append(catalogue.questionnaire(reader, "en"))
        reading = Reading(
            subject="Patient/sample",
            values=cast("Mapping[str, Value]", KNOWN_PATIENT),
            sources=(),
            asked={},
            remarks=(),
        )
        found = served.model.predict(KNOWN_PATIENT)
        samples.append(_written(found, reading, reader, "en"))
    return [
        *samples,
        catalogue.capability_statement(base, "2026-11-01"),
        catalogue.concept_map(hospital.codes, base, "en"),
        catalogue.operation_definition(base, "en"),
    ]


def _sent(resource: Plain) -> Response:
    return problems.json_response(resource, media_type=catalogue.MEDIA_TYPE)
