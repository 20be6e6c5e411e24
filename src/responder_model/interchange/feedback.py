"""Feedback on cards: what became of each, and why if it is one of our reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from responder_model.words import Note
from .cards import REASONS

OUTCOMES = ("accepted", "overridden")
# Reason of a client's own, of which nothing is kept.
OTHER = "other"

Problems = list[tuple[str, Note]]
"""Where something is wrong, and the rule."""


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """What became of a card; ``reason`` is empty where none was given."""

    card: str
    outcome: str
    reason: str = ""


def read_feedback(asked: Any, *, system: str) -> tuple[list[Feedback], Problems]:
    """Feedback of a request, and all that is wrong in it.

    Comments are not looked at, and of times only that they are some.

    Parameters
    ----------
    asked : object
        Body of the request.
    system : str
        System of our own reasons.
    """
    rows = asked.get("feedback") if isinstance(asked, Mapping) else None
    if not isinstance(rows, list) or not rows:
        return [], [("feedback", Note("interchange.feedback_list"))]
    problems = [found for n, row in enumerate(rows) for found in _problems(row, n)]
    if problems:
        return [], problems
    return [
        Feedback(
            card=str(UUID(row["card"])),
            outcome=row["outcome"],
            reason=_reason(row.get("overrideReason"), system),
        )
        for row in rows
    ], []


def _problems(row: Any, number: int) -> Iterator[tuple[str, Note]]:
    at = f"feedback[{number}]"
    if not isinstance(row, Mapping):
        yield at, Note("interchange.feedback_row")
        return
    if not _reads(UUID, row.get("card")):
        yield f"{at}.card", Note("interchange.feedback_card")
    if row.get("outcome") not in OUTCOMES:
        yield f"{at}.outcome", Note("interchange.feedback_outcome", known=OUTCOMES)
    if not _reads(_moment, row.get("outcomeTimestamp")):
        yield f"{at}.outcomeTimestamp", Note("interchange.feedback_time")


def _reads(read: Any, text: Any) -> bool:
    try:
        read(text)
    except (TypeError, ValueError, AttributeError):
        return False
    return isinstance(text, str)


def _moment(text: str) -> None:
    """Refuse what is no time with its zone."""
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError


def _reason(told: Any, system: str) -> str:
    """Known reason, ``OTHER``, or nothing."""
    reason = told.get("reason") if isinstance(told, Mapping) else None
    if not isinstance(reason, Mapping):
        return ""
    known = reason.get("system") == system and reason.get("code") in REASONS
    return str(reason["code"]) if known else OTHER
