"""What the patients of a development taught its model, and what to expect of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from responder_model.features import expit
from responder_model.model.parts import Component
from responder_model.model.scores import Z_95

if TYPE_CHECKING:
    from responder_model.model.fitted import Model


def effective_parameters(components: Sequence[Component], n_columns: int) -> float:
    """Coefficients that the patients have taught, of all that the model has.

    Of one component the trace of I - S⁻¹C over its coefficients, S the prior's
    covariance and C the posterior's (0: the prior stands; 1: the patients decide), and
    the mean over components by their weights (MacKay 1992,
    doi:10.1162/neco.1992.4.3.415). Of a development: the prior of an update is a
    posterior, whose covariance is not kept.
    """
    total = 0.0
    for part in components:
        left = np.diag(part.covariance)[-n_columns:] / part.prior_sd[-n_columns:] ** 2
        total += part.weight * float((1.0 - left).sum())
    return total


def average_interval(model: Model) -> tuple[float, float]:
    """95 % limits of the probability of an average patient."""
    half = Z_95 * math.sqrt(model.mean_variance + model.discrepancy)
    low, high = expit(np.array([model.baseline - half, model.baseline + half]))
    return float(low), float(high)


def expected_slope(model: Model) -> tuple[float, float, float]:
    """Calibration slope to expect in new patients of the population, with 95 % limits.

    Of the linear part, over its posterior: with log-odds ``b·z`` served at shrinkage k
    and the truth ``beta·z``, the slope is ``beta'S b / (k b'S b)``, S the covariance of
    the population, flattened by what the truth varies beside ``b·z``. Evidence is taken
    to be right as far as its SDs say. NaN where the model predicts one probability.
    """
    b, covariance = model.main.coefficients, model.main.covariance[1:, 1:]
    along = model.population.covariance @ b
    spread, uncertain = float(along @ b), float(along @ covariance @ along)
    if spread <= 0.0:
        return math.nan, math.nan, math.nan
    whole = float((covariance * model.population.covariance).sum())
    beside = whole - uncertain / spread + model.discrepancy
    served = 1.0 + math.pi * model.mean_variance / 8.0
    slope = math.sqrt(served / (1.0 + math.pi * beside / 8.0))
    half = Z_95 * slope * math.sqrt(uncertain) / spread
    return slope, slope - half, slope + half
