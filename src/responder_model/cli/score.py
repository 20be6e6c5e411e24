"""The command that scores a file of any size: ``score``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.words import say
from . import options, output
from .mapping import with_map_options
from .models import open_model

if TYPE_CHECKING:
    from responder_model.cohort import CohortMap
    from responder_model.scoring import Progress, ScoredFile

# Threads by default, at most: more of them wait for Python's lock.
MOST_JOBS = 4
# Seconds between lines of progress where there is no terminal.
_PAUSE = 10.0

ScoresOption = Annotated[Path, typer.Option("--out", metavar="FILE")]
ContributionsOption = Annotated[bool, typer.Option("--contributions")]
StrictOption = Annotated[bool, typer.Option("--strict")]
DateOption = Annotated[
    datetime | None, typer.Option("--date", metavar="DAY", formats=["%Y-%m-%d"])
]
ThreadsOption = Annotated[int | None, typer.Option("--jobs", min=1)]


@with_map_options
def score(
    model: options.ModelArgument,
    cohort: options.CohortArgument,
    out: ScoresOption,
    *,
    how: CohortMap,
    contributions: ContributionsOption = False,
    strict: StrictOption = False,
    overwrite: options.OverwriteOption = False,
    day: DateOption = None,
    jobs: ThreadsOption = None,
    json_output: options.JsonOption = False,
) -> None:
    """Score every patient of a file; rows with problems go to a side file (exit 3)."""
    fitted = open_model(model)
    from responder_model.scoring import score_file

    with _announced(cohort) as announce:
        scored = score_file(
            fitted,
            cohort,
            out,
            how=how,
            day=None if day is None else day.date(),
            contributions=contributions,
            strict=strict,
            overwrite=overwrite,
            n_jobs=jobs or min(MOST_JOBS, _available_cores()),
            announce=announce,
            lang=options.spoken(),
        )
    _tell(scored)
    if json_output:
        output.print_json({**asdict(scored), **_paths(scored)})
    else:
        typer.echo(scored.path)
    if scored.set_aside is not None:
        raise typer.Exit(output.ROWS_SET_ASIDE)


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _paths(scored: ScoredFile) -> dict[str, str | None]:
    aside = None if scored.set_aside is None else str(scored.set_aside)
    return {"path": str(scored.path), "set_aside": aside}


def _tell(scored: ScoredFile) -> None:
    """Say on stderr what became of the file."""
    output.print_notices(scored.notices)
    if scored.unused_columns:
        output.tell("unused_columns", names=scored.unused_columns)
    if scored.provenance == "simulated":
        output.tell("simulated_rows")
    output.tell("patients_scored", n=scored.n_patients)
    if scored.set_aside is not None:
        output.tell("rows_set_aside", n=scored.n_set_aside, file=str(scored.set_aside))


@contextmanager
def _announced(path: Path) -> Iterator[Callable[[Progress], None]]:
    """Show progress on stderr: a bar on a terminal, else a line now and then."""
    shown = _bar(path) if sys.stderr.isatty() else _lines()
    try:
        with shown as announce:
            yield announce
    except KeyboardInterrupt:
        output.tell("stopped")
        raise


@contextmanager
def _bar(path: Path) -> Iterator[Callable[[Progress], None]]:
    from rich.progress import (
        BarColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=output.console(stderr=True), transient=True) as bar:
        task = bar.add_task(
            say("cli.scoring", options.spoken(), name=path.name), total=None
        )

        def announce(progress: Progress) -> None:
            bar.update(task, total=progress.extent or None, completed=progress.done)

        yield announce


@contextmanager
def _lines() -> Iterator[Callable[[Progress], None]]:
    told = [time.monotonic()]

    def announce(progress: Progress) -> None:
        if time.monotonic() - told[0] < _PAUSE:
            return
        told[0] = time.monotonic()
        n, extent = progress.n_patients, progress.extent
        if extent:
            output.tell("scored_share", n=n, share=progress.done / extent)
        else:
            output.tell("scored_so_far", n=n)

    yield announce
