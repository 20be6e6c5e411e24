"""Which letters the bytes of a text file stand for."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from responder_model.words import Note
from .table import unreadable

_SCANNED = 1 << 20
# How much a letter speaks for an encoding in which bytes above 127 stand for it.
_LETTERS = Counter(
    dict.fromkeys("ëâäîïôöùûüœæÉÈÀÊÇñáíóúßÄÖÜ°²³µ½’“”«»–—…€\xa0", 1)
    | dict.fromkeys("èàêç", 5)
    | {"é": 10}
)
# cp1252 is Latin-1 with the characters that Windows adds; the others are what Excel for
# Mac and programs of DOS write.
_OLD = ("cp1252", "mac_roman", "cp850")
_NAMES = {"mac_roman": "Mac Roman", "cp850": "letters of DOS (cp850)"}


@dataclass(frozen=True, kw_only=True)
class Letters:
    """Encoding of a text file, and how many bytes of a mark it begins with."""

    encoding: str
    n_mark: int = 0

    @property
    def notices(self) -> tuple[Note, ...]:
        """What is unusual in them."""
        name = _NAMES.get(self.encoding)
        return (Note("formats.old_letters", name=name),) if name else ()


def letters_of(path: Path) -> Letters:
    """Find the encoding that decodes the whole file: UTF-8 before older ones.

    Raises
    ------
    InvalidCohortError
        For bytes that are no text.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return Letters(encoding="utf-16")
    if encoding := _utf_16_without_mark(start):
        return Letters(encoding=encoding)
    if any(b"\0" in block for block in blocks(path)):
        raise unreadable(Note("formats.binary"))
    n_mark = len(BOM_UTF8) if start.startswith(BOM_UTF8) else 0
    if _decodes(path, "utf-8"):
        return Letters(encoding="utf-8", n_mark=n_mark)
    encoding = _old_encoding(path)
    if encoding == "cp1252" and not _decodes(path, encoding):
        encoding = "latin-1"
    return Letters(encoding=encoding, n_mark=n_mark)


def blocks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    with path.open("rb") as file:
        yield from iter(partial(file.read, _SCANNED), b"")


def _utf_16_without_mark(start: bytes) -> str | None:
    """Encoding of letters that are two bytes each, every second of them 0."""
    low, high = start[0::2], start[1::2]
    if len(start) < 8 or len(start) % 2 or max(low.count(0), high.count(0)) == 0:
        return None
    if low.count(0) == 0 and high.count(0) > 0.9 * len(high):
        return "utf-16-le"
    if high.count(0) == 0 and low.count(0) > 0.9 * len(low):
        return "utf-16-be"
    return None


def _decodes(path: Path, encoding: str) -> bool:
    decoder = getincrementaldecoder(encoding)()
    try:
        for block in blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _old_encoding(path: Path) -> str:
    """Return the encoding in which the bytes above 127 are the likeliest letters."""
    found: Counter[int] = Counter()
    for block in blocks(path):
        found.update(byte for byte in block if byte > 127)
        if found.total() > 10_000:
            break

    def weight(encoding: str) -> int:
        decoded = {b: bytes([b]).decode(encoding, errors="ignore") for b in found}
        return sum(n * _LETTERS[decoded[byte]] for byte, n in found.items())

    return max(_OLD, key=weight)


def check_letters(header: tuple[str, ...]) -> None:
    """Refuse headings whose letters an earlier program has spoilt."""
    text = " ".join(header)
    if "\N{REPLACEMENT CHARACTER}" in text:
        raise unreadable(Note("formats.letters_lost"), Note("formats.as_utf_8"))
    if any(wrong in text for wrong in ("Ã©", "Ã¨", "Ãª", "Ã‰", "Ã¢", "Ã´", "Å“")):
        raise unreadable(Note("formats.letters_twice"), Note("formats.as_utf_8"))
