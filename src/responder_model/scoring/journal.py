"""What is done so far, in a folder beside the result: a killed run goes on from it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from responder_model.artifact import model_files
from responder_model.errors import ResponderModelError
from responder_model.model import Model
from responder_model.outputs import flush
from responder_model.words import Note
from .parts import KEPT, ScoredPart, read_part, write_part

_JOURNAL, _LOCK, _SUFFIX = "journal.json", "lock", ".arrow"


@dataclass(frozen=True, kw_only=True)
class Journal:
    """A folder of scored parts.

    Parameters
    ----------
    folder : Path
        Where the parts stand; hidden, beside the result.
    done : frozenset of int
        Parts that an earlier run left.
    """

    folder: Path
    done: frozenset[int]

    def paths(self) -> list[Path]:
        """Files of the parts, in order."""
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def save_part(part: ScoredPart, folder: Path, index: int) -> None:
    """Write a part under its name only when it is whole and on the disk."""
    partial = folder / f"{index:09d}.partial"
    write_part(part, partial)
    flush(partial)
    partial.replace(folder / f"{index:09d}{_SUFFIX}")


@contextmanager
def open_journal(
    out: Path, model: Model, identity: dict[str, Any]
) -> Iterator[Journal]:
    """Open the folder of parts of a result, alone.

    Parameters
    ----------
    out : Path
        The result.
    model : Model
        What scores.
    identity : dict
        What the parts depend on, besides the model; those of another are discarded.

    Raises
    ------
    ResponderModelError
        When another process is scoring into the same result.
    """
    folder = out.with_name(f".{out.name}.parts")
    folder.mkdir(exist_ok=True)
    manifest = hashlib.sha256(model_files(model)["manifest.json"]).hexdigest()
    text = json.dumps({**identity, "model": manifest}, indent=2, sort_keys=True)
    with _locked(folder / _LOCK, out):
        if not _is_of(folder, text):
            _clear(folder)
            _write(folder / _JOURNAL, text)
        yield Journal(folder=folder, done=frozenset(_done(folder)))


def _is_of(folder: Path, text: str) -> bool:
    journal = folder / _JOURNAL
    return journal.is_file() and journal.read_text(encoding="utf-8") == text


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    flush(partial)
    partial.replace(path)


def _done(folder: Path) -> Iterator[int]:
    """Parts that are whole; whatever else a killed run left is removed."""
    for path in folder.glob("*.partial"):
        path.unlink()
    for path in folder.glob(f"*{_SUFFIX}"):
        try:
            read_part(path, [KEPT])
        except (pa.ArrowException, OSError, ValueError, KeyError):
            path.unlink()
        else:
            yield int(path.stem)


@contextmanager
def _locked(path: Path, out: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows: no lock
        yield
        return
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = Note("scoring.being_written", name=out.name)
            raise ResponderModelError(said) from None
        except OSError:
            pass  # a disk of the network that knows no locks
        yield
