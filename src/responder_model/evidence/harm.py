"""Published harm and durability: counts with their source, and what nobody counted.

``series/harm.toml`` holds ``[[rows]]`` with these keys (* required)::

    id*            the outcome; its label, and what must be said with it, stand in the
                   words of ``harm`` under ``<id>`` and ``<id>_about``
    treatment*     "emcs" or "rtms"
    events, n      how many, of how many; left out where no rate was found
    unit           "patients" (else) or "sessions"
    transport      "same" (else), "other_disease" or "other_implant": shown only when
                   asked for, never as the rate of this treatment
    studies        who counted
    status*        "seen", "derived" or "not_found"
    source*        the text that was read
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from responder_model.errors import EvidenceError, check_one_of
from responder_model.words import Note, prose_in
from .base import evidence_directory

if TYPE_CHECKING:
    from responder_model.performance import Estimate

TREATMENTS = ("emcs", "rtms")
# Treatment that each decision is about.
_TREATMENTS = {"rtms_response": "rtms", "emcs_success": "emcs"}
_UNITS = ("patients", "sessions")
_TRANSPORTS = ("same", "other_disease", "other_implant")
_STATUSES = ("seen", "derived", "not_found")
# Rates of sessions are told per so many.
_SESSIONS = 100_000


@dataclass(frozen=True, kw_only=True)
class HarmRow:
    """One outcome of a treatment as it was counted, or that nobody counted.

    Parameters
    ----------
    id, treatment, status, source, studies, transport : str
        As in the file; see the module.
    events, n : int or None
        Counts; None where no rate was found.
    unit : {"patients", "sessions"}
        What ``n`` counts.
    """

    id: str
    treatment: str
    status: str
    source: str
    events: int | None = None
    n: int | None = None
    unit: str = "patients"
    transport: str = "same"
    studies: str = ""

    @property
    def share(self) -> Estimate | None:
        """Share with its exact 95 % interval; None where no rate was found."""
        if self.events is None or self.n is None:
            return None
        return exact_share(self.events, self.n)

    @property
    def label(self) -> Note:
        """Name of the outcome."""
        return Note(f"harm.{self.id}")

    @property
    def about(self) -> Note:
        """Whom it was counted in, and what must be said with it."""
        return Note(f"harm.{self.id}_about")

    @property
    def figure(self) -> Note:
        """How often, with its interval; none is told with an upper limit."""
        share = self.share
        if share is None or self.events is None or self.n is None:
            return Note("harm.not_found")
        if self.unit == "patients":
            return count_note(self.events, self.n)
        ends = {"value": share.value, "lower": share.lower, "upper": share.upper}
        per = {name: _SESSIONS * value for name, value in ends.items()}
        return Note("harm.of_sessions", events=self.events, n=self.n, **per)

    @property
    def basis(self) -> Note:
        """Who counted, and whether the figure was read or derived."""
        return Note(f"harm.{self.status}", studies=self.studies)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, words in a language."""
        share = self.share
        return {
            "id": self.id,
            "treatment": self.treatment,
            "outcome": self.label.text(lang),
            "events": self.events,
            "n": self.n,
            "unit": self.unit,
            "interval": None if share is None else [share.lower, share.upper],
            "figure": self.figure.text(lang),
            "about": self.about.text(lang),
            "transport": self.transport,
            "studies": self.studies,
            "status": self.status,
            "source": prose_in(self.source, lang),
        }


def exact_share(events: int, n: int) -> Estimate:
    """Share of some patients with its exact 95 % interval."""
    # its room is not loaded for a prediction, which has no use for it
    from responder_model.performance import exact_proportion

    return exact_proportion(events, n)


def count_note(events: int, n: int) -> Note:
    """Count of patients with its exact 95 % interval; none and all with one end of it.

    Examples
    --------
    >>> count_note(0, 7).text()
    'none of 7 patients (so at most 41 %)'
    """
    share = exact_share(events, n)
    if events == 0:
        return Note("harm.none", n=n, upper=share.upper)
    if events == n:
        return Note("harm.all", n=n, lower=share.lower)
    ends = {"value": share.value, "lower": share.lower, "upper": share.upper}
    return Note("harm.of_patients", events=events, n=n, **ends)


def treatment_of(decision: str) -> str:
    """Treatment that a decision is about, as ``harm_rows`` takes it.

    Examples
    --------
    >>> treatment_of("rtms_response")
    'rtms'
    """
    return _TREATMENTS[decision]


def harm_rows(treatment: str, *, other_use: bool = False) -> tuple[HarmRow, ...]:
    """Harm and durability of a treatment, in the order of the file.

    Parameters
    ----------
    treatment : {"emcs", "rtms"}
        The epidural stimulator, or rTMS.
    other_use : bool
        Also what was counted with other implants or in other diseases.

    Raises
    ------
    EvidenceError
        For an unknown treatment.

    Examples
    --------
    >>> harm_rows("emcs")[0].figure.text()
    '4 of 36 patients (11 %; 3 % to 26 %)'
    """
    check_one_of(treatment, TREATMENTS, name="treatment", error=EvidenceError)
    rows = (row for row in _packaged() if row.treatment == treatment)
    return tuple(row for row in rows if other_use or row.transport == "same")


@cache
def _packaged() -> tuple[HarmRow, ...]:
    path = evidence_directory() / "series" / "harm.toml"
    return read_harm(tomllib.loads(path.read_text(encoding="utf-8")))


def read_harm(table: Mapping[str, Any]) -> tuple[HarmRow, ...]:
    """Read the rows of a file.

    Raises
    ------
    EvidenceError
        With every broken rule, for a row that does not say what was counted and where.
    """
    problems = [
        f"{row.get('id', f'row {k}')}: {problem}"
        for k, row in enumerate(table.get("rows", ()), start=1)
        for problem in _problems(row)
    ]
    if problems:
        raise EvidenceError(
            Note("evidence.problems", n=len(problems), problems=tuple(problems))
        )
    return tuple(HarmRow(**row) for row in table["rows"])


def _problems(row: Mapping[str, Any]) -> list[str]:
    known = HarmRow.__dataclass_fields__
    found = [f"unknown key {key!r}" for key in row if key not in known]
    required = ("id", "treatment", "status", "source")
    found += [f"{key} is missing" for key in required if not row.get(key)]
    choices = {"treatment": TREATMENTS, "unit": _UNITS, "transport": _TRANSPORTS}
    for key, allowed in (*choices.items(), ("status", _STATUSES)):
        if row.get(key, allowed[0]) not in allowed:
            found.append(f"{key} must be one of {', '.join(allowed)}")
    counted = isinstance(row.get("events"), int) and isinstance(row.get("n"), int)
    if counted == (row.get("status") == "not_found"):
        found.append("events and n must be given, unless nothing was found")
    elif counted and not 0 <= row["events"] <= row["n"]:
        found.append("events must lie between 0 and n")
    elif counted and not row.get("studies"):
        found.append("studies is missing")
    return found
