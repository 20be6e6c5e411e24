"""Conditions as categories: one cause, or a question; never the first of two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from responder_model.words import Note
from . import elements
from .codes import Meaning, Unspecific
from .found import Findings, Given, Reader, Source
from .record import Resource, malformed

# What a condition's statuses may be; one that has none is taken.
_CLINICAL = frozenset({"active", "recurrence", "relapse", "remission"})
_VERIFIED = frozenset({"unconfirmed", "provisional", "confirmed"})
_DATES = ("recordedDate", "onsetDateTime")

Known = tuple[Meaning | Unspecific, Source]


def read_conditions(conditions: Iterable[Resource], reader: Reader) -> Findings:
    """Categories that the conditions of a record mean.

    Raises
    ------
    RecordError
        For a condition whose elements have other types than FHIR's.
    """
    known: dict[str, list[Known]] = {}
    findings = Findings()
    for row in conditions:
        try:
            found = list(_meanings(row, reader))
            is_taken = bool(found) and _is_taken(row, reader)
        except elements.MalformedError:
            raise malformed(row) from None
        for meaning, source in found:
            if is_taken:
                known.setdefault(meaning.field, []).append((meaning, source))
            elif isinstance(meaning, Meaning):
                findings.remarks.append(_left_out(meaning))
    for field, pairs in known.items():
        _decide(field, pairs, findings)
    findings.remarks = list(dict.fromkeys(findings.remarks))
    return findings


def _left_out(meaning: Meaning) -> Note:
    values = {"field": meaning.field, "category": meaning.category}
    return Note("interchange.condition_left_out", **values)


def _is_taken(row: Resource, reader: Reader) -> bool:
    """Whether a condition counts at the time of the assessment."""
    body = row.body
    clinical, verified = (
        elements.codes_of(body, name)
        for name in ("clinicalStatus", "verificationStatus")
    )
    told = [body.get(name) for name in ("clinicalStatus", "verificationStatus")]
    # a status in words alone cannot be judged
    readable = (told[0] is None or clinical) and (told[1] is None or verified)
    dates = [
        elements.text(body, name)
        for name in ("recordedDate", "onsetDateTime")
        if name in body
    ]
    spans = [elements.span_of(date, reader.at.tzinfo) for date in dates]
    return (
        bool(readable)
        and clinical <= _CLINICAL
        and verified <= _VERIFIED
        and "modifierExtension" not in body
        and all(span is not None and reader.is_past(span) for span in spans)
    )


def _meanings(row: Resource, reader: Reader) -> Iterable[Known]:
    date = next(filter(None, (elements.text(row.body, name) for name in _DATES)), "")
    for uri, code in elements.codings(row.body, "code"):
        found = reader.find(uri, code)
        own = None if found is None else reader.field_of(found.field)
        if found is None or own is None or own.kind != "category":
            continue
        # a name of the server's own field is no category of it
        if isinstance(found, Unspecific) or found.category is not None:
            yield found, reader.source(row, found, code=code, date=date)


def _decide(field: str, pairs: list[Known], findings: Findings) -> None:
    """One category that nothing speaks against, or a question."""
    causes: Mapping[str, Source] = {
        row.category: source
        for row, source in reversed(pairs)
        if isinstance(row, Meaning) and row.category is not None
    }
    open_rows = [
        row
        for row, _ in pairs
        if isinstance(row, Unspecific) and not all(map(row.allows, causes))
    ]
    if len(causes) > 1:
        findings.ask(field, "several", categories=_labels(field, sorted(causes)))
    elif not causes or open_rows:
        asked = open_rows or [r for r, _ in pairs if isinstance(r, Unspecific)]
        findings.asked[field] = asked[0].question
    else:
        ((category, source),) = causes.items()
        findings.given[field] = Given(value=category, source=source)


def _labels(field: str, names: list[str]) -> tuple[Note, ...]:
    return tuple(Note("interchange.category", field=field, category=n) for n in names)
