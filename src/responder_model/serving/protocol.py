"""HTTP connections with limits of time and number.

uvicorn cuts neither a connection that sends nothing nor one that sends half a request,
and counts none by address. This is its own h11 protocol with one timer: what it relies
on is internal to uvicorn, whose minor version is therefore pinned and whose behaviour
is tested.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .gate import Log, answer_unread
from .problems import KIND_OF_STATUS, Kind
from .settings import ServerSettings


class TimedProtocol(H11Protocol):
    """One connection: cut when its headers, its request or its reading take too long.

    Parameters
    ----------
    settings : ServerSettings
    per_address : Counter
        Connections of each address; all protocols of a server share it.
    log : callable
        Takes a line about what is no HTTP.
    **parts
        What uvicorn gives.
    """

    def __init__(
        self,
        *,
        settings: ServerSettings,
        per_address: Counter[str],
        log: Log,
        **parts: Any,
    ) -> None:
        super().__init__(**parts)
        self.settings, self.limits = settings, settings.limits
        self.per_address, self.log = per_address, log
        self.address = ""
        self._timer: asyncio.TimerHandle | None = None
        self._waits_for: object = None

    def connection_made(self, transport: Any) -> None:
        """Count a connection; one too many is cut."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self.per_address[self.address] += 1
        too_many = len(self.connections) > self.limits.connections
        if too_many or self.per_address[self.address] > self._most_of_one:
            transport.abort()
        self._watch()

    @property
    def _most_of_one(self) -> int:
        """Connections of one address; a proxy has them all."""
        if self.address == self.settings.proxy:
            return self.limits.connections
        return self.limits.connections_per_address

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self.per_address[self.address] -= 1
        if self.per_address[self.address] == 0:
            del self.per_address[self.address]
        self._time(None, 0.0)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what has come."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on to the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Wait for who does not read the answer, but not for ever."""
        super().pause_writing()
        self._time("reading", self.limits.answer_seconds)

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self._watch()

    def _watch(self) -> None:
        """Time what is waited for: headers, or the rest of a request."""
        state = self.conn.their_state
        if state is h11.IDLE:
            # a connection that is kept alive has uvicorn's own timer until it sends
            kept = self.timeout_keep_alive_task is not None
            self._time(None if kept else state, self.limits.header_seconds)
        elif state is h11.SEND_BODY:
            # a little longer than the answer that says so
            self._time(state, self.limits.request_seconds + 1.0)
        elif self._waits_for != "reading":
            self._time(None, 0.0)

    def _time(self, what: object, seconds: float) -> None:
        if what is not None and what == self._waits_for:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._waits_for = what
        cut = self.transport.abort
        self._timer = None if what is None else self.loop.call_later(seconds, cut)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - not in our words
        """Answer what is no HTTP, or headers that are too large."""
        hint = getattr(sys.exc_info()[1], "error_status_hint", 0)
        kind = KIND_OF_STATUS.get(hint, Kind.BAD_REQUEST)
        headers, body = answer_unread(kind, self.settings, self.log)
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            start = h11.Response(status_code=kind.status, headers=headers)
            for event in (start, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
