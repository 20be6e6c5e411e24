"""Logistic regression on a handful of columns by Newton steps: fast, unpenalised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from responder_model.errors import ResponderModelError
from responder_model.performance._check import Floats
from responder_model.words import Note

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


def _deviance(outcome: Floats, linear_predictor: Floats) -> float:
    # -2 log L = 2 sum(log(1 + exp(lp)) - y lp)
    terms = np.logaddexp(0.0, linear_predictor) - outcome * linear_predictor
    return 2.0 * float(terms.sum())


def _newton_step(design: Floats, outcome: Floats, lp: Floats) -> tuple[Floats, Floats]:
    mu = expit(lp)
    information = design.T @ (design * (mu * (1.0 - mu))[:, None])
    try:
        step = np.linalg.solve(information, design.T @ (outcome - mu))
    except np.linalg.LinAlgError:
        raise ResponderModelError(_SEPARATION) from None
    return np.asarray(step, dtype=np.float64), information


def fit_logistic(design: Floats, outcome: Floats, offset: Floats) -> LogisticFit:
    """Fit ``logit P(outcome) = offset + design @ b`` (n, k); raise when b diverges."""
    b = np.zeros(design.shape[1])
    lp = offset
    deviance = _deviance(outcome, lp)
    for _ in range(MAX_STEPS):
        step, information = _newton_step(design, outcome, lp)
        if np.abs(step).max() <= TOLERANCE * (1.0 + np.abs(b).max()):
            covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
            return LogisticFit(coefficients=b + step, covariance=covariance)
        previous = deviance
        for halving in range(MAX_HALVINGS):
            candidate = b + step / 2.0**halving
            lp = offset + design @ candidate
            deviance = _deviance(outcome, lp)
            if deviance <= previous + 1e-9:
                break
        b = candidate
        if deviance < SATURATED * outcome.size:
            break
    raise ResponderModelError(_SEPARATION)
