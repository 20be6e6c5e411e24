"""Sentences of the path from screening to an implant, in English and French."""

from __future__ import annotations

from responder_model.schema import LANGUAGES

_TEXTS = {
    "first_step": (
        "First step, the test: {message}",
        "Première étape, le test : {message}",
    ),
    "second_step": (
        "Second step, the implant: {message}",
        "Seconde étape, l'implant : {message}",
    ),
    "average": (
        "Probability of success if implanted, averaged over every relief that the test "
        "may bring, each weighted by its probability given what is known today. It is "
        "not the product of two probabilities.",
        "Probabilité de succès en cas d'implantation, moyennée sur tous les "
        "soulagements que le test peut apporter, chacun pondéré par sa probabilité "
        "d'après ce qui est connu aujourd'hui. Ce n'est pas le produit de deux "
        "probabilités.",
    ),
    "completers": (
        "It supposes that the patient completes the four test sessions. Once relief "
        "after the test is known, use it: {target}.",
        "Elle suppose que le patient suive les quatre séances de test. Dès que le "
        "soulagement après le test est connu, l'utiliser : {target}.",
    ),
    "composite": (
        "The first step counts relief {cut} only where the most disabling symptom "
        "improved too: relief itself, and with it success, may be higher.",
        "La première étape ne compte un soulagement {cut} que si le symptôme le plus "
        "invalidant s'est aussi amélioré : le soulagement lui-même, et donc le succès, "
        "peut être plus élevé.",
    ),
    "little": (
        "How success follows from relief after the test rests on few patients.",
        "Le lien entre soulagement après le test et succès repose sur peu de patients.",
    ),
    "little_published": (
        "How success follows from relief after the test is published for {n} implanted "
        "patients only ({studies}).",
        "Le lien entre soulagement après le test et succès n'est publié que pour {n} "
        "patients implantés ({studies}).",
    ),
    "little_cohort": (
        "How success follows from relief after the test rests on {n} implanted "
        "patients, {events} of them with success and {failed} of them non-responders "
        "to the test.",
        "Le lien entre soulagement après le test et succès repose sur {n} patients "
        "implantés, dont {events} avec succès et {failed} non répondeurs au test.",
    ),
    "few": ("fewer than 10", "moins de 10"),
    "enough": ("10 or more", "au moins 10"),
    "verification": (
        "Few non-responders to the test were implanted, for reasons that no record "
        "holds, and the model does not apply to them; {share} of this average is about "
        "such a relief. Were their odds of success half as large, the probability "
        "would be {value}.",
        "Peu de non-répondeurs au test ont été implantés, pour des raisons que rien ne "
        "consigne, et le modèle ne s'applique pas à eux ; {share} de cette moyenne "
        "concerne un tel soulagement. Si leur cote de succès était deux fois plus "
        "faible, la probabilité serait de {value}.",
    ),
    "verification_some": (
        "Non-responders to the test were implanted on judgement that no record holds; "
        "{share} of this average is about such a relief. Were their odds of success "
        "half as large, the probability would be {value}.",
        "Des non-répondeurs au test ont été implantés selon un jugement que rien ne "
        "consigne ; {share} de cette moyenne concerne un tel soulagement. Si leur cote "
        "de succès était deux fois plus faible, la probabilité serait de {value}.",
    ),
    "may_not_respond": (
        "the patient will not respond to the test with probability {share}: few such "
        "patients were implanted",
        "le patient ne répondra pas au test avec une probabilité de {share} : peu de "
        "tels patients ont été implantés",
    ),
    "may_not_respond_some": (
        "the patient will not respond to the test with probability {share}",
        "le patient ne répondra pas au test avec une probabilité de {share}",
    ),
}


def sentence(key: str, lang: str, **values: object) -> str:
    """Sentence in a language, its gaps filled.

    Examples
    --------
    >>> sentence("few", "fr")
    'moins de 10'
    """
    return _TEXTS[key][LANGUAGES.index(lang)].format(**values)
