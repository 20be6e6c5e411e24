"""What is found in a record: values with where they stand, and what must be asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from responder_model.patient import Value
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import may_be_fraction
from responder_model.words import Note
from .codes import Code, CodeBook, Meaning, Unspecific
from .elements import Plain, Span, text
from .record import Resource

# Days after which a result says nothing of a patient today.
RESULT_DAYS = 90
# What is said of a table that nobody has signed.
UNSIGNED = "unsigned"
# System of the server's own codes, which no table names.
OWN = ""
# A date as FHIR writes it; what follows the day is left out.
_DAY = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
UCUM = "http://unitsofmeasure.org"
# UCUM of the dictionary's units, by their English words.
_UCUM_OF = {
    "years": "a",
    "months": "mo",
    "days": "d",
    "points": "{score}",
    "%": "%",
    "sessions": "1",
}


@dataclass(frozen=True, kw_only=True)
class Reader:
    """By what a record is read.

    Parameters
    ----------
    decision, moment : str
    codes : CodeBook
    canonical : str
        Address under which the server's own systems and questionnaires stand.
    at : datetime
        When the patient is assessed, with its zone.
    result_days : int, optional
        Age of the oldest result that is taken.
    """

    decision: str
    moment: str
    codes: CodeBook
    canonical: str
    at: datetime
    result_days: int = RESULT_DAYS

    def field_of(self, name: str) -> Field | None:
        """Predictor of this question that is known at this moment."""
        return self._fields.get(name)

    @cached_property
    def _fields(self) -> dict[str, Field]:
        rows = dictionary().predictors(self.decision, self.moment)
        return {row.name: row for row in rows}

    def find(self, uri: str, code: str) -> Meaning | Unspecific | None:
        """What a code means: the server's own, else by the table."""
        if uri.removesuffix("/") != self.own_fields:
            return self.codes.find(uri, code)
        own = Code(system=OWN, code=code, match="exact", source=OWN)
        return Meaning(field=code, code=own) if self.field_of(code) else None

    def source(
        self, row: Resource, found: Meaning | Unspecific, *, code: str, date: str
    ) -> Source:
        """Where a value stands that was found by a code.

        The server's own codes are in no table, and no version stands for them.
        """
        entry = found.code
        said = found.note if isinstance(found, Meaning) else None
        version = "" if entry.system == OWN else self.codes.mapping_version
        notes = (UNSIGNED,) if version and not self.codes.is_signed else ()
        return source_of(
            row,
            found.field,
            code,
            date=date,
            mapping_version=version,
            entry=entry.code,
            notes=notes if said is None else (said, *notes),
        )

    def is_past(self, span: Span) -> bool:
        """Whether a date is not after the assessment."""
        return span.first <= self.at

    def is_stale(self, span: Span) -> bool:
        """Whether a date is too long ago."""
        return span.last < self.at - timedelta(days=self.result_days)

    @cached_property
    def own_fields(self) -> str:
        """System whose codes are names of fields."""
        return f"{self.canonical}/CodeSystem/predictor"

    def own_categories(self, name: str) -> str:
        """System whose codes are categories of a field."""
        return f"{self.canonical}/CodeSystem/{name}"

    def questionnaire(self, moment: str) -> str:
        """Address of the questionnaire of a moment."""
        return f"{self.canonical}/Questionnaire/{form_id(self.decision, moment)}"


def form_id(decision: str, moment: str) -> str:
    """Identifier of a questionnaire; FHIR's have no underscore.

    Examples
    --------
    >>> form_id("rtms_response", "session_1")
    'rtms-response-session-1'
    """
    return f"{decision}-{moment}".replace("_", "-")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a value stands in the record.

    Parameters
    ----------
    field : str
    resource : str
        Reference to the resource; its type alone where it has no identity.
    code : str
        Code by which it was found; the element, for what needs none.
    date : str
        As it stands there; empty where there is none.
    mapping_version : str
        Of the table that knows the code; empty where none was needed.
    kind : str
        Type of the resource.
    entry : str
        The entry of the table that stands for the code: nothing of the record's own.
    notes : tuple of str
        Sentences that must be said with the value.
    """

    field: str
    resource: str
    code: str
    date: str = ""
    mapping_version: str = ""
    kind: str = ""
    entry: str = ""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, str]:
        """Plain data without what is empty."""
        names = ("field", "resource", "code", "date", "mapping_version")
        return {name: vars(self)[name] for name in names if vars(self)[name]}

    @property
    def said(self) -> Note:
        """Where the value stands, in our own words alone: no text of the record."""
        said = Note(f"interchange.from_{self.kind}", code=self.entry)
        found = _DAY.match(self.date)
        if found is None or self.kind == "Patient":
            return said
        return Note("interchange.dated", said=said, date=found[0])

    @property
    def labelled(self) -> Note:
        """Where the value stands, after the label of its field."""
        return Note("interchange.labelled", field=self.field, said=self.said)


def remarks_of(sources: Iterable[Source]) -> tuple[Note, ...]:
    """What must be said with values: of each, then of the whole table, once."""
    said = [(name, source.field) for source in sources for name in source.notes]
    each = [Note(f"interchange.{n}", field=f) for n, f in said if n != UNSIGNED]
    if len(each) < len(said):
        each.append(Note(f"interchange.{UNSIGNED}"))
    return tuple(each)


@dataclass(frozen=True, kw_only=True)
class Given:
    """A value, where it stands, and when it was so."""

    value: Value
    source: Source
    span: Span | None = None


@dataclass(kw_only=True)
class Findings:
    """Values and questions of one kind of resource, by field."""

    given: dict[str, Given] = field(default_factory=dict)
    asked: dict[str, Note] = field(default_factory=dict)
    remarks: list[Note] = field(default_factory=list)

    def ask(self, name: str, code: str, **values: Any) -> None:
        """Leave a field open, and say why."""
        self.given.pop(name, None)
        self.asked[name] = Note(f"interchange.{code}", field=name, **values)


def source_of(row: Resource, field: str, code: str, **more: Any) -> Source:
    """Where a value of a resource stands."""
    resource = row.reference or row.kind
    return Source(field=field, resource=resource, code=code, kind=row.kind, **more)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The rule that a value breaks."""

    rule: str


def number_of(field: Field, quantity: Plain, units: tuple[str, ...]) -> float | Refusal:
    """Return the number of a quantity, if its unit is right or absent."""
    number = quantity.get("value")
    if isinstance(number, bool) or not isinstance(number, int | float):
        return Refusal(rule="no_value")
    if text(quantity, "comparator"):
        return Refusal(rule="comparator")
    unit = text(quantity, "code") or text(quantity, "unit")
    system = text(quantity, "system").removesuffix("/")
    if system not in ("", UCUM) or (unit and unit not in units):
        return Refusal(rule="unit")
    return bounded(field, number)


def bounded(field: Field, number: Any) -> float | Refusal:
    """Return a number that the field allows."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return Refusal(rule="no_value")
    low, high = field.minimum, field.maximum
    is_inside = (low is None or low <= number) and (high is None or number <= high)
    if not is_inside or (field.integer and number != int(number)):
        return Refusal(rule="bounds")
    return Refusal(rule="fraction") if may_be_fraction(field, number) else number


def category_of(
    field: Field, coded: Iterable[tuple[str, str]], system: str
) -> str | Refusal:
    """Return the one category that codings name in the server's own system."""
    found = {code for uri, code in coded if uri.removesuffix("/") == system}
    if len(found) != 1 or not found <= set(field.category_names):
        return Refusal(rule="no_value")
    return found.pop()


def units_of(field: Field) -> tuple[str, ...]:
    """Units of a field that need no table: as the dictionary and as UCUM write them."""
    if field.unit is None:
        return ()
    return (_UCUM_OF.get(field.unit["en"], field.unit["en"]), *field.unit.values())
