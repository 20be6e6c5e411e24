"""What a record asks of CDS Hooks in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from records import WHO, condition
from serving_client import Local

URL = "https://responder.example"
SERVICES = "/cds-services"
SCREENING = f"{SERVICES}/rtms_response-screening"
WORD = "zq7canary"
STROKE = condition((WHO, "I69.3"), recordedDate="2024-01-02")


def recent(days: int = 5) -> str:
    return (datetime.now(tz=UTC) - timedelta(days=days)).date().isoformat()


def ask(
    server: Local, body: Any, *, lang: str = "en", path: str = SCREENING
) -> httpx.Response:
    return server.post(path, body, headers={"accept-language": lang})


def card(server: Local, body: Any, **more: Any) -> Any:
    """The one card of an answer."""
    answer = ask(server, body, **more)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["cards"]
    return found
