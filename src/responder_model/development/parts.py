"""From what the estimator knows to the parts of a model."""

from __future__ import annotations

import numpy as np

from responder_model.cumulative_logit.mixture import Collapsed
from responder_model.cumulative_logit.mixture import Component as Posterior
from responder_model.features import Array
from responder_model.model import Component, LinearPart


def linear_part(cut: float, served: Collapsed, projection: Array) -> LinearPart:
    """Posterior on base columns from that on model columns."""
    lift = np.zeros((projection.shape[0] + 1, projection.shape[1] + 1))
    lift[0, 0] = 1.0
    lift[1:, 1:] = projection
    return LinearPart(
        cut_point=cut,
        intercept=served.intercept,
        coefficients=served.coefficients @ projection,
        covariance=lift.T @ served.covariance @ lift,
    )


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
    )
