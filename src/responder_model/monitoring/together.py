"""Several decisions at once: one alarm for all, false in one series in twenty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from .process import ALARM
from .result import Monitoring
from .telling import shown


@dataclass(frozen=True, kw_only=True)
class Together:
    """Models of several decisions, each alone and all together.

    Parameters
    ----------
    models : tuple of Monitoring
        Each alone.
    evidence, highest : float
        Mean of their E now, and the highest that it ever was at the end of a day.
    alarm : date or None
        First day at whose end it was 20 or more.
    messages : tuple of Note
        What holds of all together.
    """

    models: tuple[Monitoring, ...]
    evidence: float
    highest: float
    alarm: date | None
    messages: tuple[Note, ...] = ()

    @property
    def is_alarm(self) -> bool:
        """Whether all together, or any alone, ever reached the alarm."""
        return self.alarm is not None or any(one.is_alarm for one in self.models)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, sentences in a language."""
        return {
            "models": [one.to_dict(lang) for one in self.models],
            "evidence": self.evidence,
            "highest": self.highest,
            "alarm": None if self.alarm is None else self.alarm.isoformat(),
            "messages": [note.to_dict(lang) for note in self.messages],
        }


def together(models: Sequence[Monitoring]) -> Together:
    """Mean of the evidence of models of different decisions.

    Each E starts at 1 and is expected to stay there while its model holds, and so does
    their mean: all together raise a false alarm in at most one series in twenty, where
    any of several alone may do so more often.

    Raises
    ------
    ResponderModelError
        For two models of one decision: an outcome that both wait for would be known to
        one before it counts for the other.
    """
    decisions = [one.decision for one in models]
    twice = sorted({name for name in decisions if decisions.count(name) > 1})
    if twice:
        raise ResponderModelError(Note("monitoring.one_each", decision=twice[0]))
    days = list(_mean_by_day(models))
    highest = max((mean for _, mean in days), default=1.0)
    alarm = next((day for day, mean in days if mean >= ALARM), None)
    found = Together(
        models=tuple(models),
        evidence=days[-1][1] if days else 1.0,
        highest=highest,
        alarm=alarm,
    )
    return replace(found, messages=(_told(found),))


def _mean_by_day(models: Sequence[Monitoring]) -> Iterator[tuple[date, float]]:
    """Yield each day on which any outcome was due, and the mean of E at its end."""
    now = [1.0] * len(models)
    steps = sorted((day, k, e) for k, one in enumerate(models) for day, e in one.path)
    for place, (day, k, e) in enumerate(steps):
        now[k] = e
        if place + 1 == len(steps) or steps[place + 1][0] != day:
            yield day, sum(now) / len(now)


def _told(found: Together) -> Note:
    n, evidence = len(found.models), shown(found.highest)
    if found.alarm is None:
        return Note("monitoring.together", n=n, evidence=evidence)
    day = found.alarm.isoformat()
    return Note("monitoring.together_alarm", n=n, evidence=evidence, day=day)
