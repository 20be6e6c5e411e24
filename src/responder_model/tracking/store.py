"""Where runs are kept: an SQLite file by default, a server when it is named."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# MLflow reads these when it is imported or when a run ends.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow

EXPERIMENT = "responder_model"
DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"


def local_tracking_uri(directory: str | Path) -> str:
    """Return the tracking URI of a directory's own store.

    Examples
    --------
    >>> local_tracking_uri("/srv/runs")
    'sqlite:////srv/runs/mlflow.db'
    """
    return f"sqlite:///{Path(directory).resolve() / DATABASE}"


@contextmanager
def tracking_run(tracking_uri: str, run_name: str) -> Iterator[mlflow.ActiveRun]:
    """Open one run in a store; the caller's own MLflow settings come back after it."""
    before = mlflow.get_tracking_uri()
    with _quiet():
        mlflow.set_tracking_uri(tracking_uri)
        try:
            experiment = _experiment_id(tracking_uri)
            with mlflow.start_run(experiment_id=experiment, run_name=run_name) as run:
                yield run
        finally:
            mlflow.set_tracking_uri(before)


@contextmanager
def resumed_run(tracking_uri: str, run_id: str) -> Iterator[mlflow.ActiveRun]:
    """Open a run again to add to it."""
    before = mlflow.get_tracking_uri()
    with _quiet():
        mlflow.set_tracking_uri(tracking_uri)
        try:
            with mlflow.start_run(run_id=run_id) as run:
                yield run
        finally:
            mlflow.set_tracking_uri(before)


@contextmanager
def tracking_client(tracking_uri: str) -> Iterator[mlflow.MlflowClient]:
    """Client of a store, its notes kept to itself."""
    with _quiet():
        yield mlflow.MlflowClient(tracking_uri)


def _experiment_id(tracking_uri: str) -> str:
    """Experiment of the package; a local store keeps artifacts beside its file."""
    known = mlflow.get_experiment_by_name(EXPERIMENT)
    if known is not None:
        return str(known.experiment_id)
    location = None
    if tracking_uri.startswith("sqlite:///"):
        database = Path(tracking_uri.removeprefix("sqlite:///"))
        location = (database.resolve().parent / ARTIFACTS).as_uri()
    return str(mlflow.create_experiment(EXPERIMENT, artifact_location=location))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep notes and warnings of MLflow and of its database to themselves."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
