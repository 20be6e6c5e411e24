"""What the command line says to a person, in English and French."""

from __future__ import annotations

from responder_model.labels import format_number

TEXTS = {
    "probability": {
        "en": "Probability of relief {cut}: {p}   (95 % interval {low} to {high})",
        "fr": "Probabilité d'un soulagement {cut} : {p}"
        "   (intervalle à 95 % : {low} à {high})",
    },
    "cut_off": {"en": "relief {cut}: {p}", "fr": "soulagement {cut} : {p}"},
    "applicability": {
        "en": "This patient against those the model describes: {level}",
        "fr": "Ce patient par rapport à ceux que le modèle décrit : {level}",
    },
    "inside": {"en": "inside", "fr": "dans le domaine"},
    "borderline": {"en": "borderline", "fr": "en limite du domaine"},
    "outside": {"en": "OUTSIDE", "fr": "HORS DU DOMAINE"},
    "reasons": {
        "en": "Why (log-odds; the average patient has {p})",
        "fr": "Pourquoi (log-cotes ; le patient moyen a {p})",
    },
    "predictor": {"en": "predictor", "fr": "prédicteur"},
    "value": {"en": "value", "fr": "valeur"},
    "contribution": {"en": "contribution", "fr": "contribution"},
    "range": {"en": "95 % range", "fr": "intervalle à 95 %"},
    "truth": {
        "en": "Simulated patients, truth of response: {kind}, seed {seed}. Evidence "
        "about this software, never about patients.",
        "fr": "Patients simulés, vérité de la réponse : {kind}, graine {seed}. Ils "
        "renseignent sur ce logiciel, jamais sur des patients.",
    },
    "basis": {"en": "rests on", "fr": "repose sur"},
    "basis_evidence": {"en": "published", "fr": "publié"},
    "basis_judgement": {"en": "opinion", "fr": "avis"},
    "basis_": {"en": "", "fr": ""},
    "published": {
        "en": "published evidence, no patients",
        "fr": "preuves publiées, sans patients",
    },
    "simulated": {"en": "SIMULATED patients", "fr": "patients SIMULÉS"},
    "cohort": {"en": "patients of a cohort", "fr": "patients d'une cohorte"},
    "counts": {
        "en": "{n} patients with a known outcome, {events} of them with the event",
        "fr": "{n} patients dont l'issue est connue, {events} avec l'événement",
    },
    "component": {"en": "prior component", "fr": "composante a priori"},
    "weights": {
        "en": "Weight of each prior component (not a test of agreement)",
        "fr": "Poids de chaque composante a priori (pas un test d'accord)",
    },
    "before": {"en": "before", "fr": "avant"},
    "after": {"en": "after", "fr": "après"},
    "measure": {"en": "measure", "fr": "mesure"},
    "apparent": {
        "en": "Apparent performance: too good, in the patients it was developed on",
        "fr": "Performance apparente : optimiste, sur les patients du développement",
    },
    "column": {"en": "column", "fr": "colonne"},
    "coefficients": {
        "en": "Log-odds per reference unit at the main cut-off",
        "fr": "Log-cotes par unité de référence au seuil principal",
    },
    "coefficient": {"en": "mean", "fr": "moyenne"},
    "sd": {"en": "SD", "fr": "écart-type"},
    "definitions": {"en": "What the measures mean", "fr": "Sens des mesures"},
    "ideal": {"en": "ideal", "fr": "idéal"},
    "model": {
        "en": "Model: {name} ({provenance})",
        "fr": "Modèle : {name} ({provenance})",
    },
}


def signed(value: float, lang: str) -> str:
    """Number with its sign to two decimals; nothing has none.

    Examples
    --------
    >>> signed(0.5, "fr"), signed(-0.001, "en"), signed(0.0, "en")
    ('+0,50', '0.00', '0.00')
    """
    text = format_number(value, lang, "+.2f")
    return text[1:] if not text.strip("+-0.,") else text


def say(key: str, lang: str, **parts: object) -> str:
    """Text of a key in one language, with its parts filled in.

    Examples
    --------
    >>> say("cut_off", "fr", cut="> 50 %", p="28 %")
    'soulagement > 50 % : 28 %'
    """
    return TEXTS[key][lang].format(**parts)
