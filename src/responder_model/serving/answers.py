"""What is answered to each envelope: a call of the package, and its plain data."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from responder_model.errors import InvalidPatientError
from responder_model.labels import describe_value, label_of
from responder_model.model import Model, Prediction
from responder_model.model.basis import bases
from responder_model.model.limits import preceding_test
from responder_model.pathways import pathway as follow
from responder_model.patient import latest_moment
from responder_model.schema import dictionary
from responder_model.visits import course as follow_visits
from responder_model.words import Note
from . import envelopes
from .fields import check_types
from .gate import Arrival
from .problems import Item, Kind, Refused
from .recording import scored, scored_course, scored_pathway
from .service import Service
from .shelf import Served

if TYPE_CHECKING:
    from responder_model.rules import StoppingRules

Plain = dict[str, Any]
# What an explanation repeats of the prediction.
_KEPT = (
    "decision",
    "moment",
    "cut_point",
    "probability",
    "interval",
    "baseline",
    "linear_predictor",
    "applicability",
    "missing",
    "messages",
)


def predictions(
    service: Service, asked: envelopes.ManyPatients, arrival: Arrival
) -> Plain:
    """What ``predict --json`` prints, for each patient."""
    served = _served(service, asked, arrival)
    most = service.settings.limits.patients
    if len(asked.patients) > most:
        rule = Note("serving.at_most", most=most)
        items = [Item(pointer="/patients", allowed=rule)]
        raise Refused(Kind.TOO_LARGE, items, lang=asked.lang)
    model = served.model
    numbered = enumerate(asked.patients)
    pointed = [(f"/patients/{k}", values) for k, values in numbered]
    found = _predicted(pointed, model, asked)
    rows = [prediction.to_dict(asked.lang) for prediction in found]
    arrival.scored += [
        scored(model, patient, prediction, centre=asked.centre)
        for patient, prediction in zip(asked.patients, found, strict=True)
    ]
    return {"model": served.identity, "predictions": rows}


def _predicted(
    pointed: list[tuple[str, Plain]], model: Model, asked: envelopes.ManyPatients
) -> list[Prediction]:
    """Predict for patients, each read once; refused as ``check_patients`` says."""
    if not any(check_types(values, pointer) for pointer, values in pointed):
        with suppress(InvalidPatientError):
            return [model.predict(p, centre=asked.centre) for p in asked.patients]
    envelopes.check_patients(pointed, model, lang=asked.lang)
    raise Refused(Kind.INVALID_PATIENT, lang=asked.lang)


def explanations(
    service: Service, asked: envelopes.OnePatient, arrival: Arrival
) -> Plain:
    """What each predictor adds for one patient, all of them, in words."""
    served = _served(service, asked, arrival)
    model = served.model
    pointed = [("/patient", asked.patient)]
    envelopes.check_patients(pointed, model, lang=asked.lang)
    found = model.predict(asked.patient, centre=asked.centre)
    known = model.check_patient(asked.patient)
    arrival.scored.append(scored(model, known, found, centre=asked.centre))
    rows = _contributions(found, known, bases(model, known), asked.lang)
    plain = found.to_dict(asked.lang)
    questions = model.questions(asked.patient, centre=asked.centre)
    explained = {
        **{name: plain[name] for name in _KEPT},
        "contributions": rows,
        "questions": [row.to_dict() for row in questions],
    }
    return {"model": served.identity, "explanation": explained}


def _contributions(
    found: Prediction, known: Plain, rests_on: dict[str, str], lang: str
) -> list[Plain]:
    """One row for each predictor, what adds most first."""
    rows = []
    for name, value in found.contributions.items():
        bounds = found.contribution_ranges[name]
        rows.append(
            {
                "field": name,
                "label": label_of(name, lang),
                "value": describe_value(name, known.get(name), lang),
                "contribution": value,
                "lower": bounds.lower,
                "upper": bounds.upper,
                "same_sign": bounds.same_sign,
                "rests_on": rests_on.get(name),
            }
        )
    return sorted(rows, key=lambda row: -abs(row["contribution"]))


def pathway(service: Service, asked: envelopes.Path, arrival: Arrival) -> Plain:
    """What ``pathway --json`` prints: the test, then an implant."""
    implant = service.served(*dictionary().targets()[-1])
    test = preceding_test(implant.model.encoder)
    assert test is not None  # noqa: S101 - every implant model of the dictionary has one
    screening = service.served(test.name, latest_moment(asked.patient, test))
    note_model(arrival, screening)
    pointed = [("/patient", asked.patient)]
    envelopes.check_patients(pointed, screening.model, lang=asked.lang)
    try:
        found = follow(
            asked.patient,
            screening_model=screening.model,
            implant_model=implant.model,
        )
    except InvalidPatientError as error:
        items = envelopes.patient_items(error.problems, "/patient")
        raise Refused(Kind.INVALID_PATIENT, items, lang=asked.lang) from None
    arrival.scored.append(scored_pathway(screening.model, asked.patient, found))
    models = {"screening": screening.identity, "implant": implant.identity}
    return {"models": models, "pathway": found.to_dict(asked.lang)}


def course(service: Service, asked: envelopes.Path, arrival: Arrival) -> Plain:
    """What ``course --json`` prints: one patient over the visits of the test."""
    test = next(iter(dictionary().decisions.values()))
    served = [service.served(test.name, moment) for moment in test.moments]
    last = test.moments.index(latest_moment(asked.patient, test))
    note_model(arrival, served[last])
    pointed = [("/patient", asked.patient)]
    envelopes.check_patients(pointed, served[last].model, lang=asked.lang)
    own = [row.model for row in served]
    found = follow_visits(asked.patient, models=own)
    arrival.scored.append(scored_course(own[last], asked.patient, found, own))
    models = {row.model.moment: row.identity for row in served}
    return {"models": models, "course": found.to_dict(asked.lang)}


def stopping(service: Service, asked: envelopes.Stopping, arrival: Arrival) -> Plain:
    """What ``stopping --json`` prints: rules that stop the test after a session."""
    test = next(iter(dictionary().decisions.values()))
    later = test.moments[1:]
    if asked.moment is not None and asked.moment not in later:
        raise envelopes.no_such(asked, moment=later)
    moments = later if asked.moment is None else (asked.moment,)
    rows = []
    for moment in moments:
        served = service.served(test.name, moment)
        note_model(arrival, served)
        rows.append(_rules(served.model, asked.cost).to_dict(asked.lang))
    return {"stopping": rows}


@lru_cache(maxsize=64)
def _rules(model: Model, cost: float | None) -> StoppingRules:
    """Rules of a model; they take a fifth of a second, and SciPy."""
    from responder_model.rules import stopping_rule

    return stopping_rule(model, cost=cost)


def _served(
    service: Service,
    asked: envelopes.ManyPatients | envelopes.OnePatient,
    arrival: Arrival,
) -> Served:
    """Model that is asked; the log says which."""
    served = service.served(*envelopes.check_question(asked))
    note_model(arrival, served)
    return served


def note_model(arrival: Arrival, served: Served) -> None:
    """Put on the log's line which question and which model it was."""
    arrival.decision = served.model.target
    arrival.digest = str(served.model.digest)
