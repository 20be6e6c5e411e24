"""What the JSON interface takes and answers: for programs, and as a page to read."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter, Request, Response

from responder_model.serving.api import asked_language
from responder_model.serving.openapi import document
from responder_model.serving.problems import JSON, dump_json
from responder_model.serving.service import Service


def routes(service: Service) -> APIRouter:
    """Routes of the description."""
    router = APIRouter()

    @lru_cache(maxsize=4)
    def written(lang: str, models: int) -> bytes:  # noqa: ARG001 - new with new models
        return dump_json(document(service, lang))

    @router.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        lang, models = asked_language(request), id(service.models)
        found = await service.work(lambda: written(lang, models))
        return Response(found, media_type=JSON)

    return router
