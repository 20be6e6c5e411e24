"""Evidence against calibration that may be looked at after every patient.

A patient's outcome is one of the levels between the served cut-offs. Served are
log-odds l_j of passing each; a change (a, b) makes of them c + a + b·(l_j - c), with c
the model's average patient, fixed before any outcome. With omega_t the prior of a
change at patient t, and pi that of what changes,

    M_t(a, b) = (M_{t-1}(a, b) + omega_t)·P(level_t | a, b) / P(level_t | served)
    E_t       = sum over (a, b) of pi·M_t  +  1 - sum of omega up to t

While the served probabilities are right, E is a non-negative martingale from 1: it ever
reaches 1/alpha in at most alpha of all series, however often somebody looks (Ville's
inequality; doi:10.1214/23-STS894). An outcome that is known as yes or no only is the
set of levels on its side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_model.model.scores import probability_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# An alarm at this much evidence: at most one series in twenty, while nothing changes.
ALARM = 20.0
# Of all that may change, how often the strength of what is predicted, not the rate.
SLOPE_SHARE = 0.2
SHIFTS = np.array([-1.5, -1.0, -0.7, -0.45, -0.25, 0.25, 0.45, 0.7, 1.0, 1.5])
SLOPES = np.array([0.2, 0.45, 0.7, 1.4, 1.8])
SHIFT_SD = 0.7
# A change is there from the start in half of all cases, else after this many patients
# on average.
START_SHARE, MEAN_WAIT = 0.5, 300.0
# Where the served log-odds themselves are uncertain: nodes of the normal distribution.
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(21)


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """Outcomes and what was served, of patients in the order in which they count.

    Parameters
    ----------
    log_odds : ndarray of shape (..., n, n_served)
        Served log-odds of passing each cut-off, falling along the last axis.
    lower, upper : ndarray of shape (..., n)
        Lowest and highest level that the outcome may be: served cut-offs passed.
    centre : float
        Log-odds of the model's average patient.
    """

    log_odds: Floats
    lower: Ints
    upper: Ints
    centre: float

    def log_likelihood(self, shift: float = 0.0, slope: float = 1.0) -> Floats:
        """Log probability of each outcome after a change, (..., n)."""
        moved = self.centre + shift + slope * (self.log_odds - self.centre)
        above = probability_of(moved)
        ends = np.ones((*above.shape[:-1], 1))
        reached = np.concatenate([ends, above, 0.0 * ends], axis=-1)
        at_least = np.take_along_axis(reached, self.lower[..., None], axis=-1)
        beyond = np.take_along_axis(reached, self.upper[..., None] + 1, axis=-1)
        return np.asarray(np.log((at_least - beyond)[..., 0]))


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """Evidence of a change after each patient.

    Parameters
    ----------
    log_e : ndarray of shape (..., n)
        Natural logarithm of E.
    shares : dict
        What is believed after the last patient: ``nothing``, a ``rate`` or a
        ``strength`` that changed; the shares add up to 1.
    """

    log_e: Floats
    shares: dict[str, Floats]

    def alarm(self) -> NDArray[np.int64]:
        """Place of the first patient at whom E reaches the alarm; -1: none."""
        reached = self.log_e >= np.log(ALARM)
        return np.where(reached.any(axis=-1), reached.argmax(axis=-1), -1)


def changes() -> tuple[Floats, Floats, Floats]:
    """Shift, slope and prior of every change that is looked for.

    Examples
    --------
    >>> shift, slope, prior = changes()
    >>> len(shift), float(prior.sum().round(12))
    (15, 1.0)
    """
    by_shift: Floats = np.exp(-0.5 * (SHIFTS / SHIFT_SD) ** 2)
    by_shift *= (1.0 - SLOPE_SHARE) / by_shift.sum()
    by_slope = np.full(len(SLOPES), SLOPE_SHARE / len(SLOPES))
    return (
        np.concatenate([SHIFTS, np.zeros(len(SLOPES))]),
        np.concatenate([np.ones(len(SHIFTS)), SLOPES]),
        np.concatenate([by_shift, by_slope]),
    )


def when(n: int) -> Floats:
    """Prior probability that a change begins with each patient, (n,)."""
    t = np.arange(n)
    omega = (1.0 - START_SHARE) / MEAN_WAIT * (1.0 - 1.0 / MEAN_WAIT) ** t
    omega[:1] += START_SHARE
    return np.asarray(omega, dtype=np.float64)


def evidence_of_change(series: Series) -> Evidence:
    """Evidence after each patient that the served probabilities are right no longer.

    Examples
    --------
    Thirty patients at 50 % who all respond:

    >>> series = Series(log_odds=np.zeros((30, 1)), lower=np.ones(30, dtype=int),
    ...     upper=np.ones(30, dtype=int), centre=0.0)
    >>> found = evidence_of_change(series)
    >>> int(found.alarm()), max(found.shares, key=found.shares.get)
    (14, 'rate')
    """
    shift, slope, prior = changes()
    served = series.log_likelihood()
    ratio = np.stack(
        [
            series.log_likelihood(a, b) - served
            for a, b in zip(shift, slope, strict=True)
        ]
    )
    n = served.shape[-1]
    omega = when(n)
    log_m = np.full(ratio.shape[:-1], -np.inf)
    reach = np.log(prior).reshape(-1, *[1] * (log_m.ndim - 1))
    log_e = np.empty(served.shape)
    left = np.maximum(1.0 - np.cumsum(omega), 0.0)
    with np.errstate(divide="ignore"):
        log_omega, log_left = np.log(omega), np.log(left)
    for t in range(n):
        log_m = np.logaddexp(log_m, log_omega[t]) + ratio[..., t]
        changed = np.logaddexp.reduce(reach + log_m, axis=0)
        log_e[..., t] = np.logaddexp(changed, log_left[t])
    return Evidence(log_e=log_e, shares=_shares(reach + log_m, log_e))


def _shares(log_weight: Floats, log_e: Floats) -> dict[str, Floats]:
    if not log_e.shape[-1]:
        return {"nothing": np.ones(()), "rate": np.zeros(()), "strength": np.zeros(())}
    share = np.exp(log_weight - log_e[..., -1])
    rate, strength = share[: len(SHIFTS)].sum(0), share[len(SHIFTS) :].sum(0)
    return {"nothing": 1.0 - rate - strength, "rate": rate, "strength": strength}


def beyond_own_uncertainty(series: Series, variance: float, log_e: Floats) -> Floats:
    """Log evidence against a model that may have been off by its own uncertainty.

    The served probabilities are then right up to one unknown shift of variance
    ``variance`` for all patients, so that the likelihood of "nothing changed" is
    averaged over it. Evidence that this explains is of a model that was off from the
    start, as one from few patients may be.
    """
    served = np.cumsum(series.log_likelihood(), axis=-1)
    off = [
        np.log(w / _NODE_WEIGHTS.sum())
        + np.cumsum(series.log_likelihood(np.sqrt(variance) * x), axis=-1)
        for x, w in zip(_NODES, _NODE_WEIGHTS, strict=True)
    ]
    return np.asarray(log_e + served - np.logaddexp.reduce(np.stack(off), axis=0))


def early_warning(series: Series, shift: float = 0.5) -> Floats:
    """Return CUSUM of the log likelihood ratio of a shift up or down, (..., n)."""
    served = series.log_likelihood()
    steps = [series.log_likelihood(a) - served for a in (shift, -shift)]
    found = np.zeros((2, *served.shape))
    for way, step in enumerate(steps):
        level = np.zeros(served.shape[:-1])
        for t in range(served.shape[-1]):
            level = np.maximum(0.0, level + step[..., t])
            found[way, ..., t] = level
    return np.asarray(found.max(axis=0))


def simulated(
    log_odds: Floats,
    centre: float,
    rng: np.random.Generator,
    *,
    n_series: int,
    n: int,
    shift: float = 0.0,
) -> Series:
    """Series of n patients each, drawn from those served, with outcomes as served.

    ``shift`` moves the truth, not what is served.
    """
    drawn = log_odds[rng.integers(len(log_odds), size=(n_series, n))]
    passed = rng.random((n_series, n, 1)) < probability_of(drawn + shift)
    level = passed.sum(axis=-1)
    return Series(log_odds=drawn, lower=level, upper=level, centre=centre)
