"""What may be written, and why not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from responder_model.errors import ResponderModelError, got
from responder_model.words import Note
from .record import Output, digest_of_path, read_record

# Files by which a model folder is known.
OF_A_MODEL = ("manifest.json", "model.json")
# What a folder's name never ends in: somebody meant one file.
_OF_A_FILE = frozenset(
    f".{ending}"
    for ending in (
        *("csv", "doc", "docx", "htm", "html", "json", "md", "ods", "odt", "parquet"),
        *("pdf", "png", "toml", "txt", "xls", "xlsx"),
    )
)
# Clashes that a message names.
_SHOWN = 10


def check_outputs(
    *outputs: Output,
    inputs: Iterable[str | os.PathLike[str]] = (),
    overwrite: bool = False,
) -> None:
    """Refuse to write over anything but an untouched earlier output.

    Parameters
    ----------
    *outputs : Output
        All that the command writes.
    inputs : iterable of path-like
        All that it reads: never written over.
    overwrite : bool
        Whether other files may be replaced.

    Raises
    ------
    ResponderModelError
        With every clash in one line.
    """
    read = [Path(path) for path in inputs]
    said: list[Note] = []
    for k, output in enumerate(outputs):
        fault = _misplaced(output, read)
        if fault is None and output.place in [other.place for other in outputs[:k]]:
            fault = "twice", output.path
        if fault is not None:
            said.append(_said(fault[0], output, name=_shown(fault[1])))
        elif not overwrite:
            said += clashes_said(output, clashes_of(output))
    if said:
        raise ResponderModelError(Note("refusal.several", said=tuple(said)))


def check_ending(
    path: str | os.PathLike[str], endings: Iterable[str], *, argument: str = "out"
) -> None:
    """Refuse a file whose name ends as no kind of file that is written there.

    Raises
    ------
    ResponderModelError
        With the endings that there are.
    """
    allowed = tuple(endings)
    if Path(path).suffix.lower() not in allowed:
        named = {"argument": argument, "got": got(Path(path).name)}
        raise ResponderModelError(Note("outputs.ending", allowed=allowed, **named))


def check_outside_models(
    path: str | os.PathLike[str], *, argument: str = "path"
) -> None:
    """Refuse a place in a model folder, which would no longer be one.

    Raises
    ------
    ResponderModelError
        For a place at any depth of one.
    """
    output = Output(path=Path(path), command="", argument=argument)
    if _is_in_model(output.place):
        raise ResponderModelError(_said("model", output, name=_shown(path)))


def _misplaced(output: Output, inputs: list[Path]) -> tuple[str, Path] | None:
    """Why nothing may ever be written there, and what is shown of it."""
    place = output.place
    if _is_in_model(place.parent if output.kind == "model" else place):
        return "model", output.path
    if any(_is_same(place, path) for path in inputs):
        return "input", output.path
    if output.kind != "file":
        taken = [p for p in (place, *place.parents) if p.exists() and not p.is_dir()]
        return (
            ("file", taken[0]) if taken else _closed(output.directory) or _odd(output)
        )
    if place.is_dir():
        return "folder", output.path
    if place.exists() and not place.is_file():
        return "special", output.path
    if not place.parent.is_dir():
        return "parent", output.path.parent
    return _closed(output.directory)


def _odd(output: Output) -> tuple[str, Path] | None:
    """A new folder that is named as a file: somebody expects one."""
    is_named = output.place.suffix.lower() in _OF_A_FILE
    new = not output.place.exists()
    return ("named_as_a_file", output.path) if is_named and new else None


def _closed(directory: Path) -> tuple[str, Path] | None:
    """The folder in which nothing may be made, where there is one."""
    there = next(path for path in (directory, *directory.parents) if path.exists())
    return None if os.access(there, os.W_OK | os.X_OK) else ("closed", there)


def _is_in_model(place: Path) -> bool:
    return any(
        all((folder / name).is_file() for name in OF_A_MODEL)
        for folder in (place, *place.parents)
    )


def _is_same(place: Path, path: Path) -> bool:
    try:
        return place.samefile(path)
    except OSError:
        return False


def clashes_of(output: Output) -> dict[str, str]:
    """Names that are in the way, with the reason."""
    if output.kind != "folder":
        name = output.place.name
        reason = reason_of(output, name, read_record(output.directory))
        return {} if reason is None else {name: reason}
    if not _holds_something(output.place):
        return {}
    record = read_record(output.directory)
    own = [name for name, row in record.items() if row["command"] == output.command]
    if not own:
        return {output.path.name or str(output.path): "foreign"}
    reasons = {name: reason_of(output, name, record) for name in own}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def reason_of(
    output: Output, name: str, record: Mapping[str, Mapping[str, Any]]
) -> str | None:
    """Why one name may not be written over; None when it may."""
    path = output.directory / name
    if not path.exists() or (path.is_dir() and not _holds_something(path)):
        return None
    row = record.get(name)
    if row is None or row["command"] != output.command:
        return "foreign"
    if output.model is not None and row["model"] != output.model:
        return "other"
    return None if digest_of_path(path) in row["sha256"] else "changed"


def _holds_something(folder: Path) -> bool:
    """Whether a folder holds more than what is hidden: the record, drafts."""
    try:
        return any(not path.name.startswith(".") for path in folder.iterdir())
    except FileNotFoundError:
        return False


def _shown(name: object) -> str:
    # loads numpy, which --help does without
    from responder_model.vocabulary import show

    return show(name)


def _said(key: str, output: Output, **parts: Any) -> Note:
    return Note(f"outputs.{key}", argument=output.argument, **parts)


def clashes_said(output: Output, clashes: Mapping[str, str]) -> list[Note]:
    """What is in the way, in one sentence, where anything is."""
    if not clashes:
        return []
    rows: list[Note | str] = [
        Note("outputs.place", name=_shown(name), why=Note(f"outputs.{why}"))
        for name, why in clashes.items()
    ]
    more = [f"… + {len(rows) - _SHOWN}"] if len(rows) > _SHOWN else []
    found = (*rows[:_SHOWN], *more)
    return [_said("clash", output, command=output.command, found=found)]
