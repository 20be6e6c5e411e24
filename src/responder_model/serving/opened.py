"""The form, opened by the hospital with a record: filled, and each source named."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from responder_model.interchange.catalogue import MEDIA_TYPE
from responder_model.interchange.reading import Reading
from responder_model.interchange.record import RecordError, record_of_bundle
from responder_model.schema import dictionary
from responder_model.words import LANGUAGES, say
from . import assessing, gate
from .answers import note_model
from .form import Told
from .hospital import Hospital
from .pages import form_page
from .problems import Kind, Refused
from .service import Service
from .site import FORM_TYPE, models_of, target_of
from .sources import entries_of, place_of

# Field of a form that holds the record as JSON.
RECORD = "record"

Target = tuple[str, str]


def routes(service: Service, hospital: Hospital) -> list[gate.Place]:
    """Routes to each form, in both languages, that take a record."""
    return [
        gate.Place(
            f"/{lang}/{{decision}}/{{moment}}{gate.OPENED}",
            partial(_open, service, hospital, lang),
            methods=["POST"],
        )
        for lang in LANGUAGES
    ]


async def _open(
    service: Service, hospital: Hospital, lang: str, request: Request
) -> Response:
    """The form of a question with what the record says.

    Raises
    ------
    Refused
        For an unknown question, and for what is no record of one living patient.
    """
    models, target = models_of(service), target_of(request)
    if target not in models:
        raise Refused(Kind.NOT_FOUND)
    note_model(gate.arrival_of(request.scope), service.served(*target))
    bundle = await _bundle_of(request)

    def make() -> str:
        reading = _read(bundle, hospital, target)
        entries = entries_of(reading)
        told = told_of(reading, target, lang)
        return form_page(models, *target, entries, lang=lang, told=told).html

    return HTMLResponse(await service.work(make))


async def _bundle_of(request: Request) -> bytes:
    """The record, as it stands or in a form that a browser sends."""
    kind, body = gate.media_type_of(request), await gate.read_body(request)
    if kind == MEDIA_TYPE:
        return body
    if kind != FORM_TYPE:
        raise Refused(Kind.UNSUPPORTED_MEDIA_TYPE)
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=1, errors="strict")
    except ValueError:
        raise Refused(Kind.BAD_REQUEST) from None
    return fields.get(RECORD, [""])[0].encode()


def _read(bundle: bytes, hospital: Hospital, target: Target) -> Reading:
    try:
        record = record_of_bundle(assessing.parsed(bundle, "Bundle"))
    except RecordError as error:
        raise assessing.refusal_of(error) from None
    reading = assessing.reading_of(record, assessing.reader_of(hospital, target))
    assessing.refuse_dead(reading)
    return reading


def told_of(reading: Reading, target: Target, lang: str) -> Told:
    """What the form says of a record: in general, and beside each field."""
    fields = [f for f in dictionary().predictors(*target) if not f.derived_from]
    found = {"n": len(reading.values), "m": len(fields)}
    lead = [say("page.from_record", lang, **found)]
    lead += [note.text(lang) for note in reading.remarks]
    if reading.mapping_version:
        version = reading.mapping_version
        lead.append(say("interchange.card_codes", lang, version=version))
    beside: Mapping[str, str] = {
        name: note.text(lang) for name, note in reading.asked.items()
    }
    stands = {source.field: place_of(source, lang) for source in reading.sources}
    return Told(lead=tuple(lead), beside={**beside, **stands})
