"""Elements of a resource as they come: of the type that FHIR gives them, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

Plain = Mapping[str, Any]
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
# Lengths of a year, a month and a day as FHIR writes them, and what completes them.
_YEAR, _MONTH, _DAY = len("2026"), len("2026-11"), len("2026-11-01")
_FIRST = "-01-01"


class MalformedError(Exception):
    """An element is not of the type that FHIR gives it; its value is not told."""


def rows(parent: Plain, name: str) -> list[Plain]:
    """Repeated element of a resource; none where it is absent.

    Raises
    ------
    MalformedError
        For what is no list of objects.
    """
    value = parent.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise MalformedError(name)
    return value


def part(parent: Plain, name: str) -> Plain:
    """Element of a resource that is an object; empty where it is absent.

    Raises
    ------
    MalformedError
        For anything else.
    """
    value = parent.get(name)
    if value is not None and not isinstance(value, dict):
        raise MalformedError(name)
    return value or {}


def text(parent: Plain, name: str) -> str:
    """Text of an element; empty where it is absent.

    Raises
    ------
    MalformedError
        For anything else.
    """
    value = parent.get(name)
    if value is not None and not isinstance(value, str):
        raise MalformedError(name)
    return value or ""


def codings(parent: Plain, name: str) -> Iterator[tuple[str, str]]:
    """System and code of each coding of a concept."""
    for row in rows(part(parent, name), "coding"):
        yield text(row, "system"), text(row, "code")


def codes_of(parent: Plain, name: str) -> set[str]:
    """Codes of a concept, whatever their system."""
    return {code for _, code in codings(parent, name)}


class Span(NamedTuple):
    """When something was: first and last moment that its date allows.

    A tuple, because a record has one for each of its results.
    """

    first: datetime
    last: datetime
    is_day: bool

    def begins_after(self, other: Span) -> bool:
        """Whether it is later than another one, whatever their hours."""
        return self.first >= other.last


def span_of(written: str, zone: tzinfo | None) -> Span | None:
    """Read a date or time of FHIR; None for what is none, or has an hour without zone.

    Examples
    --------
    >>> from datetime import UTC
    >>> str(span_of("2026-02", UTC).last)
    '2026-03-01 00:00:00+00:00'
    >>> span_of("2026-02-30", UTC), span_of("2026-02-03T10:00:00", UTC)
    (None, None)
    """
    try:
        if _DATE.fullmatch(written) is None:
            at = datetime.fromisoformat(written)
            known = at.tzinfo is not None and "T" in written
            return Span(first=at, last=at, is_day=True) if known else None
        first = datetime.fromisoformat(written + _FIRST[len(written) - _YEAR :])
        first = first.replace(tzinfo=zone)
        return Span(first=first, last=_end(first, written), is_day=len(written) == _DAY)
    except (ValueError, OverflowError):
        return None


def _end(first: datetime, written: str) -> datetime:
    """When the day, month or year that begins then is over."""
    if len(written) == _DAY:
        return first + timedelta(days=1)
    if len(written) == _MONTH:
        return (first + timedelta(days=32)).replace(day=1)
    return first.replace(year=first.year + 1)
