"""What a server remembers of CDS Hooks, for all its processes: tokens used, feedback.

One SQLite file, because processes share it and a restart must not forget a token that
is still good. It holds digests, names of our own services and reasons: nothing of a
patient.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
import weakref
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from responder_model.errors import ResponderModelError
from responder_model.words import Note

if TYPE_CHECKING:
    from responder_model.interchange.feedback import Feedback

NAME = "cds-state.sqlite"
_TABLES = """
create table if not exists tokens (digest blob primary key, until real not null);
create table if not exists feedback (
    service text, card blob, outcome text, reason text,
    primary key (service, card, outcome)
);
"""
# Seconds to wait for another process.
_PATIENCE = 5.0


class Ledger:
    """What must be remembered.

    Parameters
    ----------
    path : Path or None
        File; None: one that goes when the server does.

    Raises
    ------
    ResponderModelError
        For a file that cannot be written, or that is another one.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path or Path(mkdtemp()) / NAME
        # connection by process
        self._open: dict[int, sqlite3.Connection] = {}
        owned = None if path is not None else self.path.parent
        weakref.finalize(self, _clean, self._open, owned)
        try:
            self._connection().executescript(_TABLES)
        except sqlite3.Error as error:
            said = Note("serving.state_file", name=self.path.name)
            raise ResponderModelError(said) from error
        self.close()

    def _connection(self) -> sqlite3.Connection:
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

    def is_new(self, issuer: str, token: str, *, until: float) -> bool:
        """Remember a token until a time; whether it was not known."""
        connection, digest = self._connection(), _digest(issuer, token)
        connection.execute("delete from tokens where until < ?", (time.time(),))
        added = connection.execute(
            "insert or ignore into tokens values (?, ?)", (digest, until)
        )
        return added.rowcount == 1

    def count(self, service: str, told: Iterable[Feedback]) -> int:
        """Count feedback, once for each card and outcome; how much of it was new."""
        rows = [(service, _digest(f.card), f.outcome, f.reason) for f in told]
        connection = self._connection()
        connection.execute("begin immediate")
        before = connection.total_changes
        connection.executemany(
            "insert or ignore into feedback values (?, ?, ?, ?)", rows
        )
        connection.execute("commit")
        return connection.total_changes - before

    def counts(self) -> list[dict[str, Any]]:
        """Feedback by service, outcome and reason."""
        found = self._connection().execute(
            "select service, outcome, reason, count(*) from feedback "
            "group by service, outcome, reason order by service, outcome, reason"
        )
        names = ("service", "outcome", "reason", "n")
        rows = (zip(names, row, strict=True) for row in found)
        return [{name: value for name, value in row if value != ""} for row in rows]


def _clean(opened: dict[int, sqlite3.Connection], folder: Path | None) -> None:
    """Close what this process opened, and remove a folder of our own."""
    made = opened.pop(os.getpid(), None)
    if made is not None:
        made.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _digest(*parts: str) -> bytes:
    """Digest of texts of somebody else, of which nothing is kept."""
    return sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()
