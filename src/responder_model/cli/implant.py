"""The command ``implant``: benefit and harm of the implant, for one patient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.schema import dictionary
from responder_model.words import say
from .harm import harm_lines
from .models import open_model
from .options import OtherUseOption
from .patient import Given, with_predictor_options
from .prediction import describe_model, limits_lines
from .sheet import Keep, with_sheet_options

if TYPE_CHECKING:
    from responder_model.pathways import Implant
    from responder_model.tables import Table

ImplantModelOption = Annotated[str, typer.Option("--model", metavar="DECISION|FOLDER")]
WorthOption = Annotated[
    float | None, typer.Option("--failures-per-success", metavar="NUMBER")
]


@with_sheet_options
@with_predictor_options
def implant(
    *,
    given: Given,
    model: ImplantModelOption = "emcs_success",
    failures_per_success: WorthOption = None,
    other_use: OtherUseOption = False,
    keep: Keep,
) -> None:
    """Set benefit and harm of the implant side by side, for one patient."""
    from responder_model.pathways import implant as weigh

    found = weigh(
        given.values,
        model=open_model(model),
        failures_per_success=failures_per_success,
        other_use=other_use,
    )
    keep.finish(
        found.to_dict,
        implant_lines(found, keep.lang),
        lambda sheets, **how: sheets.implant_sheet(found, given.values, **how),
        [found.prediction.model_digest],
        inputs=[given.source],
    )


def implant_lines(found: Implant, lang: str) -> Iterator[str | Table]:
    """Yield how likely success is, what it must be worth, harm, and whom it is like."""
    from responder_model.tables import like_table

    step = found.prediction
    yield step.verdict.note.text(lang)
    for note in found.worth_notes:
        yield note.text(lang)
    yield ""
    yield say("implant.title", lang)
    yield describe_model(step.model, step.provenance, step.model_digest, lang)
    yield ""
    yield dictionary().decisions[step.decision].help[lang]
    if found.without_sham is not None:
        yield say("implant.without_sham", lang, p=found.without_sham)
    yield from limits_lines(step, lang)
    yield ""
    yield from harm_lines(found.harms, say("implant.harm_title", lang), lang)
    yield ""
    if found.published:
        yield like_table(found.published, lang)
    else:
        yield say("implant.nobody_like", lang)
    for message in found.messages:
        yield f"- {message.text(lang)}"
