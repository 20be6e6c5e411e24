"""Keyed fingerprints of patients: who was in a model's cohort, told to nobody else.

A fingerprint is an HMAC of a patient's recorded values under a secret key that stays in
the centre. Without the key it is a random number: it neither gives a value away nor
confirms a guess. With it, the centre finds out that a patient is already in a model.
Identifiers take no part: another list may use them again for others.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from responder_model.errors import ResponderModelError, system_reason
from responder_model.schema import dictionary
from responder_model.vocabulary import show
from responder_model.words import Note

if TYPE_CHECKING:
    import pandas as pd

# Folder of what must stay in the centre: the key, and what has left.
CENTRE_FOLDER = "RESPONDER_MODEL_CENTRE_FOLDER"
_KEY_FILE = "fingerprint.key"
# Hexadecimal digits of a centre's code.
_CODE_LENGTH = 8
_KEY_BYTES = 32
# Hexadecimal digits kept: 64 bits, no chance hit among millions.
_DIGITS = 16
# Recorded values that tell patients apart.
ENOUGH_VALUES = 6
# Known at screening, and other values in the export of the next year.
_CHANGING = ("age", "pain_duration")


@dataclass(frozen=True, kw_only=True)
class Fingerprints:
    """Fingerprints of the patients behind a model.

    Parameters
    ----------
    key : str
        Which key made them (its own fingerprint).
    patients : tuple of str
        One a patient, sorted, so that no order of rows remains.
    values : str
        Of everything that is recorded of them: the same patients with another value
        have another one.
    """

    key: str
    patients: tuple[str, ...]
    values: str

    def __add__(self, other: Fingerprints) -> Fingerprints:
        """Fingerprints of two cohorts under one key."""
        return Fingerprints(
            key=self.key,
            patients=tuple(sorted((*self.patients, *other.patients))),
            values=keyed_digest(f"{other.values} {self.values}") or "",
        )


def fingerprints_of(cohort: pd.DataFrame) -> Fingerprints | None:
    """Fingerprints of the patients of a checked cohort; None where no key can be kept.

    Values are those known at screening but age and duration, which differ in the next
    export; where fewer than six are recorded, all others too. A corrected outcome, or a
    later column that was added, leaves a patient the same.
    """
    try:
        key = centre_key()
    except ResponderModelError:
        return None
    whole = _columns(cohort, sorted(dictionary().fields))
    rows = sorted(";".join(_recorded(whole, row)) for row in range(len(cohort)))
    return Fingerprints(
        key=_name_of(key),
        patients=tuple(sorted(_patients(cohort, key))),
        values=_digest(key, "\n".join(["values", *rows])),
    )


def already_in(
    known: Fingerprints | None, cohort: pd.DataFrame
) -> NDArray[np.bool_] | None:
    """Who of a checked cohort is among known patients, (n,); None: cannot be told.

    Of patients who are alike in every value, as many are known as there were.
    """
    if known is None:
        return None
    try:
        key = centre_key()
    except ResponderModelError:
        return None
    if _name_of(key) != known.key:
        return None
    left = Counter(known.patients)
    found = []
    for patient in _patients(cohort, key):
        found.append(left[patient] > 0)
        left[patient] -= 1
    return np.array(found, dtype=bool)


def keyed_digest(text: str) -> str | None:
    """What tells a text of this centre's again, and nothing to anybody else.

    None where no key can be kept.
    """
    try:
        return _digest(centre_key(), text)
    except ResponderModelError:
        return None


def known_key() -> str | None:
    """Which key this centre's fingerprints have; None where no key can be kept."""
    try:
        return _name_of(centre_key())
    except ResponderModelError:
        return None


def code_of(name: str) -> str:
    """Code by which this centre, and nobody else, knows the name of a centre again.

    Raises
    ------
    ResponderModelError
        Where no key can be kept.
    """
    return _digest(centre_key(), f"centre: {name}")[:_CODE_LENGTH]


def centre_key() -> bytes:
    """Secret key of this centre; made when there is none.

    Raises
    ------
    ResponderModelError
        Where it can be neither read nor written.
    """
    path = centre_folder() / _KEY_FILE
    try:
        if not path.exists():
            _write_new(path, secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        said = Note(
            "disclosure.key_place",
            path=show(path),
            reason=system_reason(error),
            setting=CENTRE_FOLDER,
        )
        raise ResponderModelError(said) from None
    if len(key) != _KEY_BYTES:
        said = Note(
            "disclosure.key_length", path=show(path), n=_KEY_BYTES, got=len(key)
        )
        raise ResponderModelError(said)
    return key


def centre_folder() -> Path:
    """Folder of what must stay in the centre: of this user, or as the setting says."""
    named = os.environ.get(CENTRE_FOLDER)
    if named:
        return Path(named)
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "responder_model"


def _write_new(path: Path, data: bytes) -> None:
    """Write a file whole and for this user only; who comes second keeps the first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()


def _name_of(key: bytes) -> str:
    return _digest(key, "name of the key")


def _digest(key: bytes, text: str) -> str:
    found = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return found[:_DIGITS]


def _patients(cohort: pd.DataFrame, key: bytes) -> Iterator[str]:
    stable, others = (_columns(cohort, names) for names in _compared())
    for row in range(len(cohort)):
        values = _recorded(stable, row)
        if len(values) < ENOUGH_VALUES:
            values += _recorded(others, row)
        yield _digest(key, ";".join(["patient", *values]))


def _compared() -> tuple[list[str], list[str]]:
    """Fields that stay as they were at screening, and the others; none is derived."""
    words = dictionary()
    first = words.moments[0].name
    own = [
        row
        for row in words.fields.values()
        if row.role in ("predictor", "outcome") and row.derived_from is None
    ]
    stable = {
        row.name
        for row in own
        if row.role == "predictor"
        and words.is_known(row.name, first)
        and row.name not in _CHANGING
    }
    return sorted(stable), sorted({row.name for row in own} - stable)


def _columns(cohort: pd.DataFrame, names: list[str]) -> dict[str, list[Any]]:
    return {
        name: cohort[name].astype(object).tolist() for name in names if name in cohort
    }


def _recorded(columns: dict[str, list[Any]], row: int) -> list[str]:
    """Recorded values in words that do not depend on types or order of columns."""
    return [
        f"{name}={_word(values[row])}"
        for name, values in columns.items()
        if not _is_missing(values[row])
    ]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else f"{float(value):.9g}"


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value
