"""How a prediction reads on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from responder_model.labels import question_label
from responder_model.model.verdict import judge, width_notes
from responder_model.words import Note, say

if TYPE_CHECKING:
    from responder_model.model import Prediction
    from responder_model.pathways import Pathway

# Digits of a digest that a person is shown.
DIGITS_SHOWN = 12


def describe_model(name: str, provenance: str, digest: str | None, lang: str) -> str:
    """Line that says which model it is: by its digest, because names recur."""
    made_from = Note(f"cli.{provenance}")
    if digest is None:
        return say("cli.model", lang, name=name, provenance=made_from)
    short = digest[:DIGITS_SHOWN]
    which = {"name": name, "provenance": made_from, "digest": short}
    return say("cli.model_and_digest", lang, **which)


def describe_prediction(
    prediction: Prediction, lang: str, threshold: float | None = None
) -> Iterator[str]:
    """Lines that say what the answer is worth, how sure, and for whom."""
    verdict = judge(prediction, threshold)
    yield verdict.note.text(lang)
    yield ""
    yield question_label(prediction.decision, prediction.moment, lang)
    which = (prediction.model, prediction.provenance, prediction.model_digest)
    yield describe_model(*which, lang)
    yield ""
    if threshold is not None:
        said = {"threshold": threshold, "chance": verdict.chance_above}
        yield say("answers.above_threshold", lang, **said)
    yield from cut_lines(prediction, lang)
    yield from (note.text(lang) for note in width_notes(prediction))
    yield from limits_lines(prediction, lang)


def cut_lines(found: Prediction | Pathway, lang: str) -> Iterator[str]:
    """Yield how many pass the other cut-offs."""
    for cut, p in found.probabilities.items():
        if cut != found.cut_point:
            yield say(f"answers.cut_{found.decision}", lang, cut=f"{cut:g}", p=p)


def limits_lines(found: Prediction | Pathway, lang: str) -> Iterator[str]:
    """Yield whether the answer applies to the patient, and why not."""
    level = say(f"cli.{found.applicability.level}", lang)
    yield say("cli.applicability", lang, level=level)
    for reason in found.applicability.reasons:
        yield f"   {reason.text(lang)}"
