"""Predictions in which trees have weight."""

from __future__ import annotations

import numpy as np
import pytest

import responder_model as rm
from responder_model.features import Encoder
from responder_model.model import Pool
from responder_model.model.example import example_model


def test_pool_moves_the_other_cut_offs_with_the_main_one(pool: Pool) -> None:
    patient = {"age": 54, "relief_1": 40}
    pooled = example_model("rtms_response", "session_1", pool=pool).predict(patient)
    linear = example_model("rtms_response", "session_1").predict(patient)
    assert pooled.linear_predictor != linear.linear_predictor
    total = pooled.baseline + sum(pooled.contributions.values())
    assert total == pytest.approx(pooled.linear_predictor, abs=1e-9)
    falling = list(pooled.probabilities.values())
    assert falling == sorted(falling, reverse=True)


def test_pool_widens_the_interval_by_its_disagreement(pool: Pool) -> None:
    encoder = Encoder.for_decision("rtms_response", "session_1")
    raw = encoder.raw(rm.simulate_cohort(n_patients=50, seed=3))
    pooled = example_model("rtms_response", "session_1", pool=pool).scorer
    linear = example_model("rtms_response", "session_1").scorer.score(raw)
    shapley = pooled.trees.contributions(raw)
    rival = pool.offset + pool.slope * shapley.sum(axis=1)
    gap = linear.linear_predictor - rival
    w = pool.weight
    scores = pooled.score(raw)
    np.testing.assert_allclose(
        scores.standard_error**2,
        linear.standard_error**2 + w * (1 - w) * gap**2,
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        scores.linear_predictor,
        (1 - w) * linear.linear_predictor + w * rival,
        rtol=1e-12,
    )


@pytest.fixture(scope="module")
def pool() -> Pool:
    from responder_model.challenger import fit_trees

    cohort = rm.simulate_cohort(n_patients=200, seed=1)
    encoder = Encoder.for_decision("rtms_response", "session_1")
    outcome = (cohort["relief_test"].fillna(0) > 30).to_numpy(dtype=float)
    trees = fit_trees(encoder.raw(cohort), outcome, encoder, seed=0)
    return Pool(weight=0.3, offset=0.1, slope=0.8, trees=trees.to_json())
