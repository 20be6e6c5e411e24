"""The command ``pathway``: from what is known today to an implant, for one patient."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.labels import decision_label, moment_label
from responder_model.words import say
from .models import local_rate, open_model
from .options import RespondersOption, TestedOption
from .patient import Given, with_predictor_options
from .prediction import cut_lines, describe_model, limits_lines
from .sheet import Keep, with_sheet_options

if TYPE_CHECKING:
    from responder_model.model import Prediction
    from responder_model.pathways import Pathway
    from responder_model.tables import Table

ScreeningOption = Annotated[
    str | None, typer.Option("--screening-model", metavar="DECISION@MOMENT|FOLDER")
]
ImplantOption = Annotated[
    str | None, typer.Option("--implant-model", metavar="DECISION@MOMENT|FOLDER")
]

SuccessesOption = Annotated[int | None, typer.Option("--successes", metavar="N")]
ImplantedOption = Annotated[int | None, typer.Option("--implanted", metavar="N")]
_IMPLANT_RATE = ("--successes", "--implanted")


@with_sheet_options
@partial(with_predictor_options, until="session_3")
def pathway(
    *,
    given: Given,
    screening_model: ScreeningOption = None,
    implant_model: ImplantOption = None,
    responders: RespondersOption = None,
    tested: TestedOption = None,
    successes: SuccessesOption = None,
    implanted: ImplantedOption = None,
    keep: Keep,
) -> None:
    """Say what to expect of the test and then of an implant, averaged over relief."""
    from responder_model.pathways import pathway as follow

    rate = local_rate(responders, tested)
    implant_rate = local_rate(successes, implanted, _IMPLANT_RATE)
    named, implant = screening_model is not None, implant_model is not None
    found = follow(
        given.values,
        screening_model=open_model(screening_model, rate=rate)
        if screening_model is not None
        else None,
        implant_model=open_model(implant_model, rate=implant_rate)
        if implant_model is not None
        else None,
        local_rate=None if named else rate,
        implant_rate=None if implant else implant_rate,
    )
    keep.finish(
        found.to_dict,
        pathway_lines(found, keep.lang),
        lambda sheets, **how: sheets.pathway_sheet(found, given.values, **how),
        [found.screening_model_digest, found.implant_model_digest],
        inputs=[given.source],
    )


def pathway_lines(found: Pathway, lang: str) -> Iterator[str | Table]:
    """Yield how probable either step is, how sure, for whom, and what it is made of."""
    from responder_model.tables import classes_table, with_interval

    for note in found.verdicts:
        yield note.text(lang)
    yield ""
    yield f"{say('pathway.title', lang)}, {moment_label(found.moment, lang)}"
    yield ""
    steps: tuple[tuple[Prediction | Pathway, str, str | None], ...] = (
        (found.response, found.screening_model, found.screening_model_digest),
        (found, found.implant_model, found.implant_model_digest),
    )
    for step, name, digest in steps:
        yield decision_label(step.decision, lang)
        yield "   " + describe_model(name, found.provenance, digest, lang)
        for line in cut_lines(step, lang):
            yield f"   {line}"
    yield say("pathway.first_a_response", lang)
    after = found.responders
    both = with_interval(found.joint, found.joint_interval, lang)
    yield "   " + say("pathway.joint", lang, p=both)
    succeeds = with_interval(after.success, after.success_interval, lang)
    yield "   " + say("pathway.after_response", lang, p=succeeds)
    yield from limits_lines(found, lang)
    yield ""
    yield classes_table(found, lang)
    for message in found.messages:
        yield f"- {message.text(lang)}"
