"""A server in this process, and what tests send it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from patience import PATIENCE
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


def without_chance(line: Mapping[str, Any]) -> str:
    """A line of the log but its random identifier and times, which hold any digits."""
    kept = {key: row for key, row in line.items() if key not in ("request_id", "ms")}
    assert len(kept) == len(line) - 2
    return json.dumps(kept, ensure_ascii=False)


SERVE = "from responder_model.cli import main; main()"
# Seconds in which a server must have started, on a busy machine.
STARTING = PATIENCE


class Live:
    """A server of its own, as the command starts it, on a port of this machine."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "serve.log"
        command = [sys.executable, "-c", SERVE, "serve", "--port", str(self.port)]
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen([*command, *options], stderr=log)

    def __enter__(self) -> Live:
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
            except OSError:
                time.sleep(0.05)
            else:
                return self
        self.process.kill()
        raise AssertionError(self.log.read_text("utf-8"))

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STARTING)
        finally:
            self.process.kill()

    def lines(self) -> list[dict[str, Any]]:
        """The log, line by line."""
        text = self.log.read_text("utf-8").splitlines()
        return [json.loads(line) for line in text if line.startswith("{")]


def free_port() -> int:
    """Port that nobody listens to now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
