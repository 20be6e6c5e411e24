"""Values that a fitted model is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from responder_model.features import Array, Population
from responder_model.frozen import FrozenDict
from responder_model.words import Note


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearPart:
    """Linear predictor of one served cut-off: one Gaussian posterior.

    Parameters
    ----------
    cut_point : float
        Relief, in percent, that the outcome must pass.
    intercept : float
        Log-odds where every base column is 0.
    coefficients : ndarray of shape (p,)
        Posterior means on the base columns.
    covariance : ndarray of shape (p + 1, p + 1)
        Posterior covariance of (intercept, coefficients).
    """

    cut_point: float
    intercept: float
    coefficients: Array
    covariance: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariance", symmetric(self.covariance))

    def mean_variance(self, population: Population) -> float:
        """Mean posterior variance of the linear predictor over a population."""
        lifted = np.r_[1.0, population.mean]
        spread = (self.covariance[1:, 1:] * population.covariance).sum()
        return float(lifted @ self.covariance @ lifted + spread)


# Name of the level that patients share whose centre is small or not told.
OTHER_CENTRES = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class CentreLevel:
    """What one centre adds to the linear parts, which are those of another centre.

    Parameters
    ----------
    name : str
        Name or code; empty for the level that patients of small centres share, which
        nobody can ask for.
    shift : ndarray of shape (n_served,)
        Log-odds added at each served cut-off.
    variance : ndarray of shape (p + 1,)
        Added to the variance of the main linear predictor of a patient with base
        columns z: ``variance · [1, z]``.
    """

    name: str
    shift: Array
    variance: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Component:
    """One component of the robust mixture.

    It is over cut-point parameters, model columns and levels of centres, in this order.

    Parameters
    ----------
    name : str
        Which prior it is.
    prior_mean, prior_sd : ndarray of shape (k,)
        Its independent Gaussian priors.
    prior_weight, weight : float
        Probability of the component before and after the cohort was seen.
    log_evidence : float
        Laplace approximation of the log marginal likelihood.
    mean, covariance : ndarray of shape (k,) and (k, k)
        Its posterior; ``update`` starts from here.
    centre_sd : float
        SD between the levels of centres that it assumes; 0 without centres.
    """

    name: str
    prior_mean: Array
    prior_sd: Array
    prior_weight: float
    weight: float
    log_evidence: float
    mean: Array
    covariance: Array
    centre_sd: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariance", symmetric(self.covariance))


@dataclass(frozen=True, kw_only=True)
class ApparentPerformance:
    """What a development measured on its own patients, and how they fit its prior.

    Parameters
    ----------
    apparent : mapping of str to float
        Measures of its probabilities on the patients it was made from.
    not_measured : mapping of str to Note
        Why a measure has no value.
    challenger : mapping of str to float
        Weight of the trees; out-of-fold log loss of them and of the other expert.
    published_component_weight, prior_conflict_p_value : float, optional
        Weight of the published priors; whether the cohort contradicts them.
    prior_conflict_p_values : mapping of str to float
        The same for each model column.
    outcome_definition : str
        How the outcome was recorded; empty where nobody could tell.
    """

    apparent: Mapping[str, float | None] = field(default_factory=FrozenDict)
    not_measured: Mapping[str, Note] = field(default_factory=FrozenDict)
    challenger: Mapping[str, float | None] = field(default_factory=FrozenDict)
    published_component_weight: float | None = None
    prior_conflict_p_value: float | None = None
    prior_conflict_p_values: Mapping[str, float | None] = field(
        default_factory=FrozenDict
    )
    outcome_definition: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """The challenger's share of the log-odds at the main cut-off.

    Parameters
    ----------
    weight : float
        Share w of the trees, in (0, 1].
    offset, slope : float
        Recalibration of the trees' margin: ``offset + slope · margin``.
    trees : bytes
        XGBoost's own JSON.
    """

    weight: float
    offset: float
    slope: float
    trees: bytes


def symmetric(matrix: Array) -> Array:
    """Exactly symmetric read-only copy, so that one triangle says everything."""
    copy = np.asarray((matrix + matrix.T) / 2.0)
    copy.setflags(write=False)
    return copy
