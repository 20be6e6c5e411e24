"""The command ``course``: one patient over the visits of the test."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.cli.models import local_rate, open_model
from responder_model.cli.options import (
    JsonOption,
    LanguageOption,
    OverwriteOption,
    RespondersOption,
    TestedOption,
)
from responder_model.cli.output import console, print_json
from responder_model.cli.patient import (
    CentreOption,
    ChosenOption,
    InputOption,
    read_patient,
    with_predictor_options,
)
from responder_model.cli.picture import FigureOption, draw_picture
from responder_model.cli.sheet import Keep, with_sheet_options
from responder_model.labels import describe_value, short_moment
from responder_model.words import say
from responder_model.words.numbers import format_hundred, of_100, signed_points

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.visits import Ahead, Course, Visit

ModelsOption = Annotated[
    list[str] | None, typer.Option("--model", metavar="DECISION@MOMENT|FOLDER")
]
# Values of a visit that are named one by one; of more only their number is told.
MOST_NAMED = 3


@with_sheet_options
@partial(with_predictor_options, until="session_3")
def course(
    *,
    values: dict[str, Any],
    source: InputOption = None,
    models: ModelsOption = None,
    responders: RespondersOption = None,
    tested: TestedOption = None,
    centre: CentreOption = None,
    threshold: ChosenOption = None,
    figure: FigureOption = None,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
    keep: Keep,
    lang: LanguageOption,
) -> None:
    """Follow one patient over the visits, and say what the next could still change."""
    from responder_model.visits import course as follow

    patient = read_patient(source, values)
    own = [open_model(name) for name in models or ()]
    rate = local_rate(responders, tested)
    found = follow(
        patient, models=own, local_rate=rate, centre=centre, threshold=threshold
    )
    if figure is not None:
        _draw(found, own, figure, lang, overwrite=overwrite)
    if keep.wanted:
        from responder_model.sheets import course_sheet

        keep.write(
            partial(course_sheet, found, patient),
            *(visit.prediction.model_digest for visit in found.visits),
            command="course",
            lang=lang,
            inputs=[source],
        )
    if json_output:
        print_json(found.to_dict(lang))
        return
    out = console()
    for line in describe_course(found, lang):
        out.print(line)
    out.print(visits_table(found, lang))
    if found.ahead is not None and found.chances is not None:
        out.print()
        out.print(ahead_table(found.ahead, lang))
        out.print(found.chances.text(lang))
    for message in found.messages:
        if message.code != "model.missing":
            out.print(f"- {message.text(lang)}")


def _draw(
    found: Course, own: list[Any], figure: Any, lang: str, *, overwrite: bool
) -> None:
    from responder_model.development.published import published_model
    from responder_model.figures.visits import plot_course

    now = found.now
    model = next((m for m in own if m.moment == now.moment), None)
    draw_picture(
        lambda ax: plot_course(found, ax=ax, lang=lang),
        figure,
        model or published_model(now.decision, now.moment),
        command="course",
        title=say("course.title", lang, decision=found.decision),
        provenance=now.provenance,
        lang=lang,
        overwrite=overwrite,
    )


def describe_course(found: Course, lang: str) -> Iterator[str]:
    """Lines above the table: the verdict of the last visit, and for whom it holds."""
    now = found.now
    verdict = (
        now.verdict if found.threshold is None else now.verdict_at(found.threshold)
    )
    yield verdict.note.text(lang)
    yield ""
    level = say(f"cli.{now.applicability.level}", lang)
    yield say("cli.applicability", lang, level=level)
    for reason in now.applicability.reasons:
        yield f"   {reason.text(lang)}"
    yield ""


def visits_table(found: Course, lang: str) -> Table:
    """One line a visit: what became known, and what was said."""
    from rich.table import Table

    title = say("course.title", lang, decision=found.decision)
    table = Table(title=title, title_justify="left")
    for heading in ("visit", "known"):
        table.add_column(say(f"course.{heading}", lang))
    for heading in ("in_100", "interval", "change"):
        table.add_column(say(f"course.{heading}", lang), justify="right")
    before: int | None = None
    for visit in found.visits:
        prediction, now = visit.prediction, of_100(visit.prediction.probability)
        table.add_row(
            short_moment(visit.moment, lang),
            became_known(visit, lang),
            format_hundred(prediction.probability, lang),
            _interval(prediction.interval, lang),
            # of what is shown: 43, 42 and no change would contradict each other
            "" if before is None else signed_points(now - before, lang),
        )
        before = now
    return table


def became_known(visit: Visit, lang: str) -> str:
    """Values of a visit, or how many they are."""
    if not visit.given:
        return say("course.nothing", lang)
    if len(visit.given) > MOST_NAMED:
        return say("course.values", lang, n=len(visit.given))
    told = (
        say("course.value", lang, field=name, value=value)
        for name, value in visit.given.items()
    )
    return "\n".join(told)


def ahead_table(ahead: Ahead, lang: str) -> Table:
    """What would be said after a poor, a middling and a good next session."""
    from rich.table import Table

    title = say("course.ahead", lang, moment=ahead.moment)
    table = Table(title=title, title_justify="left")
    table.add_column(say("course.possible", lang, predictor=ahead.predictor))
    table.add_column(say("course.at_most", lang), justify="right")
    table.add_column(say("course.then", lang), justify="right")
    table.add_column(say("course.interval", lang), justify="right")
    for row in ahead.possible:
        table.add_row(
            describe_value(ahead.predictor, row.relief, lang),
            format_hundred(row.at_most, lang),
            format_hundred(row.probability, lang),
            _interval(row.interval, lang),
        )
    return table


def _interval(bounds: tuple[float, float], lang: str) -> str:
    low, high = (format_hundred(p, lang) for p in bounds)
    return say("course.bounds", lang, low=low, high=high)
