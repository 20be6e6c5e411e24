"""How a prediction reads on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from responder_model.labels import describe_value, label_of
from responder_model.model.verdict import judge, width_notes
from responder_model.schema import dictionary
from responder_model.words import Note, say
from responder_model.words.numbers import format_percent, signed, signed_points

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.model import Prediction

# Contributions that would print as 0.00, and points that would print as 0, are left
# out of the short form.
SMALLEST_SHOWN, SMALLEST_POINTS = 0.005, 0.5
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


def reasons_table(
    prediction: Prediction,
    values: Mapping[str, Any],
    lang: str,
    *,
    every: bool,
    log_odds: bool,
    bases: Mapping[str, str],
) -> Table:
    """Table of what each given value adds, largest first, and what that rests on."""
    from rich.table import Table

    average = prediction.verdict.average
    title = say("answers.reasons_points", lang, average=average)
    if log_odds:
        title = say("cli.reasons", lang, p=format_percent(average))
    headings = (say(f"cli.{key}", lang) for key in ("predictor", "value"))
    table = Table(*headings, title=title, title_justify="left")
    for key in ("contribution", "range"):
        table.add_column(say(f"cli.{key}", lang), justify="right")
    if bases:
        table.add_column(say("cli.basis", lang))
    unit = 1.0 if log_odds else 100.0 * prediction.slope
    write = signed if log_odds else signed_points
    smallest = SMALLEST_SHOWN if log_odds else SMALLEST_POINTS
    for name, value in sorted(
        prediction.contributions.items(), key=lambda item: -abs(item[1])
    ):
        if name in values and (every or abs(value) * unit >= smallest):
            bounds = prediction.contribution_ranges[name]
            table.add_row(
                label_of(name, lang),
                describe_value(name, values[name], lang),
                write(value * unit, lang),
                f"{write(bounds.lower * unit, lang)} .. "
                f"{write(bounds.upper * unit, lang)}",
                *([say(f"cli.basis_{bases.get(name, '')}", lang)] if bases else []),
            )
    rest = [c for name, c in prediction.contributions.items() if name not in values]
    if abs(sum(rest)) * unit >= smallest:
        added = write(sum(rest) * unit, lang)
        table.add_row(say("answers.given_nothing", lang), "", added, "")
    return table
