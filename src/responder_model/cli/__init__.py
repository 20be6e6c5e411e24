"""Command line: a command parses, calls one function of the package and prints.

Nothing heavy is imported here at module level: ``--help`` answers at once.
"""

from __future__ import annotations

import atexit
import gc
import io
import sys

__all__ = ["main"]

# Objects made between two looks for garbage. What imports make stays: looking among it
# at the usual 700 takes a tenth of the time of a short command.
OBJECTS = 100_000


def main() -> None:
    """Run the command line (the ``responder-model`` script)."""
    gc.set_threshold(OBJECTS)
    # nor is it looked through once more at the end, for a fifth of that time
    atexit.register(gc.freeze)
    _write_every_character()
    from .app import app

    app()


def _write_every_character() -> None:
    """Let no character of a result stop a command, such as ≥ in a file on Windows."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            is_utf = stream.encoding.lower().startswith("utf")
            encoding = stream.encoding if is_utf else "utf-8"
            stream.reconfigure(encoding=encoding, errors="replace")
