"""Where runs are kept: an SQLite file by default, a server when it is named."""

from __future__ import annotations

import getpass
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

# MLflow reads these when it is imported or when a run ends.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# A server that does not answer is given up after seconds, not after four minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")

import mlflow
from mlflow.entities import Experiment, Metric, Param

from responder_model import __version__
from responder_model.errors import ResponderModelError, TrackingError
from responder_model.words import Note
from .address import (
    DATABASES,
    SERVERS,
    check_answers,
    database_file,
    experiment_name,
    kind_of,
    shown_uri,
)
from .files import alone, artifacts_beside, check_place, follow_move

# Characters of MLflow's own words in an error.
LONGEST_REASON = 400
_WHEN = "(raised as a result of"
# Class of a driver's error, which SQLAlchemy puts before what the database answered.
_CLASS = re.compile(r"^\([\w.]+\) ")
# Entries of each kind that MLflow takes at once.
MOST_METRICS, MOST_PARAMS = 1000, 100
# Tag of an experiment; writing it again shows that the store can be written.
_MARK = ("responder_model", __version__)
_LOUD = ("mlflow", "alembic", "sqlalchemy", "urllib3")


def check_store(tracking_uri: str) -> None:
    """Refuse a store that takes no run, before work is done that would be logged.

    It is written to: a tag of the experiment, and a file that is gone at once.

    Raises
    ------
    TrackingError
        If it is no store of runs, does not answer, lacks its driver, has the experiment
        deleted, or neither its database nor a local place of its files can be written.
    """
    with opened(tracking_uri) as client:
        found = own_experiment(client, tracking_uri)
        with _alone(tracking_uri):
            client.set_experiment_tag(found.experiment_id, *_MARK)
        check_place(found.artifact_location)


@contextmanager
def opened(tracking_uri: str) -> Iterator[mlflow.MlflowClient]:
    """Client of a store, its notes kept to itself.

    Neither the caller's store nor an open run is touched: everything goes through the
    client, nothing through MLflow's own current run.
    """
    with _quiet(), _in_our_words(tracking_uri):
        check_answers(tracking_uri)
        with _alone(tracking_uri):
            client = mlflow.MlflowClient(tracking_uri)
            # the first question makes or migrates the database
            known = client.get_experiment_by_name(experiment_name())
            database = database_file(tracking_uri)
            if database is not None and known is not None:
                follow_move(database, known.artifact_location)
        yield client


def own_experiment(client: mlflow.MlflowClient, tracking_uri: str) -> Experiment:
    """Experiment of our runs, made when it is not there.

    Raises
    ------
    TrackingError
        If it is deleted, or would keep its files in the working directory of whoever
        makes it.
    """
    with _alone(tracking_uri):
        known = known_experiment(client)
        if known is not None:
            return known
        return client.get_experiment(_made(client, _location(tracking_uri)))


def _made(client: mlflow.MlflowClient, location: str | None) -> str:
    made = client.create_experiment(
        experiment_name(), artifact_location=location, tags=dict([_MARK])
    )
    return str(made)


def keep_files_at(tracking_uri: str, place: str) -> None:
    """Make the experiment of our runs with a place of its files, before any run.

    Parameters
    ----------
    tracking_uri : str
        The store: a database without a server needs it, the others may have it.
    place : str
        A folder, or an address that MLflow writes to (``s3://…``), that every user of
        the store reaches under this name.

    Raises
    ------
    TrackingError
        If the experiment keeps its files elsewhere, or the place cannot be written.
    """
    location = place if "://" in place else Path(place).resolve().as_uri()
    with opened(tracking_uri) as client, _alone(tracking_uri):
        known = known_experiment(client)
        if known is not None and known.artifact_location.rstrip("/") != location:
            where = {"place": shown_uri(known.artifact_location), "got": place}
            raise TrackingError(Note("tracking.other_place", name=known.name, **where))
        check_place(location)
        if known is None:
            _made(client, location)


def known_experiment(client: mlflow.MlflowClient) -> Experiment | None:
    """Experiment of our runs; None where it is not there.

    Raises
    ------
    TrackingError
        If it is deleted.
    """
    known = client.get_experiment_by_name(experiment_name())
    if known is not None and known.lifecycle_stage == "deleted":
        said = Note("tracking.deleted", name=known.name, id=known.experiment_id)
        raise TrackingError(said)
    return known


def _location(tracking_uri: str) -> str | None:
    """Where a new experiment keeps its files; None leaves it to the server."""
    database = database_file(tracking_uri)
    if database is not None:
        return artifacts_beside(database)
    if kind_of(tracking_uri) in DATABASES:
        raise TrackingError(Note("tracking.no_files"))
    return None


@contextmanager
def new_run(
    client: mlflow.MlflowClient, experiment_id: str, name: str, tags: Mapping[str, str]
) -> Iterator[str]:
    """Identifier of a new run, which is finished only when all of it is logged.

    Whoever is killed meanwhile leaves it running: nothing takes it up again.
    """
    run_id = started_run(client, experiment_id, name, tags)
    try:
        yield run_id
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        with suppress(Exception):
            client.set_terminated(run_id, status)
        raise
    client.set_terminated(run_id, "FINISHED")


def started_run(
    client: mlflow.MlflowClient, experiment_id: str, name: str, tags: Mapping[str, str]
) -> str:
    """Identifier of a new run that whoever asks for it must end."""
    said = {**tags, "mlflow.source.name": "responder_model", "mlflow.user": user_name()}
    run = client.create_run(experiment_id, run_name=name, tags=said)
    return str(run.info.run_id)


def log_values(
    client: mlflow.MlflowClient,
    run_id: str,
    *,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
) -> None:
    """Add parameters and numbers to a run, as many at once as MLflow takes."""
    texts = [Param(name, value) for name, value in params.items()]
    for k in range(0, len(texts), MOST_PARAMS):
        client.log_batch(run_id, params=texts[k : k + MOST_PARAMS], synchronous=True)
    now = client.get_run(run_id).info.start_time
    numbers = [Metric(name, value, now, 0) for name, value in metrics.items()]
    for k in range(0, len(numbers), MOST_METRICS):
        part = numbers[k : k + MOST_METRICS]
        client.log_batch(run_id, metrics=part, synchronous=True)


def user_name() -> str:
    """Name of who is at work; ``unknown`` where the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def _alone(tracking_uri: str) -> AbstractContextManager[None]:
    database = database_file(tracking_uri)
    return nullcontext() if database is None else alone(database.parent)


@contextmanager
def _in_our_words(tracking_uri: str) -> Iterator[None]:
    """Turn whatever MLflow, its database or its drivers raise into one sentence.

    They raise errors of a dozen libraries, and bare ``Exception``.
    """
    try:
        yield
    except TrackingError as error:
        raise TrackingError(_why(tracking_uri, error.said)) from error
    except ResponderModelError:
        raise
    except ModuleNotFoundError as error:
        absent = Note("tracking.not_installed", library=str(error.name))
        raise TrackingError(_why(tracking_uri, absent)) from error
    except Exception as error:
        lines = str(error).strip().splitlines()
        # SQLAlchemy says first when it wrote, and then what the database answered
        lines = [line for line in lines if not line.startswith(_WHEN)]
        lines = lines or [type(error).__name__]
        first = _CLASS.sub("", lines[0])
        reason: Note | str = shown_uri(first[:LONGEST_REASON]).rstrip(".")
        if kind_of(tracking_uri) not in {"sqlite", *DATABASES, *SERVERS}:
            reason = Note("tracking.form")
        raise TrackingError(_why(tracking_uri, reason)) from error


def _why(tracking_uri: str, reason: Note | str) -> Note:
    return Note("tracking.unusable", store=shown_uri(tracking_uri), reason=reason)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep notes and warnings of MLflow and of its database to themselves."""
    loggers = [logging.getLogger(name) for name in _LOUD]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
