"""Run a server until it is told to stop."""

from __future__ import annotations

import signal

import uvicorn

from responder_model.serving.app import create_app
from responder_model.serving.logs import log_as_json
from responder_model.serving.settings import ServerSettings

# Seconds in which requests at work are finished after SIGTERM.
GRACE = 10


def run_server(settings: ServerSettings, *, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl+C; requests at work are finished.

    Raises
    ------
    UntrustedModelError, ResponderModelError
        As ``app.create_app``, before the port is opened.
    """
    app = create_app(settings)
    log_as_json()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http="h11",
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
    uvicorn.Server(config).run()
