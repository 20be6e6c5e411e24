"""Routes of the page: a handler reads a form, makes one page and sends it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib.resources import files
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from responder_model.model import Model
from responder_model.serving.admission import SESSION, refuse_token
from responder_model.serving.compare import compare_page
from responder_model.serving.entries import of_patient, read_entries
from responder_model.serving.frame import (
    FORM,
    IMPLANT,
    SCORE,
    Models,
    Page,
)
from responder_model.serving.gate import arrival_of, read_body
from responder_model.serving.pages import form_page, result_page
from responder_model.serving.path import pathway_page
from responder_model.serving.problems import Kind, Refused, language_of
from responder_model.serving.service import Service
from responder_model.serving.start import about_page, start_page
from responder_model.serving.tokens import SESSION_SECONDS
from responder_model.words import LANGUAGES

FORM_TYPE = "application/x-www-form-urlencoded"
# Files that pages name, and their media types.
STATIC = {"page.css": "text/css"}

Pairs = list[tuple[str, str]]


def routes(service: Service) -> APIRouter:
    """Routes of the page, in both languages."""
    router = APIRouter()

    @router.get("/")
    async def first(request: Request) -> Response:
        lang = language_of(request.headers.get("accept-language", ""))
        return _sent(_start(service, lang))

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in STATIC:
            raise Refused(Kind.NOT_FOUND)
        return Response(_read_static(name), media_type=STATIC[name])

    for lang in LANGUAGES:
        _add_forms(router, service, lang)
        _add_language(router, service, lang)
    return router


def _add_language(router: APIRouter, service: Service, lang: str) -> None:
    """Routes of one language, whose name begins each address."""

    @router.get(f"/{lang}")
    async def start() -> Response:
        return _sent(_start(service, lang))

    @router.get(f"/{lang}/about/{{decision}}/{{moment}}")
    async def about(decision: str, moment: str) -> Response:
        models = _models(service)
        if (decision, moment) not in models:
            raise Refused(Kind.NOT_FOUND)
        return _sent(about_page(models, decision, moment, lang=lang))

    @router.get(f"/{lang}/{{decision}}/{{moment}}")
    async def ask(request: Request, decision: str, moment: str) -> Response:
        models = _models(service)
        if (decision, moment) not in models:
            raise Refused(Kind.NOT_FOUND)
        _note(request, models[decision, moment])
        return _sent(form_page(models, decision, moment, {}, lang=lang))

    @router.post(f"/{lang}/{{decision}}/{{moment}}")
    async def score(request: Request, decision: str, moment: str) -> Response:
        # an implant has a price of its own
        is_test = decision != IMPLANT[0]
        threshold = service.settings.threshold if is_test else None
        make = partial(_question, threshold=threshold)
        return await _answer(request, service, lang, make, (decision, moment))


def _add_forms(router: APIRouter, service: Service, lang: str) -> None:
    """Routes that take a form and name no question."""

    @router.get(f"/{lang}/pathway")
    @router.get(f"/{lang}/compare")
    @router.get(f"/{lang}/login")
    @router.get(f"/{lang}/logout")
    async def restart() -> Response:
        # what was entered is not in the address: there is nothing to show anew
        return RedirectResponse(f"/{lang}", status_code=303)

    @router.post(f"/{lang}/pathway")
    async def path(request: Request) -> Response:
        return await _answer(request, service, lang, _pathway)

    @router.post(f"/{lang}/compare")
    async def compare(request: Request) -> Response:
        return await _answer(request, service, lang, _compare)

    @router.post(f"/{lang}/logout")
    async def logout() -> Response:
        answer = RedirectResponse(f"/{lang}", status_code=303)
        answer.delete_cookie(SESSION, httponly=True, samesite="strict")
        return answer

    @router.post(f"/{lang}/login")
    async def login(request: Request) -> Response:
        return await _let_in(request, service, lang)


async def _let_in(request: Request, service: Service, lang: str) -> Response:
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


Task = Callable[[Models, tuple[str, str], Pairs, str], Page]


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
    models = _models(service)
    if target not in models:
        raise Refused(Kind.NOT_FOUND)
    _note(request, models[target])
    page = await service.work(lambda: make(models, target, pairs, lang))
    arrival_of(request.scope).problems = [
        [field, rule] for field, rule in page.problems
    ]
    return _sent(page)


def _note(request: Request, model: Model) -> None:
    """Put on the log's line which question and which model it was."""
    arrival = arrival_of(request.scope)
    arrival.decision, arrival.digest = model.target, model.digest


def _question(
    models: Models,
    target: tuple[str, str],
    pairs: Pairs,
    lang: str,
    *,
    threshold: float | None,
) -> Page:
    # a comparison ends here: the second patient is left behind
    entries = of_patient(read_entries(pairs))
    if _own(pairs, "_do") == FORM:
        return form_page(models, *target, entries, lang=lang)
    return result_page(models, *target, entries, lang=lang, threshold=threshold)


def _pathway(models: Models, target: tuple[str, str], pairs: Pairs, lang: str) -> Page:
    if IMPLANT not in models or target[0] == IMPLANT[0]:
        raise Refused(Kind.NOT_FOUND)
    return pathway_page(models, *target, read_entries(pairs), lang=lang)


def _compare(models: Models, target: tuple[str, str], pairs: Pairs, lang: str) -> Page:
    scored = _own(pairs, "_do") == SCORE
    entries = read_entries(pairs)
    return compare_page(models, *target, entries, lang=lang, scored=scored)


async def read_form(request: Request, most: int) -> Pairs:
    """Names and texts of a form that was sent.

    Raises
    ------
    Refused
        For another media type, text that is not UTF-8, or more than ``most`` fields.
    """
    kind, _, _ = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != FORM_TYPE:
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


def _start(service: Service, lang: str) -> Page:
    asks_token = service.doorkeeper is not None
    return start_page(_models(service), lang=lang, asks_token=asks_token)


def _models(service: Service) -> Models:
    return {target: served.model for target, served in service.models.items()}


def _sent(page: Page) -> Response:
    return HTMLResponse(page.html, status_code=page.status)


@cache
def _read_static(name: str) -> bytes:
    return (files("responder_model") / "serving" / "static" / name).read_bytes()
