"""Clinical usefulness: net benefit and decision curves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from responder_model.errors import ResponderModelError, check_one_of
from responder_model.schema import exceeds, reaches
from responder_model.words import Note
from ._check import (
    Floats,
    check_confidence,
    check_n_resamples,
    check_outcome_probability,
    check_rng,
    check_threshold,
    check_vector,
)
from .definitions import possible_values
from .estimate import Estimate, normal_quantile, wald

Interval = Literal["analytic", "bootstrap", "none"]
# Gain, in true positives per patient, below which a model changes nothing worth having.
LEAST_GAIN = 0.005


def _value_of_treatment(y: Floats, thresholds: Floats) -> Floats:
    # what treating patient i is worth: 1 for a responder, -t/(1-t) otherwise (n, m)
    harm = thresholds / (1.0 - thresholds)
    return y[:, None] - (1.0 - y[:, None]) * harm[None, :]


def net_benefits_of(y: Floats, p: Floats, thresholds: Floats) -> Floats:
    """Bare net benefit at each threshold (m,) of clean arrays."""
    treated = reaches(p[:, None], thresholds[None, :])
    # TP/n - FP/n t/(1-t)
    benefit: Floats = (_value_of_treatment(y, thresholds) * treated).mean(axis=0)
    return benefit


def net_benefit(
    outcome: ArrayLike, probability: ArrayLike, *, threshold: float
) -> float:
    """TP/n − FP/n · t/(1 − t) when all with probability ≥ t are treated.

    Higher is better; treat none is 0, and the ideal is the outcome proportion. The
    unit is true positives per patient. The threshold is the probability of response
    at which treating and not treating are equally attractive: it is chosen for the
    decision before looking at the data, never by maximising the net benefit. A
    probability that differs from it by binary arithmetic alone is at it.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].
    threshold : float
        Threshold probability t, at least 0 and below 1.

    Returns
    -------
    float
        The net benefit.

    Raises
    ------
    ResponderModelError
        If only one outcome class is present, the threshold is out of range, or an
        array is not valid.

    References
    ----------
    .. [1] Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating
       prediction models. Med Decis Making 2006;26:565-574.
       doi:10.1177/0272989X06295361

    Examples
    --------
    Two true positives and one false one among five patients: 2/5 − 1/5 · 1/3.

    >>> p = [0.3, 0.7, 0.1, 0.6, 0.2]
    >>> round(net_benefit([0, 1, 0, 1, 1], p, threshold=0.25), 6)
    0.333333
    """
    y, p = check_outcome_probability(outcome, probability)
    t = np.array([check_threshold(threshold)])
    return float(net_benefits_of(y, p, t)[0])


def net_benefit_treat_all(outcome: ArrayLike, *, threshold: float) -> float:
    """Net benefit of treating everybody: φ − (1 − φ) · t/(1 − t).

    φ is the outcome proportion. It is 0 where the threshold equals φ and negative
    above. A model is useful only where it beats both this and 0.

    Parameters
    ----------
    outcome : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder.
    threshold : float
        Threshold probability t, at least 0 and below 1.

    Returns
    -------
    float
        The net benefit.

    Raises
    ------
    ResponderModelError
        If only one outcome class is present or the threshold is out of range.

    Examples
    --------
    >>> round(net_benefit_treat_all([0, 1, 0, 1, 1], threshold=0.25), 6)
    0.466667
    """
    everybody = np.ones(np.asarray(outcome).shape)
    return net_benefit(outcome, everybody, threshold=threshold)


def net_benefit_estimate(
    y: Floats, p: Floats, *, threshold: float, confidence: float
) -> Estimate:
    """Interval of a mean over patients: the net benefit is one."""
    value = _value_of_treatment(y, np.array([threshold]))[:, 0] * reaches(p, threshold)
    se = float(value.std(ddof=1)) / y.size**0.5
    found = wald(float(value.mean()), se, confidence)
    return found.within(*possible_values("net_benefit", threshold=threshold))


@dataclass(frozen=True, kw_only=True)
class DecisionCurve:
    """Net benefit of the model, of treating all and of treating none (0)."""

    thresholds: Floats  # (m,)
    net_benefit: Floats  # (m,) of the model
    lower: Floats | None  # (m,) pointwise; None without interval
    upper: Floats | None
    treat_all: Floats  # (m,)
    gain: Floats  # (m,) model minus the better of treat all and treat none
    gain_lower: Floats | None
    gain_upper: Floats | None
    n_changed: NDArray[np.int64]  # (m,) patients treated otherwise than by the better
    interval: str
    confidence: float
    n_patients: int
    n_events: int
    n_failed_resamples: int  # of one outcome class, left out (bootstrap)

    @property
    def useful(self) -> tuple[float, float] | None:
        """Lowest and highest threshold with a positive gain; None without any."""
        where = self.thresholds[exceeds(self.gain, 0.0)]
        return (float(where.min()), float(where.max())) if where.size else None

    @property
    def gains_from(self) -> float | None:
        """Lowest threshold at which the gain is half a patient of 100; None if never.

        Below it, treating everybody does as well.
        """
        where = self.thresholds[reaches(self.gain, LEAST_GAIN)]
        return float(where.min()) if where.size else None


def _check_thresholds(thresholds: ArrayLike) -> Floats:
    t = check_vector(np.atleast_1d(thresholds), name="thresholds")
    if t.size == 0:
        raise ResponderModelError(Note("performance.thresholds"))
    for value in t:
        check_threshold(float(value))
    return t


@dataclass(frozen=True, kw_only=True)
class _Bounds:
    lower: Floats | None = None
    upper: Floats | None = None
    gain_lower: Floats | None = None
    gain_upper: Floats | None = None
    n_failed: int = 0

    def within(self, harm: Floats, all_treated: NDArray[np.bool_]) -> _Bounds:
        """Cut to what the worth of one patient can be, hence its mean.

        Treating is worth 1 or -harm, and not treating nothing; against treating all the
        gain is the worth of those left out, with the other sign.
        """
        least = np.where(all_treated, -1.0, -harm)
        most = np.where(all_treated, harm, 1.0)
        return replace(
            self,
            lower=_cut(self.lower, -harm, np.ones_like(harm)),
            upper=_cut(self.upper, -harm, np.ones_like(harm)),
            gain_lower=_cut(self.gain_lower, least, most),
            gain_upper=_cut(self.gain_upper, least, most),
        )


def _cut(limit: Floats | None, least: Floats, most: Floats) -> Floats | None:
    return None if limit is None else np.clip(limit, least, most)


def _analytic(treated: Floats, gain: Floats, confidence: float) -> _Bounds:
    # both are means over patients: value -+ z sd / sqrt(n)
    z = normal_quantile(confidence) / treated.shape[0] ** 0.5
    half, half_gain = z * treated.std(axis=0, ddof=1), z * gain.std(axis=0, ddof=1)
    return _Bounds(
        lower=treated.mean(axis=0) - half,
        upper=treated.mean(axis=0) + half,
        gain_lower=gain.mean(axis=0) - half_gain,
        gain_upper=gain.mean(axis=0) + half_gain,
    )


def _bootstrap(
    y: Floats,
    treated: Floats,
    gain: Floats,
    *,
    confidence: float,
    n_resamples: int,
    rng: np.random.Generator | None,
) -> _Bounds:
    generator = check_rng(rng)
    check_n_resamples(n_resamples, minimum=1)
    # resampling patients with replacement = multinomial weights (r, n)
    n = y.size
    weights = generator.multinomial(n, np.full(n, 1.0 / n), size=n_resamples)
    events = weights @ y
    kept = weights[(events > 0.0) & (events < n)] / n
    if kept.shape[0] == 0:
        return _Bounds(n_failed=n_resamples)
    tail = (1.0 - check_confidence(confidence)) / 2.0
    model = np.quantile(kept @ treated, [tail, 1.0 - tail], axis=0)
    difference = np.quantile(kept @ gain, [tail, 1.0 - tail], axis=0)
    return _Bounds(
        lower=model[0],
        upper=model[1],
        gain_lower=difference[0],
        gain_upper=difference[1],
        n_failed=n_resamples - kept.shape[0],
    )


def decision_curve(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    thresholds: ArrayLike,
    interval: Interval = "analytic",
    confidence: float = 0.95,
    n_resamples: int = 1000,
    rng: np.random.Generator | None = None,
) -> DecisionCurve:
    """Net benefit over a range of thresholds, against treating all and none.

    Show the range of thresholds that clinicians would use, not all of 0–1. The gain
    compares the model with the better of the two simple strategies at each threshold,
    chosen on the same patients; its interval takes that choice as given.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].
    thresholds : array_like of shape (n_thresholds,)
        Threshold probabilities, at least 0 and below 1.
    interval : {"analytic", "bootstrap", "none"}, default "analytic"
        Analytic: a net benefit is a mean over patients. Bootstrap: percentiles.
    confidence : float, default 0.95
        Pointwise coverage.
    n_resamples : int, default 1000
        Bootstrap resamples of patients.
    rng : numpy.random.Generator, optional
        Needed for the bootstrap.

    Returns
    -------
    DecisionCurve
        Thresholds, net benefits, gain and intervals.

    Raises
    ------
    ResponderModelError
        If only one outcome class is present, a threshold is out of range, an array is
        not valid, or ``rng`` is missing for the bootstrap.

    References
    ----------
    .. [1] Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating
       prediction models. Med Decis Making 2006;26:565-574.
       doi:10.1177/0272989X06295361

    Examples
    --------
    >>> p = [0.3, 0.7, 0.1, 0.6, 0.2]
    >>> curve = decision_curve([0, 1, 0, 1, 1], p, thresholds=[0.25, 0.5])
    >>> curve.net_benefit.round(3).tolist(), curve.treat_all.round(3).tolist()
    ([0.333, 0.4], [0.467, 0.2])
    >>> curve.useful
    (0.5, 0.5)
    """
    y, p = check_outcome_probability(outcome, probability)
    t = _check_thresholds(thresholds)
    check_one_of(interval, get_args(Interval), name="interval")
    everybody = _value_of_treatment(y, t)
    treated = everybody * reaches(p[:, None], t[None, :])
    treat_all = everybody.mean(axis=0)
    all_treated = exceeds(treat_all, 0.0)  # where that is the better strategy (m,)
    gain = treated - everybody * all_treated  # per patient (n, m)
    bounds = _Bounds()
    if interval == "analytic":
        bounds = _analytic(treated, gain, confidence)
    elif interval == "bootstrap":
        bounds = _bootstrap(
            y,
            treated,
            gain,
            confidence=confidence,
            n_resamples=n_resamples,
            rng=rng,
        )
    bounds = bounds.within(t / (1.0 - t), all_treated)
    return DecisionCurve(
        thresholds=t,
        net_benefit=treated.mean(axis=0),
        lower=bounds.lower,
        upper=bounds.upper,
        treat_all=treat_all,
        gain=gain.mean(axis=0),
        gain_lower=bounds.gain_lower,
        gain_upper=bounds.gain_upper,
        n_changed=(gain != 0.0).sum(axis=0),
        interval=interval,
        confidence=confidence,
        n_patients=int(y.size),
        n_events=int(y.sum()),
        n_failed_resamples=bounds.n_failed,
    )
