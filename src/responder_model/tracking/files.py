"""Files of a local store: one who makes it, where it was moved, room for a run."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from responder_model.errors import TrackingError, system_reason
from responder_model.words import Note

try:
    import fcntl
except ImportError:  # Windows: two first users must wait for each other themselves
    fcntl = None  # type: ignore[assignment]

ARTIFACTS = "mlartifacts"
# Room for a run: the model twice and the package's code, four times over (bytes).
NEEDED_BYTES = 16 * 2**20
# Where MLflow's database keeps the absolute place of files.
_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold a directory's lock: MLflow makes and migrates a database without any.

    The lock is on the directory itself, so that it leaves no file, and ends with the
    process. A file system that knows no locks gives none.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return


def artifacts_beside(database: Path) -> str:
    """Place of the files of an SQLite store: beside it."""
    return (database.parent / ARTIFACTS).as_uri()


def follow_move(database: Path, location: str) -> None:
    """Let a store that was moved or copied find its files beside it again.

    MLflow remembers absolute places: without this it writes into a folder that is gone,
    makes it again, or changes the original of a copy.

    Parameters
    ----------
    database : Path
        The SQLite file.
    location : str
        Where the experiment keeps its files.
    """
    here, before = artifacts_beside(database), local_path(location)
    if location == here or before is None or before.name != ARTIFACTS:
        return
    if not local_path(here).is_dir() and before.parent.is_dir():  # type: ignore[union-attr]
        return
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, column in _PLACES:
            if _has_column(connection, table, column):
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608
                    f"WHERE substr({column} || '/', 1, ?) = ? || '/'",
                    (here, len(location) + 1, len(location) + 1, location),
                )


def _has_column(connection: sqlite3.Connection, table: str, column: str) -> bool:
    found = connection.execute(f"PRAGMA table_info({table})")
    return column in {row[1] for row in found}


def check_place(location: str) -> None:
    """Refuse a local place of files that cannot take a run; others are not looked at.

    Raises
    ------
    TrackingError
        If it is no folder, belongs to another computer, cannot be written, or is full.
    """
    path = local_path(location)
    if path is None:
        return
    place = path if path.exists() else path.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except OSError as error:
        where = {"path": str(path), "reason": system_reason(error)}
        raise TrackingError(Note("tracking.not_writable", **where)) from error
    if free < NEEDED_BYTES:
        said = Note(
            "tracking.space", place=str(place), need=NEEDED_BYTES >> 20, free=free >> 20
        )
        raise TrackingError(said)


def local_path(location: str) -> Path | None:
    """Path of a place on this computer; None for one that is elsewhere."""
    parts = urlsplit(location)
    if parts.scheme == "file":
        path = unquote(parts.path)
        return Path(path[1:] if os.name == "nt" else path)
    return None if "://" in location or parts.scheme else Path(location)
