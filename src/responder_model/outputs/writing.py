"""Drafts, which take their place when they are whole."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from responder_model.errors import ResponderModelError
from .checking import check_outputs, check_outside_models, clashes_said, reason_of
from .record import Output, digest_of_path, on_record, read_record

_STALE_SECONDS = 3600.0  # age of a draft whose process is gone for good


@contextmanager
def drafted(output: Output, *, overwrite: bool = False) -> Iterator[Path]:
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
    check_outputs(output, overwrite=overwrite)
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
        put_files(output, files, overwrite=overwrite)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def put_files(
    output: Output,
    drafts: Mapping[str, Path],
    *,
    overwrite: bool = False,
) -> None:
    """Put drafts on record under their names, then in place, each at once.

    Parameters
    ----------
    output : Output
        What they belong to.
    drafts : mapping
        Finished files of the same disk, by their names in the output's directory.
    overwrite
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
        record = read_record(output.directory)
        reasons = {name: reason_of(output, name, record) for name in drafts}
        for said in clashes_said(output, {n: r for n, r in reasons.items() if r}):
            raise ResponderModelError(said)
    digests = {name: digest_of_path(path) for name, path in drafts.items()}
    with on_record(output, digests):
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
