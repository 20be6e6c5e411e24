"""Discrimination: do responders get higher probabilities than non-responders."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from ._check import Floats, check_arrays, check_levels, check_outcome_probability
from .estimate import Estimate, normal_quantile

Mask = NDArray[np.bool_]


def _placements(values: Floats, others: Floats) -> Floats:
    # share of others below each value, ties 1/2
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, side="left")
    not_above = np.searchsorted(ordered, values, side="right")
    share: Floats = (below + not_above) / (2.0 * others.size)
    return share


def c_statistic_of(y: Floats, p: Floats) -> float:
    """Bare c-statistic of clean arrays."""
    return float(_placements(p[y == 1.0], p[y == 0.0]).mean())


def c_statistic(outcome: ArrayLike, probability: ArrayLike) -> float:
    """Probability that a responder was given more than a non-responder, ties 1/2.

    Higher is better; 0.5 is a coin, 1 is ideal. It says nothing about calibration:
    any increasing function of the probability has the same c-statistic.

    Parameters
    ----------
    outcome, probability : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder; probability of response, in [0, 1].

    Returns
    -------
    float
        The c-statistic, also called area under the ROC curve.

    Raises
    ------
    ResponderModelError
        If only one outcome class is present or an array is not valid.

    References
    ----------
    .. [1] Steyerberg EW et al. Assessing the performance of prediction models.
       Epidemiology 2010;21:128-138. doi:10.1097/EDE.0b013e3181c30fb2

    Examples
    --------
    >>> c_statistic([0, 0, 1, 1], [0.2, 0.6, 0.5, 0.9])
    0.75
    """
    y, p = check_outcome_probability(outcome, probability)
    return c_statistic_of(y, p)


def delong_variance(y: Floats, p: Floats) -> float:
    """DeLong's variance of the c-statistic; needs two patients of each class."""
    n_events = int(y.sum())
    if min(n_events, y.size - n_events) < 2:
        raise ResponderModelError(Note("performance.delong"))
    events, others = p[y == 1.0], p[y == 0.0]
    v10 = _placements(events, others)  # per responder
    v01 = 1.0 - _placements(others, events)  # per non-responder
    return float(v10.var(ddof=1) / events.size + v01.var(ddof=1) / others.size)


def _newcombe_bound(c: float, n_events: int, n_others: int, z: float) -> float:
    # Newcombe's method 5: the lowest theta with |theta - c| = z sqrt(V(theta)),
    # V = theta(1-theta) (1 + (N-1) ((1-theta)/(2-theta) + theta/(1+theta))) / (m n),
    # N = (m + n)/2; by bisection between 1/2 and c
    n_star = (n_events + n_others) / 2.0 - 1.0

    def excess(theta: float) -> float:
        spread = 1.0 + n_star * ((1.0 - theta) / (2.0 - theta) + theta / (1.0 + theta))
        variance = theta * (1.0 - theta) * spread / (n_events * n_others)
        return c - theta - z * math.sqrt(variance)

    low, high = 0.0, c
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    return (low + high) / 2.0


def _perfect(c: float, n_events: int, n_others: int, z: float) -> Estimate:
    bound = _newcombe_bound(1.0, n_events, n_others, z)
    low, high = (bound, 1.0) if c == 1.0 else (0.0, 1.0 - bound)
    return Estimate(
        value=c, lower=low, upper=high, standard_error=None, method="Newcombe 5"
    )


def c_statistic_estimate(y: Floats, p: Floats, *, confidence: float) -> Estimate:
    """DeLong's interval on the logit scale; Newcombe's where c is 0 or 1.

    logit(c) ± z·se / (c(1 - c)): it never leaves 0 to 1, and covers at small sizes,
    where c ± z·se is too short above.
    """
    c = c_statistic_of(y, p)
    z = normal_quantile(confidence)
    se = math.sqrt(delong_variance(y, p))
    if c in (0.0, 1.0):
        n_events = int(y.sum())
        return _perfect(c, n_events, y.size - n_events, z)
    centre, half = math.log(c / (1.0 - c)), z * se / (c * (1.0 - c))
    lower, upper = (1.0 / (1.0 + math.exp(-x)) for x in (centre - half, centre + half))
    return Estimate(
        value=c, lower=lower, upper=upper, standard_error=se, method="DeLong, logit"
    )


def _concordance_parts(
    lower: Floats, upper: Floats, score: Floats
) -> tuple[Floats, Floats]:
    # per patient: number of comparable pairs, and of concordant ones (ties 1/2)
    pairs = np.zeros(score.size)
    concordant = np.zeros(score.size)
    for high, low in _comparable(lower, upper):
        n_high, n_low = int(high.sum()), int(low.sum())
        pairs[high] += n_low
        pairs[low] += n_high
        concordant[high] += n_low * _placements(score[high], score[low])
        concordant[low] += n_high * (1.0 - _placements(score[low], score[high]))
    return pairs, concordant


def _comparable(lower: Floats, upper: Floats) -> list[tuple[Mask, Mask]]:
    # for each level: patients at it, and those whose intervals lie wholly below it
    found = [(lower == level, upper < level) for level in np.unique(lower)]
    found = [(high, low) for high, low in found if low.any()]
    if not found:
        raise ResponderModelError(Note("performance.no_pair"))
    return found


def _largest_split(lower: Floats, upper: Floats) -> tuple[int, int]:
    # patients from a level on, and wholly below it, where most pairs are compared
    splits = [
        (int((lower >= level).sum()), int((upper < level).sum()))
        for level in np.unique(lower)
    ]
    return max(splits, key=lambda split: split[0] * split[1])


def ordinal_concordance(
    level: ArrayLike, score: ArrayLike, *, upper_level: ArrayLike | None = None
) -> float:
    """Probability that the patient with the better outcome got the higher score.

    The c-statistic of an ordered outcome: over all pairs of patients whose levels of
    relief differ, the share in which the score orders them rightly, ties 1/2.
    Higher is better; 0.5 is a coin. It uses every cut-off at once, so it is more
    precise than the c-statistic at one of them, and it is a different number. Every
    pair of patients counts once; the ordinal c-index of [1]_ instead averages over
    pairs of levels.

    Parameters
    ----------
    level : array_like of shape (n_patients,)
        Ordered level of the outcome; the lower end when it is only known to an
        interval.
    score : array_like of shape (n_patients,)
        Probability at any cut-off, or linear predictor: only the order matters.
    upper_level : array_like of shape (n_patients,), optional
        Upper end of the interval of levels. Pairs with overlapping intervals are
        not comparable and are left out.

    Returns
    -------
    float
        Concordance in [0, 1].

    Raises
    ------
    ResponderModelError
        If no two patients differ in level, or an array is not valid.

    References
    ----------
    .. [1] Van Calster B, Van Belle V, Vergouwe Y, Steyerberg EW. Discrimination
       ability of prediction models for ordinal outcomes. Biom J 2012;54:674-685.
       doi:10.1002/bimj.201200026

    Examples
    --------
    >>> ordinal_concordance([0, 1, 3, 1], [0.1, 0.7, 0.6, 0.3])
    0.8
    """
    lower, upper, s = check_levels(level, upper_level, score)
    pairs, concordant = 0, 0.0
    for high, low in _comparable(lower, upper):
        pairs += int(high.sum()) * int(low.sum())
        concordant += float(low.sum() * _placements(s[high], s[low]).sum())
    return concordant / pairs


def ordinal_concordance_estimate(
    level: ArrayLike,
    score: ArrayLike,
    *,
    upper_level: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Ordinal concordance with an interval by the infinitesimal jackknife.

    Where the order is perfect (0 or 1) the jackknife has no width: Newcombe's interval
    at the cut-off that compares most pairs stands instead.

    Parameters
    ----------
    level : array_like of shape (n_patients,)
        Ordered level of the outcome, or the lower end of its interval.
    score : array_like of shape (n_patients,)
        Probability at any cut-off, or linear predictor.
    upper_level : array_like of shape (n_patients,), optional
        Upper end of the interval of levels.
    confidence : float, default 0.95
        Coverage of the interval.

    Returns
    -------
    Estimate
        Value, interval and standard error (that of R's ``survival::concordance``).

    Raises
    ------
    ResponderModelError
        If no two patients differ in level, or an array is not valid.

    Examples
    --------
    >>> e = ordinal_concordance_estimate([0, 1, 3, 1, 2], [0.1, 0.7, 0.6, 0.3, 0.5])
    >>> round(e.value, 3), round(e.lower, 3), e.upper
    (0.778, 0.398, 1.0)
    """
    lower, upper, s = check_levels(level, upper_level, score)
    z = normal_quantile(confidence)
    pairs, concordant = _concordance_parts(lower, upper, s)
    c = float(concordant.sum() / pairs.sum())
    if c in (0.0, 1.0):
        return _perfect(c, *_largest_split(lower, upper), z)
    # dC/dw_i = (concordant_i - C pairs_i) / number of pairs, each pair counted once
    influence = (concordant - c * pairs) / (pairs.sum() / 2.0)
    se = float(np.sqrt((influence**2).sum()))
    return Estimate(
        value=c,
        lower=max(c - z * se, 0.0),
        upper=min(c + z * se, 1.0),
        standard_error=se,
        method="infinitesimal jackknife",
    )


@dataclass(frozen=True, kw_only=True)
class CutPointConcordance:
    """The c-statistic at one cut-off of an ordered outcome."""

    cut_point: float  # in units of relief, %
    n_patients: int  # whose outcome is known at this cut-off
    n_events: int
    estimate: Estimate | None  # None with a problem
    problem: Note | None


def concordance_by_cut_point(
    level: ArrayLike,
    exceedance: ArrayLike,
    *,
    cut_points: tuple[float, ...],
    positions: tuple[int, ...] | None = None,
    upper_level: ArrayLike | None = None,
    confidence: float = 0.95,
) -> tuple[CutPointConcordance, ...]:
    """C-statistic at each cut-off, from the probability of exceeding that cut-off.

    Parameters
    ----------
    level : array_like of shape (n_patients,)
        Number of fitted cut points that the outcome passes, or its lower end.
    exceedance : array_like of shape (n_patients, n_cut_points)
        Predicted probability of passing each of ``cut_points``.
    cut_points : tuple of float
        The cut-offs, for the labels of the result.
    positions : tuple of int, optional
        Place of each cut-off among the fitted ones that ``level`` counts, from 0;
        by default 0, 1, 2, …: every fitted cut point is in ``cut_points``.
    upper_level : array_like of shape (n_patients,), optional
        Upper end of the interval of levels; a patient whose interval straddles a
        cut-off is not counted at that one.
    confidence : float, default 0.95
        Coverage of the intervals.

    Returns
    -------
    tuple of CutPointConcordance
        One for each cut-off; an empty class is stated in ``problem``.

    Raises
    ------
    ResponderModelError
        If shapes do not agree.

    Examples
    --------
    >>> p = [[0.4, 0.1], [0.9, 0.5], [0.6, 0.4], [0.8, 0.7]]
    >>> found = concordance_by_cut_point([0, 1, 0, 2], p, cut_points=(10, 30))
    >>> found[0].estimate.value
    1.0
    >>> found[1].n_events, found[1].problem is None
    (1, False)
    """
    table = np.asarray(exceedance, dtype=np.float64)
    places = tuple(range(len(cut_points))) if positions is None else positions
    if table.ndim != 2 or not table.shape[1] == len(cut_points) == len(places):
        said = Note("performance.exceedance", n=len(cut_points), shape=str(table.shape))
        raise ResponderModelError(said)
    lower, upper, _ = check_levels(level, upper_level, table[:, 0])
    return tuple(
        _at_cut_point(cut_point, place, lower, upper, column, confidence)
        for cut_point, place, column in zip(cut_points, places, table.T, strict=True)
    )


def _at_cut_point(
    cut_point: float,
    place: int,
    lower: Floats,
    upper: Floats,
    column: Floats,
    confidence: float,
) -> CutPointConcordance:
    # level counts cut points passed: the outcome passes number `place` when > place
    known = (lower > place) | (upper <= place)
    y = (lower > place)[known].astype(np.float64)
    estimate, problem = None, None
    try:
        y, p = check_arrays(y, column[known])
        if y.size == 0 or y.min() == y.max():
            raise ResponderModelError(Note("performance.one_class_here", n=y.size))
        estimate = c_statistic_estimate(y, p, confidence=confidence)
    except ResponderModelError as error:
        problem = error.said
    return CutPointConcordance(
        cut_point=float(cut_point),
        n_patients=int(y.size),
        n_events=int(y.sum()),
        estimate=estimate,
        problem=problem,
    )
