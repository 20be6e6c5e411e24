"""CDS Hooks 2.0: services that a record asks when a patient is opened."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from responder_model.interchange.cards import card_of, override_system
from responder_model.interchange.feedback import Feedback, read_feedback
from responder_model.interchange.hooks import HOOK, prefetch, record_of_call
from responder_model.interchange.reading import Reading
from responder_model.interchange.record import RecordError
from responder_model.labels import decision_label, moment_label
from responder_model.schema import dictionary
from responder_model.serving.admission import ADMIN_PATHS
from responder_model.serving.api import read_json_body
from responder_model.serving.assessing import (
    parsed,
    reader_of,
    reading_of,
    refusal_of,
    score,
)
from responder_model.serving.callers import check_caller, check_local
from responder_model.serving.gate import CDS, Arrival, arrival_of
from responder_model.serving.hospital import Hospital
from responder_model.serving.ledger import Ledger
from responder_model.serving.problems import Item, Kind, Refused, json_response
from responder_model.serving.service import Service
from responder_model.words import say

Plain = dict[str, Any]
# Without it nobody is a candidate, and a record has nothing to show.
CAUSE = "aetiology"
NOTHING: Plain = {"cards": []}


def routes(service: Service, hospital: Hospital) -> APIRouter:
    """Routes of CDS Hooks: one service for each question and moment."""
    router, ledger = APIRouter(), Ledger(hospital.state)

    def admit(request: Request) -> Arrival:
        """Refuse who may not call, before anything of the body is read."""
        if service.callers is None:
            check_local(request.scope, service.settings)
        else:
            audience = f"{hospital.address}{request.scope['path']}"
            callers = service.callers
            check_caller(request.scope, callers, audience=audience, ledger=ledger)
        return arrival_of(request.scope)

    @router.get(CDS)
    async def discovery(request: Request) -> Response:
        return json_response(services(service, hospital, admit(request).lang))

    @router.get(f"{ADMIN_PATHS}feedback")
    async def counts() -> Response:
        return json_response({"feedback": ledger.counts()})

    def add(target: tuple[str, str]) -> None:
        name = service_id(target)

        @router.post(f"{CDS}/{name}")
        async def call(request: Request) -> Response:
            arrival = admit(request)
            body = await read_json_body(request)
            found = await service.work(
                lambda: cards(service, hospital, target, body, arrival)
            )
            return json_response(found)

        @router.post(f"{CDS}/{name}/feedback")
        async def feedback(request: Request) -> Response:
            admit(request)
            told = told_of(await read_json_body(request), hospital)
            return json_response({"counted": ledger.count(name, told)})

    for target in service.models:
        add(target)
    return router


def told_of(body: bytes, hospital: Hospital) -> list[Feedback]:
    """Feedback of a body.

    Raises
    ------
    Refused
        ``bad_json``, and ``invalid_request`` with all that is wrong.
    """
    system = override_system(hospital.address)
    told, problems = read_feedback(parsed(body, "feedback"), system=system)
    if problems:
        items = [Item(pointer=at, allowed=rule) for at, rule in problems]
        raise Refused(Kind.INVALID_REQUEST, items)
    return told


def service_id(target: tuple[str, str]) -> str:
    """Name of the service of a question and moment.

    Examples
    --------
    >>> service_id(("rtms_response", "screening"))
    'rtms_response-screening'
    """
    return "-".join(target)


def services(service: Service, hospital: Hospital, lang: str) -> Plain:
    """What can be asked, and what a call should bring."""
    rows = []
    for target in service.models:
        decision, moment = (
            decision_label(target[0], lang),
            moment_label(target[1], lang),
        )
        rows.append(
            {
                "hook": HOOK,
                "id": service_id(target),
                "title": f"{decision}, {moment}",
                "description": say("interchange.card_service", lang),
                "prefetch": prefetch(reader_of(hospital, target)),
            }
        )
    return {"services": rows}


def cards(
    service: Service,
    hospital: Hospital,
    target: tuple[str, str],
    body: bytes,
    arrival: Arrival,
) -> Plain:
    """Card of the patient who was opened; none where there is nothing to say.

    Raises
    ------
    Refused
        ``patient_missing``, ``bad_json``, ``invalid_patient``.
    """
    reader = reader_of(hospital, target)
    try:
        record = record_of_call(parsed(body, "call"))
    except RecordError as error:
        raise refusal_of(error) from None
    reading = reading_of(record, reader)
    if not _is_asked_about(reading):
        return NOTHING
    scored = score(service, reading, reader, arrival)
    card = card_of(
        scored.found,
        reading,
        public_url=hospital.address,
        uuid=uuid4(),
        lang=arrival.lang,
    )
    return {"cards": [card]}


def _is_asked_about(reading: Reading) -> bool:
    """Whether a patient may be one of those whom the models describe."""
    if reading.is_dead or not (
        {CAUSE} & (reading.values.keys() | reading.asked.keys())
    ):
        return False
    age = dictionary().fields["age"]
    low, high = float(age.minimum or 0), float(age.maximum or 0)
    told = reading.values.get("age")
    if told is not None:
        return low <= float(told) <= high
    asked = reading.asked.get("age")
    # a year of birth alone: the oldest that it allows
    return asked is None or asked.values.get("oldest", low) >= low
