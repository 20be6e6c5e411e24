"""Where the values of a page stand in a record, carried along beside the answers.

The server keeps nothing between two pages, so that sources travel as the answers do:
in hidden fields, one for each value. A value keeps its source as long as it is the
record's; one that a person entered or changed says so. What travels is the record's
text and comes back from outside: what is not of this form is no source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from responder_model.artifact.strict_json import parse_json
from responder_model.errors import UntrustedModelError
from responder_model.interchange.codes import is_said_of_field
from responder_model.interchange.found import Source, remarks_of
from responder_model.interchange.reading import Reading
from responder_model.interchange.record import READ
from responder_model.patient import Value
from responder_model.schema import dictionary
from responder_model.vocabulary import YES_NO
from responder_model.words import say
from .entries import RECORD, Entries
from .form import NOTHING_TOLD, Told

# Longest text of a source that travels: an address that is longer is left out.
_LONGEST = 200
_VERSION = re.compile(r"sha256:[0-9a-f]{64}")
_KINDS = ("Patient", *READ)
_TEXTS = ("resource", "code", "date", "mapping_version", "kind", "entry")


@dataclass(frozen=True, kw_only=True)
class Carried:
    """A value as the record has it, and where it stands there."""

    text: str
    source: Source


def text_of(value: Value) -> str:
    """Value as it is typed into the form.

    Examples
    --------
    >>> text_of(54.0), text_of(6.5), text_of(True), text_of("male")
    ('54', '6.5', 'yes', 'male')
    """
    if isinstance(value, bool):
        return YES_NO["en"][0 if value else 1]
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else repr(float(value))


def entries_of(reading: Reading) -> dict[str, tuple[str, ...]]:
    """Entries of a form that is filled from a record: values, and their sources."""
    texts = {name: text_of(value) for name, value in reading.values.items()}
    return {
        **{name: (text,) for name, text in texts.items()},
        **{RECORD + s.field: (_written(texts[s.field], s),) for s in reading.sources},
    }


def _written(text: str, source: Source) -> str:
    told = {name: vars(source)[name] for name in _TEXTS}
    if source.kind == "Patient":
        # a day of birth, which no page shows
        del told["date"]
    if len(source.resource) > _LONGEST:
        told["resource"] = source.kind
    short = {name: value[:_LONGEST] for name, value in told.items() if value}
    return json.dumps({"text": text, "notes": source.notes, **short})


def carried_in(entries: Entries) -> dict[str, Carried]:
    """Sources that came with a form, by field."""
    found = (
        (name.removeprefix(RECORD), texts[0])
        for name, texts in entries.items()
        if name.startswith(RECORD)
    )
    read = ((field, _read(field, text)) for field, text in found)
    return {field: row for field, row in read if row is not None}


def _read(field: str, text: str) -> Carried | None:
    """A source; None for what is none of ours."""
    try:
        told = parse_json(text.encode(), field)
    except UntrustedModelError:
        return None
    if not isinstance(told, dict) or field not in dictionary().fields:
        return None
    notes, value = told.pop("notes", ()), told.pop("text", "")
    texts = [value, *told.values()]
    if set(told) - set(_TEXTS) or not all(isinstance(t, str) for t in texts):
        return None
    known = isinstance(notes, list) and all(map(is_said_of_field, notes))
    version = told.get("mapping_version", "")
    if not known or told.get("kind") not in _KINDS or not value:
        return None
    if version and not _VERSION.fullmatch(version):
        return None
    source = Source(
        field=field, **{"resource": "", "code": "", **told}, notes=tuple(notes)
    )
    return Carried(text=value, source=source)


def sources_in(entries: Entries) -> dict[str, Source]:
    """Sources of the values that still stand as the record has them."""
    return {
        field: row.source
        for field, row in carried_in(entries).items()
        if entries.get(field) == (row.text,)
    }


def mapping_of(entries: Entries) -> str:
    """Version of the table of codes that a value was read by; empty for none."""
    found = (source.mapping_version for source in sources_in(entries).values())
    return next(filter(None, found), "")


def told_in(entries: Entries, lang: str) -> Told:
    """What a page says of a record that its values came from; nothing without one."""
    if not carried_in(entries):
        return NOTHING_TOLD
    kept = sources_in(entries)
    beside = {name: place_of(source, lang) for name, source in kept.items()}
    return Told(
        lead=tuple(_lead(kept, lang)),
        beside=beside,
        entered=say("page.entered", lang),
    )


def _lead(kept: Mapping[str, Source], lang: str) -> Iterator[str]:
    yield from (note.text(lang) for note in remarks_of(kept.values()))
    versions = {s.mapping_version: None for s in kept.values() if s.mapping_version}
    yield from (say("interchange.card_codes", lang, version=v) for v in versions)


def place_of(source: Source, lang: str) -> str:
    """Where a value stands, in our words, and the record's own reference."""
    return f"{source.said.text(lang)} ({source.resource or source.kind})"
