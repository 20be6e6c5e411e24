"""A prediction as a RiskAssessment (FHIR R4).

``probabilityDecimal`` is in percent, as the comment of the element says (at most 100),
rounded to a tenth; other software writes fractions there. Decimal and range exclude
each other in one prediction: the interval is a second one, in UCUM ``%``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from responder_model import __version__
from responder_model.labels import decision_label, moment_label
from responder_model.model import Prediction
from responder_model.words import Note
from .found import UCUM
from .reading import Reading

Plain = dict[str, Any]
_XHTML = "http://www.w3.org/1999/xhtml"
_DEVICE = "model"
_STATUS = "final"
_PERCENT = "%"


def risk_assessment(
    found: Prediction, reading: Reading, *, canonical: str, at: datetime, lang: str
) -> Plain:
    """RiskAssessment of a prediction from a record.

    Parameters
    ----------
    found : Prediction
    reading : Reading
        What the patient was read from.
    canonical : str
        Address of the server's own definitions.
    at : datetime
        When it was assessed, with its zone.
    lang : {"en", "fr"}

    Raises
    ------
    ValueError
        For an answer that breaks a rule of ``check_risk``: a fault of ours.
    """
    notes = [note.text(lang) for note in notes_of(found, reading)]
    resource = {
        "resourceType": "RiskAssessment",
        "language": lang,
        "text": _narrative(notes),
        "contained": [_device(found, canonical)],
        "extension": [
            *_applicability(found, canonical),
            *_provenance(reading, canonical),
        ],
        "status": _STATUS,
        "method": {"text": f"{found.model} {found.model_digest or ''}".strip()},
        "code": {
            "text": f"{decision_label(found.decision, lang)}, "
            f"{moment_label(found.moment, lang)}"
        },
        "subject": {"reference": reading.subject},
        "occurrenceDateTime": at.isoformat(timespec="seconds"),
        "performer": {"reference": f"#{_DEVICE}"},
        "basis": [{"reference": reference} for reference in reading.basis],
        "prediction": _predictions(found, canonical, lang),
        "note": [{"text": text} for text in notes],
    }
    if not resource["basis"]:
        del resource["basis"]
    check_risk(resource, known=reading.basis)
    return resource


def notes_of(found: Prediction, reading: Reading) -> list[Note]:
    """All that a reader of the number must know, the verdict first."""
    verdict = found.verdict.note
    return [verdict, *found.messages, *reading.asked.values(), *reading.remarks]


def _narrative(notes: Sequence[str]) -> Plain:
    said = "".join(f"<p>{escape(text)}</p>" for text in notes)
    return {"status": "generated", "div": f'<div xmlns="{_XHTML}">{said}</div>'}


def _device(found: Prediction, canonical: str) -> Plain:
    """The model that answers, and the software."""
    device: Plain = {
        "resourceType": "Device",
        "id": _DEVICE,
        "deviceName": [{"name": found.model, "type": "model-name"}],
        "version": [{"value": f"responder_model {__version__}"}],
    }
    if found.model_digest:
        system = f"{canonical}/NamingSystem/model-digest"
        device["identifier"] = [{"system": system, "value": found.model_digest}]
    return device


def _applicability(found: Prediction, canonical: str) -> list[Plain]:
    url = f"{canonical}/StructureDefinition/applicability"
    return [{"url": url, "valueCode": found.applicability.level}]


def _provenance(reading: Reading, canonical: str) -> list[Plain]:
    """Where each value stands, one extension each."""
    url = f"{canonical}/StructureDefinition/source"
    return [
        {
            "url": url,
            "extension": [
                {"url": name, "valueString": value}
                for name, value in source.to_dict().items()
            ],
        }
        for source in reading.sources
    ]


def _predictions(found: Prediction, canonical: str, lang: str) -> list[Plain]:
    """Main cut-off, its interval, then the other cut-offs."""
    main = found.cut_point
    low, high = (percent(bound) for bound in found.interval)
    outcome = _outcome(found, main, lang)
    interval = {
        "outcome": outcome,
        "probabilityRange": {"low": _percentage(low), "high": _percentage(high)},
        "rationale": Note("interchange.interval").text(lang),
    }
    others = [(cut, p) for cut, p in found.probabilities.items() if cut != main]
    return [
        _decimal(outcome, found.probability, canonical),
        interval,
        *(_decimal(_outcome(found, cut, lang), p, canonical) for cut, p in others),
    ]


def _decimal(outcome: Plain, probability: float, canonical: str) -> Plain:
    exact = f"{canonical}/StructureDefinition/probability"
    return {
        "extension": [{"url": exact, "valueDecimal": probability}],
        "outcome": outcome,
        "probabilityDecimal": percent(probability),
    }


def _outcome(found: Prediction, cut: float, lang: str) -> Plain:
    said = Note(f"answers.outcome_{found.decision}", cut=f"{cut:g}")
    return {"text": said.text(lang)}


def percent(probability: float) -> float:
    """Probability in percent, to a tenth.

    Examples
    --------
    >>> percent(0.52349)
    52.3
    """
    return round(100.0 * probability, 1)


def _percentage(value: float) -> Plain:
    return {"value": value, "unit": _PERCENT, "system": UCUM, "code": _PERCENT}


def check_risk(resource: Mapping[str, Any], *, known: Sequence[str]) -> None:
    """Refuse a RiskAssessment that no library would refuse.

    Parameters
    ----------
    resource : mapping
    known : sequence of str
        References that resolve outside of it.

    Raises
    ------
    ValueError
        Names the rule; no value.
    """
    broken = [rule for rule, holds in _rules(resource, known) if not holds]
    if broken:
        msg = f"a RiskAssessment must have {', '.join(broken)}"
        raise ValueError(msg)


def _rules(resource: Mapping[str, Any], known: Sequence[str]) -> list[tuple[str, bool]]:
    predictions = resource["prediction"]
    decimals = [
        p["probabilityDecimal"] for p in predictions if "probabilityDecimal" in p
    ]
    ranges = [p["probabilityRange"] for p in predictions if "probabilityRange" in p]
    bounds = [(r["low"]["value"], r["high"]["value"]) for r in ranges]
    ends = [end for r in ranges for end in (r["low"], r["high"])]
    inside = {f"#{row['id']}" for row in resource.get("contained", ())}
    inner = [resource["performer"]["reference"]]
    outer = [row["reference"] for row in resource.get("basis", ())]
    return [
        ("status final", resource["status"] == _STATUS),
        ("probabilities in 0-100", all(0 <= p <= 100 for p in decimals)),
        ("its main probability first", bool(decimals and bounds)),
        (
            "low <= probability <= high",
            all(0 <= low <= decimals[0] <= high <= 100 for low, high in bounds),
        ),
        (
            "one probability or range in a prediction",
            len(decimals) + len(ranges) == len(predictions),
        ),
        (
            "ranges in UCUM percent",
            all((e["code"], e["system"]) == (_PERCENT, UCUM) for e in ends),
        ),
        (
            "references that resolve",
            set(inner) <= inside and set(outer) <= set(known),
        ),
        ("a time with its zone", "T" in resource["occurrenceDateTime"]),
    ]
