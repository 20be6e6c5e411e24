"""Where runs are kept: an SQLite file by default, a server when it is named."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# MLflow reads these when it is imported or when a run ends.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# A server that does not answer is given up after seconds, not after four minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")

import mlflow
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from responder_model.errors import TrackingError

EXPERIMENT = "responder_model"
DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
# Characters of MLflow's own words in an error.
LONGEST_REASON = 400


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
    """Open one run in a store."""
    with _opened(tracking_uri):
        experiment = _experiment_id(tracking_uri)
        with mlflow.start_run(experiment_id=experiment, run_name=run_name) as run:
            yield run


@contextmanager
def resumed_run(tracking_uri: str, run_id: str) -> Iterator[mlflow.ActiveRun]:
    """Open a run again to add to it."""
    with _opened(tracking_uri), mlflow.start_run(run_id=run_id) as run:
        yield run


@contextmanager
def tracking_client(tracking_uri: str) -> Iterator[mlflow.MlflowClient]:
    """Client of a store, its notes kept to itself."""
    with _opened(tracking_uri):
        yield mlflow.MlflowClient(tracking_uri)


def check_store(tracking_uri: str) -> None:
    """Refuse a store that cannot be opened, before work is done that would be logged.

    Raises
    ------
    TrackingError
        If it is no store of runs or does not answer.
    """
    with _opened(tracking_uri):
        _experiment_id(tracking_uri)


@contextmanager
def _opened(tracking_uri: str) -> Iterator[None]:
    """MLflow on one store; the caller's own settings come back after it."""
    before = mlflow.get_tracking_uri()
    with _quiet():
        mlflow.set_tracking_uri(tracking_uri)
        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise TrackingError(_without_password(_why(tracking_uri, error))) from error
        finally:
            mlflow.set_tracking_uri(before)


def _why(tracking_uri: str, error: Exception) -> str:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"tracking store {tracking_uri} cannot be used: {reason[:LONGEST_REASON]}"


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]+@", "//***@", text)


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
