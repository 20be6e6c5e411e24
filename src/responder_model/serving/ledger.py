"""What a server remembers of CDS Hooks, for all its processes: tokens used, feedback.

One SQLite file, because processes share it and a restart must not forget a token that
is still good. It holds digests, names of our own services and reasons: nothing of a
patient.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
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
        self._folder = None if path is not None else TemporaryDirectory()
        self.path = path or Path(self._folder.name if self._folder else "") / NAME
        self._open: tuple[int, sqlite3.Connection] | None = None
        try:
            self._connection().executescript(_TABLES)
        except sqlite3.Error as error:
            said = Note("serving.state_file", name=self.path.name)
            raise ResponderModelError(said) from error
        self.close()

    def _connection(self) -> sqlite3.Connection:
        """Connection of this process: SQLite's do not survive a fork."""
        if self._open is None or self._open[0] != os.getpid():
            made = sqlite3.connect(
                self.path,
                timeout=_PATIENCE,
                isolation_level=None,
                check_same_thread=False,
            )
            made.execute("pragma journal_mode = wal")
            made.execute("pragma synchronous = normal")
            self._open = os.getpid(), made
        return self._open[1]

    def close(self) -> None:
        """Close what is open; the next question opens it again."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

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


def _digest(*parts: str) -> bytes:
    """Digest of texts of somebody else, of which nothing is kept."""
    return sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()
