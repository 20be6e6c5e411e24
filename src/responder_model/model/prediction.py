"""What a model says about one patient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from responder_model.words import Note
from .verdict import Verdict, judge

Level = Literal["inside", "borderline", "outside"]
LEVELS: tuple[Level, ...] = ("inside", "borderline", "outside")
# Where the width of an interval comes from, as ``Prediction.width_shares`` names it.
WIDTH_SOURCES = ("centre", "evidence", "not_given", "missed")
# Log-odds below which a patient is the average one.
_NO_DISTANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Applicability:
    """Whether a model applies to a patient.

    Parameters
    ----------
    level : {"inside", "borderline", "outside"}
        Place of the patient in the development (or reference) population.
    reasons : tuple of Note
        Why it is not ``inside``; they hold the patient's values.
    """

    level: Level
    reasons: tuple[Note, ...] = ()

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, reasons in a language."""
        reasons = [reason.to_dict(lang) for reason in self.reasons]
        return {"level": self.level, "reasons": reasons}


@dataclass(frozen=True, kw_only=True)
class ContributionRange:
    """Uncertainty of one contribution, in log-odds.

    Parameters
    ----------
    lower, upper : float
        95 % posterior range; it includes the unknown value of a missing predictor.
    same_sign : float
        Share of the posterior with the contribution's sign, 0.5 (no direction) to 1.
    """

    lower: float
    upper: float
    same_sign: float


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Probability for one patient, with its interval, its reasons and its limits.

    Parameters
    ----------
    decision, moment, model : str
        Question, moment in care, and name of the model that answers.
    model_digest : str or None
        ``Model.digest`` of it: which model this was, whatever its name.
    provenance : {"published", "simulated", "cohort"}
        What the model was made from.
    cut_point : float
        Main cut-off (relief in %) that ``probability`` refers to.
    probability : float
        Probability that the outcome passes the main cut-off.
    interval : tuple of float
        95 % interval of that probability in this patient, whose values that were not
        given are unknown; holds ``probability`` always.
    average_interval : tuple of float
        95 % interval of the average probability of patients who have the given values
        in common: without what they owe to the other values.
    width_shares : dict
        Shares of the variance of the log-odds, which add up to 1: ``centre`` (its
        level), ``evidence`` (uncertain coefficients of what was given), ``not_given``,
        and ``missed`` (what a model misses: ``interval`` counts all four,
        ``average_interval`` all but ``not_given``).
    probabilities : dict
        Probability of passing each served cut-off, never rising with the cut-off.
    linear_predictor : float
        logit(probability) = baseline + sum of the contributions.
    standard_error : float
        Standard deviation of ``linear_predictor``, that of ``interval``.
    baseline : float
        Log-odds of the average patient: one constant per model.
    contributions : dict
        Log-odds that each predictor adds, in dictionary order.
    contribution_ranges : dict
        Uncertainty of each contribution.
    applicability : Applicability
        Whether the model applies to this patient.
    missing : tuple of str
        Predictors that were not given.
    messages : tuple of Note
        What a reader of the number must know.
    """

    decision: str
    moment: str
    model: str
    model_digest: str | None
    provenance: str
    cut_point: float
    probability: float
    interval: tuple[float, float]
    average_interval: tuple[float, float]
    width_shares: dict[str, float]
    probabilities: dict[float, float]
    linear_predictor: float
    standard_error: float
    baseline: float
    contributions: dict[str, float]
    contribution_ranges: dict[str, ContributionRange]
    applicability: Applicability
    missing: tuple[str, ...]
    messages: tuple[Note, ...]

    @property
    def slope(self) -> float:
        """Probability per log-odds on the way from the average patient to this one."""
        return slope_between(self.baseline, self.linear_predictor)

    @property
    def points(self) -> dict[str, float]:
        """What each predictor adds in probability; the sum leads from the average here.

        The contributions times ``slope`` (Aumann-Shapley values of the probability).

        Examples
        --------
        >>> import responder_model as rm
        >>> model = rm.published_model("rtms_response", "screening")
        >>> found = model.predict({"aetiology": "ischaemic_stroke", "depression": 15})
        >>> added = found.probability - found.verdict.average
        >>> round(sum(found.points.values()) - added, 9) == 0
        True
        """
        slope = self.slope
        return {name: c * slope for name, c in self.contributions.items()}

    @property
    def verdict(self) -> Verdict:
        """Whether this tells the patient apart from the average one, in a sentence."""
        return judge(self)

    def verdict_at(self, threshold: float) -> Verdict:
        """Verdict that leans to a side of a chosen threshold, a probability.

        Examples
        --------
        >>> import responder_model as rm
        >>> model = rm.published_model("rtms_response", "session_3")
        >>> prediction = model.predict({"relief_3": 70, "relief_2": 70, "relief_1": 70})
        >>> verdict = prediction.verdict_at(0.3)
        >>> verdict.kind, verdict.side, verdict.chance_above > 0.9
        ('leans', 'above', True)
        """
        return judge(self, threshold)

    def to_dict(
        self, lang: str = "en", *, threshold: float | None = None
    ) -> dict[str, Any]:
        """Plain data for JSON, sentences in a language; what ``--json`` prints.

        Keys are the fields' names, ``points``, and ``verdict``, that at a ``threshold``
        where one is chosen. ``interval`` is ``[lower, upper]``;
        ``probabilities`` has the cut-offs as text keys; ``contribution_ranges`` maps
        each predictor to ``{"lower", "upper", "same_sign"}``; ``applicability`` is
        ``{"level", "reasons"}``; a reason or message is
        ``{"code", "values", "text"}``. Probabilities are in 0-1, contributions in
        log-odds.
        """
        return {
            "verdict": judge(self, threshold).to_dict(lang),
            "decision": self.decision,
            "moment": self.moment,
            "model": self.model,
            "model_digest": self.model_digest,
            "provenance": self.provenance,
            "cut_point": self.cut_point,
            "probability": self.probability,
            "interval": list(self.interval),
            "average_interval": list(self.average_interval),
            "width_shares": dict(self.width_shares),
            "probabilities": {f"{c:g}": p for c, p in self.probabilities.items()},
            "linear_predictor": self.linear_predictor,
            "standard_error": self.standard_error,
            "baseline": self.baseline,
            "contributions": dict(self.contributions),
            "points": self.points,
            "contribution_ranges": {
                name: {"lower": r.lower, "upper": r.upper, "same_sign": r.same_sign}
                for name, r in self.contribution_ranges.items()
            },
            "applicability": self.applicability.to_dict(lang),
            "missing": list(self.missing),
            "messages": [message.to_dict(lang) for message in self.messages],
        }


def slope_between(baseline: float, linear_predictor: float) -> float:
    """Probability per log-odds between two log-odds.

    Examples
    --------
    >>> slope_between(0.0, 0.0)
    0.25
    """
    here, there = (1.0 / (1.0 + math.exp(-x)) for x in (baseline, linear_predictor))
    if abs(linear_predictor - baseline) < _NO_DISTANCE:
        return here * (1.0 - here)
    return (there - here) / (linear_predictor - baseline)
