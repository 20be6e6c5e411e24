"""CDS Hooks 2.0: services that a record asks when a patient is opened."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from responder_model.interchange.cards import card_of, override_system
from responder_model.interchange.feedback import Feedback, read_feedback
from responder_model.interchange.hooks import HOOK, prefetch, record_of_call
from responder_model.interchange.reading import Reading
from responder_model.interchange.record import RecordError
from responder_model.labels import decision_label, moment_label
from responder_model.schema import dictionary
from responder_model.words import say
from . import assessing
from .admission import ADMIN_PATHS
from .api import read_json_body
from .callers import check_caller, check_local
from .gate import CDS, Arrival, Place, arrival_of
from .hospital import Hospital
from .ledger import Ledger
from .problems import Item, Kind, Refused, json_response
from .service import Service

Plain = dict[str, Any]
# Without it nobody is a candidate, and a record has nothing to show.
CAUSE = "aetiology"
NOTHING: Plain = {"cards": []}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the routes share."""

    service: Service
    hospital: Hospital
    ledger: Ledger


def routes(service: Service, hospital: Hospital) -> list[Place]:
    """Routes of CDS Hooks: one service for each question and moment."""
    ledger = Ledger(hospital.state)
    desk = Desk(service=service, hospital=hospital, ledger=ledger)
    found = [
        Place(CDS, partial(_discover, desk), methods=["GET"]),
        Place(f"{ADMIN_PATHS}feedback", partial(_counts, desk), methods=["GET"]),
    ]
    for target in service.models:
        at = f"{CDS}/{service_id(target)}"
        call, feedback = partial(_call, desk, target), partial(_feedback, desk, target)
        found += [
            Place(at, call, methods=["POST"]),
            Place(f"{at}/feedback", feedback, methods=["POST"]),
        ]
    return found


def _admit(desk: Desk, request: Request) -> Arrival:
    """Refuse who may not call, before anything of the body is read."""
    callers, scope = desk.service.callers, request.scope
    if callers is None:
        check_local(scope, desk.service.settings)
    else:
        audience = f"{desk.hospital.address}{scope['path']}"
        check_caller(scope, callers, audience=audience, ledger=desk.ledger)
    return arrival_of(scope)


async def _discover(desk: Desk, request: Request) -> Response:
    lang = _admit(desk, request).lang
    return json_response(services(desk.service, desk.hospital, lang))


async def _counts(desk: Desk, _: Request) -> Response:
    return json_response({"feedback": desk.ledger.counts()})


async def _call(desk: Desk, target: tuple[str, str], request: Request) -> Response:
    arrival, service = _admit(desk, request), desk.service
    body = await read_json_body(request)
    return json_response(
        await service.work(lambda: cards(service, desk.hospital, target, body, arrival))
    )


async def _feedback(desk: Desk, target: tuple[str, str], request: Request) -> Response:
    _admit(desk, request)
    told = told_of(await read_json_body(request), desk.hospital)
    return json_response({"counted": desk.ledger.count(service_id(target), told)})


def told_of(body: bytes, hospital: Hospital) -> list[Feedback]:
    """Feedback of a body.

    Raises
    ------
    Refused
        ``bad_json``, and ``invalid_request`` with all that is wrong.
    """
    system = override_system(hospital.address)
    told, problems = read_feedback(assessing.parsed(body, "feedback"), system=system)
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
                "prefetch": prefetch(assessing.reader_of(hospital, target)),
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
    reader = assessing.reader_of(hospital, target)
    try:
        record = record_of_call(assessing.parsed(body, "call"))
    except RecordError as error:
        raise assessing.refusal_of(error) from None
    reading = assessing.reading_of(record, reader)
    if not _is_asked_about(reading):
        return NOTHING
    found = assessing.score(service, reading, reader, arrival)
    card = card_of(
        found,
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
