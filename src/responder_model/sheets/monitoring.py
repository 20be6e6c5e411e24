"""Sheet of what monitoring found."""

from __future__ import annotations

import datetime

from responder_model.figures.drawing import png_of
from responder_model.figures.monitoring import level_name, monitoring_figure
from responder_model.labels import decision_label
from responder_model.monitoring import ALARM, Monitoring, Together
from responder_model.tables import Table
from responder_model.words import say
from responder_model.words.numbers import format_number
from .sheet import Sheet, describe_model, spoken


def monitoring_sheet(
    found: Together, *, date: datetime.date, lang: str = "en"
) -> Sheet:
    """Sheet of models that are monitored, one or one for each decision.

    Parameters
    ----------
    found : Together
        From ``together``.
    date : datetime.date
        Day until which outcomes count.
    lang : {"en", "fr"}
        Language of all words.
    """
    models = found.models
    states = [one.messages[0].text(lang) for one in models]
    if len(models) > 1:
        labels = [decision_label(one.decision, lang) for one in models]
        states = [f"{a}. {b}" for a, b in zip(labels, states, strict=True)]
        states = [*(note.text(lang) for note in found.messages), *states]
    notes = [note for one in models for note in one.messages[1:]]
    return Sheet(
        lang=lang,
        title=say("monitoring.title", lang),
        label="",
        date=date,
        headline=" ".join(states),
        picture=png_of(monitoring_figure(models, alarm=ALARM, lang=lang)),
        picture_height=150,
        picture_text=say("monitoring.title", lang),
        lines=spoken(notes, lang),
        tables=tuple(_levels(one, lang) for one in models),
        notes=(),
        models=tuple(
            describe_model(one.model, one.provenance, one.digest, lang, asked=asked)
            for one in models
            for asked in (decision_label(one.decision, lang),)
        ),
        simulated=any(one.provenance == "simulated" for one in models),
    )


def _levels(found: Monitoring, lang: str) -> Table:
    rows = [
        (
            level_name(level, lang),
            str(level.observed),
            format_number(level.expected, lang, ".1f"),
        )
        for level in found.levels
    ]
    return Table(
        title=decision_label(found.decision, lang),
        heads=tuple(
            say(f"monitoring.{key}", lang)
            for key in ("figure_level", "figure_observed", "figure_expected")
        ),
        rows=tuple(rows),
    )
