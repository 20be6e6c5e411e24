"""Addresses of stores: which one is meant, and how it is shown."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import getproxies, urlopen

from sqlalchemy import URL, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from responder_model.errors import TrackingError
from responder_model.words import Note

# MLflow's own settings, heeded where no store is named.
URI_SETTING, EXPERIMENT_SETTING = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"
EXPERIMENT = "responder_model"
DATABASE = "mlflow.db"
SQLITE = "sqlite:///"
# Databases without a server, which keep no files of their own; and their ports.
DATABASES = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
SERVERS = {"http": 80, "https": 443}
# Seconds after which a store counts as one that does not answer, or takes a connection
# and then says nothing: MLflow would try for two minutes, whatever it is told.
PATIENCE, SILENCE = 5.0, 10
# Drivers that heed a limit of seconds by the same name.
_TIMED = ("psycopg", "psycopg2", "pymysql", "mysqldb")
_NO_ADDRESS = re.compile(r"\?|%[0-9A-Fa-f]{2}")
_ACCOUNT = re.compile(r"://[^/\s]\S*@")
_SECRET = re.compile(r"(?i)([?&][^=&\s]*(?:pass|pwd|token|secret|key)[^=&\s]*=)[^&\s]*")


def local_tracking_uri(directory: str | Path) -> str:
    """Return the tracking URI of a directory's own store.

    Raises
    ------
    TrackingError
        If the path has a ``?`` or looks encoded: the database would be another file.

    Examples
    --------
    >>> local_tracking_uri("/srv/runs")
    'sqlite:////srv/runs/mlflow.db'
    """
    path = Path(directory).resolve()
    if _NO_ADDRESS.search(str(path)):
        raise TrackingError(Note("tracking.path", path=str(path)))
    return f"{SQLITE}{path / DATABASE}"


def chosen_tracking_uri(given: str | None = None) -> str:
    """Return the store that is meant: the given one, MLflow's setting, or the local.

    Examples
    --------
    >>> chosen_tracking_uri("http://runs.hospital:5000")
    'http://runs.hospital:5000'
    """
    return given or os.environ.get(URI_SETTING) or local_tracking_uri(Path())


def kind_of(tracking_uri: str) -> str:
    """Kind of a store, by its address; empty for a folder.

    Examples
    --------
    >>> kind_of("mysql+pymysql://db/runs"), kind_of("/srv/runs")
    ('mysql', '')
    """
    kind, found, _ = tracking_uri.partition("://")
    return kind.partition("+")[0] if found else ""


def check_answers(tracking_uri: str) -> None:
    """Refuse a database or a server that takes no connection within seconds.

    Raises
    ------
    TrackingError
        With its host and port; ModuleNotFoundError for an absent driver, and what a
        database raises that knows no such account or database.
    """
    kind = kind_of(tracking_uri)
    is_direct = kind in SERVERS and not getproxies()
    if kind not in DATABASES and not is_direct:
        return
    try:
        url = make_url(tracking_uri)
        if kind in DATABASES:
            url.get_dialect().import_dbapi()  # an absent driver is said first
        host, port = url.host, url.port or (DATABASES | SERVERS)[kind]
        if host:
            socket.create_connection((host, port), timeout=PATIENCE).close()
            if kind in SERVERS:
                _ask(tracking_uri)
    except (ArgumentError, ValueError):
        return  # MLflow says what is wrong with it
    except OSError:
        said = Note("tracking.no_answer", host=host, port=port)
        raise TrackingError(said) from None
    if kind in DATABASES:
        _connect(url)


def _ask(server: str) -> None:
    """Wait for any answer of a server; TimeoutError where none comes."""
    parts = urlsplit(server)
    place = parts.netloc.rpartition("@")[2] + parts.path.rstrip("/")
    address = f"{parts.scheme}://{place}/health"
    try:
        urlopen(address, timeout=SILENCE).close()  # noqa: S310 - http, as asked for
    except HTTPError as answer:
        answer.close()
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise TimeoutError from None


def _connect(url: URL) -> None:
    """Connect to a database once: MLflow does so ten times before it says why not."""
    heeds = url.get_dialect().driver in _TIMED
    limit = {"connect_timeout": SILENCE} if heeds else {}
    engine = create_engine(url, poolclass=NullPool, connect_args=limit)
    engine.connect().close()


def experiment_name() -> str:
    """Name of the experiment: MLflow's setting, or the package's own."""
    return os.environ.get(EXPERIMENT_SETTING) or EXPERIMENT


def settings_notes(given: str | None = None) -> tuple[Note, ...]:
    """Say which of MLflow's settings decide where runs go."""
    notes = []
    if not given and os.environ.get(URI_SETTING):
        shown = shown_uri(chosen_tracking_uri())
        notes.append(Note("tracking.store_set", store=shown, setting=URI_SETTING))
    if os.environ.get(EXPERIMENT_SETTING):
        where = {"experiment": experiment_name(), "setting": EXPERIMENT_SETTING}
        notes.append(Note("tracking.experiment_set", **where))
    return tuple(notes)


def shown_uri(text: str) -> str:
    """Return an address, or a text that quotes one, without accounts and passwords.

    Examples
    --------
    >>> shown_uri("postgresql://mlflow:hunter2@db/runs?sslpassword=x&port=1")
    'postgresql://***@db/runs?sslpassword=***&port=1'
    >>> shown_uri("sqlite:////srv/me@home/mlflow.db")
    'sqlite:////srv/me@home/mlflow.db'
    """
    return _SECRET.sub(r"\1***", _ACCOUNT.sub("://***@", text))


def database_file(tracking_uri: str) -> Path | None:
    """File of an SQLite store; None for any other store."""
    if not tracking_uri.startswith(SQLITE):
        return None
    try:
        name = make_url(tracking_uri).database
    except ArgumentError:
        return None
    return Path(name).resolve() if name else None


def is_outside(tracking_uri: str) -> bool:
    """Whether a store is one that others may read: a server, or no file of this place.

    Examples
    --------
    >>> is_outside("http://runs.hospital:5000"), is_outside("sqlite:////srv/mlflow.db")
    (True, False)
    """
    return database_file(tracking_uri) is None
