"""A prediction is the sum of what its predictors add, for any patient."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from responder_model.features import Encoder
from responder_model.model.example import example_model
from responder_model.schema import dictionary

TARGETS = [f"{d}@{m}" for d, m in dictionary().targets()]


@pytest.mark.parametrize("target", TARGETS)
def test_contributions_sum_to_the_log_odds_of_10_000_patients(target: str) -> None:
    decision, moment = target.split("@")
    model = example_model(decision, moment, seed=5)
    rng = np.random.default_rng(1)
    raw = random_raw(model.encoder, 10_000, rng, missing=0.2)
    scores = model.scorer.score(raw)
    total = model.baseline + scores.contributions.sum(axis=1)
    assert np.abs(total - scores.linear_predictor).max() < 1e-9
    logit = np.log(scores.probability) - np.log1p(-scores.probability)
    assert np.abs(total - logit).max() < 1e-8


def random_raw(
    encoder: Encoder, n: int, rng: np.random.Generator, *, missing: float
) -> NDArray[np.float64]:
    """Raw predictors spread over the whole of what the dictionary allows."""
    raw = np.empty((n, len(encoder.fields)))
    for k, row in enumerate(encoder.fields):
        if row.kind == "number":
            raw[:, k] = rng.uniform(row.minimum, row.maximum, n)
        else:
            raw[:, k] = rng.integers(0, max(2, len(row.categories)), n)
    raw[rng.random(raw.shape) < missing] = np.nan
    return raw
