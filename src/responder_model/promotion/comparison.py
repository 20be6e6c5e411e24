"""Champion and challenger on patients whom neither has seen, and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from responder_model.artifact import digest_of
from responder_model.cohort import binary_outcome, check_cohort, outcome_levels
from responder_model.development.from_cohort import check_overlap
from responder_model.development.newcomers import new_patients
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.model import Model
from responder_model.performance import NEUTRAL_THRESHOLD, Estimate, estimate_measure
from responder_model.performance._check import check_threshold
from responder_model.settings import Settings
from responder_model.words import Note
from .paired import (
    Floats,
    Paired,
    gain_in_calibration,
    gain_in_log_loss,
    gain_in_net_benefit,
)

# Fewest patients with a known outcome on whom models are compared.
MIN_PATIENTS = 20
# P(gain > 0) from which a model is probably better, and up to which it is worse.
PROBABLY, WORSE = 0.8, 0.2
# Gain in log loss, nats a patient, below which nothing worth having is looked for.
LEAST_GAIN = 0.01
_POWER = 0.8
_CALIBRATION = ("calibration_in_the_large", "calibration_slope")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A challenger beside the champion, on the same patients.

    Parameters
    ----------
    champion, challenger : str
        Digests.
    n_patients, n_events, n_left_out : int
        Compared on; those of them with the outcome; in one of the models already.
    threshold : float
        Threshold probability of the net benefit.
    gain : Paired
        In log loss, nats a patient.
    net_benefit : Paired
        True positives a patient.
    calibration : dict of str to Paired
        ``in_the_large`` and ``slope``: how much closer to the ideal.
    measures : dict
        ``champion`` and ``challenger``: an ``Estimate`` of each calibration measure
        that has one.
    applicability : dict
        The same two: patients inside, borderline and outside.
    sample_size : str or None
        Verdict on the size of the challenger's development cohort.
    verdict : str
        ``better``, ``probably_better``, ``no_evidence`` or ``worse``.
    worse_by : tuple of str
        What of ``log_loss``, ``net_benefit``, ``in_the_large`` and ``slope`` is worse.
    n_needed : int
        Patients from whom a gain as large as found, but at least 0.01, would be told
        from none in 80 of 100 comparisons.
    could_find : float
        Gain that as many patients as these would tell from none in 80 of 100.
    notes : tuple of Note
    """

    champion: str
    challenger: str
    n_patients: int
    n_events: int
    n_left_out: int
    threshold: float
    gain: Paired
    net_benefit: Paired
    calibration: Mapping[str, Paired]
    measures: Mapping[str, Mapping[str, Estimate]]
    applicability: Mapping[str, Mapping[str, int]]
    sample_size: str | None
    verdict: str
    worse_by: tuple[str, ...]
    n_needed: int
    could_find: float
    notes: tuple[Note, ...] = ()

    def figures(self) -> dict[str, float]:
        """Numbers of the log: about all patients, none of one."""
        parts = {"gain": self.gain, "net_benefit": self.net_benefit, **self.calibration}
        found = {
            f"{name}.{key}": getattr(part, key)
            for name, part in parts.items()
            for key in ("value", "lower", "upper", "p_gain")
        }
        found |= {"threshold": self.threshold, "could_find": self.could_find}
        counts = {"n_patients": self.n_patients, "n_events": self.n_events}
        return {k: float(v) for k, v in (counts | found).items() if isfinite(v)}


def compare(
    champion: Model,
    challenger: Model,
    cohort: pd.DataFrame,
    *,
    threshold: float = NEUTRAL_THRESHOLD,
    simulated: bool = False,
) -> Comparison:
    """Compare two models of one question on patients whom neither has seen.

    Parameters
    ----------
    champion, challenger : Model
        The one in use, and the one that would take its place.
    cohort : DataFrame
        New patients; those who are in one of the models are left out.
    threshold : float, default 0.5
        Threshold probability of the clinic. 0.5 is neutral, not clinical.
    simulated : bool
        Whether simulated patients may decide: in a registry of simulated models.

    Raises
    ------
    DevelopmentError
        For models of two questions, fewer than 20 new patients with a known outcome,
        one outcome class, patients of the evidence, and simulated patients.
    """
    check_threshold(threshold)
    if champion.target != challenger.target:
        asked = {"champion": champion.target, "challenger": challenger.target}
        raise DevelopmentError(Note("promotion.other_question", **asked))
    cohort = check_cohort(cohort)
    if cohort.attrs.get("provenance") == "simulated" and not simulated:
        raise DevelopmentError(Note("promotion.simulated_patients"))
    fresh, notes = _unseen(cohort, (champion, challenger))
    outcome = binary_outcome(
        outcome_levels(fresh, champion.decision), champion.decision
    )
    known = ~np.isnan(outcome)
    y = outcome[known]
    _check_enough(y)
    tables = {
        "champion": champion.predict_cohort(fresh)[known],
        "challenger": challenger.predict_cohort(fresh)[known],
    }
    p0, p1 = (t["probability"].to_numpy(dtype=np.float64) for t in tables.values())
    gain = gain_in_log_loss(y, p0, p1)
    net_benefit = gain_in_net_benefit(y, p0, p1, threshold=threshold)
    calibration = gain_in_calibration(y, p0, p1)
    size = challenger.sample_size
    return Comparison(
        champion=digest_of(champion),
        challenger=digest_of(challenger),
        n_patients=int(y.size),
        n_events=int(y.sum()),
        n_left_out=len(cohort) - len(fresh),
        threshold=threshold,
        gain=gain,
        net_benefit=net_benefit,
        calibration=calibration,
        measures={"champion": _measures(y, p0), "challenger": _measures(y, p1)},
        applicability={
            who: {str(k): int(n) for k, n in t["applicability"].value_counts().items()}
            for who, t in tables.items()
        },
        sample_size=None if size is None else size.verdict,
        **judge(gain, net_benefit, calibration),
        n_needed=_needed(gain, int(y.size)),
        could_find=_found_by(0.975) * gain.standard_error,
        notes=notes,
    )


def judge(
    gain: Paired, net_benefit: Paired, calibration: Mapping[str, Paired]
) -> dict[str, Any]:
    """Verdict on a challenger, and by what it is worse.

    Better where the interval of the gain lies above 0 and nothing is clearly worse;
    worse where P(gain > 0) is at most 0.2, or net benefit or calibration is clearly
    worse; in between, probably better from P(gain > 0) = 0.8.
    """
    parts = {"net_benefit": net_benefit, **calibration}
    worse = [name for name, part in parts.items() if part.is_clear_loss]
    if gain.p_gain <= WORSE:
        worse.insert(0, "log_loss")
    if worse:
        verdict = "worse"
    elif gain.is_clear_gain:
        verdict = "better"
    else:
        verdict = "probably_better" if gain.p_gain >= PROBABLY else "no_evidence"
    return {"verdict": verdict, "worse_by": tuple(worse)}


def _unseen(
    cohort: pd.DataFrame, models: tuple[Model, Model]
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Patients who are in neither model, nor in the evidence of one."""
    notes: list[Note] = []
    for model in models:
        settings = Settings(
            decision=model.decision,
            moment=model.moment,
            exclude_evidence=model.excluded_evidence,
        )
        check_overlap(cohort, settings)
        cohort, said = new_patients(model, cohort, refusal="promotion.none_new")
        if model.n_patients and model.fingerprints is None:
            said = (Note("promotion.cannot_tell", model=model.name),)
        notes += [note for note in said if note not in notes]
    return cohort, tuple(notes)


def _check_enough(y: Floats) -> None:
    if y.size < MIN_PATIENTS:
        said = Note("promotion.too_few", least=MIN_PATIENTS, n=int(y.size))
        raise DevelopmentError(said)
    if y.min() == y.max():
        raise DevelopmentError(Note("promotion.one_class", n=int(y.size)))


def _measures(y: Floats, p: Floats) -> dict[str, Estimate]:
    return dict(_estimates(y, p))


def _estimates(y: Floats, p: Floats) -> Iterator[tuple[str, Estimate]]:
    for name in _CALIBRATION:
        try:
            yield name, estimate_measure(name, y, p)
        except ResponderModelError:
            continue


def _found_by(level: float) -> float:
    """How many standard errors a gain must have to be found in 80 of 100."""
    return float(norm.ppf(level) + norm.ppf(_POWER))


def _needed(gain: Paired, n: int) -> int:
    # n grows with the square of standard error over gain
    ratio = _found_by(0.975) * gain.standard_error / max(gain.value, LEAST_GAIN)
    return max(ceil(n * ratio**2), MIN_PATIENTS)
