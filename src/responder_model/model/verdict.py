"""Whether an answer tells a patient apart from the average one, by a written rule.

Figures are compared as they are said, as whole numbers in 100:

- *tells apart*: the interval of this patient excludes the average patient;
- *leans*: otherwise, with a chance of at least 80 % the patient lies on one side of the
  threshold, which is the average patient unless another one is chosen;
- *does not tell apart*: otherwise, and always outside the population of the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from responder_model.errors import ResponderModelError, got
from responder_model.words import Note

if TYPE_CHECKING:
    from .prediction import Prediction

Kind = Literal["tells_apart", "leans", "does_not_tell_apart"]
Side = Literal["above", "below"]
# Chance of being on one side of the threshold from which an answer leans.
LEANS_FROM = 0.8
_SQRT_2 = math.sqrt(2.0)


class Figure(Protocol):
    """A probability of an outcome with its interval: of a prediction or a path."""

    @property
    def decision(self) -> str:
        """Question that it answers."""

    @property
    def cut_point(self) -> float:
        """Cut-off of the outcome."""

    @property
    def probability(self) -> float:
        """Probability of passing it."""

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of that."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether an answer tells a patient apart from the average one.

    Parameters
    ----------
    kind : {"tells_apart", "leans", "does_not_tell_apart"}
        By the rule of this module.
    side : {"above", "below"} or None
        Side of the average on which the interval lies, or of the threshold to which
        the answer leans; None where it does not tell apart.
    average : float
        Probability of the average patient.
    threshold : float
        Probability that leaning refers to: ``average`` unless another one was chosen.
    chance_above : float
        Chance that the patient's own probability lies above ``threshold``.
    note : Note
        The verdict in one sentence, with the outcome, its horizon and the average.
    """

    kind: Kind
    side: Side | None
    average: float
    threshold: float
    chance_above: float
    note: Note

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, the sentence in a language."""
        return {
            "kind": self.kind,
            "side": self.side,
            "average": self.average,
            "threshold": self.threshold,
            "chance_above": self.chance_above,
            "note": self.note.to_dict(lang),
        }


def judge(prediction: Prediction, threshold: float | None = None) -> Verdict:
    """Verdict on a prediction; see ``Prediction.verdict_at``."""
    average = 1.0 / (1.0 + math.exp(-prediction.baseline))
    wanted = average if threshold is None else check_threshold(threshold)
    above = _chance_above(prediction, wanted)
    kind, side = _rule(prediction, average, wanted, above)
    note = Note(
        f"answers.{_sentence(prediction, kind, side, own=threshold is not None)}",
        figure=figure_note(prediction),
        average=average,
        threshold=wanted,
        chance=max(above, 1.0 - above),
    )
    if prediction.provenance == "simulated":
        note = Note("answers.simulated", verdict=note)
    return Verdict(
        kind=kind,
        side=side,
        average=average,
        threshold=wanted,
        chance_above=above,
        note=note,
    )


def check_threshold(threshold: float) -> float:
    """Return a probability that answers are compared with, or refuse it."""
    if not 0.0 < threshold < 1.0:
        raise ResponderModelError(
            Note("answers.threshold_range", got=got(float(threshold)))
        )
    return float(threshold)


def outcome_note(decision: str, cut_point: float) -> Note:
    """What counts as success, and when it is judged: follows "patients like this"."""
    return Note(f"answers.outcome_{decision}", cut=f"{cut_point:g}")


def _chance_above(prediction: Prediction, threshold: float) -> float:
    distance = prediction.linear_predictor - math.log(threshold / (1.0 - threshold))
    if prediction.standard_error == 0.0:
        return 0.5 * (1.0 + math.copysign(1.0, distance)) if distance else 0.5
    return 0.5 * (1.0 + math.erf(distance / (prediction.standard_error * _SQRT_2)))


def _rule(
    prediction: Prediction, average: float, threshold: float, above: float
) -> tuple[Kind, Side | None]:
    if prediction.applicability.level == "outside":
        return "does_not_tell_apart", None
    low, high = (round(100.0 * p) for p in prediction.interval)
    mean = round(100.0 * average)
    if not low <= mean <= high:
        return "tells_apart", "above" if low > mean else "below"
    told = round(100.0 * prediction.probability) != round(100.0 * threshold)
    if told and max(above, 1.0 - above) >= LEANS_FROM:
        return "leans", "above" if above > 0.5 else "below"
    return "does_not_tell_apart", None


def _sentence(
    prediction: Prediction, kind: Kind, side: str | None, *, own: bool
) -> str:
    """Key of the sentence of a verdict."""
    if prediction.applicability.level == "outside":
        return "outside"
    if side is None:
        known = len(prediction.missing) < len(prediction.contributions)
        return kind if known else "nothing_known"
    return f"{kind}_{side}_threshold" if own and kind == "leans" else f"{kind}_{side}"


def figure_note(prediction: Figure) -> Note:
    """How many of 100 patients reach the outcome, and where the true figure may lie."""
    low, high = prediction.interval
    return Note(
        "answers.figure",
        p=prediction.probability,
        outcome=outcome_note(prediction.decision, prediction.cut_point),
        low=low,
        high=high,
    )


def width_notes(prediction: Prediction) -> tuple[Note, Note]:
    """Tell the two intervals apart, and where the width comes from."""
    mean_low, mean_high = prediction.average_interval
    low, high = prediction.interval
    bounds = {"mean_low": mean_low, "mean_high": mean_high, "low": low, "high": high}
    key = "two_intervals" if prediction.missing else "one_interval"
    shares = whole_shares(prediction.width_shares)
    told = [Note(f"answers.width_{name}", share=n) for name, n in shares.items() if n]
    return Note(f"answers.{key}", **bounds), Note("answers.width", parts=tuple(told))


def whole_shares(shares: Mapping[str, float]) -> dict[str, int]:
    """Shares as whole percentages that add up to 100 as the shares do to 1.

    Examples
    --------
    >>> whole_shares({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    {'a': 34, 'b': 33, 'c': 33}
    """
    floors = {name: int(100.0 * share) for name, share in shares.items()}
    left = round(100.0 * sum(shares.values())) - sum(floors.values())
    closest = sorted(shares, key=lambda name: floors[name] - 100.0 * shares[name])
    return {name: n + (name in closest[:left]) for name, n in floors.items()}
