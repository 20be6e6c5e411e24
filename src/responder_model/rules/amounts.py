"""Numbers with intervals out of draws of shares."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from responder_model.features import Array
from .result import Amount

# Patients whom a rule is told for.
PATIENTS = 100
_ENDS = (0.025, 0.975)
_TINY = 1e-12


def amount_of(draws: Array, value: float) -> Amount:
    """Value with the ends of the draws; they hold it."""
    lower, upper = np.quantile(draws, _ENDS).tolist()
    return Amount(value=value, lower=min(lower, value), upper=max(upper, value))


def count_of(shares: Array, *, each: int = 1) -> Amount:
    """Count among the next 100 patients, times ``each``.

    The count is binomial given the share, and the share is as the draws say: the
    interval holds what is not known of the share, and the luck of 100 patients.

    Examples
    --------
    >>> count_of(np.full(10, 0.4))
    Amount(value=40.0, lower=31.0, upper=50.0)
    """
    k = np.arange(PATIENTS + 1.0)
    ways = gammaln(PATIENTS + 1.0) - gammaln(k + 1.0) - gammaln(PATIENTS - k + 1.0)
    p = np.clip(shares, _TINY, 1.0 - _TINY)[:, None]
    log_mass = ways + k * np.log(p) + (PATIENTS - k) * np.log1p(-p)
    below = np.exp(log_mass).mean(axis=0).cumsum()
    lower, upper = (float(each * (below < end).sum()) for end in _ENDS)
    value = float(each * PATIENTS * shares.mean())
    return Amount(value=value, lower=lower, upper=upper)
