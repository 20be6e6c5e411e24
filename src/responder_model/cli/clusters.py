"""Commands that score past one machine: ``score-dask``, ``score-spark``."""

from __future__ import annotations

from typing import Annotated

import typer

from .models import open_model
from .options import ModelArgument
from .output import progress
from .score import ContributionsOption

SourceArgument = Annotated[str, typer.Argument(metavar="PARQUET")]
ReplaceOption = Annotated[bool, typer.Option("--overwrite")]
FolderOption = Annotated[str, typer.Option("--out", metavar="FOLDER")]
SchedulerOption = Annotated[str | None, typer.Option("--scheduler", metavar="ADDRESS")]
WorkersOption = Annotated[int, typer.Option("--workers", min=1)]
MasterOption = Annotated[str, typer.Option("--master")]
UriOption = Annotated[str | None, typer.Option("--model-uri")]


def score_dask(
    model: ModelArgument,
    patients: SourceArgument,
    out: FolderOption,
    *,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = 2,
    contributions: ContributionsOption = False,
    overwrite: ReplaceOption = False,
) -> None:
    """Score Parquet files on a Dask cluster; bad rows say why in a column."""
    fitted = open_model(model)
    from responder_model.engines import run_dask

    with progress("scoring_on", name=patients, engine="Dask"):
        run_dask(
            fitted,
            patients,
            out,
            scheduler=scheduler,
            n_workers=workers,
            contributions=contributions,
            overwrite=overwrite,
        )
    typer.echo(out)


def score_spark(
    model: ModelArgument,
    patients: SourceArgument,
    out: FolderOption,
    *,
    master: MasterOption = "local[2]",
    model_uri: UriOption = None,
    overwrite: ReplaceOption = False,
) -> None:
    """Score Parquet files on Spark by MLflow; bad rows say why in a column."""
    fitted = open_model(model)
    from responder_model.engines import run_spark

    with progress("scoring_on", name=patients, engine="Spark"):
        run_spark(
            fitted,
            patients,
            out,
            master=master,
            model_uri=model_uri,
            overwrite=overwrite,
        )
    typer.echo(out)
