"""Sheets of one patient: a prediction, the path to an implant, the implant."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from responder_model import tables
from responder_model.figures.ranges import Range, ranges_picture
from responder_model.labels import (
    decision_label,
    describe_value,
    label_of,
    moment_label,
    question_label,
)
from responder_model.model import Model, Prediction
from responder_model.model.basis import bases
from responder_model.model.verdict import figure_note, judge, width_notes
from responder_model.pathways import Implant, Pathway
from responder_model.patient import check_patient
from responder_model.schema import dictionary
from responder_model.words import Note, say
from .sheet import Sheet, check_label, describe_model, spoken

# Reasons on a sheet, largest first.
MOST_REASONS = 8


def prediction_sheet(
    model: Model,
    patient: Mapping[str, Any],
    *,
    date: datetime.date,
    label: str = "",
    lang: str = "en",
    centre: str | None = None,
    threshold: float | None = None,
) -> Sheet:
    """Sheet of what a model says of a patient: the numbers of ``Model.predict``.

    Parameters
    ----------
    model, patient, centre, threshold
        As ``Model.predict`` and ``Prediction.verdict_at`` take them.
    date : datetime.date
        Day that is printed.
    label : str
        What the sheet is known by; nothing else on it names anybody.
    lang : {"en", "fr"}
        Language.

    Raises
    ------
    InvalidPatientError
        As ``Model.predict``.
    ResponderModelError
        For a label that cannot be printed.
    """
    found = model.predict(patient, centre=centre)
    known = check_patient(patient, model.decision, model.moment)
    verdict = judge(found, threshold)
    basis = bases(model, known)
    reasons = tables.reasons_table(found, known, basis, lang, most=MOST_REASONS)
    return Sheet(
        lang=lang,
        title=question_label(found.decision, found.moment, lang),
        label=check_label(label),
        date=date,
        headline=verdict.note.text(lang),
        picture=_prediction_picture(found, verdict.average, threshold, lang),
        picture_text=figure_note(found).text(lang),
        lines=(*_answer(found, lang), given_line(known, lang)),
        tables=() if reasons is None else (reasons,),
        notes=spoken(found.messages, lang),
        models=(
            describe_model(found.model, found.provenance, found.model_digest, lang),
        ),
        simulated=found.provenance == "simulated",
    )


def pathway_sheet(
    found: Pathway,
    patient: Mapping[str, Any],
    *,
    date: datetime.date,
    label: str = "",
    lang: str = "en",
) -> Sheet:
    """Sheet of a path from ``pathway``: response, and success of the implant.

    ``patient`` is what the path was asked with, for what was given; the rest as
    ``prediction_sheet``.
    """
    first, step = found.response, found.responders
    known = check_patient(patient, first.decision, first.moment)
    ranges = [
        ("response", first.probability, first.interval),
        ("average", found.probability, found.interval),
        ("joint", found.joint, found.joint_interval),
        ("after_response", step.success, step.success_interval),
    ]
    named = [_range(say(f"sheet.{key}", lang), p, i) for key, p, i in ranges]
    names = (found.screening_model, found.implant_model)
    digests = (found.screening_model_digest, found.implant_model_digest)
    asked_of = (decision_label(of.decision, lang) for of in (first, found))
    return Sheet(
        lang=lang,
        title=_path_title(found, lang),
        label=check_label(label),
        date=date,
        headline=" ".join(note.text(lang) for note in found.verdicts),
        picture=ranges_picture(named, lang=lang),
        picture_text=say("pathway.average", lang),
        lines=(limits_line(found, lang), given_line(known, lang)),
        tables=(tables.classes_table(found, lang),),
        notes=spoken(found.messages, lang),
        models=tuple(
            describe_model(name, found.provenance, digest, lang, asked=asked)
            for name, digest, asked in zip(names, digests, asked_of, strict=True)
        ),
        simulated=found.provenance == "simulated",
    )


def implant_sheet(
    found: Implant,
    patient: Mapping[str, Any],
    *,
    date: datetime.date,
    label: str = "",
    lang: str = "en",
) -> Sheet:
    """Sheet of benefit and harm from ``implant``; the rest as ``pathway_sheet``."""
    step = found.prediction
    known = check_patient(patient, step.decision, step.moment)
    return Sheet(
        lang=lang,
        title=say("implant.title", lang),
        label=check_label(label),
        date=date,
        headline=" ".join(
            note.text(lang) for note in (step.verdict.note, *found.worth_notes)
        ),
        picture=ranges_picture(list(_implant_ranges(found, lang)), lang=lang),
        picture_text=figure_note(step).text(lang),
        lines=(limits_line(step, lang), _unknown(found, lang), given_line(known, lang)),
        tables=tuple(_implant_tables(found, lang)),
        notes=spoken(found.messages, lang),
        models=(describe_model(step.model, step.provenance, step.model_digest, lang),),
        simulated=step.provenance == "simulated",
    )


def _path_title(found: Pathway, lang: str) -> str:
    return f"{say('pathway.title', lang)}, {moment_label(found.moment, lang)}"


def _range(
    label: str, value: float, interval: tuple[float, float], *, weak: bool = False
) -> Range:
    low, high = interval
    return Range(label=label, value=value, lower=low, upper=high, weak=weak)


def _prediction_picture(
    found: Prediction, average: float, threshold: float | None, lang: str
) -> bytes:
    rows = [_range(say("sheet.this_patient", lang), found.probability, found.interval)]
    if found.missing:
        alike = say("sheet.alike", lang)
        rows.append(_range(alike, found.probability, found.average_interval, weak=True))
    marks = [(average, say("sheet.average_patient", lang))]
    if threshold is not None:
        marks.append((threshold, say("sheet.threshold", lang)))
    return ranges_picture(rows, marks=marks, lang=lang)


def _answer(found: Prediction, lang: str) -> Iterator[str]:
    """Other cut-offs, the two intervals, and for whom it holds."""
    yield " ".join(
        say(f"answers.cut_{found.decision}", lang, cut=f"{cut:g}", p=p)
        for cut, p in found.probabilities.items()
        if cut != found.cut_point
    )
    yield from (note.text(lang) for note in width_notes(found))
    yield limits_line(found, lang)


def limits_line(found: Prediction | Pathway, lang: str) -> str:
    """Whether the model applies, and why not."""
    level = say(f"cli.{found.applicability.level}", lang)
    reasons = [reason.text(lang) for reason in found.applicability.reasons]
    return " – ".join([say("cli.applicability", lang, level=level), *reasons])


def given_line(known: Mapping[str, Any], lang: str) -> str:
    """What was given, in the order of the dictionary."""
    values = "; ".join(
        f"{label_of(name, lang)} {describe_value(name, known[name], lang)}"
        for name in dictionary().fields
        if known.get(name) is not None
    )
    return say("sheet.given" if values else "sheet.given_nothing", lang, values=values)


def _implant_ranges(found: Implant, lang: str) -> Iterator[Range]:
    """The patient's success, then published harm and durability."""
    step = found.prediction
    name = say("sheet.this_patient_success", lang)
    yield _range(name, step.probability, step.interval)
    for row in found.harms:
        share = row.share
        if share is not None and row.transport == "same":
            ends = (share.lower, share.upper)
            yield _range(row.label.text(lang), share.value, ends, weak=True)


def _unknown(found: Implant, lang: str) -> str:
    names = tuple(row.label for row in found.harms if row.share is None)
    return Note("implant.unknown", names=names).text(lang)


def _implant_tables(found: Implant, lang: str) -> Iterator[tables.Table]:
    title = say("implant.harm_title", lang)
    yield tables.harm_table(found.harms, title, lang, about=False)
    if found.published:
        yield tables.like_table(found.published, lang)
