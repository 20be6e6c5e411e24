"""Published implanted patients like one: which series counted whom.

``series/implanted.toml`` holds ``[[groups]]``: ``row``, a row of two groups among the
evidence; ``reference``, true for the second of them; ``kind``, "cause" or "test";
``who``, a key of the words of ``implant``; ``members``, by field the values that
belong.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from responder_model.words import Note
from .base import evidence_directory, packaged_evidence
from .harm import count_note, exact_share

if TYPE_CHECKING:
    from responder_model.performance import Estimate

# A group of fewer patients is not shown: a share of it says nothing.
FEWEST = 5


@dataclass(frozen=True, kw_only=True)
class PublishedGroup:
    """Implanted patients of one series who share a cause, or a result of a test.

    Parameters
    ----------
    row, citation : str
        Row of the evidence, and where it is printed.
    kind : {"cause", "test"}
        What the patients share.
    who : str
        Key of their description.
    events, n : int
        Successes, by the series' own definition, and patients.
    """

    row: str
    citation: str
    kind: str
    who: str
    events: int
    n: int

    @property
    def is_shown(self) -> bool:
        """Whether the group is large enough to be told."""
        return self.n >= FEWEST

    @property
    def share(self) -> Estimate | None:
        """Share of successes with its exact 95 % interval; None for few patients."""
        return exact_share(self.events, self.n) if self.is_shown else None

    @property
    def label(self) -> Note:
        """Who they are."""
        return Note(f"implant.{self.who}")

    @property
    def figure(self) -> Note:
        """How many succeeded, or that they are few."""
        if not self.is_shown:
            return Note("implant.few", n=FEWEST)
        return count_note(self.events, self.n)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON; a small group without its counts."""
        share = self.share
        return {
            "row": self.row,
            "citation": self.citation,
            "kind": self.kind,
            "who": self.label.text(lang),
            "events": self.events if self.is_shown else None,
            "n": self.n if self.is_shown else None,
            "interval": None if share is None else [share.lower, share.upper],
            "figure": self.figure.text(lang),
        }


def published_like(patient: Mapping[str, Any]) -> tuple[PublishedGroup, ...]:
    """Published groups that a patient belongs to, by cause and then by test.

    Series overlap and define success differently: they are never added up.

    Parameters
    ----------
    patient : mapping
        Field to cleaned value.

    Examples
    --------
    >>> [group.n for group in published_like({"single_session_responder": True})]
    [33]
    """
    return tuple(
        group
        for group, members in _packaged()
        if any(patient.get(name) in values for name, values in members.items())
    )


@cache
def _packaged() -> tuple[tuple[PublishedGroup, dict[str, list[Any]]], ...]:
    path = evidence_directory() / "series" / "implanted.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple((_group(entry), entry["members"]) for entry in table["groups"])


def _group(entry: Mapping[str, Any]) -> PublishedGroup:
    row = packaged_evidence().rows[entry["row"]]
    prefix = "reference_" if entry.get("reference", False) else ""
    return PublishedGroup(
        row=row.id,
        citation=row.citation,
        kind=entry["kind"],
        who=entry["who"],
        events=row.counts[f"{prefix}events"],
        n=row.counts[f"{prefix}n"],
    )
