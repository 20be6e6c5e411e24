"""What a server remembers of CDS Hooks, for all its processes: tokens used, feedback.

One SQLite file, because processes share it and a restart must not forget a token that
is still good. It holds digests, names of our own services and reasons: nothing of a
patient.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .store import Store, digest_of

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


class Ledger(Store):
    """What must be remembered, in a file or, with None, while the server runs.

    Raises
    ------
    ResponderModelError
        As ``Store``.
    """

    def __init__(self, path: Path | None) -> None:
        super().__init__(path, _TABLES)

    def is_new(self, issuer: str, token: str, *, until: float) -> bool:
        """Remember a token until a time; whether it was not known."""
        connection, digest = self.connection(), digest_of(issuer, token)
        connection.execute("delete from tokens where until < ?", (time.time(),))
        added = connection.execute(
            "insert or ignore into tokens values (?, ?)", (digest, until)
        )
        return added.rowcount == 1

    def count(self, service: str, told: Iterable[Feedback]) -> int:
        """Count feedback, once for each card and outcome; how much of it was new."""
        rows = [(service, digest_of(f.card), f.outcome, f.reason) for f in told]
        connection = self.connection()
        connection.execute("begin immediate")
        before = connection.total_changes
        connection.executemany(
            "insert or ignore into feedback values (?, ?, ?, ?)", rows
        )
        connection.execute("commit")
        return connection.total_changes - before

    def counts(self) -> list[dict[str, Any]]:
        """Feedback by service, outcome and reason."""
        found = self.connection().execute(
            "select service, outcome, reason, count(*) from feedback "
            "group by service, outcome, reason order by service, outcome, reason"
        )
        names = ("service", "outcome", "reason", "n")
        rows = (zip(names, row, strict=True) for row in found)
        return [{name: value for name, value in row if value != ""} for row in rows]
