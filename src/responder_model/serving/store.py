"""A small file that all processes of one server share."""

from __future__ import annotations

import os
import shutil
import sqlite3
import weakref
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from responder_model.errors import ResponderModelError
from responder_model.words import Note

# Seconds to wait for another process.
_PATIENCE = 5.0


class Store:
    """An SQLite file with some tables.

    Parameters
    ----------
    path : Path or None
        File; None: one that goes when the server does.
    tables : str
        What makes them where they are not there.

    Raises
    ------
    ResponderModelError
        For a file that cannot be written, or that is another one.
    """

    def __init__(self, path: Path | None, tables: str) -> None:
        self.path = path or Path(mkdtemp()) / "state.sqlite"
        # connection by process
        self._open: dict[int, sqlite3.Connection] = {}
        owned = None if path is not None else self.path.parent
        weakref.finalize(self, _clean, self._open, owned)
        try:
            self.connection().executescript(tables)
        except sqlite3.Error as error:
            said = Note("serving.state_file", name=self.path.name)
            raise ResponderModelError(said) from error
        self.close()

    def connection(self) -> sqlite3.Connection:
        """Connection of this process: SQLite's do not survive a fork."""
        process = os.getpid()
        if process not in self._open:
            made = sqlite3.connect(
                self.path,
                timeout=_PATIENCE,
                isolation_level=None,
                check_same_thread=False,
            )
            made.execute("pragma journal_mode = wal")
            made.execute("pragma synchronous = normal")
            self._open[process] = made
        return self._open[process]

    def close(self) -> None:
        """Close what is open; the next question opens it again."""
        _clean(self._open, None)


def _clean(opened: dict[int, sqlite3.Connection], folder: Path | None) -> None:
    """Close what this process opened, and remove a folder of our own."""
    made = opened.pop(os.getpid(), None)
    if made is not None:
        made.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def digest_of(*parts: str) -> bytes:
    """Digest of texts of somebody else, of which nothing is kept."""
    return sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()
