"""What the JSON interface takes and answers: for programs, and as a page to read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from responder_model.words import LANGUAGES, say
from . import problems
from .api import asked_language
from .frame import Page, other_language, render
from .gate import Place
from .openapi import document
from .service import Service
from .shelf import Shelf

Description = dict[str, Any]


def routes(service: Service) -> list[Place]:
    """Routes of the description."""
    kept = Described(service)
    return [
        Place("/openapi.json", partial(_openapi, kept), methods=["GET"]),
        Place("/docs", _first, methods=["GET"]),
        *(
            Place(f"/{lang}/docs", partial(_page, kept, lang), methods=["GET"])
            for lang in LANGUAGES
        ),
    ]


class Described:
    """Description of a server in each language, made again when its models change."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._made: dict[str, tuple[Shelf, Description]] = {}

    def of(self, lang: str) -> Description:
        """Make the description when it is first asked for: it takes half a second."""
        models = self.service.models
        made = self._made.get(lang)
        if made is None or made[0] is not models:
            made = self._made[lang] = (models, document(self.service, lang))
        return made[1]


async def _openapi(kept: Described, request: Request) -> Response:
    lang = asked_language(request)
    found = await kept.service.work(lambda: problems.dump_json(kept.of(lang)))
    return Response(found, media_type=problems.JSON)


async def _first(request: Request) -> Response:
    lang = problems.language_of(request.headers.get("accept-language", ""))
    return RedirectResponse(f"/{lang}/docs", status_code=303)


async def _page(kept: Described, lang: str, _: Request) -> Response:
    made = await kept.service.work(lambda: docs_page(kept.of(lang), lang))
    return HTMLResponse(made.html)


def docs_page(described: Description, lang: str) -> Page:
    """Page of a description: each address with an example, and what can be refused.

    Parameters
    ----------
    described : dict
        As ``openapi.document``.
    lang : {"en", "fr"}
    """
    refusals = described["components"]["responses"]
    example = refusals[problems.Kind.INVALID_PATIENT.code]["content"][
        problems.MEDIA_TYPE
    ]["example"]
    return render(
        "docs.html.j2",
        lang,
        title=say("page.docs_title", lang),
        other_path=f"/{other_language(lang)}/docs",
        warnings=(),
        asks_token="securitySchemes" in described["components"],
        operations=list(_operations(described)),
        refusals=[
            (kind.status, refusals[kind.code]["description"])
            for kind in sorted(problems.JSON_KINDS, key=lambda kind: kind.status)
        ],
        refusal=_written(example),
    )


def _operations(described: Description) -> Iterator[dict[str, Any]]:
    for path, methods in described["paths"].items():
        for method, row in methods.items():
            sent = row.get("requestBody", {"content": {problems.JSON: {}}})["content"][
                problems.JSON
            ]
            examples = [one["value"] for one in sent.get("examples", {}).values()]
            answer = row["responses"]["200"]["content"][problems.JSON]["example"]
            yield {
                "name": row["operationId"],
                "address": f"{method.upper()} {path}",
                "summary": row["summary"],
                "sent": _written(examples[0]) if examples else None,
                "answer": _written(answer),
            }


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
