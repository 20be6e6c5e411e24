"""A folder of files, written all at once and read without following anything.

Writing goes to a hidden sibling (``.NAME.….partial``), is flushed to the disk, and
takes the folder's place in one step: a rename when there is none yet, an exchange of
the two names (``renameat2`` with ``RENAME_EXCHANGE``, Linux) when there is one. Whoever
is killed leaves the old folder or the new one. Where the system cannot exchange names,
the old folder steps aside to ``.NAME.previous`` first; if the process dies between the
two renames, reading takes the previous folder and the next writing restores it. Hidden
siblings older than an hour are swept up by the next writing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from responder_model import errors, outputs
from responder_model.words import Note

MANIFEST = outputs.OF_A_MODEL[0]
SIGNATURE = "signature.json"
# Largest size of each file that a folder may hold, bytes: some 20 times what any model
# needs, whatever its cohort, because reading takes 30 times as much memory.
MAX_BYTES = {
    "model.json": 8 * 2**20,
    "trees.json": 2**20,
    "dictionary.toml": 2**20,
    "evidence.json": 2**20,
    "performance.json": 2**20,
    "MODEL_CARD.md": 2**20,
    MANIFEST: 2**16,
    SIGNATURE: 2**12,
}
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_ATTEMPTS = 5
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_USES_DIRECTORY_FD = os.open in os.supports_dir_fd and os.listdir in os.supports_fd


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write a folder that holds these files and nothing else, or nothing at all.

    Raises
    ------
    ResponderModelError
        When the folder exists and holds anything but the files of a model, lies in
        another model's folder, and when the system does not let it be written.
    """
    try:
        _write_folder(files, folder.resolve())
    # ValueError: a name that no file can have
    except (OSError, ValueError) as error:
        reason = errors.system_reason(error)
        said = Note("artifact.not_writable", reason=reason)
        raise errors.ResponderModelError(said) from error


def _write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    outputs.check_outside_models(folder.parent, argument="folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    _restore(folder)
    check_replaceable(folder)
    outputs.sweep(folder.parent, folder.name)
    new = Path(
        tempfile.mkdtemp(
            prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent
        )
    )
    try:
        new.chmod(0o755)
        for name, data in files.items():
            _write_file(new / name, data)
        _flush(new)
        put_in_place(new, folder)
        _flush(folder.parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def check_replaceable(folder: Path) -> None:
    """Refuse a folder that a model may not replace.

    Raises
    ------
    ResponderModelError
        For one that exists and holds anything but the files of a model.
    """
    if not folder.exists():
        return
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {""}
    # the record of outputs that are gone
    names -= {outputs.RECORD} if names == {outputs.RECORD} else set()
    # what stands there is deleted: it must be a model folder and nothing more
    if names and not set(outputs.OF_A_MODEL) <= names <= set(MAX_BYTES):
        raise errors.ResponderModelError(Note("artifact.other_files"))


def _write_file(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Flush a directory's entries to the disk where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(new: Path, folder: Path) -> None:
    """Give ``new`` the folder's name; what stood there takes the name of ``new``."""
    if not folder.exists():
        try:
            new.rename(folder)
        except OSError:
            # another process wrote it in the meantime
            if not folder.exists():
                raise
        else:
            return
    if not exchange(new, folder):
        replace_in_two_steps(new, folder)


def exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step; False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = os.fsencode(first), os.fsencode(second)
    done = rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    if done == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(code, os.strerror(code), str(second))


def replace_in_two_steps(new: Path, folder: Path) -> None:
    """Replace where names cannot be swapped; see the module's notes."""
    previous = _previous(folder)
    folder.rename(previous)
    new.rename(folder)
    shutil.rmtree(previous, ignore_errors=True)


def _previous(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.previous"


def _restore(folder: Path) -> None:
    """Finish what a process that was killed between two renames left open."""
    previous = _previous(folder)
    if previous.is_dir() and not folder.exists():
        previous.rename(folder)
    elif previous.is_dir():
        shutil.rmtree(previous, ignore_errors=True)


def read_folder(folder: Path) -> dict[str, bytes]:
    """Read every file of a model folder, once, into memory.

    Raises
    ------
    UntrustedModelError
        For an absent folder, an unknown or oversized file, a link, a device or a
        sub-folder.
    """
    try:
        folder = folder.absolute()
        if not folder.is_dir() and _previous(folder).is_dir():
            folder = _previous(folder)
        for _ in range(_ATTEMPTS):
            files = _read_once(folder)
            if files is not None:
                return files
    # ValueError: a name that no file can have
    except (OSError, ValueError):
        raise errors.UntrustedModelError(Note("artifact.no_folder")) from None
    raise errors.UntrustedModelError(Note("artifact.replaced"))


def _read_once(folder: Path) -> dict[str, bytes] | None:
    """Files of the folder, or None when it was replaced while being read."""
    # O_NONBLOCK: a named pipe would keep its reader waiting
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(folder, flags) if _USES_DIRECTORY_FD else None
    try:
        before = os.fstat(descriptor) if descriptor is not None else folder.stat()
        try:
            files = _read_files(folder, descriptor)
        except (errors.UntrustedModelError, OSError):
            if _is_same(folder, before):
                raise
            return None
        # a folder that was replaced meanwhile may have been half deleted
        return files if _is_same(folder, before) else None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _is_same(folder: Path, before: os.stat_result) -> bool:
    try:
        now = folder.stat()
    except OSError:
        return False
    return (now.st_dev, now.st_ino) == (before.st_dev, before.st_ino)


def _read_files(folder: Path, descriptor: int | None) -> dict[str, bytes]:
    try:
        # pathlib cannot list an open directory
        names = sorted(os.listdir(folder if descriptor is None else descriptor))  # noqa: PTH208
    except NotADirectoryError:
        raise errors.UntrustedModelError(Note("artifact.a_file")) from None
    for name in names:
        if name not in MAX_BYTES:
            raise errors.UntrustedModelError(
                Note("artifact.foreign", name=repr(name[:60]))
            )
    return {name: _read_file(folder, name, descriptor) for name in names}


def _read_file(folder: Path, name: str, descriptor: int | None) -> bytes:
    try:
        if descriptor is None:
            file = os.open(folder / name, os.O_RDONLY | _NO_FOLLOW)
        else:
            file = os.open(name, os.O_RDONLY | _NO_FOLLOW, dir_fd=descriptor)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise
        raise errors.UntrustedModelError(Note("artifact.link", name=name)) from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise errors.UntrustedModelError(Note("artifact.no_file", name=name))
    with os.fdopen(file, "rb") as stream:
        data = stream.read(MAX_BYTES[name] + 1)
    if len(data) > MAX_BYTES[name]:
        said = Note("artifact.too_long", name=name, most=MAX_BYTES[name])
        raise errors.UntrustedModelError(said)
    return data
