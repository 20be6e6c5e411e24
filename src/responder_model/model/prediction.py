"""What a model says about one patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from responder_model.words import Note

Level = Literal["inside", "borderline", "outside"]
LEVELS: tuple[Level, ...] = ("inside", "borderline", "outside")


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
        95 % interval of that probability; holds ``probability`` always.
    probabilities : dict
        Probability of passing each served cut-off, never rising with the cut-off.
    linear_predictor : float
        logit(probability) = baseline + sum of the contributions.
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
    probabilities: dict[float, float]
    linear_predictor: float
    baseline: float
    contributions: dict[str, float]
    contribution_ranges: dict[str, ContributionRange]
    applicability: Applicability
    missing: tuple[str, ...]
    messages: tuple[Note, ...]

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, sentences in a language; what ``--json`` prints.

        Keys are the fields' names. ``interval`` is ``[lower, upper]``;
        ``probabilities`` has the cut-offs as text keys; ``contribution_ranges`` maps
        each predictor to ``{"lower", "upper", "same_sign"}``; ``applicability`` is
        ``{"level", "reasons"}``; a reason or message is
        ``{"code", "values", "text"}``. Probabilities are in 0-1, contributions in
        log-odds.
        """
        return {
            "decision": self.decision,
            "moment": self.moment,
            "model": self.model,
            "model_digest": self.model_digest,
            "provenance": self.provenance,
            "cut_point": self.cut_point,
            "probability": self.probability,
            "interval": list(self.interval),
            "probabilities": {f"{c:g}": p for c, p in self.probabilities.items()},
            "linear_predictor": self.linear_predictor,
            "baseline": self.baseline,
            "contributions": dict(self.contributions),
            "contribution_ranges": {
                name: {"lower": r.lower, "upper": r.upper, "same_sign": r.same_sign}
                for name, r in self.contribution_ranges.items()
            },
            "applicability": self.applicability.to_dict(lang),
            "missing": list(self.missing),
            "messages": [message.to_dict(lang) for message in self.messages],
        }
