"""A trail that is written: groups of lines, on the disk before anybody is answered."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from .entry import Entry, follows, line_start, seal_line
from .head import HEAD, LOCK, Head, head_from, locked, path_of, write_head
from .key import AuditKey

# Bytes after which a file is full: some 100 000 lines.
FULL = 64 * 1024 * 1024


class Trail:
    """Writes lines to a folder; several processes may, one group at a time.

    Parameters
    ----------
    folder : Path
        Made where there is none; an empty one begins a trail.
    key : AuditKey
    full : int
        Bytes after which the next group begins a new file.

    Raises
    ------
    ResponderModelError
        For a folder of other things, or of another key; one whose end is not as it was
        left; and a disk without locks.
    OSError
        For a folder that cannot be written to.
    """

    def __init__(self, folder: Path, key: AuditKey, *, full: int = FULL) -> None:
        self.folder, self._key, self._full = folder, key, full
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(folder):
            names = {path.name for path in folder.iterdir()}
            if not names - {LOCK, f"{HEAD}.new"}:
                head = Head(key=key.name)
                write_head(folder, head, key)
                self._begin_file(head.file)
            self._go_on()

    def check(self) -> None:
        """See whether the trail can go on.

        Raises
        ------
        ResponderModelError, OSError
            As ``append``.
        """
        with locked(self.folder):
            self._go_on()

    def append(self, entries: Sequence[Entry]) -> None:
        """Write a group of lines; they and the head are on the disk then, or neither.

        Raises
        ------
        ResponderModelError
            When the end of the trail is not as it was left.
        OSError
            When the disk refuses; what was begun is taken back.
        """
        with locked(self.folder):
            head, event = _recover(self.folder, self._read_head(), self._key)
            if head.size >= self._full:
                head = self._next_file(head)
            plain = [entry.to_dict(self._key) for entry in entries]
            self._write(head, [*event, *plain])

    def _go_on(self) -> None:
        """Take over what a killed process left, if one did."""
        head, event = _recover(self.folder, self._read_head(), self._key)
        if event:
            self._write(head, event)

    def _read_head(self) -> Head:
        try:
            data = (self.folder / HEAD).read_bytes()
        except FileNotFoundError:
            raise ResponderModelError(_refusal(self.folder, "head_missing")) from None
        head = head_from(data, self._key)
        if head is None:
            raise ResponderModelError(_refusal(self.folder, "head_not_ours"))
        return head

    def _next_file(self, head: Head) -> Head:
        self._begin_file(head.file + 1)
        head = replace(head, file=head.file + 1, size=0)
        write_head(self.folder, head, self._key)
        # no line of the new file without a head that knows the file
        _flush_names(self.folder)
        return head

    def _begin_file(self, number: int) -> None:
        """Make an empty file, whose name is on the disk then."""
        path = path_of(self.folder, number)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        if path.stat().st_size:
            raise ResponderModelError(_refusal(self.folder, "behind_head"))
        _flush_names(self.folder)

    def _write(self, head: Head, rows: Sequence[Mapping[str, Any]]) -> None:
        time = datetime.now(tz=UTC).isoformat(timespec="milliseconds")
        lines, last = [], head.last
        for n, row in enumerate(rows, head.count + 1):
            line, last = seal_line(self._key, n, last, {"time": time, **row})
            lines.append(line)
        data = b"".join(lines)
        new = replace(
            head,
            count=head.count + len(lines),
            last=last,
            size=head.size + len(data),
        )
        place = os.open(
            path_of(self.folder, head.file),
            os.O_WRONLY | os.O_CREAT | os.O_APPEND,
            0o600,
        )
        try:
            _write_all(place, data)
            os.fsync(place)
            write_head(self.folder, new, self._key)
        except OSError:
            with suppress(OSError):
                os.ftruncate(place, head.size)
            raise
        finally:
            os.close(place)


def _write_all(place: int, data: bytes) -> None:
    while data:
        data = data[os.write(place, data) :]


def _flush_names(folder: Path) -> None:
    """Wait until the names of a folder's files are on the disk."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _refusal(folder: Path, code: str) -> Note:
    return Note("audit.refused", name=folder.name, fault=Note(f"audit.{code}"))


# ---------------------------------------------------------------- after a kill


def _recover(
    folder: Path, head: Head, key: AuditKey
) -> tuple[Head, list[dict[str, Any]]]:
    """Take over what a killed process left behind the head, and say so in a line.

    Lines that are whole are kept, although their answers may never have left. A torn
    last line, whose answer never left, is cut off.

    Raises
    ------
    ResponderModelError
        For anything else behind the head, or less than it says.
    """
    path = path_of(folder, head.file)
    size = path.stat().st_size if path.exists() else 0
    if size < head.size:
        raise ResponderModelError(_refusal(folder, "shorter"))
    if size == head.size:
        return head, []
    with path.open("rb+") as file:
        file.seek(head.size)
        *lines, torn = file.read().split(b"\n")
        for line in lines:
            mac = follows(key, head.last, line)
            if mac is None:
                raise ResponderModelError(_refusal(folder, "behind_head"))
            end = head.size + len(line) + 1
            head = replace(head, count=head.count + 1, last=mac, size=end)
        if not is_torn(torn, head.count + 1):
            raise ResponderModelError(_refusal(folder, "behind_head"))
        file.truncate(head.size)
    kept = {"event": "interrupted", "kept": len(lines), "cut": len(torn)}
    return head, [kept]


def is_torn(rest: bytes, n: int) -> bool:
    """Whether the rest of a file may be the beginning of line ``n``.

    Examples
    --------
    >>> is_torn(b'{"n":17,"time":"20', 17), is_torn(b"", 17), is_torn(b"# note", 17)
    (True, True, False)
    """
    start = line_start(n)
    return rest.startswith(start) or start.startswith(rest) or not rest.strip(b"\0")
