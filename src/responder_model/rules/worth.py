"""What data are worth, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from responder_model.words import Note


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What so many patients of one's own would add.

    Parameters
    ----------
    n : int
        Patients with a known outcome.
    records : float
        Gain where everything about them is recorded.
    counts : float
        Gain where only responders are counted.
    """

    n: int
    records: float
    counts: float

    def to_dict(self) -> dict[str, float]:
        """Plain data for JSON."""
        return {"n": self.n, "records": self.records, "counts": self.counts}


@dataclass(frozen=True, kw_only=True)
class ThresholdWorth:
    """Net responders per 100 decisions at one threshold.

    A treatment in vain counts as t / (1 - t) responders at the threshold t.

    Parameters
    ----------
    threshold : float
        Probability from which a patient is treated, in 0-1.
    simple : float
        Where all are treated, or none, whichever is better.
    treats_all : bool
        Which of the two.
    today : float
        What the model adds to that.
    samples : tuple of Sample
        What patients of one's own would add to today.
    perfect : float
        What perfect knowledge of the model's coefficients would add to today.
    """

    threshold: float
    simple: float
    treats_all: bool
    today: float
    samples: tuple[Sample, ...]
    perfect: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "threshold": self.threshold,
            "simple": self.simple,
            "treats_all": self.treats_all,
            "today": self.today,
            "samples": [sample.to_dict() for sample in self.samples],
            "perfect": self.perfect,
        }


@dataclass(frozen=True, kw_only=True)
class SlotWorth:
    """Responders among the holders of scarce slots.

    Parameters
    ----------
    slots, candidates : int
        Places, and patients who ask for one.
    first_come : float
        Responders where the first to come get them.
    today : float
        Responders gained by giving them to the likeliest.
    samples : tuple of Sample
        What patients of one's own would add to today.
    perfect : float
        What perfect knowledge of the coefficients would add to today.
    """

    slots: int
    candidates: int
    first_come: float
    today: float
    samples: tuple[Sample, ...]
    perfect: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "slots": self.slots,
            "candidates": self.candidates,
            "first_come": self.first_come,
            "today": self.today,
            "samples": [sample.to_dict() for sample in self.samples],
            "perfect": self.perfect,
        }


@dataclass(frozen=True, kw_only=True)
class InformationWorth:
    """What a model is worth today, and what more patients would be worth.

    Parameters
    ----------
    decision, moment, model : str
        The question, the moment and the model's name.
    model_digest : str or None
        ``Model.digest``.
    provenance : {"published", "simulated", "cohort"}
        Of the model.
    rows : tuple of ThresholdWorth
        Thresholds rising.
    slots : SlotWorth or None
        Where slots are scarce.
    verdict : Note
        Where most is to be learned, and how much of it patients would bring.
    messages : tuple of Note
        What a reader must know.
    """

    decision: str
    moment: str
    model: str
    model_digest: str | None
    provenance: str
    rows: tuple[ThresholdWorth, ...]
    slots: SlotWorth | None
    verdict: Note
    messages: tuple[Note, ...]

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, sentences in a language."""
        return {
            "decision": self.decision,
            "moment": self.moment,
            "model": self.model,
            "model_digest": self.model_digest,
            "provenance": self.provenance,
            "rows": [row.to_dict() for row in self.rows],
            "slots": None if self.slots is None else self.slots.to_dict(),
            "verdict": self.verdict.to_dict(lang),
            "messages": [message.to_dict(lang) for message in self.messages],
        }
