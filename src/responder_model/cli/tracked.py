"""Add the result of a command to the MLflow run that made the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from responder_model.errors import MissingExtraError, TrackingError

TrackingOption = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        help="MLflow server or store with the run that made the model; by default "
        "mlflow.db in the working directory.",
    ),
]
TrackOption = Annotated[
    bool,
    typer.Option("--track/--no-track", help="Log to the run that made the model."),
]


def store_for(tracking_uri: str | None) -> str:
    """Store of a development that is to be logged; refused at once without MLflow."""
    try:
        from responder_model.tracking import local_tracking_uri
    except MissingExtraError as error:
        msg = f"{error} Or log nothing: --no-track."
        raise TrackingError(msg) from error
    return tracking_uri or local_tracking_uri(Path())


def digest_of(model: str) -> str:
    """Digest of a model folder; empty for a model that is named."""
    if not Path(model).is_dir():
        return ""
    from responder_model.artifact import read_manifest

    return read_manifest(model).digest


def log_to_run(
    model: str,
    name: str,
    values: Mapping[str, Any],
    *,
    tracking_uri: str | None,
    part: str = "",
    files: Sequence[tuple[Path, str]] = (),
) -> str | None:
    """Log to the run that made a model folder; says so on stderr when there is none."""
    digest = digest_of(model)
    if not digest:
        return None
    try:
        from responder_model.tracking import log_evaluation
    except MissingExtraError as error:
        if tracking_uri is not None:
            raise
        typer.echo(f"note: not logged: {error}", err=True)
        return None
    run_id = log_evaluation(
        digest, name, values, part=part, files=files, tracking_uri=tracking_uri
    )
    if run_id is None:
        where = tracking_uri or "mlflow.db in the working directory"
        typer.echo(f"note: no run in {where} made this model: not logged", err=True)
    return run_id
