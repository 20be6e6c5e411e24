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

from .checking import OF_A_MODEL, check_ending, check_outputs, check_outside_models
from .private import read_private
from .record import RECORD, Output, digest_of_files, digest_of_path, on_record
from .writing import drafted, flush, put_files, sweep

__all__ = [
    "OF_A_MODEL",
    "RECORD",
    "Output",
    "check_ending",
    "check_outputs",
    "check_outside_models",
    "digest_of_files",
    "digest_of_path",
    "drafted",
    "flush",
    "on_record",
    "put_files",
    "read_private",
    "sweep",
]
