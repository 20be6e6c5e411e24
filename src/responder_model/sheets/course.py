"""Sheet of one patient over the visits of the test."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from responder_model.figures.drawing import PAGE_WIDTH, picture_of
from responder_model.figures.visits import plot_course
from responder_model.labels import question_label
from responder_model.model.verdict import figure_note, judge
from responder_model.patient import check_patient
from responder_model.tables import next_table, visits_table
from responder_model.visits import Course
from responder_model.words import say
from .patients import given_line, limits_line
from .sheet import Sheet, check_label, describe_model, spoken

# Width and height of the picture, inches.
_SIZE = (PAGE_WIDTH, 3.5)


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
        describe_model(p.model, p.provenance, p.model_digest, lang, asked=asked)
        for p in (visit.prediction for visit in found.visits)
        for asked in (question_label(p.decision, p.moment, lang),)
    )
    tables = [visits_table(found, lang)]
    if found.ahead is not None:
        tables.append(next_table(found.ahead, lang))
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
