"""From what the estimator knows to the parts of a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from responder_model.cumulative_logit.mixture import Collapsed
from responder_model.cumulative_logit.mixture import Component as Posterior
from responder_model.features import Array
from responder_model.model import CentreLevel, Component, LinearPart


def linear_part(cut: float, served: Collapsed, projection: Array) -> LinearPart:
    """Posterior on base columns from that on model columns, for another centre."""
    lift = _lift(projection)
    size = len(lift)
    return LinearPart(
        cut_point=cut,
        intercept=served.intercept,
        coefficients=served.coefficients[: size - 1] @ projection,
        covariance=lift.T @ served.covariance[:size, :size] @ lift,
    )


def centre_levels(
    names: Sequence[str], served: Sequence[Collapsed], main: int, projection: Array
) -> tuple[CentreLevel, ...]:
    """What each centre adds to the linear parts of the served cut-offs.

    ``main`` is the position of the main cut-off among them.
    """
    lift = _lift(projection)
    size = len(lift)
    covariance = served[main].covariance
    levels = []
    for k, name in enumerate(names, start=size):
        variance = 2.0 * covariance[k, :size] @ lift
        variance[0] += covariance[k, k]
        shift = np.array([one.coefficients[k - 1] for one in served])
        levels.append(CentreLevel(name=name, shift=shift, variance=variance))
    return tuple(levels)


def _lift(projection: Array) -> Array:
    """From (intercept, base columns) to (intercept, model columns)."""
    lift = np.zeros((projection.shape[0] + 1, projection.shape[1] + 1))
    lift[0, 0] = 1.0
    lift[1:, 1:] = projection
    return lift


def component(fitted: Posterior) -> Component:
    """One component of the mixture, as a model keeps it."""
    return Component(
        name=fitted.prior.name,
        prior_mean=fitted.prior.mean,
        prior_sd=fitted.prior.sd,
        prior_weight=fitted.prior.weight,
        weight=fitted.weight,
        log_evidence=fitted.log_evidence,
        mean=fitted.mean,
        covariance=fitted.covariance,
        centre_sd=fitted.prior.centre_sd,
    )
