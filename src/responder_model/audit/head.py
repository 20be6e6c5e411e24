"""The head of a trail: how many lines there are, and the seal of the last one."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from responder_model.artifact.strict_json import canonical_json, parse_json
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.words import Note
from .entry import NO_MAC
from .key import AuditKey

HEAD, LOCK = "head.json", "lock"


@dataclass(frozen=True, kw_only=True)
class Head:
    """Where a trail stands.

    Parameters
    ----------
    count : int
        Lines.
    last : str
        HMAC of the last line.
    file, size : int
        Number of the last file, and its bytes.
    key : str
        Name of the key.
    """

    count: int = 0
    last: str = NO_MAC
    file: int = 1
    size: int = 0
    key: str

    def to_bytes(self, key: AuditKey) -> bytes:
        """The file ``head.json``, sealed."""
        told = asdict(self)
        return canonical_json({**told, "seal": key.seal("head", canonical_json(told))})


def head_from(data: bytes, key: AuditKey) -> Head | None:
    """Head of these bytes; None for any that this key did not write."""
    try:
        told = parse_json(data, HEAD)
        head = Head(**{name: told[name] for name in Head.__dataclass_fields__})
        written = head.to_bytes(key)
    except (UntrustedModelError, TypeError, KeyError, ValueError):
        return None
    return head if hmac.compare_digest(written, data) else None


def write_head(folder: Path, head: Head, key: AuditKey) -> None:
    """Replace the head at once.

    Its bytes are on the disk then. After a loss of power the one before may stand in
    its place: lines are then behind the head, as after a kill.
    """
    draft = folder / f"{HEAD}.new"
    place = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(place, "wb") as file:
        file.write(head.to_bytes(key))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / HEAD)


def files_of(folder: Path) -> Iterator[tuple[int, Path]]:
    """Files of lines with their numbers, in order."""
    paths = sorted(folder.glob("*.jsonl"))
    return ((int(path.stem), path) for path in paths if path.stem.isdecimal())


def path_of(folder: Path, number: int) -> Path:
    """File of lines by its number."""
    return folder / f"{number:06}.jsonl"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder, which one process does at a time; a lock ends with its process.

    Raises
    ------
    ResponderModelError
        On a system or a disk without locks: two servers could write at once.
    """
    try:
        import fcntl
    except ImportError:
        raise ResponderModelError(Note("audit.no_lock")) from None
    place = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX)
        except OSError as error:
            raise ResponderModelError(Note("audit.no_lock")) from error
        yield
    finally:
        os.close(place)
