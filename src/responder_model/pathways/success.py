"""Success of the implant as a function of relief after the test, for one patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array
from responder_model.frozen import freeze
from responder_model.model import Model
from responder_model.model.batch import score_raw
from responder_model.patient import Value
from responder_model.schema import dictionary
from .relief import Floats, logistic

# Share of the posterior variance over relief that the kept directions hold.
_KEPT = 1.0 - 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class SuccessCurve:
    """Log-odds of success at each relief, and how they vary together.

    Parameters
    ----------
    log_odds : ndarray of shape (n_served, g)
        Served log-odds at each cut-off, for each relief.
    main : int
        Row of the main cut-off.
    directions : ndarray of shape (k, g)
        Posterior of the coefficients: one standard deviation of the curve each.
    common_sd : ndarray of shape (g,)
        SD of a shift of the whole curve: predictors that are missing today, and what
        the model misses.
    levels : ndarray of shape (g,)
        Applicability: 0 inside, 1 borderline, 2 outside.
    """

    log_odds: Array
    main: int
    directions: Array
    common_sd: Array
    levels: NDArray[np.int8]

    @property
    def n_dimensions(self) -> int:
        """Standard normal numbers that one draw takes."""
        return 1 + len(self.directions)

    def success(self, normal: Floats) -> Floats:
        """Probability of success at each relief, (n, g), one row per draw."""
        modes = np.vstack([self.common_sd, self.directions]).astype(normal.dtype)
        centre = self.log_odds[self.main].astype(normal.dtype)
        return logistic(centre + normal @ modes)


def success_curve(
    model: Model, values: Mapping[str, Value], relief: str, grid: Array, moment: str
) -> SuccessCurve:
    """Curve of one patient.

    Parameters
    ----------
    model : Model
        Model of success once implanted.
    values : mapping
        What is known of the patient at ``moment``, cleaned.
    relief : str
        Predictor that the curve runs over.
    grid : ndarray of shape (g,)
        Its values.
    moment : str
        Predictors known only later than this are averaged over: they flatten the curve
        but do not widen the interval. Those missing although they could be known widen
        it.
    """
    encoder = model.encoder
    raw = np.repeat(encoder.raw(values), len(grid), axis=0)
    raw[:, encoder.predictors.index(relief)] = grid
    scores = score_raw(model, raw)
    filled, future = _fill(model, raw, moment)
    root = _square_root(model.main.covariance)
    field = np.column_stack([np.ones(len(grid)), filled]) @ root
    rest = scores.standard_error**2 - (field**2).sum(axis=1) - future
    return SuccessCurve(
        log_odds=scores.served.T,
        main=model.main_index,
        directions=_directions(field),
        common_sd=np.sqrt(np.maximum(rest, 0.0)),
        levels=scores.levels,
    )


def _fill(model: Model, raw: Array, moment: str) -> tuple[Array, Array]:
    """Filled base columns, and the variance owed to what is known only later."""
    encoder, beta = model.encoder, model.main.coefficients[None]
    z = encoder.encode(raw)
    filled, _ = model.population.impute(z, beta)
    today = [
        dictionary().is_known(column.predictor, moment) for column in encoder.columns
    ]
    known = np.where(np.isnan(z) & today, filled, z)
    _, extra = model.population.impute(known, beta)
    slopes = model.main.covariance[1:, 1:]
    return filled, extra[:, 0] + model.population.open_variance(known, slopes)


def _square_root(covariance: Array) -> Array:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _directions(field: Array) -> Array:
    """Few directions that hold the posterior of a curve; two where it is linear."""
    left, sizes, _ = np.linalg.svd(field, full_matrices=False)
    share = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-300)
    kept = int(np.searchsorted(share, _KEPT)) + 1
    return np.asarray((left[:, :kept] * sizes[:kept]).T)


@lru_cache(maxsize=8)
def quasi_normal(n_draws: int, n_dimensions: int) -> Array:
    """Evenly spread standard normal numbers, the same at each call.

    Additive recurrence on the generalised golden ratio, with each point's mirror image
    (Roberts 2018, "The unreasonable effectiveness of quasirandom sequences"), made
    uncorrelated and of variance 1.

    Examples
    --------
    >>> normal = quasi_normal(1000, 3)
    >>> normal.shape, normal.std(axis=0).round(2).tolist()
    ((1000, 3), [1.0, 1.0, 1.0])
    """
    golden = 2.0
    for _ in range(64):
        golden = (1.0 + golden) ** (1.0 / (n_dimensions + 1.0))
    steps = golden ** -np.arange(1.0, n_dimensions + 1.0)
    points = (0.5 + np.outer(np.arange(1, n_draws // 2 + 1), steps)) % 1.0
    inverse = NormalDist().inv_cdf
    normal = [inverse(u) for u in np.clip(points, 1e-12, 1.0 - 1e-12).ravel().tolist()]
    half = np.array(normal).reshape(points.shape)
    half = np.linalg.solve(np.linalg.cholesky(half.T @ half / len(half)), half.T).T
    return freeze(np.concatenate([half, -half]))
