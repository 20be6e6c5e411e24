"""One look at something dangerous, in a process of its own."""

from __future__ import annotations

import os
import resource
import select
import signal
from collections.abc import Callable

MEMORY = 3 * 2**30  # bytes of address space that one look may take


def look(check: Callable[[], str], seconds: float) -> str:
    """Run a check in a process of its own: its answer, ``crash`` or ``hang``."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            answer = check()
        except BaseException as error:  # noqa: BLE001 - every kind counts
            answer = f"EXCEPTION {type(error).__name__}: {str(error)[:200]}"
        os.write(writing, answer.encode(errors="replace"))
        os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], seconds)
    answer = os.read(reading, 4096).decode() or "CRASH" if ready else "HANG"
    os.close(reading)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return answer
