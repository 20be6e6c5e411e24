"""Who wrote what: the record of a directory, and the outputs that it lists."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

RECORD = ".responder_model.json"
# Digests kept of an output: a run may be killed before or after it replaces a file.
_KEPT_DIGESTS = 2


@dataclass(frozen=True, kw_only=True)
class Output:
    """A file or folder that a command is about to write.

    Parameters
    ----------
    path : Path
        Where; a link stands for what it leads to.
    command : str
        Who writes.
    model : str or None
        Identity of the model that it is for; empty where there is none, None before the
        work that makes it.
    kind : {"file", "folder", "model"}
        One file, a folder of files with the record in it, or a model folder, which is
        replaced as a whole and whose record lies beside it.
    argument : str
        What the user calls it.
    """

    path: Path
    command: str
    model: str | None = ""
    kind: Literal["file", "folder", "model"] = "file"
    argument: str = "out"

    @property
    def place(self) -> Path:
        """Where it comes to lie, links followed."""
        return Path(os.path.realpath(self.path))

    @property
    def directory(self) -> Path:
        """Directory of the record and of the outputs on it."""
        return self.place if self.kind == "folder" else self.place.parent


@contextmanager
def on_record(output: Output, digests: Mapping[str, str]) -> Iterator[None]:
    """Note who writes what, before it is written; what fails is taken off again.

    Parameters
    ----------
    output : Output
        What they belong to.
    digests : mapping
        ``digest_of_path`` of each, by its name in the output's directory.
    """
    try:
        _note(output, digests)
        yield
    except BaseException:
        # on a full disk the names stay that were there before
        with suppress(OSError):
            _note(output, {})
        raise


def _note(output: Output, digests: Mapping[str, str]) -> None:
    """Add digests to the record; names that are gone are forgotten."""
    directory = output.directory
    directory.mkdir(parents=True, exist_ok=True)
    old = read_record(directory)
    record = {name: row for name, row in old.items() if (directory / name).exists()}
    for name, digest in digests.items():
        earlier = [d for d in old.get(name, {}).get("sha256", ()) if d != digest]
        record[name] = {
            "command": output.command,
            "model": output.model,
            "sha256": [*earlier, digest][-_KEPT_DIGESTS:],
        }
    if not record:
        (directory / RECORD).unlink(missing_ok=True)
        return
    text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
    draft = directory / f"{RECORD}.{os.getpid()}.partial"
    try:
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(directory / RECORD)
    finally:
        draft.unlink(missing_ok=True)


def read_record(directory: Path) -> dict[str, dict[str, Any]]:
    """Rows of a record; those that are not of its form are left out."""
    try:
        found = json.loads((directory / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    rows = found.items() if isinstance(found, dict) else ()
    return {name: row for name, row in rows if _is_row(row)}


def _is_row(row: object) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("command"), str)
        and isinstance(row.get("model"), str)
        and isinstance(row.get("sha256"), list)
    )


def digest_of_path(path: Path) -> str:
    """SHA-256 of a file's bytes, or of the names and bytes of all files of a folder."""
    if path.is_dir():
        files = [inner for inner in path.rglob("*") if inner.is_file()]
        return _of_folder(
            {f.relative_to(path).as_posix(): digest_of_path(f) for f in files}
        )
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_files(files: Mapping[str, bytes]) -> str:
    """``digest_of_path`` of a folder that will hold these files."""
    rows = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return _of_folder(rows)


def _of_folder(digests: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(digests.items())).encode()).hexdigest()
