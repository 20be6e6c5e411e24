"""Which models are under review: what monitoring says to who serves them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from responder_model.errors import ResponderModelError, system_reason
from responder_model.words import Note


def read_review(path: Path) -> dict[str, date | None]:
    """Digest of each model of a ``monitoring.json``, and the day of its alarm.

    Parameters
    ----------
    path : Path
        As ``monitor --out`` or ``--json`` writes it.

    Returns
    -------
    dict
        None for a model without an alarm; that of all decisions together where none
        was raised by one alone.

    Raises
    ------
    ResponderModelError
        For a file that cannot be read, or is none of these.
    """
    try:
        return _found(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        reason = system_reason(error)
        said = Note("monitoring.not_read", name=path.name, reason=reason)
        raise ResponderModelError(said) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = Note("monitoring.no_result", name=path.name)
        raise ResponderModelError(said) from error


def _found(whole: dict[str, Any]) -> dict[str, date | None]:
    models = whole.get("models", [whole])
    found = {str(one["digest"]): _day(one["alarm"]) for one in models}
    if not any(found.values()):
        found = dict.fromkeys(found, _day(whole["alarm"]))
    return found


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
