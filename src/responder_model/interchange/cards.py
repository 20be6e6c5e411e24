"""A prediction as a card of CDS Hooks 2.0, in our own words: nothing of the request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from responder_model import __version__
from responder_model.labels import moment_label
from responder_model.model import Prediction
from responder_model.words import Note, say
from .reading import Reading

Plain = dict[str, Any]
# A summary is shorter than this; clients cut or refuse what is longer.
SUMMARY = 140
# Why a card may be set aside: codes of the server's own system.
REASONS = (
    "not-a-candidate",
    "already-decided",
    "patient-declines",
    "record-wrong",
    "not-relied-on",
)
_INFO = "info"


def override_system(public_url: str) -> str:
    """System of the reasons why a card is set aside."""
    return f"{public_url}/fhir/CodeSystem/override"


def card_of(
    found: Prediction,
    reading: Reading,
    *,
    public_url: str,
    uuid: UUID,
    lang: str,
) -> Plain:
    """Card of a prediction from a record.

    Parameters
    ----------
    found : Prediction
    reading : Reading
        What the patient was read from.
    public_url : str
        Address of the server, without a last slash.
    uuid : UUID
        By what the card's feedback names it.
    lang : {"en", "fr"}

    Raises
    ------
    ValueError
        For a card that breaks a rule of ``check_cards``: a fault of ours.
    """
    at = f"{found.decision}/{found.moment}"
    system = override_system(public_url)
    card: Plain = {
        "uuid": str(uuid),
        "summary": summary_of(found, lang),
        "indicator": _INFO,
        "detail": "\n".join(_lines(found, reading, lang)),
        "source": {
            "label": say("interchange.card_source", lang, version=__version__),
            "url": f"{public_url}/{lang}/about/{at}",
        },
        "overrideReasons": [
            {
                "system": system,
                "code": code,
                "display": say(f"interchange.{code.replace('-', '_')}", lang),
            }
            for code in REASONS
        ],
        "links": [
            {
                "label": say("interchange.card_open", lang),
                "url": f"{public_url}/{lang}/{at}",
                "type": "absolute",
            }
        ],
    }
    check_cards({"cards": [card]})
    return card


def summary_of(found: Prediction, lang: str) -> str:
    """One sentence, shorter than ``SUMMARY``, whatever the model is called."""
    low, high = found.interval
    said = Note(
        f"interchange.card_{found.decision}",
        p=found.probability,
        cut=f"{found.cut_point:g}",
        low=low,
        high=high,
    )
    figure = said.text(lang)
    if found.applicability.level == "outside":
        return f"{figure} {say('interchange.card_outside', lang)}"
    rest = say(f"interchange.card_{found.provenance}", lang, name=found.model)
    room = SUMMARY - 1 - len(figure) - 1
    return f"{figure} {rest if len(rest) <= room else f'{rest[: room - 1]}…'}"


def _lines(found: Prediction, reading: Reading, lang: str) -> Iterator[str]:
    """Markdown of the detail: verdict, what must be known, where values stand."""
    yield f"**{_escaped(found.verdict.note.text(lang))}**"
    yield ""
    yield _escaped(moment_label(found.moment, lang).capitalize())
    yield ""
    # what the reader can settle, before what holds for every patient
    notes = (*reading.asked.values(), *reading.remarks, *found.messages)
    yield from (f"- {_escaped(note.text(lang))}" for note in notes)
    yield ""
    if reading.sources:
        yield f"**{say('interchange.card_record', lang)}**"
        yield ""
        said = (source.labelled.text(lang) for source in reading.sources)
        yield from (f"- {_escaped(text)}" for text in said)
        yield ""
    names = {"name": found.model, "digest": found.model_digest or ""}
    yield _escaped(say("interchange.card_model", lang, **names))
    if reading.mapping_version:
        version = reading.mapping_version
        yield ""
        yield _escaped(say("interchange.card_codes", lang, version=version))


def _escaped(text: str) -> str:
    r"""Text in which a reader of Markdown finds no mark-up, neither HTML nor a link.

    Examples
    --------
    >>> _escaped("a <b> [c](d)")
    'a &lt;b> \\[c\\](d)'
    """
    for mark, instead in {"&": "&amp;", "<": "&lt;"}.items():
        text = text.replace(mark, instead)
    for mark in "\\`*[]":
        text = text.replace(mark, f"\\{mark}")
    return text


def check_cards(answer: Mapping[str, Any]) -> None:
    """Refuse an answer that breaks the specification.

    Raises
    ------
    ValueError
        Names the rule; no value.
    """
    cards = answer["cards"]
    broken = [rule for card in cards for rule, holds in _rules(card) if not holds]
    if broken:
        msg = f"a card must have {', '.join(broken)}"
        raise ValueError(msg)


def _rules(card: Mapping[str, Any]) -> list[tuple[str, bool]]:
    links = [link["url"] for link in card["links"]]
    urls = [card["source"]["url"], *links]
    return [
        ("a summary of less than 140 characters", 0 < len(card["summary"]) < SUMMARY),
        ("indicator info", card["indicator"] == _INFO),
        ("nothing that is null or empty", all(map(_is_filled, _walk(card)))),
        ("absolute links", all(u.startswith(("http://", "https://")) for u in urls)),
        ("links without what is asked", not any("?" in u or "#" in u for u in links)),
    ]


def _walk(value: Any) -> Iterator[Any]:
    """A value and all that is in it."""
    yield value
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for each in inner:
            yield from _walk(each)


def _is_filled(value: Any) -> bool:
    return value is not None and value not in ("", [], {})
