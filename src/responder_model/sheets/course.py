"""Sheet of one patient over the visits of the test."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from responder_model.figures.drawing import picture_of
from responder_model.figures.visits import plot_course
from responder_model.labels import describe_value, short_moment
from responder_model.model.verdict import figure_note, judge
from responder_model.patient import check_patient
from responder_model.sheets.patients import given_line, limits_line
from responder_model.sheets.sheet import (
    Sheet,
    SheetTable,
    check_label,
    describe_model,
    spoken,
)
from responder_model.visits import Ahead, Course
from responder_model.words import say
from responder_model.words.numbers import format_hundred, of_100, signed_points

# Width and height of the picture, inches.
_SIZE = (9.0, 5.0)


def course_sheet(
    found: Course,
    patient: Mapping[str, Any],
    *,
    date: datetime.date,
    label: str = "",
    lang: str = "en",
) -> Sheet:
    """Sheet of a course from ``course``: each visit, and what the next may change.

    ``patient`` is what the course was asked with, for what was given; the rest as
    ``prediction_sheet``.
    """
    now = found.now
    known = check_patient(patient, now.decision, now.moment)
    chances = () if found.chances is None else (found.chances.text(lang),)
    models = dict.fromkeys(
        describe_model(p.model, p.provenance, p.model_digest, lang)
        for p in (visit.prediction for visit in found.visits)
    )
    tables = [_visits(found, lang)]
    if found.ahead is not None:
        tables.append(_ahead(found.ahead, lang))
    return Sheet(
        lang=lang,
        title=say("course.title", lang, decision=found.decision),
        label=check_label(label),
        date=date,
        headline=judge(now, found.threshold).note.text(lang),
        picture=picture_of(lambda ax: plot_course(found, ax=ax, lang=lang), size=_SIZE),
        picture_text=figure_note(now).text(lang),
        lines=(*chances, limits_line(now, lang), given_line(known, lang)),
        tables=tuple(tables),
        notes=spoken(found.messages, lang),
        models=tuple(models),
        simulated=any(v.prediction.provenance == "simulated" for v in found.visits),
    )


def _visits(found: Course, lang: str) -> SheetTable:
    """One row a visit: what was said, and what it changed in what was shown."""
    rows = []
    before: int | None = None
    for visit in found.visits:
        p, now = visit.prediction, of_100(visit.prediction.probability)
        change = "" if before is None else signed_points(now - before, lang)
        told = (format_hundred(p.probability, lang), _bounds(p.interval, lang))
        rows.append((short_moment(visit.moment, lang), *told, change))
        before = now
    heads = ("visit", "in_100", "interval", "change")
    return SheetTable(
        title=say("course.title", lang, decision=found.decision),
        heads=tuple(say(f"course.{key}", lang) for key in heads),
        rows=tuple(rows),
    )


def _ahead(ahead: Ahead, lang: str) -> SheetTable:
    """What would be said after a poor, a middling and a good next session."""
    rows = tuple(
        (
            describe_value(ahead.predictor, row.relief, lang),
            format_hundred(row.at_most, lang),
            format_hundred(row.probability, lang),
            _bounds(row.interval, lang),
        )
        for row in ahead.possible
    )
    possible = say("course.possible", lang, predictor=ahead.predictor)
    heads = (say(f"course.{key}", lang) for key in ("at_most", "then", "interval"))
    title = say("course.ahead", lang, moment=ahead.moment)
    return SheetTable(title=title, heads=(possible, *heads), rows=rows)


def _bounds(bounds: tuple[float, float], lang: str) -> str:
    low, high = (format_hundred(p, lang) for p in bounds)
    return say("course.bounds", lang, low=low, high=high)
