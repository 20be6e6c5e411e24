"""What becomes of many patients when those with a low score are set apart.

With z the base columns of a patient, N(m, S) in the model's population, a score
s = at + w·z and the log-odds L = a + b·z are normal together for each draw (a, b) of
the posterior, so that

    P(s < t, response) = integral over u < (t - E s) / SD s of phi(u) E[expit(L) | u] du
    L | u ~ N(E L + r·u, var L - r²),   r = b'S w / SD s

Both integrals are Gaussian quadratures: no patient is drawn, only the posterior.

A curve follows from its number, so that a bent L is not normal: patients of a model
with curves are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr, ndtri

from responder_model.features import Array
from responder_model.frozen import freeze
from responder_model.model import Model
from responder_model.model.scores import probability_of

# Model column of the mean relief of the sessions done.
_RELIEF = "relief_so_far"
# Draws of a posterior; the second half mirrors the first.
N_DRAWS = 4000
_SEED = 0
# Patients drawn of a model with curves, and every how many their response is asked.
_N_PATIENTS, _EVERY, _CHUNK = 32_768, 4, 512
# Nodes of the quadratures: along the score, and across what it leaves open.
_ALONG, _ACROSS = 24, 9


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """A number known of each patient, linear in the base columns: at + along·z."""

    at: float
    along: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Rates:
    """Shares of all patients; each draw is one truth that the data allow.

    Parameters
    ----------
    response : ndarray of shape (n_draws,)
        Patients who respond.
    apart : ndarray of shape (n_draws,)
        Patients whose score lies below a threshold.
    lost : ndarray of shape (n_draws,)
        Those of them who respond.
    """

    response: Array
    apart: Array
    lost: Array


def relief_fields(model: Model) -> list[str]:
    """Fields of the relief of the sessions done."""
    encoder = model.encoder
    share = encoder.projection[encoder.derived.index(_RELIEF)]
    return [encoder.columns[k].name for k in np.flatnonzero(share)]


def relief_score(model: Model) -> Score:
    """Mean relief of the sessions done, in percent."""
    encoder = model.encoder
    share = encoder.projection[encoder.derived.index(_RELIEF)]
    centre = np.array([column.centre for column in encoder.columns])
    scale = np.array([column.scale for column in encoder.columns])
    return Score(at=float(share @ centre), along=share * scale)


def served_score(model: Model) -> Score:
    """Log-odds that the model's linear part serves of a patient known in full."""
    scorer, mean = model.scorer, model.population.mean
    main = scorer.main
    along = scorer.kappa[-1] * scorer.coefficients[main]
    at = scorer.kappa[-1] * scorer.centre[main] - along @ mean
    return Score(at=float(at), along=along)


def model_rates(
    model: Model, score: Score, thresholds: Sequence[float]
) -> Iterator[Rates]:
    """Shares in the population that a model describes, at another centre."""
    if any(column.is_curve for column in model.encoder.columns):
        yield from _rates_of_drawn(model, score, thresholds)
        return
    draws = _posterior(model)
    mean, covariance = model.population.mean, model.population.covariance
    spread = draws[:, 1:] @ covariance
    centre = draws[:, 0] + draws[:, 1:] @ mean
    variance = np.einsum("dp,dp->d", spread, draws[:, 1:]) + model.discrepancy
    sd = float(np.sqrt(score.along @ covariance @ score.along))
    along = spread @ score.along / sd
    across = np.sqrt(np.maximum(variance - along**2, 0.0))
    response = _below(1.0, centre, along, across)
    for threshold in thresholds:
        share = float(ndtr((threshold - score.at - score.along @ mean) / sd))
        lost = _below(share, centre, along, across)
        yield Rates(response=response, apart=np.full_like(lost, share), lost=lost)


def patients_of(model: Model, n_patients: int) -> Array:
    """Base columns of patients of a model's population, (n_patients, p).

    Normal, but for curves, which follow from their numbers.
    """
    mean, covariance = model.population.mean, model.population.covariance
    z = mean + standard_normal(n_patients, len(mean)) @ square_root(covariance).T
    columns = model.encoder.columns
    for k, column in enumerate(columns):
        if column.is_curve:
            z[:, k] = column.encoded(columns[k - 1].decoded(z[:, k - 1]))
    return np.asarray(z)


def _rates_of_drawn(
    model: Model, score: Score, thresholds: Sequence[float]
) -> Iterator[Rates]:
    """Shares of drawn patients: who is below from all, how many respond from some."""
    draws, z = _posterior(model), patients_of(model, _N_PATIENTS)
    below = (score.at + z @ score.along)[:, None] < np.asarray(thresholds)
    groups = np.column_stack([below, np.ones(len(z))])[::_EVERY]
    missed = math.sqrt(model.discrepancy) * standard_normal(_N_PATIENTS, 1)[::_EVERY, 0]
    sums = np.zeros((len(draws), groups.shape[1]))
    for start in range(0, len(groups), _CHUNK):
        part = slice(start, start + _CHUNK)
        log_odds = draws[:, :1] + draws[:, 1:] @ z[::_EVERY][part].T + missed[part]
        sums += probability_of(log_odds) @ groups[part]
    respond = sums / np.maximum(groups.sum(axis=0), 1.0)
    for k, share in enumerate(below.mean(axis=0).tolist()):
        yield Rates(
            response=respond[:, -1],
            apart=np.full(len(draws), share),
            lost=share * respond[:, k],
        )


def _posterior(model: Model) -> Array:
    """Draws of intercept and coefficients of the main cut-off, (n_draws, p + 1)."""
    main = model.main
    mean = np.concatenate([[main.intercept], main.coefficients])
    normal = standard_normal(N_DRAWS, len(mean))
    return np.asarray(mean + normal @ square_root(main.covariance).T)


def square_root(covariance: Array) -> Array:
    """R with R R' the covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


@cache
def standard_normal(n_draws: int, n_dimensions: int) -> Array:
    """Standard normal numbers, the same each time; one half mirrors the other.

    Examples
    --------
    >>> drawn = standard_normal(10, 3)
    >>> bool((drawn[:5] == -drawn[5:]).all())
    True
    """
    half = np.random.default_rng(_SEED).standard_normal((n_draws // 2, n_dimensions))
    return freeze(np.concatenate([half, -half]))


def _below(share: float, centre: Array, along: Array, across: Array) -> Array:
    """Responders among this share of lowest scores, of all patients, per draw."""
    nodes, weights = np.polynomial.legendre.leggauss(_ALONG)
    u = ndtri(0.5 * share * (nodes + 1.0))
    v, density = np.polynomial.hermite_e.hermegauss(_ACROSS)
    density = density / density.sum()
    level = centre[:, None] + along[:, None] * u
    inner = sum(
        p * probability_of(level + across[:, None] * x)
        for x, p in zip(v, density, strict=True)
    )
    return np.asarray(0.5 * share * (inner @ weights))
