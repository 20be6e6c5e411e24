"""What each measure means, in words that stand beside the number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

Text = Mapping[str, str]
UNIT = (0.0, 1.0)

# How the observed proportion is smoothed.
SMOOTHER_TEXTS: Mapping[str, Text] = {
    "loess": {
        "en": "local quadratic regression, span 0.75 (R's loess defaults)",
        "fr": "régression locale quadratique, fenêtre 0,75 (loess de R par défaut)",
    },
    "lowess": {
        "en": "local linear regression, span 2/3, no robustness steps (rms::val.prob)",
        "fr": "régression locale linéaire, fenêtre 2/3, sans étape de robustesse "
        "(rms::val.prob)",
    },
    "spline": {
        "en": "logistic regression on a restricted cubic spline of the log-odds, "
        "4 knots (3 below 100 patients)",
        "fr": "régression logistique sur une spline cubique restreinte des log-cotes, "
        "4 nœuds (3 en dessous de 100 patients)",
    },
}


@dataclass(frozen=True, kw_only=True)
class Definition:
    """Name, meaning and values of one measure, in English and French."""

    label: Text
    definition: Text
    ideal: float | None  # None: depends on the outcome proportion
    possible: tuple[float, float] = (-math.inf, math.inf)  # least and most it can be


# Measures that depend on how the observed proportion is smoothed.
SMOOTHED = (
    "integrated_calibration_index",
    "e50",
    "e90",
    "emax",
    "estimated_calibration_index",
)

DEFINITIONS: Mapping[str, Definition] = {
    "c_statistic": Definition(
        label={"en": "c-statistic", "fr": "Statistique c"},
        definition={
            "en": "probability that a responder was given more than a non-responder, "
            "ties 1/2",
            "fr": "probabilité qu'un répondeur ait reçu une valeur plus élevée qu'un "
            "non-répondeur, ex æquo 1/2",
        },
        ideal=1.0,
        possible=UNIT,
    ),
    "calibration_in_the_large": Definition(
        label={"en": "Calibration in the large", "fr": "Calibration moyenne"},
        definition={
            "en": "a of logit P(outcome) = a + 1 x linear predictor (offset); above 0: "
            "probabilities too low on average",
            "fr": "a de logit P(issue) = a + 1 x prédicteur linéaire (offset) ; "
            "au-dessus de 0 : probabilités trop basses en moyenne",
        },
        ideal=0.0,
    ),
    "joint_calibration_intercept": Definition(
        label={
            "en": "Joint calibration intercept",
            "fr": "Ordonnée de calibration conjointe",
        },
        definition={
            "en": "a of logit P(outcome) = a + b x linear predictor, b free",
            "fr": "a de logit P(issue) = a + b x prédicteur linéaire, b libre",
        },
        ideal=0.0,
    ),
    "calibration_slope": Definition(
        label={"en": "Calibration slope", "fr": "Pente de calibration"},
        definition={
            "en": "b of logit P(outcome) = a + b x linear predictor; below 1: "
            "probabilities too extreme",
            "fr": "b de logit P(issue) = a + b x prédicteur linéaire ; au-dessous de "
            "1 : probabilités trop extrêmes",
        },
        ideal=1.0,
    ),
    "observed_expected_ratio": Definition(
        label={"en": "Observed / expected", "fr": "Observés / attendus"},
        definition={
            "en": "responders seen / sum of probabilities; above 1: probabilities too "
            "low on average",
            "fr": "répondeurs observés / somme des probabilités ; au-dessus de 1 : "
            "probabilités trop basses en moyenne",
        },
        ideal=1.0,
        possible=(0.0, math.inf),
    ),
    "integrated_calibration_index": Definition(
        label={
            "en": "Integrated calibration index",
            "fr": "Indice intégré de calibration",
        },
        definition={
            "en": "mean absolute difference between probability and smoothed observed "
            "proportion",
            "fr": "différence absolue moyenne entre la probabilité et la proportion "
            "observée lissée",
        },
        ideal=0.0,
        possible=UNIT,
    ),
    "e50": Definition(
        label={"en": "E50", "fr": "E50"},
        definition={
            "en": "median absolute difference between probability and smoothed "
            "observed proportion",
            "fr": "différence absolue médiane entre la probabilité et la proportion "
            "observée lissée",
        },
        ideal=0.0,
        possible=UNIT,
    ),
    "e90": Definition(
        label={"en": "E90", "fr": "E90"},
        definition={
            "en": "90th centile of the absolute difference between probability and "
            "smoothed observed proportion",
            "fr": "90e centile de la différence absolue entre la probabilité et la "
            "proportion observée lissée",
        },
        ideal=0.0,
        possible=UNIT,
    ),
    "emax": Definition(
        label={"en": "Emax", "fr": "Emax"},
        definition={
            "en": "largest absolute difference between probability and smoothed "
            "observed proportion",
            "fr": "plus grande différence absolue entre la probabilité et la "
            "proportion observée lissée",
        },
        ideal=0.0,
        possible=UNIT,
    ),
    "estimated_calibration_index": Definition(
        label={
            "en": "Estimated calibration index",
            "fr": "Indice estimé de calibration",
        },
        definition={
            "en": "100 x mean squared difference between probability and smoothed "
            "observed proportion",
            "fr": "100 x différence quadratique moyenne entre la probabilité et la "
            "proportion observée lissée",
        },
        ideal=0.0,
        possible=(0.0, 100.0),
    ),
    "brier_score": Definition(
        label={"en": "Brier score", "fr": "Score de Brier"},
        definition={
            "en": "mean squared difference between outcome and probability",
            "fr": "différence quadratique moyenne entre l'issue et la probabilité",
        },
        ideal=0.0,
        possible=UNIT,
    ),
    "scaled_brier_score": Definition(
        label={"en": "Scaled Brier score", "fr": "Score de Brier normalisé"},
        definition={
            "en": "1 - Brier score / Brier score of the outcome proportion for "
            "everybody; 0: no better than that",
            "fr": "1 - score de Brier / score de Brier de la proportion observée pour "
            "tous ; 0 : pas mieux qu'elle",
        },
        ideal=1.0,
        possible=(-math.inf, 1.0),
    ),
    "log_loss": Definition(
        label={"en": "Log loss", "fr": "Perte logarithmique"},
        definition={
            "en": "mean of -log(probability given to what happened), nats",
            "fr": "moyenne de -log(probabilité donnée à ce qui s'est produit), nats",
        },
        ideal=0.0,
        possible=(0.0, math.inf),
    ),
    "net_benefit": Definition(
        label={"en": "Net benefit", "fr": "Bénéfice net"},
        definition={
            "en": "TP/n - FP/n x t/(1-t), treating all with probability of at least t; "
            "treat none is 0",
            "fr": "VP/n - FP/n x t/(1-t), en traitant si la probabilité atteint t ; "
            "ne traiter personne vaut 0",
        },
        ideal=None,
    ),
    "net_benefit_treat_all": Definition(
        label={
            "en": "Net benefit of treating all",
            "fr": "Bénéfice net de traiter tous",
        },
        definition={
            "en": "outcome proportion - (1 - outcome proportion) x t/(1-t)",
            "fr": "proportion de réponse - (1 - proportion de réponse) x t/(1-t)",
        },
        ideal=None,
    ),
    "ordinal_concordance": Definition(
        label={"en": "Ordinal concordance", "fr": "Concordance ordinale"},
        definition={
            "en": "probability that the patient with the better outcome level got the "
            "higher score, over all cut-offs, ties 1/2",
            "fr": "probabilité que le patient au meilleur niveau d'issue ait le score "
            "le plus élevé, tous seuils confondus, ex æquo 1/2",
        },
        ideal=1.0,
        possible=UNIT,
    ),
}


def possible_values(name: str, *, threshold: float) -> tuple[float, float]:
    """Least and most that a measure can be, in any patients.

    The net benefit is a mean of 1 (a responder treated), -t/(1-t) (a non-responder
    treated) and 0. Its limits may exceed the outcome proportion of these patients,
    which is itself an estimate.

    Examples
    --------
    >>> possible_values("brier_score", threshold=0.5)
    (0.0, 1.0)
    >>> possible_values("net_benefit", threshold=0.2)
    (-0.25, 1.0)
    """
    if name.startswith("net_benefit"):
        return -threshold / (1.0 - threshold), 1.0
    return DEFINITIONS[name].possible


def describe_measure(
    name: str, *, smoother: str, threshold: float, lang: str = "en"
) -> str:
    """Definition of a measure with the smoother or threshold that it was taken at.

    Examples
    --------
    >>> describe_measure("net_benefit_treat_all", smoother="loess", threshold=0.3)
    'outcome proportion - (1 - outcome proportion) x t/(1-t); t = 0.3'
    """
    text = DEFINITIONS[name].definition[lang]
    colon, decimal = (" : ", ",") if lang == "fr" else (": ", ".")
    separator = " ; " if lang == "fr" else "; "
    if name in SMOOTHED:
        word = {"en": "smoother", "fr": "lissage"}[lang]
        return f"{text}{separator}{word}{colon}{SMOOTHER_TEXTS[smoother][lang]}"
    if name.startswith("net_benefit"):
        t = f"{threshold:g}".replace(".", decimal)
        return f"{text}{separator}t = {t}"
    return text
