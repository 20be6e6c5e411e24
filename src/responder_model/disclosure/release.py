"""What has left a centre, so that no models outside tell of a few patients together.

Sums over n and over n + 1 patients differ by one patient, whatever each of them
follows. So a model leaves only beside models of the same line of updates, of the same
patients, or of others altogether. The list stays in the centre, beside the key.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from responder_model.errors import DisclosureError
from responder_model.vocabulary import show
from responder_model.words import Note
from .fingerprints import Fingerprints, centre_folder
from .record import Disclosure

_LEDGER = "released.jsonl"


@dataclass(frozen=True, kw_only=True)
class Released:
    """A model on the list of those that have left.

    Parameters
    ----------
    decision, digest : str
        Of the model.
    key, values : str
        Of its fingerprints.
    patients : tuple of str
        Fingerprints of its patients.
    learned : tuple of str
        Columns that were learned from them.
    k : int
        Fewest patients of a cell.
    ancestors : tuple of str
        Digests of the models that it was updated from.
    """

    decision: str
    digest: str
    key: str
    values: str
    patients: tuple[str, ...]
    learned: tuple[str, ...]
    k: int
    ancestors: tuple[str, ...]


def release(
    *,
    decision: str,
    digest: str,
    columns: tuple[str, ...],
    disclosure: Disclosure | None,
    fingerprints: Fingerprints | None,
) -> None:
    """Let a model leave its centre, and remember that it did.

    Parameters
    ----------
    decision, digest : str
        Of the model.
    columns : tuple of str
        Base columns of the model.
    disclosure : Disclosure or None
        None: no patient stands behind it.
    fingerprints : Fingerprints or None
        Of its patients.

    Raises
    ------
    DisclosureError
        For a model that must stay, alone or beside one that has left.
    """
    if disclosure is None:
        return
    _check_alone(disclosure)
    if fingerprints is None:
        raise DisclosureError(Note("disclosure.no_fingerprints"))
    row = Released(
        decision=decision,
        digest=digest,
        **asdict(fingerprints),
        learned=tuple(sorted(set(columns) - set(disclosure.contrasts_left_out))),
        k=disclosure.k,
        ancestors=disclosure.ancestors,
    )
    with _locked(centre_folder() / _LEDGER) as ledger:
        rows = list(_read(ledger))
        if digest in [one.digest for one in rows]:
            return
        behind = [one for one in rows if one.digest in row.ancestors]
        # the newest is the one that can still be updated
        for one in reversed(rows):
            if not _adds_others(one, row, behind):
                _check_pair(one, row)
        _append(ledger, row)


def _check_alone(disclosure: Disclosure) -> None:
    if disclosure.stays_here:
        raise DisclosureError(Note("disclosure.stays_here"))
    if not disclosure.may_leave:
        n, k = disclosure.n_since_release, disclosure.k
        raise DisclosureError(Note("disclosure.too_few_new", k=k, n=n))


def _check_pair(before: Released, now: Released) -> None:
    """Refuse a model that tells of a few patients beside one that has left."""
    if before.key != now.key or before.digest in now.ancestors:
        return
    old, new = Counter(before.patients), Counter(now.patients)
    shared, gone, added = old & new, old - new, new - old
    if not shared:
        return
    if before.decision != now.decision:
        k = max(before.k, now.k)
        parts = [part.total() for part in (shared, gone, added)]
        if all(n == 0 or n >= k for n in parts):
            return
    elif not gone and not added and _is_nested(before, now):
        return
    said = Note(
        "disclosure.in_common",
        shared=shared.total(),
        digest=before.digest[:12],
        gone=gone.total(),
        added=added.total(),
    )
    raise DisclosureError(said)


def _adds_others(before: Released, now: Released, behind: list[Released]) -> bool:
    """Whether an update of what has left adds none of the patients of another model.

    What it adds followed the rule by itself, and what it started from left beside that
    model.
    """
    known = Counter(before.patients) & Counter(now.patients)
    return before.key == now.key and any(
        not known - Counter(one.patients) for one in behind if one.key == now.key
    )


def _is_nested(before: Released, now: Released) -> bool:
    """Whether one of two models of the same patients holds all that the other holds."""
    one, other = set(before.learned), set(now.learned)
    same = (before.values, before.k) == (now.values, now.k)
    return same and (one <= other or other <= one)


@contextmanager
def _locked(ledger: Path) -> Iterator[Path]:
    """Keep the list to one process, from reading to writing."""
    try:
        ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ledger.with_suffix(".lock").open("a") as file:
            _lock(file.fileno())
            yield ledger
    except OSError:
        raise _unusable(ledger) from None


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # pragma: no cover - a system without it has one user
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def _read(ledger: Path) -> Iterator[Released]:
    if not ledger.exists():
        return
    names = set(Released.__dataclass_fields__)
    lists = ("patients", "learned", "ancestors")
    try:
        text = ledger.read_text(encoding="utf-8")
        for line in text.splitlines():
            row = json.loads(line)
            if set(row) != names or not all(isinstance(row[n], list) for n in lists):
                raise _unusable(ledger)
            for name in lists:
                row[name] = tuple(row[name])
            yield Released(**row)
    except (UnicodeDecodeError, json.JSONDecodeError, TypeError):
        raise _unusable(ledger) from None
    if text and not text.endswith("\n"):
        raise _unusable(ledger)


def _append(ledger: Path, row: Released) -> None:
    """Add a line in one write, for this user only."""
    line = (json.dumps(asdict(row), separators=(",", ":")) + "\n").encode()
    descriptor = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        file.write(line)
        os.fsync(file.fileno())


def _unusable(ledger: Path) -> DisclosureError:
    return DisclosureError(Note("disclosure.ledger", path=show(str(ledger))))
