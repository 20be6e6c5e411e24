"""What the JSON interface takes and answers: for programs, and as a page to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from responder_model.serving.api import asked_language
from responder_model.serving.frame import Page, other_language, render
from responder_model.serving.openapi import document
from responder_model.serving.problems import (
    JSON,
    MEDIA_TYPE,
    Kind,
    dump_json,
    language_of,
)
from responder_model.serving.service import Service
from responder_model.words import LANGUAGES, say

Description = dict[str, Any]


def routes(service: Service) -> APIRouter:
    """Routes of the description."""
    router = APIRouter()

    @lru_cache(maxsize=4)
    def described(lang: str, models: int) -> Description:  # noqa: ARG001 - of these
        return document(service, lang)

    @router.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        lang, models = asked_language(request), id(service.models)
        found = await service.work(lambda: dump_json(described(lang, models)))
        return Response(found, media_type=JSON)

    @router.get("/docs")
    async def first(request: Request) -> Response:
        lang = language_of(request.headers.get("accept-language", ""))
        return RedirectResponse(f"/{lang}/docs", status_code=303)

    for lang in LANGUAGES:
        _add_page(router, service, lang, described)
    return router


def _add_page(
    router: APIRouter,
    service: Service,
    lang: str,
    described: Callable[[str, int], Description],
) -> None:
    @router.get(f"/{lang}/docs")
    async def page() -> Response:
        models = id(service.models)
        found = await service.work(lambda: docs_page(described(lang, models), lang))
        return HTMLResponse(found.html)


def docs_page(described: Description, lang: str) -> Page:
    """Page of a description: each address with an example, and what can be refused.

    Parameters
    ----------
    described : dict
        As ``openapi.document``.
    lang : {"en", "fr"}
    """
    refusals = described["components"]["responses"]
    example = refusals[Kind.INVALID_PATIENT.code]["content"][MEDIA_TYPE]["example"]
    return render(
        "docs.html.j2",
        lang,
        title=say("page.docs_title", lang),
        other_path=f"/{other_language(lang)}/docs",
        simulated=False,
        asks_token="securitySchemes" in described["components"],
        operations=list(_operations(described)),
        refusals=[
            (kind.status, refusals[kind.code]["description"])
            for kind in sorted(Kind, key=lambda kind: kind.status)
        ],
        refusal=_written(example),
    )


def _operations(described: Description) -> Iterator[dict[str, Any]]:
    for path, methods in described["paths"].items():
        for method, row in methods.items():
            sent = row.get("requestBody", {"content": {JSON: {}}})["content"][JSON]
            examples = [one["value"] for one in sent.get("examples", {}).values()]
            answer = row["responses"]["200"]["content"][JSON]["example"]
            yield {
                "name": row["operationId"],
                "address": f"{method.upper()} {path}",
                "summary": row["summary"],
                "sent": _written(examples[0]) if examples else None,
                "answer": _written(answer),
            }


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
