"""From the arrays of a scorer to what is said about one patient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from responder_model.features import Array
from . import prediction
from .applicability import failed_tests
from .messages import centre_messages, patient_messages
from .scores import Z_95, probability_at

if TYPE_CHECKING:
    from .fitted import Model

_SQRT_2 = math.sqrt(2.0)


def answer(model: Model, raw: Array, centre: str | None) -> prediction.Prediction:
    """Predict for one patient of raw predictors (1, n_predictors)."""
    scorer, own = model.scorer, model.position_of(centre)
    evidence = scorer.evidence(raw, own, detail=True)
    levels = scorer.checks.levels(raw, evidence.deviation)
    scores = scorer.pooled(evidence, raw, levels)
    reasons = scorer.checks.reasons(levels[0], raw[0])
    sd = np.sqrt(scorer.contribution_variance(evidence, raw)).tolist()
    names, level = model.encoder.predictors, prediction.LEVELS[scores.levels[0]]
    missing = tuple(names[k] for k in np.flatnonzero(scores.missing[0]))
    log_odds, error = float(scores.linear_predictor[0]), float(scores.standard_error[0])
    shares = _shares(scorer.width_parts(evidence, error**2))
    contributions = scores.contributions[0].tolist()
    cuts = (int(c) if c == int(c) else c for c in model.served_cut_points)
    served = map(probability_at, scores.served[0].tolist())
    return prediction.Prediction(
        decision=model.decision,
        moment=model.moment,
        model=model.name,
        model_digest=model.digest,
        provenance=model.provenance,
        cut_point=model.cut_point,
        probability=probability_at(log_odds),
        interval=_around(log_odds, error),
        average_interval=_around(
            log_odds, error * math.sqrt(1.0 - shares["not_given"])
        ),
        width_shares=shares,
        probabilities=dict(zip(cuts, served, strict=True)),
        linear_predictor=log_odds,
        standard_error=error,
        baseline=float(scorer.baseline_of(own)),
        contributions=dict(zip(names, contributions, strict=True)),
        contribution_ranges={
            name: _range(value, spread)
            for name, value, spread in zip(names, contributions, sd, strict=True)
        },
        applicability=prediction.Applicability(level=level, reasons=reasons),
        missing=missing,
        messages=(
            *patient_messages(
                model.standing,
                missing=missing,
                level=level,
                failed_test=bool(failed_tests(model.encoder, raw)[0]),
                linear_predictor=log_odds,
            ),
            *centre_messages(model, centre, own),
        ),
    )


def _shares(parts: tuple[float, ...]) -> dict[str, float]:
    """Shares of what the width of an interval comes from; they add up to 1."""
    total = sum(parts) or 1.0
    return {
        name: x / total for name, x in zip(prediction.WIDTH_SOURCES, parts, strict=True)
    }


def _around(log_odds: float, sd: float) -> tuple[float, float]:
    """95 % interval of a probability."""
    return probability_at(log_odds - Z_95 * sd), probability_at(log_odds + Z_95 * sd)


def _range(value: float, spread: float) -> prediction.ContributionRange:
    """95 % range and share of the posterior with the sign of the mean."""
    half = Z_95 * spread
    if spread > 0.0:
        same_sign = 0.5 * (1.0 + math.erf(abs(value) / (spread * _SQRT_2)))
    else:
        same_sign = 0.5 if value == 0.0 else 1.0
    return prediction.ContributionRange(
        lower=value - half, upper=value + half, same_sign=same_sign
    )
