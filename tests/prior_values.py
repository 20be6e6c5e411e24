"""What tests of priors share."""

import math

import numpy as np

from responder_model.features import Encoder, Population
from responder_model.schema import dictionary

TARGETS = dictionary().targets()
SESSIONS = ("session_1", "session_2", "session_3")
IMPLANT_BLOCK = (
    "relief_test",
    "single_session_responder",
    "active_minus_sham_responder",
)


def model_columns(decision, moment):
    """Names and reference covariance of the model columns."""
    encoder = Encoder.for_decision(decision, moment)
    P = encoder.projection
    covariance = P @ Population.reference(encoder).covariance @ P.T
    return encoder.derived, covariance


def means(priors):
    return np.array([row.mean for row in priors.columns.values()])


def as_declared(row, priors, *, declared_sd=None):
    """Mean and SD before they were made conditional and joint, for all columns.

    Undoes step 3 by its own definition: what averaging over the other predictors
    leaves of a slope.
    """
    names, covariance = model_columns(priors.decision, priors.moment)
    b, sd = means(priors), np.array([r.sd for r in priors.columns.values()])
    total = b @ covariance @ b + (sd**2 * np.diag(covariance)).sum()
    at = names.index(row)
    alone = (covariance @ b)[at] / covariance[at, at]
    left = total - alone**2 * covariance[at, at]
    shrink = math.sqrt(1 + math.pi * left / 8)
    return b[at] / shrink, sd[at] / priors.sd_factor, alone / shrink
