"""The command ``pathway``: from what is known today to an implant, for one patient."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.cli.models import local_rate, open_model
from responder_model.cli.options import (
    JsonOption,
    LanguageOption,
    RespondersOption,
    TestedOption,
)
from responder_model.cli.output import console, print_json
from responder_model.cli.patient import (
    InputOption,
    read_patient,
    with_predictor_options,
)
from responder_model.cli.prediction import describe_model
from responder_model.cli.sheet import Keep, with_sheet_options
from responder_model.labels import describe_cut_point
from responder_model.schema import dictionary
from responder_model.words import say
from responder_model.words.numbers import format_percent

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.model import Prediction
    from responder_model.pathways import Pathway

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
    values: dict[str, Any],
    source: InputOption = None,
    screening_model: ScreeningOption = None,
    implant_model: ImplantOption = None,
    responders: RespondersOption = None,
    tested: TestedOption = None,
    successes: SuccessesOption = None,
    implanted: ImplantedOption = None,
    json_output: JsonOption = False,
    keep: Keep,
    lang: LanguageOption,
) -> None:
    """Say what to expect of the test and then of an implant, averaged over relief."""
    from responder_model.pathways import pathway as follow

    rate = local_rate(responders, tested)
    implant_rate = local_rate(successes, implanted, _IMPLANT_RATE)
    named, implant = screening_model is not None, implant_model is not None
    patient = read_patient(source, values)
    found = follow(
        patient,
        screening_model=open_model(screening_model, rate=rate)
        if screening_model is not None
        else None,
        implant_model=open_model(implant_model, rate=implant_rate)
        if implant_model is not None
        else None,
        local_rate=None if named else rate,
        implant_rate=None if implant else implant_rate,
    )
    if keep.wanted:
        from responder_model.sheets import pathway_sheet

        keep.write(
            partial(pathway_sheet, found, patient),
            found.screening_model_digest,
            found.implant_model_digest,
            command="pathway",
            lang=lang,
            inputs=[source],
        )
    if json_output:
        print_json(found.to_dict(lang))
        return
    out = console()
    for line in describe_pathway(found, lang):
        out.print(line)
    out.print()
    out.print(classes_table(found, lang))
    for message in found.messages:
        out.print(f"- {message.text(lang)}")


def describe_pathway(found: Pathway, lang: str) -> Iterator[str]:
    """Lines that say how probable either step is, how sure, and for whom."""
    moments = {m.name: m.label[lang] for m in dictionary().moments}
    yield f"{say('pathway.title', lang)}, {moments[found.moment]}"
    models = (
        (found.screening_model, found.screening_model_digest),
        (found.implant_model, found.implant_model_digest),
    )
    for name, digest in models:
        yield describe_model(name, found.provenance, digest, lang)
    yield ""
    yield from _step(found.response, lang)
    yield from _step(found, lang)
    yield "   " + say("pathway.whatever", lang)
    yield from _after_a_response(found, lang)
    level = say(f"cli.{found.applicability.level}", lang)
    yield say("cli.applicability", lang, level=level)
    for reason in found.applicability.reasons:
        yield f"   {reason.text(lang)}"


def _step(step: Prediction | Pathway, lang: str) -> Iterator[str]:
    """Probability of one step, with its interval and its other cut-offs."""
    decision = dictionary().decisions[step.decision]
    low, high = (format_percent(p) for p in step.interval)
    cut, p = describe_cut_point(decision, step.cut_point), step.probability
    yield decision.label[lang]
    yield "   " + say(
        "cli.probability", lang, cut=cut, p=format_percent(p), low=low, high=high
    )
    for other, p in step.probabilities.items():
        if other != step.cut_point:
            cut = describe_cut_point(decision, other)
            yield "   " + say("cli.cut_off", lang, cut=cut, p=format_percent(p))


def _after_a_response(found: Pathway, lang: str) -> Iterator[str]:
    """The average apart from what becomes of those who respond first."""
    both = _with_interval(found.joint, found.joint_interval)
    yield "   " + say("pathway.joint", lang, p=both)
    step = found.responders
    after = _with_interval(step.success, step.success_interval)
    yield "   " + say("pathway.after_response", lang, p=after)


def classes_table(found: Pathway, lang: str) -> Table:
    """One line per class of relief after the test."""
    from rich.table import Table

    table = Table(say("pathway.relief", lang), title=say("pathway.made_of", lang))
    table.title_justify = "left"
    for heading in ("share", "success"):
        table.add_column(say(f"pathway.{heading}", lang), justify="right")
    table.add_column(say("pathway.applies", lang))
    for row in found.classes:
        table.add_row(
            row.describe(lang),
            _with_interval(row.probability, row.interval),
            _with_interval(row.success, row.success_interval),
            say(f"cli.{row.applicability}", lang),
        )
    return table


def _with_interval(probability: float, interval: tuple[float, float]) -> str:
    low, high = (format_percent(p) for p in interval)
    return f"{format_percent(probability)} ({low} .. {high})"
