"""Whether a trail is as it was written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from .entry import NO_MAC, follows, read_line, split_line
from .head import HEAD, LOCK, Head, files_of, head_from
from .key import AuditKey
from .trail import is_torn

# Places that are named; beyond them only their number is.
MOST_FAULTS = 20

State = Literal["whole", "interrupted", "broken"]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What ``verify_trail`` found.

    Parameters
    ----------
    state : {"whole", "interrupted", "broken"}
        ``interrupted``: a process was killed while it wrote its last group, and no
        answer that left is touched. ``broken``: lines are not as they were written.
    n_lines, n_answers : int
        Lines, and those that are answers and as they were written.
    first, last : str or None
        Time of the first and the last line.
    mac : str
        HMAC of the last line.
    faults : tuple of Note
        At most ``MOST_FAULTS`` places that are not as they were written.
    n_faults : int
        All of them.
    notes : tuple of Note
        What else a reader should know.
    """

    state: State
    n_lines: int
    n_answers: int
    first: str | None
    last: str | None
    mac: str
    faults: tuple[Note, ...]
    n_faults: int
    notes: tuple[Note, ...]

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, sentences in a language."""
        return {
            **vars(self),
            "faults": [note.to_dict(lang) for note in self.faults],
            "notes": [note.to_dict(lang) for note in self.notes],
        }


def verify_trail(
    folder: Path, key: AuditKey, *, earlier: Path | None = None
) -> Judgement:
    """Check every line of a trail, and that none is missing at its end.

    A trail that a server is writing to can be checked too.

    Parameters
    ----------
    folder : Path
    key : AuditKey
        The key that it was written with.
    earlier : Path, optional
        A copy of its ``head.json`` that was kept elsewhere: the trail must continue it.

    Raises
    ------
    ResponderModelError
        For a folder that holds no trail, or a copy that is no head.
    """
    snapshot = _take(folder)
    kept = None if earlier is None else _kept_head(earlier, key)
    head = None if snapshot.head is None else head_from(snapshot.head, key)
    marks = {row.count: row.last for row in (head, kept) if row is not None}
    seen = _Seen(key=key, marks=marks)
    for number, (path, size) in snapshot.files.items():
        seen.start_file(number, path.name)
        with path.open("rb") as file:
            for line in _lines(file, size):
                seen.take(line)
    return _judge(seen, snapshot, head, kept)


@dataclass(frozen=True, kw_only=True)
class _Snapshot:
    """A trail between two groups: its head, and its files with their sizes."""

    head: bytes | None
    files: Mapping[int, tuple[Path, int]]


def _take(folder: Path) -> _Snapshot:
    if not folder.is_dir():
        raise ResponderModelError(Note("audit.no_trail", name=folder.name))
    with _undisturbed(folder):
        path = folder / HEAD
        head = path.read_bytes() if path.exists() else None
        files = {n: (path, path.stat().st_size) for n, path in files_of(folder)}
    if head is None and not files:
        raise ResponderModelError(Note("audit.no_trail", name=folder.name))
    return _Snapshot(head=head, files=files)


@contextmanager
def _undisturbed(folder: Path) -> Iterator[None]:
    """Let nobody write, where the folder is not a copy without a lock."""
    try:
        import fcntl

        place = os.open(folder / LOCK, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        fcntl.flock(place, fcntl.LOCK_SH)
        yield
    finally:
        os.close(place)


def _kept_head(path: Path, key: AuditKey) -> Head:
    head = head_from(path.read_bytes(), key)
    if head is None:
        raise ResponderModelError(Note("audit.no_head", name=path.name))
    return head


def _lines(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Lines of the first bytes of a file, each with its end, if it has one."""
    while size > 0 and (line := file.readline(size)):
        size -= len(line)
        yield line


@dataclass(kw_only=True)
class _Seen:
    """What was seen so far.

    ``marks`` holds HMACs by the number of the line that must have them.
    """

    key: AuditKey
    marks: Mapping[int, str]
    n_lines: int = 0
    n_true: int = 0
    n_answers: int = 0
    mac: str = NO_MAC
    times: list[str] = field(default_factory=list)
    met: dict[int, str] = field(default_factory=lambda: {0: NO_MAC})
    faults: list[Note] = field(default_factory=list)
    n_faults: int = 0
    highest: int = 0
    interruptions: int = 0
    backwards: int = 0
    torn: bytes = b""
    file: str = ""
    in_file: int = 0
    n_files: int = 0

    def start_file(self, number: int, name: str) -> None:
        """Begin the next file."""
        self.n_files += 1
        if self.torn:
            self.fault_here("malformed")
            self.torn = b""
        if number != self.n_files:
            self.fault(Note("audit.file_missing", name=name))
            self.n_files = number
        self.file, self.in_file = name, 0

    def fault(self, said: Note) -> None:
        """Note what is wrong."""
        self.n_faults += 1
        if self.n_faults <= MOST_FAULTS:
            self.faults.append(said)

    def fault_here(self, code: str, **values: Any) -> None:
        """Note what is wrong with the present line."""
        self.fault(Note(f"audit.{code}", file=self.file, line=self.in_file, **values))

    def take(self, line: bytes) -> None:
        """Look at the next line."""
        self.in_file += 1
        if not line.endswith(b"\n"):
            self.torn = line
            return
        self.n_lines += 1
        mac = follows(self.key, self.mac, line[:-1])
        if mac is None:
            self._take_false(line[:-1])
        else:
            self._take_true(mac, read_line(line))
        self.highest = max(self.highest, self.n_lines)

    def _take_true(self, mac: str, told: dict[str, Any]) -> None:
        self.mac, self.n_true, self.n_lines = mac, self.n_true + 1, told["n"]
        if self.n_lines in self.marks:
            self.met[self.n_lines] = mac
        if "event" in told:
            self.interruptions += 1
        else:
            self.n_answers += 1
        time = told["time"]
        self.backwards += bool(self.times) and time < self.times[-1]
        self.times[1:] = [time]

    def _take_false(self, line: bytes) -> None:
        """Say how a line is wrong, and go on from it as if it were right."""
        parts, said = split_line(line), read_line(line).get("n")
        if parts is None:
            self.fault_here("malformed")
            return
        if said == self.n_lines:
            self.fault_here("changed")
        elif isinstance(said, int) and 0 < said < 10**15:
            self.fault_here("out_of_place", said=said, due=self.n_lines)
            self.n_lines = said
        else:
            self.fault_here("malformed")
        self.mac = parts[1]


def _judge(
    seen: _Seen, snapshot: _Snapshot, head: Head | None, kept: Head | None
) -> Judgement:
    for fault in _end_faults(seen, snapshot, head):
        seen.fault(fault)
    if kept is not None and seen.met.get(kept.count) != kept.last:
        seen.fault(Note("audit.not_continued", count=kept.count))
    if head is None and not seen.n_true and (snapshot.head or seen.n_lines):
        seen.faults = [Note("audit.other_key")]
    is_broken = bool(seen.faults)
    behind = 0 if head is None or is_broken else seen.n_lines - head.count
    state: State = "interrupted" if behind > 0 or seen.torn else "whole"
    return Judgement(
        state="broken" if is_broken else state,
        n_lines=seen.highest,
        n_answers=seen.n_answers,
        first=seen.times[0] if seen.times else None,
        last=seen.times[-1] if seen.times else None,
        mac=seen.mac,
        faults=tuple(seen.faults),
        n_faults=seen.n_faults,
        notes=tuple(_notes(seen, behind)),
    )


def _end_faults(seen: _Seen, snapshot: _Snapshot, head: Head | None) -> Iterator[Note]:
    """What is wrong with the head, and with the end of the last file."""
    if seen.torn and not is_torn(seen.torn, seen.n_lines + 1):
        yield Note("audit.malformed", file=seen.file, line=seen.in_file)
    if head is None:
        code = "head_missing" if snapshot.head is None else "head_not_ours"
        yield Note(f"audit.{code}")
        return
    if head.count and head.file not in snapshot.files:
        yield Note("audit.last_file_missing")
    if head.count > seen.highest:
        yield Note("audit.cut_off", n=head.count - seen.highest, count=head.count)
    elif seen.met.get(head.count) != head.last and not seen.faults:
        yield Note("audit.head_differs", count=head.count)


def _notes(seen: _Seen, behind: int) -> Iterator[Note]:
    if behind > 0:
        yield Note("audit.behind", n=behind)
    if seen.torn:
        yield Note("audit.torn", n=len(seen.torn))
    if seen.interruptions:
        yield Note("audit.interruptions", n=seen.interruptions)
    if seen.backwards:
        yield Note("audit.clock", n=seen.backwards)
