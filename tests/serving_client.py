"""A server in this process, and what tests send it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from responder_model.serving.app import create_app
from responder_model.serving.settings import ServerSettings

PATIENT = {"age": 54, "aetiology": "ischaemic_stroke", "pain_intensity": 7}
SCREENING = {"decision": "rtms_response", "moment": "screening"}


class Local:
    """One application, its client and the lines of its log."""

    def __init__(self, settings: ServerSettings | None = None) -> None:
        self.lines: list[Mapping[str, Any]] = []
        self.app = create_app(settings, log=self.lines.append)
        self.service = self.app.state.service
        transport = httpx.ASGITransport(app=self.app)
        self._client = httpx.AsyncClient(
            transport=transport, base_url="http://localhost"
        )

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._client.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, value: Any, **more: Any) -> httpx.Response:
        return self.request("POST", path, json=value, **more)

    def predict(self, patient: Any, **more: Any) -> Any:
        body = {**SCREENING, "patients": [patient], **more}
        return self.post("/v1/predictions", body)


def pointers(answer: Any) -> dict[str, str]:
    """Rule by pointer of a problem document."""
    return {row["pointer"]: row["rule"] for row in answer.json()["problems"]}
