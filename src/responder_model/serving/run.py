"""Run a server until it is told to stop."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import uvicorn
from fastapi import FastAPI

from responder_model.errors import ResponderModelError
from .app import create_app
from .listener import Server, let_nobody_begin
from .logs import log_as_json, write_line
from .problems import Refused
from .processes import run_processes
from .protocol import TimedProtocol
from .service import Service
from .settings import ServerSettings

# Seconds in which requests at work are finished after SIGTERM.
GRACE = 10
# Connections that wait to be accepted.
BACKLOG = 1024


def run_server(
    settings: ServerSettings,
    *,
    host: str,
    port: int,
    processes: int = 1,
    opened: Callable[[int], None] = lambda _: None,
) -> None:
    """Serve until SIGTERM or Ctrl+C; requests at work are finished.

    ``opened`` is told the port once it listens. SIGHUP loads all models anew; those
    that serve stay until the new ones are tried.

    Raises
    ------
    UntrustedModelError, ResponderModelError
        As ``app.create_app``, before the port is opened.
    OSError
        For an address or a port that cannot be listened to.
    """
    app = create_app(settings)
    # what is loaded stays: no look for garbage among it, and processes share its memory
    gc.freeze()
    log_as_json()
    with _listening(host, port) as place:
        opened(place.getsockname()[1])
        if processes == 1:
            serve_on(place, app, settings, alone=True)
            return
        service: Service = app.state.service
        # whoever is asked to reload tells the others
        service.told = lambda: os.kill(os.getppid(), signal.SIGHUP)
        serve = partial(serve_on, place, app, settings, alone=False)
        run_processes(serve, processes, before_stopping=partial(_close_door, place))


def _close_door(place: socket.socket) -> None:
    """Nobody else begins; those who have begun are the children's."""
    let_nobody_begin(place)
    place.close()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    place = socket.create_server((host, port), family=family, backlog=BACKLOG)
    # asyncio sets it on sockets that it makes itself; without it an answer in two
    # parts waits 40 ms for its second one
    place.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return place


def serve_on(
    place: socket.socket, app: FastAPI, settings: ServerSettings, *, alone: bool
) -> None:
    """Serve on a socket, in this process."""
    config = uvicorn.Config(
        app,
        http=_protocol(settings),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=settings.proxy is not None,
        forwarded_allow_ips=settings.proxy or "",
        h11_max_incomplete_event_size=settings.limits.header_bytes,
        timeout_graceful_shutdown=GRACE,
    )
    # uvicorn sends itself the signal again when it is done: that is no failure
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, partial(_on_hangup, app.state.service))
    Server(config, alone=alone).run(sockets=[place])


def _protocol(settings: ServerSettings) -> Any:
    per_address: Counter[str] = Counter()
    parts = {"settings": settings, "per_address": per_address, "log": write_line}
    return partial(TimedProtocol, **cast("Any", parts))


def _on_hangup(service: Service, *_: object) -> None:
    """Reload beside the requests that are answered."""
    threading.Thread(target=reload_and_log, args=(service,), daemon=True).start()


def reload_and_log(service: Service, log: Callable[..., None] = write_line) -> None:
    """Load all models anew, and say on the log what became of it."""
    try:
        service.reload()
    except (ResponderModelError, Refused) as error:
        log({"level": "error", "reload": "refused", "said": str(error)})
        return
    digests = {row.model.target: row.model.digest for row in service.models.values()}
    log({"level": "info", "reload": "done", "models": digests})
