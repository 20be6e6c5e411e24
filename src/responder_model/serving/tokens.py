"""Tokens: who may ask. The file holds digests of them, never the tokens."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from responder_model.artifact.strict_json import parse_json
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.outputs import read_private
from responder_model.words import Note
from .sessions import Sessions

Role = Literal["read", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

# Random bytes of a token, 256 bits: no slow hash is needed to keep them from guessing.
TOKEN_BYTES = 32
# Seconds in which failures of one address are counted, and addresses that are kept.
WINDOW = 60.0
_MOST_ADDRESSES = 10_000


@dataclass(frozen=True, kw_only=True)
class Token:
    """One line of the file.

    Parameters
    ----------
    name : str
        Whose it is.
    role : {"read", "admin"}
        What it allows: asking, or reloading models too.
    sha256 : str
        Digest of the token, in hexadecimal.
    expires : str
        When it stops to be valid: date and time with its offset (ISO 8601).
    """

    name: str
    role: Role
    sha256: str
    expires: str

    def is_valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return now < datetime.fromisoformat(self.expires)


def new_token(path: Path, *, name: str, role: Role, days: int) -> tuple[str, Token]:
    """Make a token and put its digest into a file, which is made where there is none.

    Returns
    -------
    (str, Token)
        The token, which is nowhere else, and what the file holds of it.

    Raises
    ------
    ResponderModelError
        As ``read_tokens``, for a name that another token has, and a file that cannot
        be written.
    """
    known = read_tokens(path) if path.exists() else ()
    if any(token.name == name for token in known):
        raise ResponderModelError(Note("serving.token_name", name=name))
    secret = secrets.token_urlsafe(TOKEN_BYTES)
    expires = datetime.now(tz=UTC) + timedelta(days=days)
    made = Token(
        name=name,
        role=role,
        sha256=_digest(secret),
        expires=expires.isoformat(timespec="seconds"),
    )
    _write(path, (*known, made))
    return secret, made


def _write(path: Path, tokens: Sequence[Token]) -> None:
    """Write a file that is whole or not there, and its owner's alone."""
    draft = path.with_name(f"{path.name}.new")
    text = json.dumps([asdict(token) for token in tokens], indent=1)
    place = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(place, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    draft.replace(path)


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Read a file of tokens.

    Raises
    ------
    ResponderModelError
        For a file that cannot be read, that others may read or write, or that holds
        something else.
    """
    name = {"name": path.name}
    data = read_private(path, rule="serving.token_mode")
    try:
        rows = parse_json(data, path.name)
        if not isinstance(rows, list):
            raise TypeError
        tokens = tuple(_token(row) for row in rows)
    except (UntrustedModelError, TypeError, ValueError, KeyError):
        raise ResponderModelError(Note("serving.token_file", **name)) from None
    return tokens


def _token(row: dict[str, Any]) -> Token:
    token = Token(**row)
    moment = datetime.fromisoformat(token.expires)
    if token.role not in ROLES or moment.tzinfo is None or len(token.sha256) != 64:
        raise ValueError
    return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class Doorkeeper:
    """Tells the role of a token, and counts the wrong ones of each address.

    Parameters
    ----------
    tokens : sequence of Token
    most_failures : int
        Wrong tokens of one address in a minute; a right one is always let in.
    """

    def __init__(self, tokens: Sequence[Token], *, most_failures: int) -> None:
        self.tokens, self.most_failures = tuple(tokens), most_failures
        self._sessions = Sessions()
        self._failures: dict[str, deque[float]] = {}

    def role_of(self, secret: str) -> Role | None:
        """Role of a token; None for one that is unknown or has expired."""
        return self._role_of(_digest(secret))

    def _role_of(self, given: str) -> Role | None:
        found = None
        now = datetime.now(tz=UTC)
        # all are compared, so that time does not tell which one it was
        for token in self.tokens:
            same = hmac.compare_digest(token.sha256.encode(), given.encode())
            if same and token.is_valid(now):
                found = token.role
        return found

    def open_session(self, secret: str) -> str | None:
        """Let a browser in with a token; a handle that is good for eight hours.

        None for a token that is unknown or has expired.
        """
        token = _digest(secret)
        if self._role_of(token) is None:
            return None
        return self._sessions.open(token)

    def role_of_session(self, handle: str) -> Role | None:
        """Role of a browser by its handle; None for one that is not let in."""
        return self._role_of(self._sessions.token_of(handle))

    def end_session(self, handle: str) -> None:
        """Let a browser out: its handle opens nothing any more."""
        self._sessions.end(handle)

    def count_failure(self, address: str) -> bool:
        """Count a wrong token; whether its address has sent too many."""
        now = time.monotonic()
        if len(self._failures) > _MOST_ADDRESSES:
            self._failures.clear()
        recent = self._failures.setdefault(address, deque(maxlen=self.most_failures))
        while recent and now - recent[0] > WINDOW:
            recent.popleft()
        is_too_many = len(recent) >= self.most_failures
        recent.append(now)
        return is_too_many
