"""Observations as numbers: the newest one of each field, or a question."""

from __future__ import annotations

from collections.abc import Iterable

from responder_model.patient import Value
from responder_model.schema import dictionary
from . import elements
from .codes import Meaning
from .found import (
    Findings,
    Given,
    Reader,
    Refusal,
    bounded,
    category_of,
    number_of,
    units_of,
)
from .record import Resource, malformed

_TAKEN = frozenset({"final", "amended", "corrected"})
_DATES = ("effectiveDateTime", "effectiveInstant")

Result = tuple[Resource, Meaning, elements.Span]
"""An observation, what its code means, and when it was made."""


def read_observations(observations: Iterable[Resource], reader: Reader) -> Findings:
    """Numbers that the observations of a record give.

    Raises
    ------
    RecordError
        For an observation whose elements have other types than FHIR's.
    """
    findings = Findings()
    dated: dict[str, list[Result]] = {}
    for row in observations:
        try:
            _sort_in(row, reader, dated, findings)
        except elements.MalformedError:
            raise malformed(row) from None
    for name, results in dated.items():
        if name not in findings.asked:
            _take_newest(name, results, reader, findings)
    return findings


def _sort_in(
    row: Resource,
    reader: Reader,
    dated: dict[str, list[Result]],
    findings: Findings,
) -> None:
    """Put a result under its field; ask about one that cannot be placed in time."""
    meanings = {found.field: found for found in _meanings(row, reader)}
    if not meanings or elements.text(row.body, "status") not in _TAKEN:
        return
    span = elements.span_of(_written(row), reader.at.tzinfo)
    for name, meaning in meanings.items():
        if len(meanings) > 1 or "modifierExtension" in row.body:
            findings.ask(name, "unclear_result")
        elif span is None or not (span.is_day or reader.is_stale(span)):
            findings.ask(name, "undated")
        elif reader.is_past(span):
            dated.setdefault(name, []).append((row, meaning, span))


def _meanings(row: Resource, reader: Reader) -> Iterable[Meaning]:
    for uri, code in elements.codings(row.body, "code"):
        found = reader.find(uri, code)
        if not isinstance(found, Meaning) or found.category is not None:
            continue
        if reader.field_of(found.field):
            yield found


def _take_newest(
    name: str, results: list[Result], reader: Reader, findings: Findings
) -> None:
    """Take the newest result; an older one never stands in for it."""
    row, meaning, span = newest = max(results, key=lambda result: result[2].first)
    beside = [r for r in results if not span.begins_after(r[2]) and r is not newest]
    found = _value(row, meaning, reader)
    if reader.is_stale(span):
        findings.ask(name, "stale", days=reader.result_days)
    elif any(_value(r, m, reader) != found for r, m, _ in beside):
        findings.ask(name, "differ")
    elif isinstance(found, Refusal):
        findings.ask(name, found.rule)
    else:
        code, date = meaning.code.code, _written(row)
        source = reader.source(row, meaning, code=code, date=date)
        findings.given[name] = Given(value=found, source=source, span=span)


def _written(row: Resource) -> str:
    return next(
        (elements.text(row.body, name) for name in _DATES if name in row.body), ""
    )


def _value(row: Resource, meaning: Meaning, reader: Reader) -> Value | Refusal:
    """Value of a result, if it is one that its field can take.

    Raises
    ------
    RecordError
        For elements of other types than FHIR's.
    """
    try:
        return _read_value(row, meaning, reader)
    except elements.MalformedError:
        raise malformed(row) from None


def _read_value(row: Resource, meaning: Meaning, reader: Reader) -> Value | Refusal:
    field, body = dictionary().fields[meaning.field], row.body
    units = (*reader.codes.units.get(field.name, ()), *units_of(field))
    if field.kind == "number" and "valueQuantity" in body:
        return number_of(field, elements.part(body, "valueQuantity"), units)
    if field.kind == "number":
        return bounded(field, body.get("valueInteger"))
    if field.kind == "category":
        system = reader.own_categories(field.name)
        return category_of(
            field, elements.codings(body, "valueCodeableConcept"), system
        )
    found = body.get("valueBoolean")
    return found if isinstance(found, bool) else Refusal(rule="no_value")
