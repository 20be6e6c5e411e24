"""Responses to the server's own questionnaires: answers that a person gave for this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from responder_model.patient import Value
from responder_model.schema import Field, dictionary
from . import elements
from .found import (
    Findings,
    Given,
    Reader,
    Refusal,
    bounded,
    category_of,
    number_of,
    source_of,
    units_of,
)
from .record import Resource, malformed

_TAKEN = frozenset({"completed", "amended"})

Answer = tuple[Resource, elements.Plain, elements.Span]


def read_responses(responses: Iterable[Resource], reader: Reader) -> Findings:
    """Values that responses give: of each field the newest.

    Raises
    ------
    RecordError
        For a response whose elements have other types than FHIR's.
    """
    findings = Findings()
    moments = dictionary().decisions[reader.decision].moments
    own = {reader.questionnaire(moment) for moment in moments}
    answers: dict[str, list[Answer]] = {}
    for row in responses:
        try:
            if elements.text(row.body, "questionnaire").partition("|")[0] not in own:
                continue
            span = elements.span_of(
                elements.text(row.body, "authored"), reader.at.tzinfo
            )
            is_taken = elements.text(row.body, "status") in _TAKEN
            if not is_taken or "modifierExtension" in row.body:
                continue
            if span is None or not reader.is_past(span):
                continue
            for item in _items(row.body):
                name = elements.text(item, "linkId")
                if reader.field_of(name) and elements.rows(item, "answer"):
                    answers.setdefault(name, []).append((row, item, span))
        except elements.MalformedError:
            raise malformed(row) from None
    for name, found in answers.items():
        _take_newest(name, found, reader, findings)
    return findings


def _items(parent: elements.Plain) -> Iterator[elements.Plain]:
    """Items of a response, those of groups too."""
    for item in elements.rows(parent, "item"):
        yield item
        yield from _items(item)


def _take_newest(
    name: str, found: list[Answer], reader: Reader, findings: Findings
) -> None:
    row, item, span = newest = max(found, key=lambda answer: answer[2].first)
    field = dictionary().fields[name]
    beside = [a for a in found if not span.begins_after(a[2]) and a is not newest]
    try:
        value = _value(item, field, reader)
        others = [_value(other, field, reader) for _, other, _ in beside]
        date = elements.text(row.body, "authored")
    except elements.MalformedError:
        raise malformed(row) from None
    if reader.is_stale(span):
        findings.ask(name, "stale", days=reader.result_days)
    elif any(other != value for other in others):
        findings.ask(name, "differ")
    elif isinstance(value, Refusal):
        findings.ask(name, value.rule)
    else:
        source = source_of(row, name, name, date=date)
        findings.given[name] = Given(value=value, source=source, span=span)


def _value(item: elements.Plain, field: Field, reader: Reader) -> Value | Refusal:
    """Value of one answer; several are none."""
    answers = elements.rows(item, "answer")
    if len(answers) != 1:
        return Refusal(rule="no_value")
    answer = answers[0]
    if field.kind == "number" and "valueQuantity" in answer:
        return number_of(field, elements.part(answer, "valueQuantity"), units_of(field))
    if field.kind == "number":
        return bounded(field, answer.get("valueDecimal", answer.get("valueInteger")))
    if field.kind == "category":
        coding = elements.part(answer, "valueCoding")
        coded = [(elements.text(coding, "system"), elements.text(coding, "code"))]
        return category_of(field, coded, reader.own_categories(field.name))
    value = answer.get("valueBoolean")
    return value if isinstance(value, bool) else Refusal(rule="no_value")
