"""What may be written over: an earlier output of the same command, and only untouched.

Whatever writes for a user asks ``check_outputs`` before its work and ``drafted`` when
it writes. A file cannot be trusted to say what became of it since: a spreadsheet keeps
the properties of a sheet that somebody filled in, and CSV has no room to say anything.
So a hidden record beside the outputs, ``.responder_model.json``, holds for each of them
the command, the model it was for and the SHA-256 of its bytes. One that is not on
record, has other bytes or was for another model is left alone. A record that is lost
costs a word, ``--overwrite``; it never costs a file.

Nothing but a model is ever written into a model folder, at any depth, nor over what the
same command reads; no option changes that.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from responder_model.errors import ResponderModelError

RECORD = ".responder_model.json"
# Files by which a model folder is known.
OF_A_MODEL = ("manifest.json", "model.json")
# Digests kept of an output: a run may be killed before or after it replaces a file.
_KEPT_DIGESTS = 2
_STALE_SECONDS = 3600.0  # age of a draft whose process is gone for good
# Clashes that a message names.
_SHOWN = 10

TEXTS = {
    "clash": {
        "en": "{argument} must be new, or what {command} wrote for the same model and "
        "nobody changed; in the way: {found}. Choose another place, or replace "
        "it by --overwrite (in Python overwrite=True).",
        "fr": "{argument} doit être nouveau, ou ce que {command} a écrit pour le même "
        "modèle et que personne n'a changé ; déjà là : {found}. Choisir un autre "
        "endroit, ou remplacer par --overwrite (en Python overwrite=True).",
    },
    "foreign": {"en": "not on record", "fr": "d'origine inconnue"},
    "other": {"en": "of another model", "fr": "d'un autre modèle"},
    "changed": {"en": "changed since", "fr": "modifié depuis"},
    "model": {
        "en": "{argument} must lie outside every model folder, which holds a model and "
        "nothing else, got {name}. Choose another place.",
        "fr": "{argument} doit se trouver hors de tout dossier de modèle, qui contient "
        "un modèle et rien d'autre, reçu {name}. Choisir un autre endroit.",
    },
    "input": {
        "en": "{argument} must be another place than what is read, got {name}. Choose "
        "another name.",
        "fr": "{argument} doit être un autre endroit que ce qui est lu, reçu {name}. "
        "Choisir un autre nom.",
    },
    "twice": {
        "en": "{argument} must have a place of its own, got {name} twice. Choose "
        "another name.",
        "fr": "{argument} doit avoir un endroit à soi, reçu {name} deux fois. Choisir "
        "un autre nom.",
    },
    "folder": {
        "en": "{argument} must be a file, got the folder {name}. Choose another name.",
        "fr": "{argument} doit être un fichier, reçu le dossier {name}. Choisir un "
        "autre nom.",
    },
    "file": {
        "en": "{argument} must be a folder, got {name}, which is none. Choose another "
        "name.",
        "fr": "{argument} doit être un dossier, reçu {name}, qui n'en est pas un. "
        "Choisir un autre nom.",
    },
    "special": {
        "en": "{argument} must be an ordinary file, got {name}. Choose another name.",
        "fr": "{argument} doit être un fichier ordinaire, reçu {name}. Choisir un "
        "autre nom.",
    },
    "parent": {
        "en": "{argument} must lie in an existing directory, got {name}. Make it "
        "first.",
        "fr": "{argument} doit se trouver dans un dossier qui existe, reçu {name}. Le "
        "créer d'abord.",
    },
}


@dataclass(frozen=True, kw_only=True)
class Output:
    """A file or folder that a command is about to write.

    Parameters
    ----------
    path : Path
        Where; a link stands for what it leads to.
    command : str
        Who writes.
    model : str
        Identity of the model that it is for; empty where there is none.
    kind : {"file", "folder", "model"}
        One file, a folder of files with the record in it, or a model folder, which is
        replaced as a whole and whose record lies beside it.
    argument : str
        What the user calls it.
    """

    path: Path
    command: str
    model: str = ""
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


# ---------------------------------------------------------------- before the work


def check_outputs(
    *outputs: Output,
    inputs: Iterable[str | os.PathLike[str]] = (),
    overwrite: bool = False,
    lang: str = "en",
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
    lang : {"en", "fr"}
        Language of the message.

    Raises
    ------
    ResponderModelError
        With every clash in one line.
    """
    read = [Path(path) for path in inputs]
    said = []
    for k, output in enumerate(outputs):
        fault = _misplaced(output, read)
        if fault is None and output.place in [other.place for other in outputs[:k]]:
            fault = "twice", output.path
        if fault is not None:
            said.append(_say(fault[0], lang, output, name=_shown(fault[1])))
        elif not overwrite:
            said.append(_say_clash(output, _clashes(output), lang))
    if any(said):
        raise ResponderModelError(" ".join(filter(None, said)))


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
        raise ResponderModelError(_say("model", "en", output, name=_shown(path)))


def _misplaced(output: Output, inputs: list[Path]) -> tuple[str, Path] | None:
    """Why nothing may ever be written there, and what is shown of it."""
    place = output.place
    if _is_in_model(place.parent if output.kind == "model" else place):
        return "model", output.path
    if any(_is_same(place, path) for path in inputs):
        return "input", output.path
    if output.kind != "file":
        taken = [p for p in (place, *place.parents) if p.exists() and not p.is_dir()]
        return ("file", taken[0]) if taken else None
    if place.is_dir():
        return "folder", output.path
    if place.exists() and not place.is_file():
        return "special", output.path
    return None if place.parent.is_dir() else ("parent", output.path.parent)


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


def _clashes(output: Output) -> dict[str, str]:
    """Names that are in the way, with the reason."""
    if output.kind != "folder":
        name = output.place.name
        reason = _reason(output, name, _read_record(output.directory))
        return {} if reason is None else {name: reason}
    if not _holds_something(output.place):
        return {}
    record = _read_record(output.directory)
    own = [name for name, row in record.items() if row["command"] == output.command]
    if not own:
        return {output.path.name or str(output.path): "foreign"}
    reasons = {name: _reason(output, name, record) for name in own}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _reason(
    output: Output, name: str, record: Mapping[str, Mapping[str, Any]]
) -> str | None:
    """Why one name may not be written over; None when it may."""
    path = output.directory / name
    if not path.exists() or (path.is_dir() and not _holds_something(path)):
        return None
    row = record.get(name)
    if row is None or row["command"] != output.command:
        return "foreign"
    if row["model"] != output.model:
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


def _say(key: str, lang: str, output: Output, **parts: str) -> str:
    return TEXTS[key][lang].format(
        argument=output.argument, command=output.command, **parts
    )


def _say_clash(output: Output, clashes: Mapping[str, str], lang: str) -> str:
    """Sentence that names what is in the way; empty where nothing is."""
    if not clashes:
        return ""
    rows = [f"{_shown(n)} ({TEXTS[why][lang]})" for n, why in clashes.items()]
    more = [f"… + {len(rows) - _SHOWN}"] if len(rows) > _SHOWN else []
    return _say("clash", lang, output, found=", ".join([*rows[:_SHOWN], *more]))


# ---------------------------------------------------------------- writing


@contextmanager
def drafted(
    output: Output, *, overwrite: bool = False, lang: str = "en"
) -> Iterator[Path]:
    """Give a place to write to; what is whole there then takes its own place.

    Yields
    ------
    Path
        A file of the same name, or an empty folder for the files of a folder, on the
        same disk. Nothing of it is seen if the block raises.

    Raises
    ------
    ResponderModelError
        As ``check_outputs``; also for a file of the folder that is in the way.
    """
    check_outputs(output, overwrite=overwrite, lang=lang)
    directory, name = output.directory, output.place.name
    directory.mkdir(parents=True, exist_ok=True)
    sweep(directory, name)
    draft = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".partial", dir=directory))
    try:
        yield draft if output.kind == "folder" else draft / name
        files = {
            path.relative_to(draft).as_posix(): path
            for path in sorted(draft.rglob("*"))
            if path.is_file()
        }
        put_files(output, files, overwrite=overwrite, lang=lang)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def put_files(
    output: Output,
    drafts: Mapping[str, Path],
    *,
    overwrite: bool = False,
    lang: str = "en",
) -> None:
    """Put drafts on record under their names, then in place, each at once.

    Parameters
    ----------
    output : Output
        What they belong to.
    drafts : mapping
        Finished files of the same disk, by their names in the output's directory.
    overwrite, lang
        As for ``check_outputs``.

    Raises
    ------
    ResponderModelError
        For one whose name is taken by something else, or leads into a model folder;
        none is put in place then.
    """
    for name in drafts:
        check_outside_models(output.directory / name, argument=output.argument)
    if not overwrite:
        record = _read_record(output.directory)
        reasons = {name: _reason(output, name, record) for name in drafts}
        said = _say_clash(output, {n: r for n, r in reasons.items() if r}, lang)
        if said:
            raise ResponderModelError(said)
    put_on_record(output, {name: digest_of_path(p) for name, p in drafts.items()})
    for name, draft in drafts.items():
        place = output.directory / name
        place.parent.mkdir(parents=True, exist_ok=True)
        # who may read a file stays as it was
        if place.exists():
            shutil.copymode(place, draft)
        flush(draft)
        draft.replace(place)


def flush(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sweep(directory: Path, name: str) -> None:
    """Remove drafts of a name whose processes were killed long ago."""
    oldest = time.time() - _STALE_SECONDS
    for path in directory.glob(f".{glob.escape(name)}.*.partial"):
        try:
            if path.stat().st_mtime >= oldest:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
        except FileNotFoundError:
            continue


# ---------------------------------------------------------------- the record


def put_on_record(output: Output, digests: Mapping[str, str]) -> None:
    """Note who writes what, before it is written; names that are gone are forgotten.

    Parameters
    ----------
    output : Output
        What they belong to.
    digests : mapping
        ``digest_of_path`` of each, by its name in the output's directory.
    """
    directory = output.directory
    directory.mkdir(parents=True, exist_ok=True)
    old = _read_record(directory)
    record = {name: row for name, row in old.items() if (directory / name).exists()}
    for name, digest in digests.items():
        earlier = [d for d in old.get(name, {}).get("sha256", ()) if d != digest]
        record[name] = {
            "command": output.command,
            "model": output.model,
            "sha256": [*earlier, digest][-_KEPT_DIGESTS:],
        }
    text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
    draft = directory / f"{RECORD}.{os.getpid()}.partial"
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(directory / RECORD)


def _read_record(directory: Path) -> dict[str, dict[str, Any]]:
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
