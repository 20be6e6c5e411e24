"""The option ``--figure``: one picture beside what a command prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.cli.output import writing
from responder_model.errors import ResponderModelError
from responder_model.outputs import Output, check_outputs, drafted
from responder_model.words import Note

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from responder_model.model import Model

FigureOption = Annotated[Path | None, typer.Option("--figure", metavar="FILE")]


@contextmanager
def drawn(
    path: Path,
    digest: str,
    *,
    command: str,
    inputs: Sequence[str | Path] = (),
    overwrite: bool = False,
) -> Iterator[Path]:
    """Give the draft of a picture, which takes its place when it is whole."""
    if path.suffix.lower() != ".png":
        raise ResponderModelError(Note("cli.not_png", name=path.name))
    output = Output(path=path, command=command, model=digest, argument="--figure")
    check_outputs(output, inputs=inputs, overwrite=overwrite)
    with writing("--figure"), drafted(output, overwrite=overwrite) as draft:
        yield draft


def draw_picture(
    plot: Callable[[Axes], Axes],
    path: Path,
    model: Model,
    *,
    command: str,
    title: str,
    provenance: str,
    lang: str,
    inputs: Sequence[str | Path] = (),
    overwrite: bool = False,
    digests: Sequence[str] = (),
) -> None:
    """Write the picture of a command, as carefully as any other output.

    ``digests`` names the models that it shows, where that is not ``model`` alone.
    """
    from responder_model.artifact import digest_of
    from responder_model.figures.drawing import draw_figure

    digest = digest_of(model)
    with drawn(
        path, digest, command=command, inputs=inputs, overwrite=overwrite
    ) as draft:
        draw_figure(
            plot,
            draft,
            title=title,
            provenance=provenance,
            lang=lang,
            size=(8.0, 7.0),
            digests=digests or (digest,),
        )
