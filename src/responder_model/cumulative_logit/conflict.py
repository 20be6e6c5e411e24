"""Whether the data lie where the published effects expect them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import gammaincc

from .components import Array, Prior
from .likelihood import (
    Levels,
    Observations,
    Terms,
    intercept_jacobian,
    intercepts,
    terms,
)

# Cohorts drawn from the prior; with this one, 5 % of them is a whole number.
N_DRAWS = 1999
# Patients used at most.
MAX_PATIENTS = 1000
# Logarithm of the widest gap that is drawn.
_WIDEST = 20.0


def conflict_p_value(observations: Observations, prior: Prior, n_columns: int) -> float:
    """Share of cohorts drawn from the prior that lie as far from it as this one.

    The patients are these, their outcomes drawn; how far is the squared length, in
    units of the prior, by which one Newton step from its mean moves the first
    ``n_columns`` coefficients. The size is exact for any number of patients, since
    nothing is taken to be normal; outcomes known to an interval are drawn as levels
    unless they fall into it.

    References
    ----------
    Box GEP. J R Stat Soc A 1980;143:383. https://doi.org/10.2307/2982063
    """
    n, n_cuts = len(observations.lower), observations.n_cuts
    if n > MAX_PATIENTS:
        kept = np.linspace(0, n - 1, MAX_PATIENTS).astype(int)
        observations = observations.rows(kept)
    scores, information = _scores(observations, prior)
    spread = prior.spread
    moves = np.linalg.solve(np.eye(len(spread)) + spread @ information, spread)
    slopes = slice(n_cuts, n_cuts + n_columns)
    lower = np.linalg.cholesky(spread[slopes, slopes])
    whitened = np.linalg.solve(lower, moves[slopes])
    rng = np.random.default_rng(0)
    drawn = _drawn_levels(observations, prior, rng)
    levels = np.vstack([observations.lower, drawn])
    found = np.zeros((len(levels), len(spread)))
    for level in range(n_cuts + 1):
        found += (levels == level).astype(np.float64) @ scores[level]
    length = ((found @ whitened.T) ** 2).sum(axis=1)
    return float((length >= length[0] * (1.0 - 1e-9)).mean())


def _scores(observations: Observations, prior: Prior) -> tuple[Array, Array]:
    """Score of each patient at each level at the prior mean, (J + 1, n, J + K).

    And the information that all give on average, (J + K, J + K).
    """
    n, J = len(observations.design), observations.n_cuts
    at = prior.mean[None]
    told = _score(observations, at, terms(observations, at))
    scores, information = [], np.zeros((J + observations.design.shape[1],) * 2)
    for level in range(J + 1):
        place = np.full(n, level)
        here = replace(observations, lower=place, upper=place)
        of = terms(here, at)
        exact = _score(here, at, of)
        chance = np.exp(of.value[0])
        information += (exact * chance[:, None]).T @ exact
        wide = (observations.lower < observations.upper) & (
            (observations.lower <= level) & (level <= observations.upper)
        )
        scores.append(np.where(wide[:, None], told, exact))
    return np.array(scores), information


def _score(observations: Observations, at: Array, of: Terms) -> Array:
    """Score of each patient, (n, J + K)."""
    J, main = observations.n_cuts, observations.main
    cuts = observations.at_top * of.at_top[0] + observations.at_bottom * of.at_bottom[0]
    jacobian = intercept_jacobian(at, J, main)[0]
    return np.hstack([cuts.T @ jacobian, of.slope[0][:, None] * observations.design])


def _drawn_levels(
    observations: Observations, prior: Prior, rng: np.random.Generator
) -> Levels:
    """Levels of the patients in cohorts drawn from the prior, (N_DRAWS, n)."""
    J, n = observations.n_cuts, len(observations.design)
    draws = rng.multivariate_normal(
        prior.mean, prior.spread, N_DRAWS, method="cholesky"
    )
    # a prior that says nothing of a gap draws it as good as 0 or without end
    draws[:, 1:J] = np.clip(draws[:, 1:J], -_WIDEST, _WIDEST)
    c = intercepts(draws[:, :J], J, observations.main)
    reach = draws[:, J:] @ observations.design.T - rng.logistic(size=(N_DRAWS, n))
    levels = np.zeros((N_DRAWS, n), dtype=np.int64)
    for cut in range(J):
        levels += reach > -c[:, [cut]]
    return levels


def column_p_values(shift: Array, spread: Array, names: list[str]) -> dict[str, float]:
    """p-values of the shift of each column, whose variance under the prior is known.

    Parameters
    ----------
    shift : ndarray of shape (p,)
        Posterior minus prior mean.
    spread : ndarray of shape (p, p)
        Covariance of the shift before the data are seen.
    names : list of str
        Of the columns.
    """
    single = shift**2 / np.maximum(np.diag(spread), 1e-12)
    p_values = gammaincc(0.5, single / 2.0)
    return dict(zip(names, map(float, p_values), strict=True))
