"""Bring two experts to one scale and give each the weight that it has earned."""

from __future__ import annotations

import numpy as np

from responder_model.features import Array, expit

__all__ = [
    "challenger_weight",
    "recalibrate",
]

# Prior of the recalibration: intercept N(0, 0.5²), slope N(1, 0.5²) and >= 0.
OFFSET_SD = 0.5
SLOPE_SD = 0.5
# Prior of the challenger's weight: mean 0.1, so that it must earn more.
WEIGHT_PRIOR = (1.0, 9.0)
_GRID = np.linspace(0.0, 1.0, 201)


def recalibrate(margin: Array, outcome: Array) -> tuple[float, float]:
    """Offset a and slope b >= 0 of logit P = a + b·margin, shrunk towards 0 and 1.

    Examples
    --------
    >>> margin = np.array([-2.0, -1.0, 1.0, 2.0] * 50)
    >>> outcome = (margin > 0).astype(float)
    >>> recalibrate(margin, outcome)[1] > 1.0
    True
    """
    design = np.column_stack([np.ones(len(margin)), margin])
    precision = np.array([OFFSET_SD**-2, SLOPE_SD**-2])
    centre = np.array([0.0, 1.0])
    parameters = centre.copy()
    for _ in range(50):
        probability = expit(design @ parameters)
        gradient = design.T @ (outcome - probability)
        gradient -= precision * (parameters - centre)
        weight = probability * (1.0 - probability)
        hessian = (design * weight[:, None]).T @ design + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        parameters = parameters + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-10:
            break
    if parameters[1] < 0.0:
        return _offset_only(outcome), 0.0
    return float(parameters[0]), float(parameters[1])


def _offset_only(outcome: Array) -> float:
    """Shrunken log-odds of the outcome when the margin says nothing."""
    share = (outcome.sum() + 1.0) / (len(outcome) + 2.0)
    return float(np.log(share / (1.0 - share)))


def challenger_weight(evidence: Array, challenger: Array, outcome: Array) -> float:
    """Posterior mean of w in logit P = (1 - w)·evidence + w·challenger.

    Both are log-odds of patients whom neither has seen; the prior is Beta(1, 9).
    """
    sign = np.where(outcome > 0.5, 1.0, -1.0)
    # log-odds of what happened, (201, n), and log P = min(x, 0) - log(1 + exp(-|x|))
    happened = np.outer(_GRID, sign * (challenger - evidence))
    happened += sign * evidence
    tail = np.abs(happened)
    np.exp(np.negative(tail, out=tail), out=tail)
    np.log1p(tail, out=tail)
    log_likelihood = np.minimum(happened, 0.0, out=happened).sum(axis=1)
    log_likelihood -= tail.sum(axis=1)
    with np.errstate(divide="ignore"):
        log_prior = (WEIGHT_PRIOR[1] - 1.0) * np.log1p(-_GRID)
    log_weight = log_likelihood + log_prior
    posterior = np.exp(log_weight - log_weight.max())
    return float(posterior @ _GRID / posterior.sum())
