"""Files of secrets, which their owner alone may read and write."""

from __future__ import annotations

from pathlib import Path

from responder_model.errors import ResponderModelError
from responder_model.words import Note

# What nobody but the owner of the file may do with it.
_OTHERS = 0o077


def read_private(path: Path, *, rule: str) -> bytes:
    """Read a file that nobody but its owner may read or write.

    Parameters
    ----------
    path : Path
    rule : str
        Code of the sentence for a file that others may use; it has the gap ``name``.

    Raises
    ------
    ResponderModelError
        For a file that cannot be read, or that others may use.
    """
    try:
        mode, data = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        reason = error.strerror
        said = Note("system.cannot_be_used", name=path.name, reason=reason)
        raise ResponderModelError(said) from error
    if mode & _OTHERS:
        raise ResponderModelError(Note(rule, name=path.name))
    return data
