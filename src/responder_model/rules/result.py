"""What a stopping rule does to many patients, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from responder_model.words import Note

# Beyond this an end of an interval says no more than that it is far away.
MOST_SAID = 1000.0


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A number with its 95 % interval."""

    value: float
    lower: float
    upper: float

    def to_dict(self) -> dict[str, float]:
        """Plain data for JSON."""
        return {"value": self.value, "lower": self.lower, "upper": self.upper}

    def text(self, lang: str) -> str:
        """Whole numbers as a person reads them; an end far away is only said to be.

        Examples
        --------
        >>> Amount(value=12.2, lower=3.1, upper=586656.0).text("fr")
        '12 (3 à plus de 1000)'
        """
        ends = {name: min(x, MOST_SAID) for name, x in self.to_dict().items()}
        key = "range" if self.upper <= MOST_SAID else "range_open"
        return Note(f"rules.{key}", **ends).text(lang)


@dataclass(frozen=True, kw_only=True)
class StoppingRule:
    """Stop whoever lies below a threshold: what becomes of the next 100 patients.

    Parameters
    ----------
    kind : {"relief", "probability"}
        What is compared: mean relief of the sessions done, in percent, or the model's
        probability of response.
    threshold : float
        Who lies below it is stopped; percent of relief, or a probability in 0-1.
    stopped, lost, saved : Amount
        Of the next 100 patients: those stopped, responders among them, and sessions of
        the test that are not given.
    response : Amount
        Probability of response among those stopped, in 0-1.
    break_even : Amount
        Sessions not given for each responder lost: the rule pays if one lost
        responder costs less.
    certainty : float
        Probability that the rule pays at the cost asked about.
    supported : bool
        Whether that is beyond doubt, and enough patients are stopped.
    """

    kind: str
    threshold: float
    stopped: Amount
    lost: Amount
    saved: Amount
    response: Amount
    break_even: Amount
    certainty: float
    supported: bool

    @property
    def condition(self) -> Note:
        """When to stop, in words."""
        return Note(f"rules.{self.kind}", threshold=self.threshold)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, the condition in words of a language."""
        return {
            "kind": self.kind,
            "threshold": self.threshold,
            "condition": self.condition.text(lang),
            "stopped": self.stopped.to_dict(),
            "lost": self.lost.to_dict(),
            "saved": self.saved.to_dict(),
            "response": self.response.to_dict(),
            "break_even": self.break_even.to_dict(),
            "certainty": self.certainty,
            "supported": self.supported,
        }


def common_verdicts(found: Sequence[StoppingRules], lang: str) -> tuple[str, ...]:
    """Verdicts in words; what is said of several sessions alike is said once."""
    sessions: dict[str, list[int]] = {}
    for rules in found:
        text = replaced(rules.verdict, session=0).text(lang)
        sessions.setdefault(text, []).append(rules.session)
    first = {rules.session: rules.verdict for rules in found}
    return tuple(
        replaced(first[group[0]], session=tuple(group)).text(lang)
        for group in sessions.values()
    )


def common_notes(found: Sequence[StoppingRules]) -> tuple[Note, ...]:
    """What a reader must know of several sessions, each once.

    Numbers that differ between the sessions stand in their order.
    """
    alike: dict[str, list[Note]] = {}
    for note in (note for rules in found for note in rules.messages):
        alike.setdefault(note.code, []).append(note)
    return tuple(
        replaced(
            group[0],
            **{
                name: tuple(note.values[name] for note in group)
                for name, value in group[0].values.items()
                if any(note.values[name] != value for note in group)
            },
        )
        for group in alike.values()
    )


def replaced(note: Note, **values: Any) -> Note:
    """Return the note with other values in some gaps."""
    return Note(note.code, **{**note.values, **values})


@dataclass(frozen=True, kw_only=True)
class StoppingRules:
    """Rules at one moment, compared on the same patients.

    Parameters
    ----------
    decision, moment : str
        Test that is stopped, and when.
    session, n_sessions : int
        Sessions done by then, and those of the whole test.
    model : str
        Name of the model.
    model_digest : str or None
        ``Model.digest``.
    provenance : {"published", "simulated", "cohort"}
        Of the patients that the figures are about.
    n_patients : int or None
        Patients of the cohort that were counted; None for figures of a model.
    responders : Amount
        Responders among the next 100 patients if nobody is stopped.
    cost : float
        Sessions that one lost responder costs, at which ``supported`` is judged.
    cost_given : bool
        Whether the reader named it; else it is what the whole test takes today to
        find one responder.
    rules : tuple of StoppingRule
        By kind, thresholds rising.
    verdict : Note
        Whether any rule is supported.
    messages : tuple of Note
        What a reader must know.
    """

    decision: str
    moment: str
    session: int
    n_sessions: int
    model: str
    model_digest: str | None
    provenance: str
    n_patients: int | None
    responders: Amount
    cost: float
    cost_given: bool
    rules: tuple[StoppingRule, ...]
    verdict: Note
    messages: tuple[Note, ...]

    @property
    def supported(self) -> tuple[StoppingRule, ...]:
        """Rules that the data support."""
        return tuple(rule for rule in self.rules if rule.supported)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, sentences in a language; counts per 100 patients."""
        return {
            "decision": self.decision,
            "moment": self.moment,
            "session": self.session,
            "n_sessions": self.n_sessions,
            "model": self.model,
            "model_digest": self.model_digest,
            "provenance": self.provenance,
            "n_patients": self.n_patients,
            "responders": self.responders.to_dict(),
            "cost": self.cost,
            "cost_given": self.cost_given,
            "rules": [rule.to_dict(lang) for rule in self.rules],
            "verdict": self.verdict.to_dict(lang),
            "messages": [message.to_dict(lang) for message in self.messages],
        }
