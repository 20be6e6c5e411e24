"""The points table as one printable HTML page, without anything from a network."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from responder_model.labels import (
    describe_cut_point,
    describe_value,
    format_number,
    label_of,
)
from responder_model.model.texts import check_language, text
from responder_model.schema import LANGUAGES, dictionary
from responder_model.scorecard.points import PointsRow, PointsTable

TEXTS = {
    "title": ("Points table", "Table de points"),
    "research": (
        "Research use only: not a medical device.",
        "Usage de recherche : n'est pas un dispositif médical.",
    ),
    "simulated": (
        "SIMULATED patients: for no patient.",
        "Patients SIMULÉS : pour aucun patient.",
    ),
    "published": (
        "Published evidence alone, no patient of a cohort.",
        "Seules données publiées, aucun patient d'une cohorte.",
    ),
    "cohort": ("Developed on a cohort.", "Développé sur une cohorte."),
    "how": (
        "Add the points of every predictor; the last table turns the total into the "
        "probability of relief {cut}. Between two numbers, interpolate.",
        "Additionner les points de chaque prédicteur ; la dernière table donne, pour "
        "le total, la probabilité d'un soulagement {cut}. Entre deux nombres, "
        "interpoler.",
    ),
    "complete": (
        "Only for a patient in whom all of these are known: {names}.",
        "Seulement pour un patient chez qui tout ceci est connu : {names}.",
    ),
    "averaged": (
        "Averaged over, and not to be added in any way: {names}. If one of these is "
        "known, or one of the above is not, use the model itself.",
        "Moyennés, à n'ajouter d'aucune façon : {names}. Si l'un d'eux est connu, ou "
        "si l'un des précédents manque, utiliser le modèle lui-même.",
    ),
    "nothing": (
        "Change nothing in this model, known or not: {names}.",
        "Ne changent rien dans ce modèle, connus ou non : {names}.",
    ),
    "failed": (
        "Not for a patient who did not respond to the test: few such patients were "
        "implanted.",
        "Pas pour un patient non répondeur au test : peu de tels patients ont été "
        "implantés.",
    ),
    "error": (
        "The probability read here is within {error} percentage points of the model's. "
        "The card gives no interval and does not say whether the model applies: the "
        "model does.",
        "La probabilité lue ici est à moins de {error} point de pourcentage de celle "
        "du modèle. La carte ne donne ni intervalle ni domaine d'application : le "
        "modèle les donne.",
    ),
    "trees": (
        "The linear part only: the model also has trees, of weight {weight}, which are "
        "left out. The card is not the model.",
        "La partie linéaire seulement : le modèle a aussi des arbres, de poids "
        "{weight}, laissés de côté. La carte n'est pas le modèle.",
    ),
    "points": ("points", "points"),
    "total": ("total", "total"),
    "probability": ("probability", "probabilité"),
    "sum": ("Total to probability", "Du total à la probabilité"),
}


def say(key: str, lang: str, **values: object) -> str:
    """Text in a language, its gaps filled.

    Examples
    --------
    >>> say("total", "en")
    'total'
    """
    return TEXTS[key][LANGUAGES.index(lang)].format(**values)


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
        text={key: say(key, lang) for key in ("points", "total", "probability", "sum")},
        **heading(table, lang),
    )


def heading(table: PointsTable, lang: str) -> dict[str, str]:
    """Title, question and provenance of a card."""
    card = table.card
    decision = dictionary().decisions[card.decision]
    moments = {m.name: m.label[lang] for m in dictionary().moments}
    return {
        "title": say("title", lang),
        "question": f"{decision.label[lang]}, {moments[card.moment]}",
        "model": card.model,
        "provenance": say(card.provenance, lang),
    }


def card_notes(table: PointsTable, lang: str) -> list[str]:
    """What a reader of the card must know."""
    card = table.card
    decision = dictionary().decisions[card.decision]
    cut = describe_cut_point(decision, card.cut_points[card.main])
    error = format_number(100.0 * table.largest_error, lang, ".1f")
    notes = [say("research", lang), say("how", lang, cut=cut)]
    notes.append(say("complete", lang, names=_names(card.known, lang)))
    if card.averaged:
        notes.append(say("averaged", lang, names=_names(card.averaged, lang)))
    if card.optional:
        notes.append(say("nothing", lang, names=_names(card.optional, lang)))
    notes.append(text("implanted" if card.non_responders else "reporting", lang))
    if card.non_responders == "few":
        notes.append(say("failed", lang))
    notes.append(say("error", lang, error=error))
    if card.trees_weight:
        weight = format_number(card.trees_weight, lang, ".2f")
        notes.append(say("trees", lang, weight=weight))
    return notes


def _names(names: Any, lang: str) -> str:
    return ", ".join(label_of(name, lang) for name in names)


def label(row: PointsRow, lang: str) -> str:
    """Label of a predictor with its unit; a scale's own points go without saying."""
    unit = dictionary().fields[row.predictor].unit
    if unit is None or unit[lang] == say("points", lang):
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
