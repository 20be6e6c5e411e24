"""The key of a trail: a file that its owner alone can read."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from responder_model.errors import ResponderModelError
from responder_model.outputs import read_private
from responder_model.words import Note

# Random bytes of a key, as many as an HMAC-SHA256 can use.
KEY_BYTES = 32
# Digits by which a key is known.
_NAME_DIGITS = 16

Purpose = Literal["line", "head", "input", "name"]


@dataclass(frozen=True, kw_only=True)
class AuditKey:
    """A key; what it seals for one purpose proves nothing for another.

    Parameters
    ----------
    secret : bytes
        ``KEY_BYTES`` of them; not shown.

    Examples
    --------
    >>> key = AuditKey(secret=bytes(32))
    >>> key, len(key.seal("line", b"54 years")), key.name
    (AuditKey(), 64, '7f4a0bc2061aa874')
    """

    secret: bytes

    def __repr__(self) -> str:
        return "AuditKey()"

    @property
    def name(self) -> str:
        """What a key is known by; tells nothing of it."""
        return self.seal("name", b"")[:_NAME_DIGITS]

    def seal(self, purpose: Purpose, data: bytes) -> str:
        """HMAC-SHA256 of data, in hexadecimal."""
        own = hmac.digest(self.secret, purpose.encode(), hashlib.sha256)
        return hmac.digest(own, data, hashlib.sha256).hex()


def new_key(path: Path) -> AuditKey:
    """Make a key and write it to a new file, which is its owner's alone (0600).

    Raises
    ------
    ResponderModelError
        For a file that is there already: a trail cannot be verified without its key.
    OSError
        For a place that cannot be written to.
    """
    secret = secrets.token_bytes(KEY_BYTES)
    try:
        place = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ResponderModelError(Note("audit.key_there", name=path.name)) from None
    with os.fdopen(place, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return AuditKey(secret=secret)


def read_key(path: Path) -> AuditKey:
    """Read a key.

    Raises
    ------
    ResponderModelError
        For a file that cannot be read, that others may read or write, or that holds
        anything but the hexadecimal digits of ``KEY_BYTES`` bytes.
    """
    data = read_private(path, rule="audit.key_mode")
    try:
        secret = bytes.fromhex(data.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        digits = 2 * KEY_BYTES
        raise ResponderModelError(
            Note("audit.key_length", digits=digits, name=path.name)
        )
    return AuditKey(secret=secret)
