"""The command ``value``: what a model, and patients of one's own, are worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.words import say
from responder_model.words.numbers import format_number, format_percent
from . import options
from .models import open_model
from .output import console, print_json
from .picture import FigureOption, check_picture, draw_picture
from .prediction import describe_model

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

    from responder_model.model import Model
    from responder_model.rules import InformationWorth, Sample, SlotWorth

ThresholdOption = Annotated[
    list[float] | None, typer.Option("--threshold", metavar="PROBABILITY")
]
SampleOption = Annotated[list[int] | None, typer.Option("--patients", metavar="N")]
SlotsOption = Annotated[int | None, typer.Option("--slots", metavar="N")]
CandidatesOption = Annotated[int | None, typer.Option("--candidates", metavar="N")]
# Thresholds of the picture.
_PICTURE = tuple(k / 100 for k in range(10, 85, 10))


def value(
    model: options.ModelArgument,
    *,
    threshold: ThresholdOption = None,
    patients: SampleOption = None,
    slots: SlotsOption = None,
    candidates: CandidatesOption = None,
    figure: FigureOption = None,
    overwrite: options.OverwriteOption = False,
    json_output: options.JsonOption = False,
    lang: options.LanguageOption,
) -> None:
    """Say what a model, and patients of your own, would be worth to decisions."""
    from responder_model.artifact import digest_of
    from responder_model.rules import value_of_information
    from responder_model.rules.value import SAMPLES, THRESHOLDS

    fitted = open_model(model)
    digest = digest_of(fitted)
    check_picture(figure, digest, command="value", inputs=[model], overwrite=overwrite)
    found = value_of_information(
        fitted,
        thresholds=threshold or THRESHOLDS,
        patients=patients or SAMPLES,
        slots=slots,
        candidates=candidates,
    )
    if figure is not None:
        _draw(fitted, found, figure, lang, overwrite=overwrite)
    if json_output:
        print_json(found.to_dict(lang))
        return
    out = console()
    out.print(found.verdict.text(lang))
    out.print()
    out.print(describe_model(found.model, found.provenance, digest, lang))
    out.print(worth_table(found, lang))
    out.print(say("worth.counts_in_brackets", lang))
    if found.slots is not None:
        for line in describe_slots(found.slots, lang):
            out.print(line)
    out.print()
    for message in found.messages:
        out.print(f"- {message.text(lang)}")


def worth_table(found: InformationWorth, lang: str) -> Table:
    """One line a threshold."""
    from rich.table import Table

    table = Table(
        say("worth.threshold", lang),
        title=say("worth.title", lang),
        title_justify="left",
    )
    heads = [say(f"worth.{key}", lang) for key in ("simple", "today")]
    heads += [say("worth.sample", lang, n=s.n) for s in found.rows[0].samples]
    for head in (*heads, say("worth.perfect", lang)):
        table.add_column(head, justify="right")
    for row in found.rows:
        key = "all_treated" if row.treats_all else "none_treated"
        table.add_row(
            format_percent(row.threshold),
            say(f"worth.{key}", lang, value=row.simple),
            format_number(row.today, lang, ".1f"),
            *(_sample(sample, lang) for sample in row.samples),
            format_number(row.perfect, lang, ".1f"),
        )
    return table


def _sample(sample: Sample, lang: str) -> str:
    records, counts = (
        format_number(x, lang, ".1f") for x in (sample.records, sample.counts)
    )
    return f"{records} ({counts})"


def describe_slots(slots: SlotWorth, lang: str) -> Iterator[str]:
    """Lines that say what giving scarce slots to the likeliest gains."""
    yield say(
        "worth.slots_line",
        lang,
        slots=slots.slots,
        candidates=slots.candidates,
        first=slots.first_come,
        today=slots.today,
    )
    for sample in slots.samples:
        yield say("worth.slots_sample", lang, n=sample.n, records=sample.records)
    yield say("worth.slots_perfect", lang, perfect=slots.perfect)


def _draw(
    fitted: Model,
    found: InformationWorth,
    path: Path,
    lang: str,
    *,
    overwrite: bool,
) -> None:
    from responder_model.artifact import digest_of
    from responder_model.figures.rules import plot_worth
    from responder_model.rules import value_of_information

    samples = [sample.n for sample in found.rows[0].samples]
    curve = value_of_information(fitted, thresholds=_PICTURE, patients=samples)
    draw_picture(
        lambda ax: plot_worth(curve, ax=ax, lang=lang),
        path,
        digest_of(fitted),
        command="value",
        title=say("worth.figure_title", lang),
        provenance=found.provenance,
        lang=lang,
        overwrite=overwrite,
    )
