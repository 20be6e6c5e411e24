"""The folder that a job on Dask or Spark writes: new, or an earlier job's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from responder_model.artifact.folder import put_in_place
from responder_model.errors import ResponderModelError
from responder_model.outputs import check_outside_models
from responder_model.vocabulary import show
from responder_model.words import Note

# Files that such a job leaves.
_OF_A_JOB = re.compile(
    r"part[.-].*\.parquet|_SUCCESS|_(?:common_)?metadata|\.(?:.*\.crc|DS_Store)"
)


def check_job(source: str, out: str, *, overwrite: bool) -> None:
    """Refuse to read nothing, and a folder that holds what a job would delete.

    Parameters
    ----------
    source, out : str
        As the job names them.
    overwrite : bool
        Whether the scores of an earlier job may be replaced, and nothing but these.

    Raises
    ------
    ResponderModelError
        For a source on this machine that is not there, and a folder that is there,
        holds what is read, or lies in a model folder.
    """
    place, read = _local(out), _local(source)
    # a list in braces is a pattern of Hadoop's alone
    if read is not None and "{" not in source and not _found(read):
        reason = Note("system.ENOENT")
        raise ResponderModelError(
            Note("scoring.no_source", source=show(source), reason=reason)
        )
    if place is None:
        if not overwrite and _exists_elsewhere(out):
            raise ResponderModelError(_taken(out))
        return
    check_outside_models(place, argument="out")
    if read is not None and place in (read, *read.parents):
        raise ResponderModelError(Note("scoring.what_is_read", got=show(out)))
    if not place.exists():
        return
    names = [path.name for path in place.iterdir()] if place.is_dir() else [""]
    others = [name for name in names if not _OF_A_JOB.fullmatch(name)]
    if others:
        raise ResponderModelError(Note("scoring.other_files", got=show(out)))
    if names and not overwrite:
        raise ResponderModelError(_taken(out))


def _found(read: Path) -> bool:
    """Whether a place is there, or one of its pattern."""
    pattern = str(read.relative_to(read.anchor))
    return read.exists() or any(Path(read.anchor).glob(pattern))


def _taken(out: str) -> Note:
    return Note("scoring.taken", got=show(out))


def _local(name: str) -> Path | None:
    """Place on this machine's disks, links followed; None for one elsewhere."""
    name = name.removeprefix("file://")
    return None if "://" in name else Path(os.path.realpath(name))


def _exists_elsewhere(out: str) -> bool:
    """Whether Dask would write into what is there; Spark asks by itself."""
    try:
        import fsspec
    except ImportError:
        return False
    try:
        disk, path = fsspec.core.url_to_fs(out)
        return bool(disk.exists(path))
    # a kind of address that only Spark knows, or a library that is not there
    except (ImportError, ValueError, OSError):
        return False


@contextmanager
def drafted_folder(out: str) -> Iterator[str]:
    """Give a job a place to write; a whole folder of scores then takes its name."""
    place = _local(out)
    if place is None:
        yield out
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{os.getpid()}.partial")
    try:
        yield str(draft)
        put_in_place(draft, place)
    finally:
        rmtree(draft, ignore_errors=True)
