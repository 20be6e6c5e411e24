"""What monitoring found: numbers, and sentences that hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from responder_model.words import Note
from .inputs import Input
from .mending import Mend

State = Literal["calibrated", "off", "changed", "depends", "nothing_due"]


@dataclass(frozen=True, kw_only=True)
class Month:
    """Where the series stood at the end of a month.

    Parameters
    ----------
    month : str
        As ``2026-05``, of the day on which outcomes were due.
    n : int
        Known outcomes so far.
    evidence : float
        E so far.
    observed, expected : int and float
        Patients past the main cut-off so far, and how many the model expected.
    variance : float
        Variance of the observed number, if the model is right.
    """

    month: str
    n: int
    evidence: float
    observed: int
    expected: float
    variance: float


@dataclass(frozen=True, kw_only=True)
class Level:
    """How many patients reached a level of the outcome, and how many were expected.

    Parameters
    ----------
    above, below : float or None
        Served cut-offs that the level lies between; None: it has no such end.
    observed, expected : int and float
        Of the patients whose level is known.
    """

    above: float | None
    below: float | None
    observed: int
    expected: float


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """Whether a model's probabilities still hold in the patients it was used on.

    Parameters
    ----------
    model, digest, decision, moment : str
        The model that is monitored.
    state : {"calibrated", "off", "changed", "depends", "nothing_due"}
        No alarm; an alarm that the model's own uncertainty explains; one that it does
        not; an alarm or none, by what became of patients whose outcome is missing.
    evidence, highest : float
        E now, and the highest that it ever was; an alarm is 20.
    alarm : date or None
        When it reached 20 first: the day on which that patient's outcome was due.
    beyond_uncertainty : float
        E against a model that was off by its own uncertainty from the start.
    if_none_responded, if_all_responded : float
        Highest E with every outcome that is due and missing taken as one or the other.
    early_warning : date or None
        When the CUSUM passed the level that one unchanged series in twenty passes
        within five years.
    n_due, n_known, n_waiting, n_set_aside : int
        Outcomes due and known, not due yet, and lines of other models.
    observed, expected : int and float
        Known outcomes past the main cut-off, and how many the model expected.
    measures : dict
        Calibration in the large and slope with 95 % limits, where they are measured.
    shares : dict
        What is believed: nothing changed, the rate, or the strength of the predictors.
    detectable : float or None
        Smallest shift (log-odds) that would have been found by now in half of cases.
    mend : Mend
        What would mend it; nothing is updated.
    inputs : tuple of Input
        Predictors of those who were predicted against those the model learned from;
        empty where they are not at hand.
    n_predicted, n_outside : int
        Those whose predictors are at hand, and how many lie outside where it applies.
    levels : tuple of Level
        The levels between the served cut-offs.
    path : tuple of (date, float)
        E at the end of each day on which an outcome was due; not for JSON.
    months : tuple of Month
        The series, month by month.
    messages : tuple of Note
        What a person must know, the state first.
    """

    model: str
    digest: str
    decision: str
    moment: str
    provenance: str
    state: State
    evidence: float
    highest: float
    alarm: date | None
    beyond_uncertainty: float
    if_none_responded: float
    if_all_responded: float
    early_warning: date | None
    n_due: int
    n_known: int
    n_waiting: int
    n_set_aside: int
    observed: int
    expected: float
    measures: dict[str, tuple[float, float, float]]
    shares: dict[str, float]
    detectable: float | None
    mend: Mend
    inputs: tuple[Input, ...]
    n_predicted: int
    n_outside: int
    levels: tuple[Level, ...]
    path: tuple[tuple[date, float], ...]
    months: tuple[Month, ...]
    messages: tuple[Note, ...]

    @property
    def is_alarm(self) -> bool:
        """Whether the evidence ever reached the alarm."""
        return self.alarm is not None

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, sentences in a language."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name in ("alarm", "early_warning"):
            plain[name] = None if plain[name] is None else plain[name].isoformat()
        del plain["path"]
        plain["months"] = [vars(month) for month in self.months]
        plain["levels"] = [vars(level) for level in self.levels]
        plain["mend"] = {**vars(self.mend), "said": _said(self.mend.said, lang)}
        plain["inputs"] = [
            {**vars(one), "said": one.said.to_dict(lang)} for one in self.inputs
        ]
        plain["measures"] = {
            name: dict(zip(("value", "lower", "upper"), limits, strict=True))
            for name, limits in self.measures.items()
        }
        plain["messages"] = _said(self.messages, lang)
        return plain


def _said(notes: tuple[Note, ...], lang: str) -> list[dict[str, Any]]:
    return [note.to_dict(lang) for note in notes]
