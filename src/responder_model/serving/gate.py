"""The gate before every route: size, host, time, headers of the answer, and the log.

It is plain ASGI and the outermost part of the application, so that no exception goes
past it: what a route does not answer is a problem document here, and the log has its
class and place, never its text.
"""

from __future__ import annotations

import asyncio
import re
import time
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from responder_model.interchange.outcome import operation_outcome
from responder_model.schema import dictionary
from responder_model.words import LANGUAGES, say
from . import admission
from .problems import MEDIA_TYPE, Kind, Refused, dump_json, json_response, language_of
from .recording import Recorder, ScoredPatient
from .refusal import page_language, refusal_page
from .settings import ServerSettings
from .tokens import Doorkeeper

Log = Callable[[Mapping[str, Any]], None]

# An identifier that says nothing: a UUID, or 32 hexadecimal digits.
_REQUEST_ID = re.compile(r"[0-9a-f]{8}(-?)([0-9a-f]{4}\1){3}[0-9a-f]{12}", re.I)
# Addresses of a hospital's records, and what they speak.
CDS = "/cds-services"
RECORDS = ("/fhir/", CDS)
# What ends the address of a form that is opened with a record.
OPENED = "/record"
_DEEP = 4
FHIR_JSON = "application/fhir+json"
_KEY = "responder_model.arrival"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_HSTS = "max-age=31536000; includeSubDomains"


@dataclass(kw_only=True)
class Arrival:
    """What the log says of a request: nothing that stands in it.

    ``scored`` is for the audit trail: who was scored in the answer that leaves.
    """

    request_id: str
    lang: str
    started: float = field(default_factory=time.perf_counter)
    deadline: float = 0.0
    body_limit: int = 0
    status: int = 0
    decision: str | None = None
    digest: str | None = None
    problems: list[list[str | None]] = field(default_factory=list)
    failure: str | None = None
    doorkeeper: Doorkeeper | None = None
    scored: list[ScoredPatient] = field(default_factory=list)


def arrival_of(scope: MutableMapping[str, Any]) -> Arrival:
    """What the gate knows of a request."""
    return cast("Arrival", scope[_KEY])


class Gate:
    """Middleware: refuses what is too large or not for this server, and logs all.

    Parameters
    ----------
    app : ASGI application
    settings : ServerSettings
    doorkeeper : Doorkeeper or None
        Who may ask; None: everybody.
    recorder : Recorder or None
        What writes the audit trail; None: there is none.
    log : callable
        Takes one line of the log as a mapping.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServerSettings,
        doorkeeper: Doorkeeper | None,
        recorder: Recorder | None,
        log: Log,
    ) -> None:
        self.app, self.settings, self.log = app, settings, log
        self.headers = _as_sent(fixed_headers(settings))
        self.doorkeeper, self.recorder = doorkeeper, recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        arrival = scope[_KEY] = self._arrival(scope)
        fixed = self.headers + _as_sent(admission.cross_origin(scope, self.settings))

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] < 400:
                    await self._record(arrival)
                arrival.status = message["status"]
                own = {name for name, _ in message["headers"]}
                message["headers"] += [pair for pair in fixed if pair[0] not in own]
                message["headers"] += _as_sent({"x-request-id": arrival.request_id})
            await send(message)

        try:
            await self._answer(scope, receive, sent)
        finally:
            self.log(_line(scope, arrival))

    async def _record(self, arrival: Arrival) -> None:
        """Wait until those who were scored are in the trail.

        Raises
        ------
        Refused
            ``not_recorded``: the answer must not leave.
        """
        if self.recorder is None or not arrival.scored:
            return
        seconds = self.settings.limits.answer_seconds
        request = arrival.request_id
        failure = await self.recorder.keep(request, arrival.scored, seconds=seconds)
        if failure is not None:
            arrival.failure = failure
            raise Refused(Kind.NOT_RECORDED)

    def _arrival(self, scope: Scope) -> Arrival:
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        limits = self.settings.limits
        is_large = self.settings.hospital is not None and takes_record(scope)
        return Arrival(
            request_id=given if _REQUEST_ID.fullmatch(given) else str(uuid4()),
            lang=language_of(headers.get("accept-language", ""), self._lang(scope)),
            deadline=asyncio.get_running_loop().time() + limits.request_seconds,
            body_limit=limits.record_bytes if is_large else limits.body_bytes,
            doorkeeper=self.doorkeeper,
        )

    def _lang(self, scope: Scope) -> str:
        """Language of who asks for none."""
        hospital = self.settings.hospital
        return hospital.lang if hospital and is_record(scope) else LANGUAGES[0]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrival = arrival_of(scope)
        try:
            if await self._admit(scope, receive, send):
                await self.app(scope, receive, send)
        except Refused as refused:
            await respond(refused, scope, receive, send)
        except TimeoutError:
            await self._instead(Kind.ANSWER_TIMEOUT, scope, receive, send)
        except ClientDisconnect:
            arrival.failure = "ClientDisconnect"
        except Exception as error:  # noqa: BLE001 - the last place that can answer
            arrival.failure = place_of(error)
            await self._instead(Kind.INTERNAL_ERROR, scope, receive, send)

    async def _instead(
        self, kind: Kind, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer for a route that did not; one that had begun is cut."""
        if arrival_of(scope).status == 0:
            await respond(Refused(kind), scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Let a request in, or answer a browser that asks first; False when answered.

        Raises
        ------
        Refused
            For what is too large, and who may not ask.
        """
        admission.check_size(scope, self.settings.limits)
        admission.check_host(scope, self.settings)
        headers = admission.preflight(scope, self.settings)
        if headers is not None:
            await Response(status_code=204, headers=headers)(scope, receive, send)
            return False
        admission.check_origin(scope, self.settings)
        if not self._shows_itself(scope):
            admission.check_role(scope, self.doorkeeper)
        return True

    def _shows_itself(self, scope: Scope) -> bool:
        """Whether who asks is a record, which its route knows by a signed token."""
        hospital, path = self.settings.hospital, str(scope["path"])
        knows = hospital is not None and hospital.callers is not None
        return knows and (path == CDS or path.startswith(f"{CDS}/"))


class Place(Route):
    """Route of which the gate learns, for the log: FastAPI tells of its own alone."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match an address as any route, and say which route it was."""
        match, found = super().matches(scope)
        return match, {**found, "route": self} if found else found


def media_type_of(request: Request) -> str:
    """Media type of a body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request) -> bytes:
    """Body of a request, within its limits of size and time.

    Raises
    ------
    Refused
        ``too_large`` or ``request_timeout``; the connection is closed, because what is
        left of the body is not read.
    """
    arrival = arrival_of(request.scope)
    most = arrival.body_limit
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > most:
        raise Refused(Kind.TOO_LARGE, headers=admission.CLOSE)
    parts, size = [], 0
    try:
        async with asyncio.timeout_at(arrival.deadline):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise Refused(Kind.TOO_LARGE, headers=admission.CLOSE)
                parts.append(part)
    except TimeoutError:
        raise Refused(Kind.REQUEST_TIMEOUT, headers=admission.CLOSE) from None
    return b"".join(parts)


async def respond(refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a problem document, or a page where a browser asked for one."""
    arrival = arrival_of(scope)
    arrival.problems = [[item.field, item.rule] for item in refused.items]
    if is_record(scope):
        await _outcome(refused, arrival)(scope, receive, send)
        return
    accepted = Headers(scope=scope).get("accept", "")
    lang = page_language(scope["path"], accepted, arrival.lang)
    if lang is not None:
        page = refusal_page(refused, arrival.request_id, lang)
        answer = HTMLResponse(page.html, page.status, headers=refused.headers)
        await answer(scope, receive, send)
        return
    response = json_response(
        refused.document(arrival.request_id, arrival.lang),
        status=refused.kind.status,
        media_type=MEDIA_TYPE,
        headers=refused.headers,
    )
    await response(scope, receive, send)


def takes_record(scope: Scope) -> bool:
    """Whether a whole record may be sent to an address."""
    path = str(scope["path"])
    is_form = (
        admission.is_page(path) and path.endswith(OPENED) and path.count("/") == _DEEP
    )
    return is_form or is_record(scope)


def is_record(scope: Scope) -> bool:
    """Whether an address is one for a hospital's records."""
    return str(scope["path"]).startswith(RECORDS)


def _outcome(refused: Refused, arrival: Arrival) -> Response:
    """Refusal as FHIR says it."""
    told = refused.document(arrival.request_id, arrival.lang)
    lead = told["title"] + say("page.colon", arrival.lang)
    problems = [
        (
            row["pointer"] if row["field"] is None else "",
            " ".join(filter(None, (lead, row["label"], row["allowed"]))),
        )
        for row in told["problems"]
    ]
    outcome = operation_outcome(told["status"], told["title"], problems)
    return json_response(
        outcome,
        status=told["status"],
        media_type=FHIR_JSON,
        headers=refused.headers,
    )


def place_of(error: BaseException) -> str:
    """Class and place of an exception; its text may hold a patient's value.

    Examples
    --------
    >>> place_of(ValueError("54 years"))
    'ValueError'
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = f" {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def answer_unread(
    kind: Kind, settings: ServerSettings, log: Log
) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of the answer to what is no request; puts it on the log."""
    request_id = str(uuid4())
    body = dump_json(Refused(kind).document(request_id, LANGUAGES[0]))
    headers = {
        **fixed_headers(settings),
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "x-request-id": request_id,
        **admission.CLOSE,
    }
    log({"request_id": request_id, "status": kind.status})
    return list(headers.items()), body


def _as_sent(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI sends them."""
    return [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]


def fixed_headers(settings: ServerSettings) -> dict[str, str]:
    """Headers of every answer."""
    headers = {**_HEADERS, "content-security-policy": _policy(settings)}
    if settings.is_behind_tls:
        headers["strict-transport-security"] = _HSTS
    return headers


def _policy(settings: ServerSettings) -> str:
    ancestors = " ".join(settings.embed) or "'none'"
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        f"img-src 'self'; form-action 'self'; frame-ancestors {ancestors}; "
        "base-uri 'none'"
    )


def _line(scope: Scope, arrival: Arrival) -> dict[str, Any]:
    # the template of the route: an address may hold anything
    template = getattr(scope.get("route"), "path", None)
    line = {
        "request_id": arrival.request_id,
        "method": scope["method"] if scope["method"] in _METHODS else "other",
        "route": template,
        "status": arrival.status,
        "ms": round(1000 * (time.perf_counter() - arrival.started), 2),
        "decision": arrival.decision,
        "model": arrival.digest,
        # a name that is none of ours was made up by the sender
        "problems": [
            [name if name in dictionary().fields else None, rule]
            for name, rule in arrival.problems
        ],
        "failure": arrival.failure,
    }
    return {name: value for name, value in line.items() if value not in (None, [])}


_METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"})
