"""The JSON interface: what the commands print with ``--json``, over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from responder_model.schema import dictionary
from responder_model.serving.envelopes import (
    ManyPatients,
    Patient,
    check_patients,
    check_question,
    read_envelope,
)
from responder_model.serving.fields import describe_field
from responder_model.serving.gate import arrival_of, read_body
from responder_model.serving.problems import (
    Item,
    Kind,
    Refused,
    json_response,
    language_of,
)
from responder_model.serving.service import Service, not_ready_item
from responder_model.serving.shelf import Served, not_ready
from responder_model.words import LANGUAGES, Note

JSON = "application/json"


def routes(service: Service) -> APIRouter:
    """Routes of the JSON interface."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> Response:
        return json_response({"status": "alive"})

    @router.get("/ready")
    async def ready() -> Response:
        items = [not_ready_item(served) for served in not_ready(service.models)]
        if items:
            raise Refused(Kind.NOT_READY, items)
        models = {
            served.model.target: served.identity for served in service.models.values()
        }
        return json_response({"status": "ready", "models": models})

    @router.get("/v1/models")
    async def models(request: Request) -> Response:
        lang = asked_language(request)
        rows = [served.describe(lang) for served in service.models.values()]
        return json_response({"models": rows})

    @router.get("/v1/dictionary")
    async def fields(request: Request) -> Response:
        lang = asked_language(request)
        return json_response(describe_dictionary(lang))

    @router.post("/v1/predictions")
    async def predictions(request: Request) -> Response:
        asked, _ = read_envelope(await read_json_body(request), ManyPatients)
        decision, moment = check_question(asked)
        served = service.served(decision, moment)
        note_question(request, served)
        most = service.settings.limits.patients
        if len(asked.patients) > most:
            rule = Note("serving.at_most", most=most)
            items = [Item(pointer="/patients", allowed=rule)]
            raise Refused(Kind.TOO_LARGE, items, lang=asked.lang)

        def score() -> list[dict[str, Any]]:
            numbered = enumerate(asked.patients)
            pointed = [(f"/patients/{k}", values) for k, values in numbered]
            check_patients(pointed, decision, moment, lang=asked.lang)
            return [predict(served, p, asked) for p in asked.patients]

        found = await service.work(score)
        return json_response(answer(request, served, predictions=found))

    return router


def predict(served: Served, patient: Patient, asked: ManyPatients) -> dict[str, Any]:
    """Say of one patient what ``responder-model predict --json`` prints."""
    found = served.model.predict(patient, centre=asked.centre)
    return found.to_dict(asked.lang)


def answer(request: Request, served: Served, **parts: Any) -> dict[str, Any]:
    """Answer of a model: which one, to which request, and what it says."""
    request_id = arrival_of(request.scope).request_id
    return {"model": served.identity, "request_id": request_id, **parts}


def note_question(request: Request, served: Served) -> None:
    """Put on the log's line which question and which model it was."""
    arrival = arrival_of(request.scope)
    arrival.decision = served.model.target
    arrival.digest = str(served.model.digest)


async def read_json_body(request: Request) -> bytes:
    """Body of a request, which must be sent as JSON.

    Raises
    ------
    Refused
        For another media type, an encoding, or a body that is too large.
    """
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != JSON or charset not in ("", "charset=utf-8"):
        raise Refused(Kind.UNSUPPORTED_MEDIA_TYPE)
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refused(Kind.UNSUPPORTED_MEDIA_TYPE)
    return await read_body(request)


def asked_language(request: Request) -> str:
    """Language of ``?lang=``, else that of ``Accept-Language``.

    Raises
    ------
    Refused
        For a language that is none of ours, and any other parameter.
    """
    given = request.query_params.multi_items()
    accepted = language_of(request.headers.get("accept-language", ""))
    if not given:
        return accepted
    if len(given) == 1 and given[0][0] == "lang" and given[0][1] in LANGUAGES:
        return given[0][1]
    rule = Note("serving.one_of", values=LANGUAGES)
    raise Refused(Kind.INVALID_REQUEST, [Item(pointer="?lang", allowed=rule)])


def describe_dictionary(lang: str) -> dict[str, Any]:
    """Questions, moments and predictors as plain data, words in a language."""
    table = dictionary()
    return {
        "decisions": [
            {
                "name": row.name,
                "label": row.label[lang],
                "help": row.help[lang],
                "moments": list(row.moments),
                "comparison": row.comparison,
                "main_cut_point": row.main_cut_point,
                "cut_points": list(row.served_cut_points),
            }
            for row in table.decisions.values()
        ],
        "moments": [{"name": m.name, "label": m.label[lang]} for m in table.moments],
        "fields": [
            describe_field(row, lang)
            for row in table.fields.values()
            if row.role == "predictor"
        ],
    }
