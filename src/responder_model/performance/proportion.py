"""A proportion of responders with its interval."""

from __future__ import annotations

import math

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from ._check import check_confidence
from .estimate import Estimate, normal_quantile


def proportion_estimate(
    n_events: int, n_patients: int, *, confidence: float = 0.95
) -> Estimate:
    """Proportion of responders with Wilson's score interval.

    The interval has width also when nobody or everybody responded.

    Parameters
    ----------
    n_events : int
        Responders.
    n_patients : int
        Patients, at least 1.
    confidence : float, default 0.95
        Coverage of the interval.

    Returns
    -------
    Estimate
        Proportion and interval.

    Raises
    ------
    ResponderModelError
        If the counts are not possible.

    Examples
    --------
    >>> print(proportion_estimate(17, 36))
    0.472 (0.320 to 0.630)
    """
    _check_counts(n_events, n_patients)
    p, n = n_events / n_patients, n_patients
    z = normal_quantile(confidence)
    # (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1.0 - p) / n + z * z / (4 * n * n))
    scale = 1.0 + z * z / n
    return Estimate(
        value=p,
        lower=max((centre - half) / scale, 0.0),
        upper=min((centre + half) / scale, 1.0),
        standard_error=None,
        method="Wilson",
    )


def exact_proportion(
    n_events: int, n_patients: int, *, confidence: float = 0.95
) -> Estimate:
    """Proportion with Clopper and Pearson's exact interval, for few events.

    It holds the truth in at least ``confidence`` of samples, and has an upper end above
    0 where nobody had the event.

    Parameters
    ----------
    n_events, n_patients : int
        Patients (or sessions) with the event, and all of them, at least 1.
    confidence : float, default 0.95
        Least coverage of the interval.

    Raises
    ------
    ResponderModelError
        If the counts are not possible.

    References
    ----------
    .. [1] Clopper CJ, Pearson ES. Biometrika 1934;26:404-413. doi:10.2307/2331986

    Examples
    --------
    >>> print(exact_proportion(4, 36))
    0.111 (0.031 to 0.261)
    >>> print(exact_proportion(0, 80))
    0.000 (0.000 to 0.045)
    """
    from scipy.special import betaincinv

    _check_counts(n_events, n_patients)
    k, n = n_events, n_patients
    tail = (1.0 - check_confidence(confidence)) / 2.0
    return Estimate(
        value=k / n,
        lower=float(betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0,
        upper=float(betaincinv(k + 1, n - k, 1.0 - tail)) if k < n else 1.0,
        standard_error=None,
        method="Clopper-Pearson",
    )


def _check_counts(n_events: int, n_patients: int) -> None:
    if not 0 <= n_events <= n_patients or n_patients == 0:
        said = Note("performance.counts", n=n_events, all=n_patients)
        raise ResponderModelError(said)
