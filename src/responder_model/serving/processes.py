"""Several processes on one address: a parent that passes signals on, mends losses."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from .logs import write_line

# Seconds between the loss of a process and the next one.
PAUSE = 1.0


def run_processes(
    serve: Callable[[], None], n: int, *, before_stopping: Callable[[], None]
) -> None:
    """Run ``n`` processes that serve, until SIGTERM or Ctrl+C; all have ended then.

    SIGHUP is passed on. A process that ends by itself is replaced. ``before_stopping``
    is called when SIGTERM has come: what the parent holds open, nobody can finish.
    """
    children = {_start(serve) for _ in range(n)}
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        before_stopping()
        _send(children, signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, lambda *_: _send(children, signal.SIGHUP))
    while children:
        ended, _ = os.wait()
        children.discard(ended)
        if not stopping:
            write_line({"level": "error", "failure": "a process ended", "pid": ended})
            time.sleep(PAUSE)
            children.add(_start(serve))


def _start(serve: Callable[[], None]) -> int:
    """Fork one process; the parent gets its number."""
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        serve()
        code = 0
    finally:
        # nothing of the parent is done twice
        os._exit(code)


def _send(children: set[int], number: signal.Signals) -> None:
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, number)
