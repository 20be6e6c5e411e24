"""Distribution of relief after the test, from what a response model says of a patient.

A model gives log-odds that relief exceeds its cut-offs. Between two cut-offs the
log-odds are interpolated linearly in relief; beyond the outer ones they go on with the
mean slope over all cut-offs, to the ends of the scale. Cut-offs that were fitted but
are not served lie between (or beyond) the served ones as the mixture's gaps say. Relief
is a whole percent, as patients report it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_model.errors import ResponderModelError
from responder_model.features import Array
from responder_model.model import Model
from responder_model.schema import Decision, Field, dictionary
from responder_model.words import Note

# Draws are in single precision, what is served in double.
Floats = NDArray[np.floating[Any]]

# Log-odds per point of relief that a tail falls by at least: it has to end.
_LEAST_SLOPE = 0.005


@dataclass(frozen=True, kw_only=True, eq=False)
class ReliefCurve:
    """Log-odds that one patient's relief exceeds each cut-off, and how sure they are.

    Parameters
    ----------
    values : ndarray of shape (g,)
        Every relief that may be reported, in whole percent.
    knots : ndarray of shape (c,)
        Relief that is exceeded, rising.
    log_odds : ndarray of shape (c,)
        Falling.
    main : int
        Knot of the main cut-off.
    standard_error : float
        SD of the main log-odds, by which the whole curve shifts.
    gap_sd : ndarray of shape (c - 1,)
        SD of the logarithm of each gap between neighbouring knots.
    """

    values: Array
    knots: Array
    log_odds: Array
    main: int
    standard_error: float
    gap_sd: Array

    @property
    def n_dimensions(self) -> int:
        """Standard normal numbers that one draw takes."""
        return 1 + len(self.gap_sd)

    def mass(self, normal: Floats) -> Floats:
        """Probability of each relief, one row per draw.

        Parameters
        ----------
        normal : ndarray of shape (n, n_dimensions)
            Standard normal numbers; a row of zeros is the served distribution.
        """
        gaps = -np.diff(self.log_odds) * np.exp(self.gap_sd * normal[:, 1:])
        below = np.concatenate([np.zeros((len(normal), 1)), -gaps.cumsum(axis=1)], 1)
        shift = self.log_odds[self.main] + self.standard_error * normal[:, :1]
        drawn = (below - below[:, [self.main]] + shift).astype(normal.dtype)
        above = logistic(_interpolate(self.knots, drawn, self.values[:-1]))
        mass = np.empty((len(normal), len(self.values)), dtype=normal.dtype)
        mass[:, 0], mass[:, -1] = 1.0 - above[:, 0], above[:, -1]
        np.subtract(above[:, :-1], above[:, 1:], out=mass[:, 1:-1])
        return np.maximum(mass, 0.0)


def relief_curve(model: Model, served: Array, standard_error: float) -> ReliefCurve:
    """Curve of one patient.

    Parameters
    ----------
    model : Model
        Model of the response to the test.
    served : ndarray of shape (n_served,)
        Its log-odds for the patient at the served cut-offs.
    standard_error : float
        SD of the log-odds at the main cut-off.

    Raises
    ------
    ResponderModelError
        For a model with a single cut-off, which says nothing of the distribution.
    """
    decision = dictionary().decisions[model.decision]
    cuts, log_odds, gap_sd = _fitted_log_odds(model, decision, served)
    if len(cuts) < 2:
        raise ResponderModelError(Note("pathway.two_cut_offs"))
    relief = dictionary().fields[decision.outcome]
    return ReliefCurve(
        values=possible_values(relief),
        knots=np.array([decision.highest_failing(cut) for cut in cuts]),
        log_odds=log_odds,
        main=cuts.index(model.cut_point),
        standard_error=standard_error,
        gap_sd=gap_sd,
    )


def logistic(log_odds: Floats) -> Floats:
    """Return the probability of log-odds, in the precision they have.

    Examples
    --------
    >>> logistic(np.array([-800.0, 0.0, 800.0])).round(3).tolist()
    [0.0, 0.5, 1.0]
    """
    # exp stays within single precision
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -80.0, 80.0)))


def possible_values(relief: Field) -> Array:
    """Every whole percent that may be reported."""
    return np.arange(float(relief.minimum or 0.0), float(relief.maximum or 0.0) + 1.0)


def _fitted_log_odds(
    model: Model, decision: Decision, served: Array
) -> tuple[tuple[float, ...], Array, Array]:
    """Cut-offs, log-odds at each, SD of each log-gap; the served ones if need be."""
    gaps = _log_gaps(model, decision)
    if gaps is None:
        return model.served_cut_points, served, np.zeros(len(served) - 1)
    place = np.concatenate([[0.0], np.exp(gaps[0]).cumsum()])
    at = place[[decision.cut_points.index(cut) for cut in model.served_cut_points]]
    inside = np.clip(place, at[0], at[-1])
    spread = at[-1] - at[0]
    scale = (served[0] - served[-1]) / spread if spread > 0.0 else 1.0
    log_odds = np.interp(inside, at, served) - scale * (place - inside)
    return decision.cut_points, log_odds, gaps[1]


def _log_gaps(model: Model, decision: Decision) -> tuple[Array, Array] | None:
    """Mean and SD of the logarithm of each gap over the mixture, if the model has it.

    A component's parameters are the main intercept, the log-gaps, the coefficients and
    the levels of centres.
    """
    n_cuts = len(decision.cut_points)
    size = n_cuts + len(model.encoder.derived) + len(model.centres)
    parts = [part for part in model.components if len(part.mean) == size]
    weight = np.array([part.weight for part in parts])
    if weight.sum() <= 0.0:
        return None
    weight = weight / weight.sum()
    means = np.array([part.mean[1:n_cuts] for part in parts])
    variances = np.array([np.diag(part.covariance)[1:n_cuts] for part in parts])
    mean = weight @ means
    variance = weight @ (variances + (means - mean) ** 2)
    return mean, np.sqrt(variance)


def _interpolate(knots: Array, log_odds: Floats, at: Array) -> Floats:
    """Log-odds (n, c) at the knots as log-odds (n, g) at each relief."""
    inside = np.clip(at, knots[0], knots[-1])
    # row j: share of knot j in each relief's log-odds
    shares = np.array([np.interp(inside, knots, row) for row in np.eye(len(knots))])
    slope = (log_odds[:, 0] - log_odds[:, -1]) / (knots[-1] - knots[0])
    slope = np.maximum(slope, _LEAST_SLOPE)
    beyond = (inside - at)[None]
    weights = np.vstack([shares, beyond]).astype(log_odds.dtype)
    return np.asarray(np.column_stack([log_odds, slope]) @ weights)
