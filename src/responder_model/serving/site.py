"""Routes of the page: a handler reads a form, makes one page and sends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import cache, partial
from importlib.resources import files
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from responder_model.model import Model
from responder_model.words import LANGUAGES
from . import frame
from .admission import SESSION, refuse_token, session_of
from .compare import compare_page
from .entries import of_patient, read_entries
from .gate import Place, arrival_of, media_type_of, read_body
from .pages import form_page, result_page
from .path import pathway_page
from .problems import Kind, Refused, language_of
from .service import Service
from .sessions import SESSION_SECONDS
from .start import about_page, start_page

FORM_TYPE = "application/x-www-form-urlencoded"
# Files that pages name, and their media types.
STATIC = {"page.css": "text/css"}

Pairs = list[tuple[str, str]]
# What answers a request in one language.
Handler = Callable[[Service, str, Request], Awaitable[Response]]


def routes(service: Service) -> list[Place]:
    """Routes of the page, in both languages."""
    return [
        Place("/", partial(_first, service), methods=["GET"]),
        Place("/static/{name}", _static, methods=["GET"]),
        *(route for lang in LANGUAGES for route in _of_language(service, lang)),
    ]


def _of_language(service: Service, lang: str) -> Iterator[Place]:
    """Routes of one language, whose name begins each address."""

    def route(address: str, handler: Handler, method: str) -> Place:
        endpoint = partial(handler, service, lang)
        return Place(f"/{lang}{address}", endpoint, methods=[method])

    yield route("", _start, "GET")
    for address, handler in (
        ("/pathway", _pathway),
        ("/compare", _compare),
        ("/login", _login),
        ("/logout", _logout),
    ):
        # what was entered is not in the address: there is nothing to show anew
        yield route(address, _restart, "GET")
        yield route(address, handler, "POST")
    yield route("/about/{decision}/{moment}", _about, "GET")
    yield route("/{decision}/{moment}", _ask, "GET")
    yield route("/{decision}/{moment}", _score, "POST")


async def _first(service: Service, request: Request) -> Response:
    lang = language_of(request.headers.get("accept-language", ""))
    return await _start(service, lang, request)


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        raise Refused(Kind.NOT_FOUND)
    return Response(_read_static(name), media_type=STATIC[name])


async def _start(service: Service, lang: str, _: Request) -> Response:
    asks_token = service.doorkeeper is not None
    audited = service.settings.audit is not None
    models = models_of(service)
    return _sent(start_page(models, lang=lang, asks_token=asks_token, audited=audited))


async def _restart(_: Service, lang: str, __: Request) -> Response:
    return RedirectResponse(f"/{lang}", status_code=303)


async def _about(service: Service, lang: str, request: Request) -> Response:
    models, target = models_of(service), target_of(request)
    if target not in models:
        raise Refused(Kind.NOT_FOUND)
    return _sent(about_page(models, *target, lang=lang))


async def _ask(service: Service, lang: str, request: Request) -> Response:
    models, target = models_of(service), target_of(request)
    if target not in models:
        raise Refused(Kind.NOT_FOUND)
    _note(request, models[target])
    return _sent(form_page(models, *target, {}, lang=lang))


async def _score(service: Service, lang: str, request: Request) -> Response:
    target = target_of(request)
    # an implant has a price of its own
    is_test = target[0] != frame.IMPLANT[0]
    threshold = service.settings.threshold if is_test else None
    make = partial(_question_page, threshold=threshold)
    return await _answer(request, service, lang, make, target)


async def _pathway(service: Service, lang: str, request: Request) -> Response:
    return await _answer(request, service, lang, _pathway_page)


async def _compare(service: Service, lang: str, request: Request) -> Response:
    return await _answer(request, service, lang, _compare_page)


async def _logout(_: Service, lang: str, request: Request) -> Response:
    """End what the cookie opens, here and in the browser."""
    doorkeeper = arrival_of(request.scope).doorkeeper
    if doorkeeper is not None:
        doorkeeper.end_session(session_of(request.scope))
    answer = RedirectResponse(f"/{lang}", status_code=303)
    answer.delete_cookie(SESSION, httponly=True, samesite="strict")
    return answer


async def _login(service: Service, lang: str, request: Request) -> Response:
    """Give a browser with a valid token a cookie for eight hours.

    Raises
    ------
    Refused
        For another token.
    """
    answer = RedirectResponse(f"/{lang}", status_code=303)
    doorkeeper = arrival_of(request.scope).doorkeeper
    if doorkeeper is None:
        return answer
    pairs = await read_form(request, service.settings.limits.form_fields)
    handle = doorkeeper.open_session(_own(pairs, "token").strip())
    if handle is None:
        refuse_token(request.scope, doorkeeper)
        raise Refused(Kind.UNAUTHORISED)
    answer.set_cookie(
        SESSION,
        handle,
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=service.settings.is_behind_tls,
    )
    return answer


Task = Callable[[frame.Models, tuple[str, str], Pairs, str], frame.Page]


async def _answer(
    request: Request,
    service: Service,
    lang: str,
    make: Task,
    target: tuple[str, str] | None = None,
) -> Response:
    """Page made in a thread from a form; of the question that the form names."""
    pairs = await read_form(request, service.settings.limits.form_fields)
    if target is None:
        decision, _, moment = _own(pairs, "_of").partition("@")
        target = (decision, moment)
    models = models_of(service)
    if target not in models:
        raise Refused(Kind.NOT_FOUND)
    _note(request, models[target])
    page = await service.work(lambda: make(models, target, pairs, lang))
    arrival = arrival_of(request.scope)
    arrival.problems = [[field, rule] for field, rule in page.problems]
    arrival.scored += page.scored
    return _sent(page)


def _note(request: Request, model: Model) -> None:
    """Put on the log's line which question and which model it was."""
    arrival = arrival_of(request.scope)
    arrival.decision, arrival.digest = model.target, model.digest


def _question_page(
    models: frame.Models,
    target: tuple[str, str],
    pairs: Pairs,
    lang: str,
    *,
    threshold: float | None,
) -> frame.Page:
    # a comparison ends here: the second patient is left behind
    entries = of_patient(read_entries(pairs))
    if _own(pairs, "_do") == frame.FORM:
        return form_page(models, *target, entries, lang=lang)
    return result_page(models, *target, entries, lang=lang, threshold=threshold)


def _pathway_page(
    models: frame.Models, target: tuple[str, str], pairs: Pairs, lang: str
) -> frame.Page:
    if frame.IMPLANT not in models or target[0] == frame.IMPLANT[0]:
        raise Refused(Kind.NOT_FOUND)
    return pathway_page(models, *target, read_entries(pairs), lang=lang)


def _compare_page(
    models: frame.Models, target: tuple[str, str], pairs: Pairs, lang: str
) -> frame.Page:
    scored = _own(pairs, "_do") == frame.SCORE
    entries = read_entries(pairs)
    return compare_page(models, *target, entries, lang=lang, scored=scored)


async def read_form(request: Request, most: int) -> Pairs:
    """Names and texts of a form that was sent.

    Raises
    ------
    Refused
        For another media type, text that is not UTF-8, or more than ``most`` fields.
    """
    if media_type_of(request) != FORM_TYPE:
        raise Refused(Kind.UNSUPPORTED_MEDIA_TYPE)
    body = await read_body(request)
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, max_num_fields=most, errors="strict")
    except UnicodeDecodeError:
        raise Refused(Kind.BAD_REQUEST) from None
    except ValueError:
        raise Refused(Kind.TOO_LARGE) from None
    return pairs


def _own(pairs: Pairs, name: str) -> str:
    """Text of one of the page's own controls."""
    return dict(pairs).get(name, "")


def target_of(request: Request) -> tuple[str, str]:
    """Question and moment in an address."""
    return request.path_params["decision"], request.path_params["moment"]


def models_of(service: Service) -> frame.Models:
    """Models that serve now."""
    return {target: served.model for target, served in service.models.items()}


def _sent(page: frame.Page) -> Response:
    return HTMLResponse(page.html, status_code=page.status)


@cache
def _read_static(name: str) -> bytes:
    return (files("responder_model") / "serving" / "static" / name).read_bytes()
