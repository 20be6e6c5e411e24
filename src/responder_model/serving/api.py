"""The JSON interface: what the commands print with ``--json``, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from responder_model.errors import ResponderModelError
from responder_model.schema import dictionary
from responder_model.words import LANGUAGES, Note
from . import answers, envelopes, problems
from .fields import describe_field
from .gate import Place, arrival_of, read_body
from .service import Service, not_ready_item
from .shelf import not_ready

Plain = dict[str, Any]
# What is answered without a thread, and the largest body of it.
QUICK, QUICK_BYTES = ("predictions",), 1024


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route: its name, the envelope that it takes, and what answers.

    ``answer`` of a route without an envelope takes the service and a language, of one
    with an envelope also what the log says.
    """

    name: str
    path: str
    answer: Callable[..., Plain]
    envelope: type[envelopes.Envelope] | None = None
    takes_language: bool = False

    @property
    def method(self) -> str:
        """GET without an envelope."""
        return "GET" if self.envelope is None else "POST"


def ready(service: Service, _: str) -> Plain:
    """Which models serve, each tried now; and whether answers can be recorded."""
    items = [not_ready_item(served) for served in not_ready(service.models)]
    if items:
        raise problems.Refused(problems.Kind.NOT_READY, items)
    if service.settings.audit is not None:
        try:
            service.settings.audit.check()
        except (OSError, ResponderModelError):
            raise problems.Refused(problems.Kind.NOT_RECORDED) from None
    return {"status": "ready", "models": _identities(service)}


def _identities(service: Service) -> Plain:
    return {served.model.target: served.identity for served in service.models.values()}


def models(service: Service, lang: str) -> Plain:
    """The models that serve, with what they rest on."""
    return {"models": [served.describe(lang) for served in service.models.values()]}


def describe_dictionary(_: Service, lang: str) -> Plain:
    """Questions, moments and predictors, words in a language."""
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


def reload_models(service: Service, asked: envelopes.Envelope, _: Any) -> Plain:
    """Load all models anew; those that serve stay until the new ones are tried."""
    try:
        service.reload()
    except ResponderModelError as error:
        items = [problems.Item(pointer="", allowed=error.said)]
        raise problems.Refused(
            problems.Kind.REFUSED_MODEL, items, lang=asked.lang
        ) from error
    if service.told is not None:
        service.told()
    return {"models": _identities(service)}


def _operation(name: str, envelope: type[envelopes.Envelope]) -> Operation:
    answer = getattr(answers, name)
    return Operation(name=name, path=f"/v1/{name}", answer=answer, envelope=envelope)


OPERATIONS = (
    Operation(name="ready", path="/ready", answer=ready),
    Operation(name="models", path="/v1/models", answer=models, takes_language=True),
    Operation(
        name="dictionary",
        path="/v1/dictionary",
        answer=describe_dictionary,
        takes_language=True,
    ),
    _operation("predictions", envelopes.ManyPatients),
    _operation("explanations", envelopes.OnePatient),
    _operation("pathway", envelopes.Path),
    _operation("course", envelopes.Path),
    _operation("stopping", envelopes.Stopping),
    Operation(
        name="reload",
        path="/admin/reload",
        answer=reload_models,
        envelope=envelopes.Envelope,
    ),
)


def operations(service: Service) -> tuple[Operation, ...]:
    """Operations of a server; without tokens nobody is known who may reload models."""
    if service.settings.tokens is None:
        return tuple(row for row in OPERATIONS if row.name != "reload")
    return OPERATIONS


def routes(service: Service) -> list[Place]:
    """Routes of the JSON interface."""
    found = [Place("/health", _health, methods=["GET"])]
    for operation in operations(service):
        answer = _get if operation.envelope is None else _post
        endpoint = partial(answer, operation, service)
        found.append(Place(operation.path, endpoint, methods=[operation.method]))
    return found


async def _health(_: Request) -> Response:
    return problems.json_response({"status": "alive"})


async def _get(operation: Operation, service: Service, request: Request) -> Response:
    lang = asked_language(request)
    return problems.json_response(
        await service.work(lambda: operation.answer(service, lang))
    )


async def _post(operation: Operation, service: Service, request: Request) -> Response:
    body, arrival = await read_json_body(request), arrival_of(request.scope)
    depth = service.settings.limits.json_depth

    def answer() -> Plain:
        asked = envelopes.read_envelope(
            body, operation.envelope or envelopes.Envelope, depth
        )
        return operation.answer(service, asked, arrival)

    # a few patients take less time than a thread costs
    is_quick = operation.name in QUICK and len(body) <= QUICK_BYTES
    found = answer() if is_quick else await service.work(answer)
    return problems.json_response({"request_id": arrival.request_id, **found})


async def read_json_body(request: Request) -> bytes:
    """Body of a request, which must be sent as JSON.

    Raises
    ------
    Refused
        For another media type, an encoding, or a body that is too large.
    """
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != problems.JSON or charset not in ("", "charset=utf-8"):
        raise problems.Refused(problems.Kind.UNSUPPORTED_MEDIA_TYPE)
    if request.headers.get("content-encoding", "identity") != "identity":
        raise problems.Refused(problems.Kind.UNSUPPORTED_MEDIA_TYPE)
    return await read_body(request)


def asked_language(request: Request) -> str:
    """Language of ``?lang=``, else that of ``Accept-Language``.

    Raises
    ------
    Refused
        For a language that is none of ours, and any other parameter.
    """
    given = request.query_params.multi_items()
    accepted = problems.language_of(request.headers.get("accept-language", ""))
    if not given:
        return accepted
    if len(given) == 1 and given[0][0] == "lang" and given[0][1] in LANGUAGES:
        return given[0][1]
    rule = Note("serving.one_of", values=LANGUAGES)
    raise problems.Refused(
        problems.Kind.INVALID_REQUEST, [problems.Item(pointer="?lang", allowed=rule)]
    )
