"""The points table as one printable HTML page, without anything from a network."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from responder_model.labels import (
    describe_cut_point,
    describe_value,
    label_of,
    question_label,
)
from responder_model.schema import dictionary
from responder_model.vocabulary import check_language
from responder_model.words import say
from responder_model.words.numbers import format_number
from .points import PointsRow, PointsTable

_COLUMNS = ("points", "total", "probability", "sum")


def render_page(table: PointsTable, lang: str = "en") -> str:
    """Points table as HTML that prints on one or two pages."""
    from jinja2 import Environment

    check_language(lang)
    source = files("responder_model") / "data" / "points.html"
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(source.read_text(encoding="utf-8"))
    return template.render(
        lang=lang,
        notes=card_notes(table, lang),
        predictors=[(label(row, lang), _lines(row, lang)) for row in table.rows],
        totals=[(format_number(p, lang), t) for p, t in table.totals.items()],
        text={
            key: say(f"scorecard.{key}", lang)
            for key in ("points", "total", "probability", "sum")
        },
        **heading(table, lang),
    )


def heading(table: PointsTable, lang: str) -> dict[str, str]:
    """Title, question and provenance of a card."""
    card = table.card
    return {
        "title": say("scorecard.title", lang),
        "question": question_label(card.decision, card.moment, lang),
        "model": card.model,
        "provenance": say(f"scorecard.{card.provenance}", lang),
    }


def card_notes(table: PointsTable, lang: str) -> list[str]:
    """What a reader of the card must know."""
    card = table.card
    decision = dictionary().decisions[card.decision]
    cut = describe_cut_point(decision, card.cut_points[card.main])
    error = 100.0 * table.largest_error
    notes = [say("scorecard.research", lang), say("scorecard.how", lang, cut=cut)]
    notes.append(say("scorecard.complete", lang, names=card.known))
    if card.averaged:
        notes.append(say("scorecard.averaged", lang, names=card.averaged))
    if card.optional:
        notes.append(say("scorecard.nothing", lang, names=card.optional))
    question = "implanted" if card.non_responders else "reporting"
    notes.append(say(f"model.{question}", lang))
    if card.non_responders == "few":
        notes.append(say("scorecard.failed", lang))
    notes.append(say("scorecard.error", lang, error=error))
    if card.trees_weight:
        notes.append(say("scorecard.trees", lang, weight=card.trees_weight))
    return notes


def label(row: PointsRow, lang: str) -> str:
    """Label of a predictor with its unit; a scale's own points go without saying."""
    unit = dictionary().fields[row.predictor].unit
    if unit is None or unit[lang] == say("scorecard.points", lang):
        return label_of(row.predictor, lang)
    return f"{label_of(row.predictor, lang)} ({unit[lang]})"


def value_text(row: PointsRow, value: Any, lang: str) -> str:
    """One listed value as a person reads it."""
    if row.is_number:
        return format_number(float(value), lang)
    if dictionary().fields[row.predictor].kind == "boolean":
        value = value == "yes"
    return describe_value(row.predictor, value, lang)


def _lines(row: PointsRow, lang: str) -> list[tuple[str, int]]:
    return [(value_text(row, v, lang), p) for v, p in row.points.items()]
