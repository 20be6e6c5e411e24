"""Logistic regression on a handful of columns by Newton steps: fast, unpenalised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from ._check import Floats

MAX_STEPS = 60
MAX_HALVINGS = 50
TOLERANCE = 1e-8  # relative size of the last Newton step; what is left is its square
SATURATED = 1e-7  # deviance per patient below which the fit is a perfect one

_SEPARATION = Note("performance.no_finite_fit")


@dataclass(frozen=True, kw_only=True)
class LogisticFit:
    """Maximum likelihood coefficients and their covariance."""

    coefficients: Floats  # (k,)
    covariance: Floats  # (k, k), inverse of the observed information

    @property
    def standard_errors(self) -> Floats:
        """Square roots of the diagonal of the covariance (k,)."""
        return np.sqrt(np.diag(self.covariance))


def expit(x: Floats) -> Floats:
    """Inverse of the logit, exact for large |x|."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0.0, 1.0, e) / (1.0 + e)


def logit(probability: Floats) -> Floats:
    """Linear predictor of a probability strictly between 0 and 1."""
    return np.log(probability) - np.log1p(-probability)


def _fitted(outcome: Floats, lp: Floats) -> tuple[Floats, float]:
    # probabilities, and -2 log L = 2 sum(log(1 + exp(lp)) - y lp)
    e = np.exp(-np.abs(lp))
    mu = np.where(lp >= 0.0, 1.0, e) / (1.0 + e)
    terms = np.maximum(lp, 0.0) + np.log1p(e)
    return mu, 2.0 * float(terms.sum() - outcome @ lp)


def fit_logistic(design: Floats, outcome: Floats, offset: Floats) -> LogisticFit:
    """Fit ``logit P(outcome) = offset + design @ b`` (n, k); raise when b diverges."""
    b = np.zeros(design.shape[1])
    mu, deviance = _fitted(outcome, offset)
    for _ in range(MAX_STEPS):
        information = (design.T * (mu * (1.0 - mu))) @ design
        try:
            covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
        except np.linalg.LinAlgError:
            break
        step = covariance @ (design.T @ (outcome - mu))
        if np.abs(step).max() <= TOLERANCE * (1.0 + np.abs(b).max()):
            return LogisticFit(coefficients=b + step, covariance=covariance)
        previous = deviance
        for halving in range(MAX_HALVINGS):
            candidate = b + step / 2.0**halving
            mu, deviance = _fitted(outcome, offset + design @ candidate)
            if deviance <= previous + 1e-9:
                break
        b = candidate
        if deviance < SATURATED * outcome.size:
            break
    raise ResponderModelError(_SEPARATION)
