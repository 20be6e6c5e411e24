"""The command ``scorecard``: a linear model as CSV, points table and nomogram."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from responder_model.outputs import Output, check_outputs, drafted
from .models import open_model
from .options import LanguageOption, ModelArgument, OverwriteOption
from .output import writing

CardFolderOption = Annotated[Path, typer.Option("--out", metavar="FOLDER")]
KnownOption = Annotated[list[str] | None, typer.Option("--known", metavar="PREDICTOR")]
LinearOption = Annotated[bool, typer.Option("--linear-part-only")]


def scorecard(
    model: ModelArgument,
    *,
    out: CardFolderOption,
    known: KnownOption = None,
    linear_part_only: LinearOption = False,
    overwrite: OverwriteOption = False,
    lang: LanguageOption,
) -> None:
    """Write a linear model as CSV, printable points table (HTML) and nomogram (PNG)."""
    fitted = open_model(model)
    from responder_model.artifact import digest_of
    from responder_model.figures.drawing import draw_figure
    from responder_model.figures.scorecard import nomogram_size, plot_nomogram
    from responder_model.scorecard import (
        build_points,
        build_scorecard,
        render_csv,
        render_page,
    )
    from responder_model.scorecard.page import heading

    output = Output(
        path=out,
        command="scorecard",
        model=digest_of(fitted),
        kind="folder",
        argument="--out",
    )
    check_outputs(output, overwrite=overwrite)
    card = build_scorecard(fitted, known=known, linear_part_only=linear_part_only)
    points = build_points(card)
    with writing("--out"), drafted(output, overwrite=overwrite) as draft:
        (draft / "scorecard.csv").write_text(render_csv(card), encoding="utf-8")
        page = render_page(points, lang)
        (draft / "points.html").write_text(page, encoding="utf-8")
        draw_figure(
            lambda ax: plot_nomogram(points, ax=ax, lang=lang),
            draft / "nomogram.png",
            title=heading(points, lang)["question"],
            provenance=card.provenance,
            lang=lang,
            size=nomogram_size(points, lang),
            digests=(digest_of(fitted),),
        )
    for name in ("scorecard.csv", "points.html", "nomogram.png"):
        typer.echo(out / name)
