"""How a prediction reads on a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from responder_model.labels import describe_value, label_of
from responder_model.model.verdict import judge, width_notes
from responder_model.schema import dictionary
from responder_model.words import Note, say
from responder_model.words.numbers import format_percent, signed

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.model import Prediction

# Contributions that would print as 0.00 are left out of the short form.
SMALLEST_SHOWN = 0.005
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
    decision = dictionary().decisions[prediction.decision]
    moments = {m.name: m.label[lang] for m in dictionary().moments}
    yield f"{decision.label[lang]}, {moments[prediction.moment]}"
    which = (prediction.model, prediction.provenance, prediction.model_digest)
    yield describe_model(*which, lang)
    yield ""
    if threshold is not None:
        said = {"threshold": threshold, "chance": verdict.chance_above}
        yield say("answers.above_threshold", lang, **said)
    for cut, p in prediction.probabilities.items():
        if cut != prediction.cut_point:
            yield say(f"answers.cut_{prediction.decision}", lang, cut=f"{cut:g}", p=p)
    yield from (note.text(lang) for note in width_notes(prediction))
    yield from _limits(prediction, lang)


def _limits(prediction: Prediction, lang: str) -> Iterator[str]:
    level = say(f"cli.{prediction.applicability.level}", lang)
    yield say("cli.applicability", lang, level=level)
    for reason in prediction.applicability.reasons:
        yield f"   {reason.text(lang)}"


def contributions_table(
    prediction: Prediction,
    values: Mapping[str, Any],
    lang: str,
    *,
    every: bool,
    bases: Mapping[str, str],
) -> Table:
    """Table of what each predictor adds, largest first, and what that rests on."""
    from rich.table import Table

    baseline = format_percent(1.0 / (1.0 + math.exp(-prediction.baseline)))
    table = Table(
        say("cli.predictor", lang),
        say("cli.value", lang),
        title=say("cli.reasons", lang, p=baseline),
        title_justify="left",
    )
    table.add_column(say("cli.contribution", lang), justify="right")
    table.add_column(say("cli.range", lang), justify="right")
    if bases:
        table.add_column(say("cli.basis", lang))
    ordered = sorted(prediction.contributions.items(), key=lambda item: -abs(item[1]))
    for name, contribution in ordered:
        if every or abs(contribution) >= SMALLEST_SHOWN:
            bounds = prediction.contribution_ranges[name]
            table.add_row(
                label_of(name, lang),
                describe_value(name, values.get(name), lang),
                signed(contribution, lang),
                f"{signed(bounds.lower, lang)} .. {signed(bounds.upper, lang)}",
                *([say(f"cli.basis_{bases.get(name, '')}", lang)] if bases else []),
            )
    return table
