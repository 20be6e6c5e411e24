"""What has left a centre, so that no two models differ by a few patients.

Sums over n and over n + 1 patients differ by one patient: two models that leave the
centre must therefore differ by nobody, or by as many patients as make a cell.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from responder_model.disclosure.fingerprints import Fingerprints, centre_folder
from responder_model.disclosure.record import Disclosure
from responder_model.errors import DisclosureError
from responder_model.vocabulary import show

_LEDGER = "released.jsonl"


def release(
    target: str,
    digest: str,
    disclosure: Disclosure | None,
    fingerprints: Fingerprints | None,
) -> None:
    """Let a model leave its centre, and remember that it did.

    Parameters
    ----------
    target, digest : str
        ``decision@moment`` and digest of the model.
    disclosure : Disclosure or None
        None: no patient stands behind it.
    fingerprints : Fingerprints or None
        Of its patients; without them only the model itself is judged.

    Raises
    ------
    DisclosureError
        For a model that must stay, alone or beside one that has left.
    """
    if disclosure is None:
        return
    _check_alone(disclosure)
    if fingerprints is None:
        return
    ledger = centre_folder() / _LEDGER
    for row in _released(ledger):
        if row["digest"] == digest:
            return
        if row["target"] == target and row["key"] == fingerprints.key:
            _check_difference(row, disclosure.k, fingerprints)
    row = {
        "target": target,
        "digest": digest,
        "key": fingerprints.key,
        "patients": list(fingerprints.patients),
    }
    _append(ledger, row)


def _check_alone(disclosure: Disclosure) -> None:
    if disclosure.stays_here:
        msg = "a model that leaves the centre must follow the rule on small cells, got "
        msg += "one that was made to stay here. Develop it again without --stays-here."
        raise DisclosureError(msg)
    if not disclosure.may_leave:
        n, k = disclosure.n_since_release, disclosure.k
        msg = f"a model that leaves the centre must differ by at least {k} patients "
        msg += f"from the one that it updates, got {n}. Keep it here, and update it "
        msg += f"again when {k - n} more have an outcome."
        raise DisclosureError(msg)


def _check_difference(
    row: dict[str, object], k: int, fingerprints: Fingerprints
) -> None:
    before, now = Counter(_values(row["patients"])), Counter(fingerprints.patients)
    n = (before - now).total() + (now - before).total()
    if 0 < n < k:
        msg = (
            f"a model that leaves the centre must differ by nobody or by at least {k} "
        )
        msg += f"patients from each one that has left, got {n} from the model with "
        msg += f"digest {str(row['digest'])[:12]}. Keep it here until there are more."
        raise DisclosureError(msg)


def _values(patients: object) -> list[str]:
    return [str(one) for one in patients] if isinstance(patients, list) else []


def _released(ledger: Path) -> Iterator[dict[str, object]]:
    try:
        lines = ledger.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError):
        raise _unusable(ledger) from None
    for line in lines:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            raise _unusable(ledger) from None
        if not isinstance(row, dict) or not {"target", "digest", "key"} <= set(row):
            raise _unusable(ledger)
        yield row


def _append(ledger: Path, row: dict[str, object]) -> None:
    """Add a line in one write, for this user only."""
    line = (json.dumps(row, separators=(",", ":")) + "\n").encode()
    try:
        ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            file.write(line)
            os.fsync(file.fileno())
    except OSError:
        raise _unusable(ledger) from None


def _unusable(ledger: Path) -> DisclosureError:
    msg = (
        f"{show(str(ledger))} must be a list of the models that have left the centre, "
    )
    msg += "one that can be read and written. Put it back, or ask who keeps it."
    return DisclosureError(msg)
