"""The option ``--figure``: one picture beside what a command prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.errors import ResponderModelError
from responder_model.outputs import Output, check_outputs, drafted
from responder_model.words import Note
from .output import writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FigureOption = Annotated[Path | None, typer.Option("--figure", metavar="FILE")]


def check_picture(
    path: Path | None,
    digest: str | None,
    *,
    command: str,
    argument: str = "--figure",
    inputs: Sequence[str | Path] = (),
    overwrite: bool = False,
) -> None:
    """Refuse a place that no picture may take, before the work.

    ``digest`` is None where the work makes the model.
    """
    if path is None:
        return
    if path.suffix.lower() != ".png":
        said = Note("cli.not_kind", argument=argument, kind="png", name=path.name)
        raise ResponderModelError(said)
    output = Output(path=path, command=command, model=digest, argument=argument)
    check_outputs(output, inputs=inputs, overwrite=overwrite)


@contextmanager
def drawn(
    path: Path,
    digest: str,
    *,
    command: str,
    argument: str = "--figure",
    overwrite: bool = False,
) -> Iterator[Path]:
    """Give the draft of a picture, which takes its place when it is whole."""
    output = Output(path=path, command=command, model=digest, argument=argument)
    with writing(argument), drafted(output, overwrite=overwrite) as draft:
        yield draft


def draw_picture(
    plot: Callable[[Axes], Axes],
    path: Path,
    digest: str,
    *,
    command: str,
    title: str,
    provenance: str,
    lang: str,
    argument: str = "--figure",
    overwrite: bool = False,
    digests: Sequence[str] = (),
) -> None:
    """Write the picture of a command, as carefully as any other output.

    ``digests`` names the models that it shows, where that is not one alone.
    """
    from responder_model.figures.drawing import draw_figure

    with drawn(
        path, digest, command=command, argument=argument, overwrite=overwrite
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
