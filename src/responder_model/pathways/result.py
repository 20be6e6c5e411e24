"""What the path from screening to an implant says about one patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from responder_model.model import Applicability, Prediction
from responder_model.model.prediction import Level
from responder_model.model.verdict import figure_note
from responder_model.words import Note, say


@dataclass(frozen=True, kw_only=True)
class ReliefClass:
    """One class of relief after the test, and success among patients in it.

    Parameters
    ----------
    above, at_most : float or None
        Bounds of relief in percent; None where the scale ends.
    probability, interval : float, (float, float)
        That relief falls in the class, with its 95 % interval.
    success, success_interval : float, (float, float)
        Success if implanted, given that it does.
    applicability : {"inside", "borderline", "outside"}
        Whether the implant model applies to the patient with such a relief.
    """

    above: float | None
    at_most: float | None
    probability: float
    interval: tuple[float, float]
    success: float
    success_interval: tuple[float, float]
    applicability: Level

    def describe(self, lang: str = "en") -> str:
        """Bounds as a person reads them.

        Examples
        --------
        >>> parts = {"probability": 0.2, "interval": (0.1, 0.3), "success": 0.5,
        ...          "success_interval": (0.2, 0.8), "applicability": "inside"}
        >>> ReliefClass(above=10.0, at_most=30.0, **parts).describe()
        '> 10 to 30 %'
        """
        if self.above is None:
            return f"≤ {self.at_most:g} %"
        if self.at_most is None:
            return f"> {self.above:g} %"
        return say("pathway.to", lang, above=self.above, at_most=self.at_most)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "above": self.above,
            "at_most": self.at_most,
            "probability": self.probability,
            "interval": list(self.interval),
            "success": self.success,
            "success_interval": list(self.success_interval),
            "applicability": self.applicability,
        }


@dataclass(frozen=True, kw_only=True)
class Pathway:
    """From what is known today to an implant: one patient.

    Parameters
    ----------
    decision, moment : str
        Question that ``probability`` answers, and moment in care of what is known.
    screening_model, implant_model : str
        Names of the two models.
    screening_model_digest, implant_model_digest : str or None
        ``Model.digest`` of each.
    provenance : {"published", "simulated", "cohort"}
        ``simulated`` if either model is; ``cohort`` if either rests on a cohort.
    response : Prediction
        Response to the test, as the first model predicts it.
    cut_point : float
        Relief (in %) that counts as success of the implant.
    probability : float
        Success if implanted, averaged over relief after the test.
    interval : tuple of float
        95 % interval of it; holds ``probability`` always.
    joint, joint_interval : float, (float, float)
        Responding to the test and then succeeding if implanted: what becomes of a
        patient who is implanted only after a response.
    probabilities : dict
        The same average at each served cut-off.
    halved_odds : float
        ``probability`` were the odds of success half as large wherever the patient
        would not respond to the test.
    classes : tuple of ReliefClass
        Classes of relief between the served cut-offs, rising.
    non_responders, responders : ReliefClass
        The same on either side of the main cut-off of the test.
    applicability : Applicability
        Whether both models apply to this patient.
    missing : tuple of str
        Predictors that could be known and were not given.
    messages : tuple of Note
        What a reader of the number must know.
    """

    decision: str
    moment: str
    screening_model: str
    implant_model: str
    screening_model_digest: str | None
    implant_model_digest: str | None
    provenance: str
    response: Prediction
    cut_point: float
    probability: float
    interval: tuple[float, float]
    joint: float
    joint_interval: tuple[float, float]
    probabilities: dict[float, float]
    halved_odds: float
    classes: tuple[ReliefClass, ...]
    non_responders: ReliefClass
    responders: ReliefClass
    applicability: Applicability
    missing: tuple[str, ...]
    messages: tuple[Note, ...]

    @property
    def verdicts(self) -> tuple[Note, Note]:
        """Whether the first step tells the patient apart, and how many succeed."""
        outside = self.applicability.level == "outside"
        key = "whatever_outside" if outside else "whatever"
        whatever = Note(f"pathway.{key}", figure=figure_note(self))
        return self.response.verdict.note, whatever

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, sentences in a language; probabilities in 0-1."""
        return {
            "verdicts": [note.to_dict(lang) for note in self.verdicts],
            "decision": self.decision,
            "moment": self.moment,
            "screening_model": self.screening_model,
            "implant_model": self.implant_model,
            "screening_model_digest": self.screening_model_digest,
            "implant_model_digest": self.implant_model_digest,
            "provenance": self.provenance,
            "response": self.response.to_dict(lang),
            "cut_point": self.cut_point,
            "probability": self.probability,
            "interval": list(self.interval),
            "joint": self.joint,
            "joint_interval": list(self.joint_interval),
            "probabilities": {f"{c:g}": p for c, p in self.probabilities.items()},
            "halved_odds": self.halved_odds,
            "classes": [row.to_dict() for row in self.classes],
            "non_responders": self.non_responders.to_dict(),
            "responders": self.responders.to_dict(),
            "applicability": self.applicability.to_dict(lang),
            "missing": list(self.missing),
            "messages": [message.to_dict(lang) for message in self.messages],
        }
