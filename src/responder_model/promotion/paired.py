"""Two models on the same patients: paired differences, and how sure they are.

Everywhere above 0 is better for the challenger. Intervals are Student's, of one
difference a patient, so that what both models find hard cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from responder_model.errors import ResponderModelError
from responder_model.performance.calibration import joint_fit, offset_fit
from responder_model.schema import reaches

Floats = NDArray[np.float64]
CONFIDENCE = 0.95
# Draws of two distances from the ideal: 0.1 % of a tail is told within 0.03 %.
_DRAWS = 10_000


@dataclass(frozen=True, kw_only=True)
class Paired:
    """A paired difference; above 0 the challenger is better.

    Parameters
    ----------
    value, lower, upper : float
        Mean difference and its 95 % interval; not a number where it has none.
    standard_error : float
    p_gain : float
        Probability that the true difference is above 0.
    """

    value: float
    lower: float
    upper: float
    standard_error: float
    p_gain: float

    @property
    def is_clear_gain(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.lower > 0.0

    @property
    def is_clear_loss(self) -> bool:
        """Whether the whole interval is below 0."""
        return self.upper < 0.0


NOT_KNOWN = Paired(value=nan, lower=-inf, upper=inf, standard_error=nan, p_gain=0.5)


def mean_difference(differences: Floats) -> Paired:
    """Mean of one difference a patient (n,), with Student's interval.

    Examples
    --------
    >>> found = mean_difference(np.array([0.3, 0.1, 0.2, 0.4]))
    >>> round(found.value, 3), round(found.lower, 3), round(found.p_gain, 3)
    (0.25, 0.045, 0.985)
    """
    n = differences.size
    spread = sqrt(float(differences.var(ddof=1)) / n)
    return _student(float(differences.mean()), spread, n - 1)


def _student(value: float, spread: float, freedom: int) -> Paired:
    if spread == 0.0:
        p_gain = 0.5 if value == 0.0 else float(value > 0.0)
        return Paired(
            value=value, lower=value, upper=value, standard_error=0.0, p_gain=p_gain
        )
    half = float(student.ppf(0.5 + CONFIDENCE / 2.0, freedom)) * spread
    return Paired(
        value=value,
        lower=value - half,
        upper=value + half,
        standard_error=spread,
        p_gain=float(student.cdf(value / spread, freedom)),
    )


def gain_in_log_loss(y: Floats, champion: Floats, challenger: Floats) -> Paired:
    """How much less the outcomes surprise the challenger, nats a patient."""
    return mean_difference(_surprise(y, champion) - _surprise(y, challenger))


def _surprise(y: Floats, p: Floats) -> Floats:
    # -log P(what happened)
    surprise: Floats = -np.log(np.where(y == 1.0, p, 1.0 - p))
    return surprise


def gain_in_net_benefit(
    y: Floats, champion: Floats, challenger: Floats, *, threshold: float
) -> Paired:
    """Gain in net benefit at a threshold, true positives a patient."""
    # treating patient i is worth 1 for a responder, -t/(1-t) otherwise
    worth = y - (1.0 - y) * threshold / (1.0 - threshold)
    treated = [reaches(p, threshold).astype(float) for p in (champion, challenger)]
    return mean_difference(worth * (treated[1] - treated[0]))


def gain_in_calibration(
    y: Floats, champion: Floats, challenger: Floats
) -> dict[str, Paired]:
    """How much closer to the ideal level (0) and slope (1) the challenger is.

    Each is |champion's distance| - |challenger's distance|, over draws from the normal
    distribution of both distances: what each patient adds to either (influence
    functions) gives their covariance, and where a sign is unsure so is which is closer.
    """
    return {
        "in_the_large": _closer(_level(y, champion), _level(y, challenger)),
        "slope": _closer(_slope(y, champion), _slope(y, challenger)),
    }


# Distance of a measure from its ideal value, and what each patient adds to it (n,).
_Distance = tuple[float, Floats] | None


def _closer(champion: _Distance, challenger: _Distance) -> Paired:
    if champion is None or challenger is None:
        return NOT_KNOWN
    influence = np.stack([champion[1], challenger[1]])  # (2, n)
    draws = np.random.default_rng(0).multivariate_normal(
        [champion[0], challenger[0]], influence @ influence.T, _DRAWS, method="eigh"
    )
    far = np.abs(draws)
    closer = far[:, 0] - far[:, 1]
    tail = 0.5 - CONFIDENCE / 2.0
    lower, upper = np.quantile(closer, [tail, 1.0 - tail])
    return Paired(
        value=abs(champion[0]) - abs(challenger[0]),
        lower=float(lower),
        upper=float(upper),
        standard_error=float(closer.std()),
        p_gain=float((closer > 0.0).mean() + (closer == 0.0).mean() / 2.0),
    )


def _level(y: Floats, p: Floats) -> _Distance:
    """Calibration in the large."""
    try:
        fit = offset_fit(y, p)
    except ResponderModelError:
        return None
    a = float(fit.coefficients[0])
    mu = 1.0 / (1.0 + np.exp(-(a + _logit(p))))
    return a, fit.covariance[0, 0] * (y - mu)


def _slope(y: Floats, p: Floats) -> _Distance:
    """Calibration slope, less 1."""
    try:
        fit = joint_fit(y, p)
    except ResponderModelError:
        return None
    design = np.stack([np.ones_like(p), _logit(p)], axis=1)  # (n, 2)
    mu = 1.0 / (1.0 + np.exp(-(design @ fit.coefficients)))
    influence = (design * (y - mu)[:, None]) @ fit.covariance[:, 1]
    return float(fit.coefficients[1]) - 1.0, influence


def _logit(p: Floats) -> Floats:
    lp: Floats = np.log(p) - np.log1p(-p)
    return lp
