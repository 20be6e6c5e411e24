"""The command ``course``: one patient over the visits of the test."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.words import say
from . import patient
from .models import local_rate, open_model
from .options import RespondersOption, TestedOption
from .picture import FigureOption, check_picture, draw_picture
from .prediction import limits_lines
from .sheet import Keep, with_sheet_options

if TYPE_CHECKING:
    from pathlib import Path

    from responder_model.tables import Table
    from responder_model.visits import Course

ModelsOption = Annotated[
    list[str] | None, typer.Option("--model", metavar="DECISION@MOMENT|FOLDER")
]


@with_sheet_options
@partial(patient.with_predictor_options, until="session_3")
def course(
    *,
    given: patient.Given,
    models: ModelsOption = None,
    responders: RespondersOption = None,
    tested: TestedOption = None,
    centre: patient.CentreOption = None,
    threshold: patient.ChosenOption = None,
    figure: FigureOption = None,
    keep: Keep,
) -> None:
    """Follow one patient over the visits, and say what the next could still change."""
    from responder_model.visits import course as follow

    own = [open_model(name) for name in models or ()]
    rate = local_rate(responders, tested)
    found = follow(
        given.values, models=own, local_rate=rate, centre=centre, threshold=threshold
    )
    digests = [str(visit.prediction.model_digest) for visit in found.visits]
    keep.check(digests, inputs=[given.source])
    if figure is not None:
        _draw(found, figure, digests, given.source, keep)
    keep.finish(
        found.to_dict,
        course_lines(found, keep.lang),
        lambda sheets, **how: sheets.course_sheet(found, given.values, **how),
        digests,
        inputs=[given.source],
    )


def _draw(
    found: Course, figure: Path, digests: list[str], source: str | None, keep: Keep
) -> None:
    from responder_model.figures.visits import plot_course

    check_picture(
        figure,
        digests[-1],
        command="course",
        inputs=[] if source in (None, "-") else [str(source)],
        overwrite=keep.overwrite,
    )
    draw_picture(
        lambda ax: plot_course(found, ax=ax, lang=keep.lang),
        figure,
        digests[-1],
        command="course",
        title=say("course.title", keep.lang, decision=found.decision),
        provenance=found.now.provenance,
        lang=keep.lang,
        overwrite=keep.overwrite,
        digests=digests,
    )


def course_lines(found: Course, lang: str) -> Iterator[str | Table]:
    """Yield the verdict of the last visit, all visits, and what the next may change."""
    from responder_model.model.verdict import judge
    from responder_model.tables import next_table, visits_table

    yield judge(found.now, found.threshold).note.text(lang)
    yield ""
    yield from limits_lines(found.now, lang)
    yield ""
    yield visits_table(found, lang)
    if found.ahead is not None and found.chances is not None:
        yield ""
        yield next_table(found.ahead, lang)
        yield found.chances.text(lang)
    for message in found.messages:
        if message.code != "model.missing":
            yield f"- {message.text(lang)}"
