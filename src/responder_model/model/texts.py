"""Sentences that stand beside a number, in English and French."""

from __future__ import annotations

from responder_model.errors import ResponderModelError
from responder_model.schema import LANGUAGES
from responder_model.vocabulary import show

_TEXTS: dict[str, tuple[str, str]] = {
    # -------------------------------------------------- what every reader must know
    "research_use": (
        "Research use only: not a medical device.",
        "Usage de recherche : n'est pas un dispositif médical.",
    ),
    "published": (
        "Built from published evidence alone, without any patient of a cohort.",
        "Fondé sur les seules données publiées, sans aucun patient d'une cohorte.",
    ),
    "published_weak": (
        "The evidence behind it is weak: it implies a c-statistic of {value} (0.5 is "
        "chance, 1 is perfect), which no cohort has confirmed.",
        "Les données qui le fondent sont faibles : elles impliquent une statistique c "
        "de {value} (0,5 : hasard ; 1 : parfait), qu'aucune cohorte n'a confirmée.",
    ),
    "simulated": (
        "Developed on simulated patients: not for any patient.",
        "Développé sur des patients simulés : à n'utiliser pour aucun patient.",
    ),
    "cohort": (
        "Developed on {name}: {n_patients} patients, {n_events} of them with the "
        "outcome.",
        "Développé sur {name} : {n_patients} patients, dont {n_events} avec le "
        "critère.",
    ),
    "centre_level": (
        "The level is that of the patient's centre.",
        "Le niveau est celui du centre du patient.",
    ),
    "another_centre": (
        "For a centre other than those that the model knows ({names}): the interval "
        "allows for the differences between centres.",
        "Pour un centre autre que ceux que le modèle connaît ({names}) : l'intervalle "
        "tient compte des différences entre centres.",
    ),
    "no_centres": (
        "The centre takes no part: the model tells none apart.",
        "Le centre n'intervient pas : le modèle n'en distingue aucun.",
    ),
    "insufficient": (
        "The cohort is smaller than the sample-size criteria ask for: the probability "
        "leans on published evidence, and nothing is claimed from the cohort alone.",
        "La cohorte est plus petite que ne le demandent les critères d'effectif : la "
        "probabilité s'appuie sur les données publiées, et rien n'est affirmé à partir "
        "de la seule cohorte.",
    ),
    "reporting": (
        "The probability is that of reporting relief under treatment, placebo included "
        "(up to 41 % report it under sham): it is not a treatment effect.",
        "Probabilité de déclarer un soulagement sous traitement, effet placebo compris "
        "(jusqu'à 41 % le déclarent sous placebo) : ce n'est pas un effet du "
        "traitement.",
    ),
    "implanted": (
        "The probability is that of success if implanted, among patients whom centres "
        "implant today; it is not a treatment effect, and few patients stand behind "
        "it.",
        "Probabilité de succès en cas d'implantation, parmi les patients que les "
        "centres implantent aujourd'hui ; ce n'est pas un effet du traitement, et peu "
        "de patients la fondent.",
    ),
    "non_responder_sensitivity": (
        "Few non-responders to the test sessions were implanted, for reasons that no "
        "record holds, so that their chance is probably overstated. Were their odds "
        "half as large, the probability would be {value}.",
        "Peu de non-répondeurs aux séances de test ont été implantés, pour des raisons "
        "que rien ne consigne : leur chance est sans doute surestimée. Si leur cote "
        "était deux fois plus faible, la probabilité serait de {value}.",
    ),
    "negative_slope": (
        "In this model more relief so far lowers the probability, against the "
        "published evidence: have the development cohort checked.",
        "Dans ce modèle, un soulagement plus grand abaisse la probabilité, à "
        "l'encontre des données publiées : faire vérifier la cohorte de développement.",
    ),
    # ------------------------------------------ what a folder tells of its patients
    "no_patients": (
        "No patient stands behind it.",
        "Aucun patient derrière ce modèle.",
    ),
    "rule": (
        "Nothing was learned of predictors that fewer than {k} patients decide, nor of "
        "outcomes that fewer than three share: no sum in it is one patient's record.",
        "Rien n'a été appris des prédicteurs que décident moins de {k} patients, ni "
        "des issues que partagent moins de trois : aucune somme n'y est le dossier "
        "d'un patient.",
    ),
    "no_rule": (
        "It learned from every patient without a rule on small cells: whoever has the "
        "folder can read off single patients, outcome included.",
        "Il a appris de chaque patient sans règle sur les petits effectifs : qui a le "
        "dossier peut y lire des patients un par un, avec leur résultat.",
    ),
    "contrasts_left_out": (
        "Left to the prior, {n} contrasts: {names}.",
        "Laissés à l'a priori, {n} contrastes : {names}.",
    ),
    "what_remains": (
        "What remains: {parameters} numbers learned from {n} patients, with their "
        "covariances. Totals, means and which categories few or none had can be read. "
        "Whoever knows nearly all of a patient can judge whether the patient was among "
        "them, and guess the outcome: the better, the fewer patients each number rests "
        "on.",
        "Ce qui reste : {parameters} nombres appris de {n} patients, avec leurs "
        "covariances. On peut y lire des totaux, des moyennes et les catégories rares "
        "ou absentes. Qui sait presque tout d'un patient peut juger s'il en faisait "
        "partie et deviner son résultat : d'autant mieux que peu de patients fondent "
        "chaque nombre.",
    ),
    "stays_here": (
        "Marked to stay in its centre: it is neither signed nor tracked to a server.",
        "Marqué pour rester dans son centre : ni signé, ni suivi sur un serveur.",
    ),
    "not_yet": (
        "Kept in its centre: {n} patients more than the model that it updates. It may "
        "leave from {k} on, with both outcomes among them.",
        "Gardé dans son centre : {n} patients de plus que le modèle qu'il met à jour. "
        "Il peut en sortir à partir de {k}, avec les deux issues parmi eux.",
    ),
    "missing": (
        "Not given, and replaced by what the other values lead to expect: {names}. The "
        "interval allows for it.",
        "Non renseigné, et remplacé par ce que les autres valeurs laissent attendre : "
        "{names}. L'intervalle en tient compte.",
    ),
    "outside": (
        "The patient lies outside the population that the model describes: do not rely "
        "on the probability.",
        "Le patient est hors de la population que décrit le modèle : ne pas se fier à "
        "la probabilité.",
    ),
    "borderline": (
        "The patient lies at the edge of the population that the model describes.",
        "Le patient est à la limite de la population que décrit le modèle.",
    ),
    "comparison": (
        "This compares two patients who differ in: {names}. It is never the effect of "
        "changing it in one patient, nor of a treatment.",
        "Ceci compare deux patients qui diffèrent par : {names}. Ce n'est jamais "
        "l'effet d'un changement chez un patient, ni celui d'un traitement.",
    ),
    "no_difference": (
        "The two patients do not differ in anything that this model reads.",
        "Les deux patients ne diffèrent par rien de ce que lit ce modèle.",
    ),
    # -------------------------------------------------- why a patient is not inside
    "range": (
        "{name}: {value} lies beyond the usual {low} to {high}",
        "{name} : {value} sort de l'étendue habituelle, {low} à {high}",
    ),
    "never_recorded": (
        "{name}: {value}, which was not recorded where the model was developed",
        "{name} : {value}, non recueilli là où le modèle a été développé",
    ),
    "unseen": (
        "{described}: nobody in the model's population had it",
        "{described} : personne dans la population du modèle",
    ),
    "rare": (
        "{described}: rare in the model's population",
        "{described} : rare dans la population du modèle",
    ),
    "never_together": (
        "{first}, with {second}: never seen together",
        "{first}, avec {second} : jamais observés ensemble",
    ),
    "distance": (
        "the numbers are unusual in combination",
        "les valeurs sont inhabituelles dans leur combinaison",
    ),
    "test_unknown": (
        "the result of the test sessions is not known",
        "le résultat des séances de test n'est pas connu",
    ),
    "non_responder": (
        "did not respond to the test sessions: few such patients were implanted",
        "non-répondeur aux séances de test : peu de tels patients ont été implantés",
    ),
    "nothing_known": (
        "no predictor was given: the probability is that of the average patient",
        "aucun prédicteur renseigné : la probabilité est celle du patient moyen",
    ),
}


def text(key: str, lang: str, /, **values: object) -> str:
    """Sentence in a language, its gaps filled.

    Examples
    --------
    >>> text("research_use", "en")
    'Research use only: not a medical device.'
    """
    sentence = _TEXTS[key][LANGUAGES.index(lang)]
    return sentence.format(**values) if values else sentence


def check_language(lang: str) -> str:
    """Return a known language, or raise."""
    if not isinstance(lang, str) or lang not in LANGUAGES:
        msg = f"lang must be one of {', '.join(LANGUAGES)}, got {show(lang)}."
        raise ResponderModelError(msg)
    return lang
