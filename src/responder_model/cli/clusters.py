"""Commands that score past one machine: ``score-dask``, ``score-spark``."""

from __future__ import annotations

from typing import Annotated

import typer

from responder_model.cli.models import open_model
from responder_model.cli.options import ModelArgument
from responder_model.cli.output import progress
from responder_model.cli.score import ContributionsOption

SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="PARQUET", help="Parquet file, folder or pattern; all workers see it."
    ),
]
ReplaceOption = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace the scores of an earlier job."),
]
FolderOption = Annotated[
    str, typer.Option("--out", metavar="FOLDER", help="Folder of Parquet to write.")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Cluster, tcp://host:8786; by default one is started on this machine.",
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option("--workers", min=1, help="Workers of a cluster started here."),
]
MasterOption = Annotated[
    str, typer.Option("--master", help="Master of the Spark cluster.")
]
UriOption = Annotated[
    str | None,
    typer.Option(
        "--model-uri",
        help="The same model in an MLflow store; by default a copy is shipped.",
    ),
]


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
    """Score Parquet files on a Dask cluster; bad rows say why in a column.

    Needs the extra ``distributed``.

    Example: responder-model score-dask models/centre 'registry/*.parquet' --out scores
    """
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
    """Score Parquet files on Spark by MLflow; bad rows say why in a column.

    Needs the extra ``spark`` and Java 17.

    Example: responder-model score-spark models/centre registry/ --out scores
    """
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
