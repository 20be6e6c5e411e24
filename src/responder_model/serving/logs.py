"""The log: one line of JSON for each request, on stderr, without a value of anybody."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .gate import place_of


def write_line(line: Mapping[str, Any]) -> None:
    """Write one line, with the time before it."""
    text = json.dumps({"time": _now(), **line}, ensure_ascii=True)
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class JsonLines(logging.Handler):
    """Takes what libraries log: its place, and the class of an exception.

    Only the server's own sentences are written, their gaps open: any other one, and any
    exception's text, may hold a patient's value.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        line = {
            "level": record.levelname.lower(),
            "place": f"{record.name} {record.pathname}:{record.lineno}",
        }
        if record.exc_info and record.exc_info[1]:
            line["failure"] = place_of(record.exc_info[1])
        elif record.name.startswith("uvicorn"):
            line["said"] = str(record.msg).strip()
        write_line(line)


def log_as_json(level: int = logging.WARNING) -> None:
    """Let all loggers of the process speak as ``JsonLines`` do."""
    logging.basicConfig(level=level, handlers=[JsonLines()], force=True)
    logging.captureWarnings(capture=True)


def _now() -> str:
    return datetime.now(tz=UTC).isoformat(timespec="milliseconds")
