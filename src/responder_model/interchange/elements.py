"""Elements of a resource as they come: of the type that FHIR gives them, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

Plain = Mapping[str, Any]
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


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


@dataclass(frozen=True, kw_only=True)
class Span:
    """When something was: first and last moment that its date allows."""

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
    found = _DATE.fullmatch(written)
    try:
        if found is None:
            at = datetime.fromisoformat(written)
            known = at.tzinfo is not None and "T" in written
            return Span(first=at, last=at, is_day=True) if known else None
        year, month, day = (int(found[k] or 1) for k in (1, 2, 3))
        first = datetime(year, month, day, tzinfo=zone)
        return Span(first=first, last=_end(first, found), is_day=found[3] is not None)
    except (ValueError, OverflowError):
        return None


def _end(first: datetime, found: re.Match[str]) -> datetime:
    if found[3]:
        return first + timedelta(days=1)
    if found[2]:
        return (first + timedelta(days=32)).replace(day=1)
    return first.replace(year=first.year + 1)
