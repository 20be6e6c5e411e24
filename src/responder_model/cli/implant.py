"""The command ``implant``: benefit and harm of the implant, for one patient."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.cli.harm import harm_table, unknown_harms
from responder_model.cli.models import open_model
from responder_model.cli.options import JsonOption, LanguageOption, OtherUseOption
from responder_model.cli.output import console, print_json
from responder_model.cli.patient import (
    InputOption,
    read_patient,
    with_predictor_options,
)
from responder_model.cli.prediction import describe_model
from responder_model.cli.sheet import Keep, with_sheet_options
from responder_model.schema import dictionary
from responder_model.words import say

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.pathways import Implant

ImplantModelOption = Annotated[str, typer.Option("--model", metavar="DECISION|FOLDER")]
WorthOption = Annotated[
    float | None, typer.Option("--failures-per-success", metavar="NUMBER")
]


@with_sheet_options
@with_predictor_options
def implant(
    *,
    values: dict[str, Any],
    source: InputOption = None,
    model: ImplantModelOption = "emcs_success",
    failures_per_success: WorthOption = None,
    other_use: OtherUseOption = False,
    json_output: JsonOption = False,
    keep: Keep,
    lang: LanguageOption,
) -> None:
    """Set benefit and harm of the implant side by side, for one patient."""
    from responder_model.pathways import implant as weigh

    patient = read_patient(source, values)
    found = weigh(
        patient,
        model=open_model(model),
        failures_per_success=failures_per_success,
        other_use=other_use,
    )
    if keep.wanted:
        from responder_model.sheets import implant_sheet

        keep.write(
            partial(implant_sheet, found, patient),
            found.prediction.model_digest,
            command="implant",
            lang=lang,
            inputs=[source],
        )
    if json_output:
        print_json(found.to_dict(lang))
        return
    out = console()
    for line in describe_implant(found, lang):
        out.print(line)
    out.print()
    out.print(harm_table(found.harms, say("implant.harm_title", lang), lang))
    for line in unknown_harms(found.harms, lang):
        out.print(line)
    out.print()
    if found.published:
        out.print(like_table(found, lang))
    else:
        out.print(say("implant.nobody_like", lang))
    for message in found.messages:
        out.print(f"- {message.text(lang)}")


def describe_implant(found: Implant, lang: str) -> Iterator[str]:
    """Lines that say how likely success is, and what it must be worth."""
    step = found.prediction
    yield say("implant.title", lang)
    yield describe_model(step.model, step.provenance, step.model_digest, lang)
    yield ""
    for note in found.worth_notes:
        yield note.text(lang)
    yield dictionary().decisions[step.decision].help[lang]
    if found.without_sham is not None:
        yield say("implant.without_sham", lang, p=found.without_sham)
    level = say(f"cli.{step.applicability.level}", lang)
    yield say("cli.applicability", lang, level=level)
    for reason in step.applicability.reasons:
        yield f"   {reason.text(lang)}"


def like_table(found: Implant, lang: str) -> Table:
    """One line for each published group that the patient belongs to."""
    from rich.table import Table

    table = Table(
        *(say(f"implant.{key}", lang) for key in ("who", "succeeded", "series")),
        title=say("implant.like_title", lang),
        title_justify="left",
    )
    for group in found.published:
        figure = group.figure.text(lang)
        table.add_row(group.label.text(lang), figure, group.citation)
    return table
