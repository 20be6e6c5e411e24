"""Browsers that were let in, for all processes of a server.

A browser holds a handle of 256 random bits; here stands its digest, and the digest of
the token that it was let in with. The file goes with the server.
"""

from __future__ import annotations

import secrets
import time

from .store import Store, digest_of

# Seconds for which a browser stays let in.
SESSION_SECONDS = 8 * 3600
# Random bytes of a handle.
_BYTES = 32
_TABLES = """
create table if not exists sessions (
    handle blob primary key, token text not null, until real not null
);
"""


class Sessions(Store):
    """What each handle stands for, until it ends."""

    def __init__(self) -> None:
        super().__init__(None, _TABLES)

    def open(self, token: str) -> str:
        """Make a handle for a token, given by its digest."""
        handle, now = secrets.token_urlsafe(_BYTES), time.time()
        connection = self.connection()
        connection.execute("delete from sessions where until < ?", (now,))
        row = (digest_of(handle), token, now + SESSION_SECONDS)
        connection.execute("insert into sessions values (?, ?, ?)", row)
        return handle

    def token_of(self, handle: str) -> str:
        """Digest of the token behind a handle; empty for one that is not open."""
        found = self.connection().execute(
            "select token from sessions where handle = ? and until >= ?",
            (digest_of(handle), time.time()),
        )
        row = found.fetchone()
        return "" if row is None else str(row[0])

    def end(self, handle: str) -> None:
        """Forget a handle, for every process."""
        self.connection().execute(
            "delete from sessions where handle = ?", (digest_of(handle),)
        )
