"""What a model says about many patients, as arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array, Gaps
from .applicability import Levels

# Half-width of a 95 % interval in standard deviations.
Z_95 = 1.959964

# Position of a centre for all patients, or for each; -1: one that is not known.
Own = int | NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """What a model says about n patients.

    Parameters
    ----------
    linear_predictor : ndarray of shape (n,)
        Served log-odds at the main cut-off.
    standard_error : ndarray of shape (n,)
        Its standard deviation.
    served : ndarray of shape (n, n_served)
        Log-odds at each served cut-off, falling.
    contributions : ndarray of shape (n, n_predictors)
        Log-odds per predictor, in dictionary order.
    levels : ndarray of shape (n,)
        Applicability: 0 inside, 1 borderline, 2 outside.
    missing : ndarray of shape (n, n_predictors)
        Which predictors were not given.
    """

    linear_predictor: Array
    standard_error: Array
    served: Array
    contributions: Array
    levels: Levels
    missing: NDArray[np.bool_]

    @property
    def probability(self) -> Array:
        """Probability of the outcome at the main cut-off, (n,)."""
        return probability_of(self.linear_predictor)

    @property
    def lower(self) -> Array:
        """Lower end of the 95 % interval, (n,)."""
        return probability_of(self.linear_predictor - Z_95 * self.standard_error)

    @property
    def upper(self) -> Array:
        """Upper end of the 95 % interval, (n,)."""
        return probability_of(self.linear_predictor + Z_95 * self.standard_error)

    @property
    def probabilities(self) -> Array:
        """Probability at each served cut-off, (n, n_served)."""
        return probability_of(self.served)


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """The linear part's view of n patients, before the pool."""

    z: Array  # (n, p) base columns, NaN where missing
    deviation: Array  # (n, p) filled base columns minus the population mean
    given: Array  # (n, p) the same, 0 where missing
    beyond: Array | None  # (n, p) what bounds of a missing number add to its filling
    extra: Array  # (n, n_served) variance owed to missing values
    told: Array  # (n,) posterior variance of the main linear predictor
    open_variance: (
        Array  # (n,) what uncertain coefficients add where values are missing
    )
    unknown: Array  # (n, n_predictors or 0) both, of each contribution alone
    scale: Array  # (n,) kappa_i of the main cut-off
    log_odds: Array  # (n, n_served)
    gaps: Gaps  # rows that miss the same columns
    own: Own = -1  # centre of the patients, or of each


def probability_of(log_odds: Array) -> Array:
    """Logistic function; fast, and free of overflow in the range that models reach.

    Examples
    --------
    >>> probability_of(np.array([-800.0, 0.0, 800.0])).round(3).tolist()
    [0.0, 0.5, 1.0]
    """
    bounded = np.minimum(np.maximum(log_odds, -708.0), 708.0)
    return np.asarray(1.0 / (1.0 + np.exp(-bounded)))


def probability_at(log_odds: float) -> float:
    """Return the same of one number."""
    return 1.0 / (1.0 + math.exp(-min(max(log_odds, -708.0), 708.0)))
