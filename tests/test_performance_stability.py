"""Instability of predictions, proportions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from responder_model.errors import ResponderModelError
from responder_model.performance import (
    instability_curve,
    proportion_estimate,
)
from responder_model.validation import Stability


@pytest.fixture
def predictions():
    rng = np.random.default_rng(6)
    p = 1 / (1 + np.exp(-rng.normal(-0.4, 1.0, 193)))
    resampled = np.clip(p + rng.normal(0.03, 0.05, (300, 193)), 0.001, 0.999)
    return p, resampled


def test_instability_of_identical_models_is_zero(predictions):
    p, _ = predictions
    curve = instability_curve(p, np.tile(p, (5, 1)))
    assert curve.overall_mean_absolute_error == 0.0
    assert_allclose(curve.lower, curve.upper)
    assert_allclose(curve.median, curve.probability)


def test_instability_by_hand():
    p = np.full(10, 0.4)
    curve = instability_curve(p, [p + 0.1, p - 0.2, p, p + 0.3], share=0.5)
    # quartiles of -0.2, 0, 0.1, 0.3
    assert_allclose(curve.lower, [0.4 - 0.05])
    assert_allclose(curve.median, [0.4 + 0.05])
    assert_allclose(curve.upper, [0.4 + 0.15])
    assert_allclose(curve.overall_mean_absolute_error, 0.15)


def test_instability_limits_hold_the_stated_share(predictions):
    p, resampled = predictions
    curve = instability_curve(p, resampled)
    assert_allclose((curve.upper - curve.lower).mean(), 2 * 1.96 * 0.05, rtol=0.05)
    assert_allclose((curve.median - curve.probability).mean(), 0.03, atol=0.005)
    error = np.abs(resampled - p).mean()
    assert_allclose(curve.overall_mean_absolute_error, error)


def test_instability_groups_hold_ten_patients(predictions):
    p, resampled = predictions
    assert instability_curve(p, resampled).probability.size == 12
    assert instability_curve(p[:25], resampled[:, :25]).probability.size == 2


def test_classification_instability_by_hand():
    """Of two models one moves those within 0.1 below 0.5 across, half of the group."""
    p = np.array([0.1] * 10 + [0.45] * 5 + [0.55] * 5)
    curve = instability_curve(p, [p, np.where(p < 0.5, p + 0.1, p)])
    assert curve.threshold == 0.5
    assert_allclose(curve.other_side, [0.0, 0.25])
    assert_allclose(instability_curve(p, [p], threshold=0.2).other_side, 0.0)


def test_classification_instability_is_that_of_each_patient_averaged(predictions):
    p, resampled = predictions
    p, resampled = p[:120], resampled[:, :120]
    curve = instability_curve(p, resampled, threshold=0.4)
    each = Stability(probability=p, resampled=resampled, outcome=np.zeros(120))
    assert_allclose(
        curve.other_side.mean(), each.classification_instability(0.4).mean()
    )
    far = np.abs(curve.probability - 0.4) > 0.3
    assert curve.other_side[far].max() < 0.01 < curve.other_side.max()


def test_instability_refuses_a_threshold_that_is_none(predictions):
    with pytest.raises(ResponderModelError, match="threshold must be"):
        instability_curve(*predictions, threshold=1.0)


def test_instability_refuses_missing_predictions(predictions):
    p, resampled = predictions
    gap = np.where(np.arange(193) == 3, np.nan, 1.0)
    with pytest.raises(ResponderModelError, match="probability must have no missing"):
        instability_curve(gap * p, resampled)
    with pytest.raises(ResponderModelError, match="resampled must have no missing"):
        instability_curve(p, gap * resampled)


def test_instability_does_not_depend_on_the_order_of_patients(predictions):
    p, resampled = predictions
    shuffled = np.random.default_rng(0).permutation(193)
    assert_allclose(
        instability_curve(p[shuffled], resampled[:, shuffled]).upper,
        instability_curve(p, resampled).upper,
    )


def test_instability_refuses_another_number_of_patients(predictions):
    p, resampled = predictions
    with pytest.raises(ResponderModelError, match="one column per patient"):
        instability_curve(p[:20], resampled)


def test_instability_refuses_few_patients(predictions):
    p, resampled = predictions
    with pytest.raises(ResponderModelError, match="at least 10 patients"):
        instability_curve(p[:9], resampled[:, :9])


@pytest.fixture
def stability():
    outcome = np.array([1.0, 0.0, 1.0, 0.0, np.nan])
    p = np.array([0.8, 0.6, 0.3, 0.1, 0.9])
    return Stability(
        probability=p, resampled=np.array([p, p[[2, 1, 0, 3, 4]], p]), outcome=outcome
    )


def test_decision_instability_by_hand(stability):
    """At 0.5 two of four are treated, one in vain: (1 - 1) / 4; at 0.7 one, 1 / 4."""
    found = stability.decision_instability(np.array([0.2, 0.5, 0.7]))
    assert found.net_benefit == pytest.approx([(2 - 0.25) / 4, 0.0, 0.25])
    assert found.treat_all == pytest.approx([(2 - 2 * 0.25) / 4, 0.0, 0.5 - 7 / 6])
    assert (found.n_patients, found.n_events, found.n_resamples) == (4, 2, 3)


def test_decision_instability_limits_are_quantiles_of_the_resamples(stability):
    thresholds = np.array([0.2, 0.5, 0.7])
    found = stability.decision_instability(thresholds, share=0.8)
    each = stability.decision_curves(thresholds)
    limits = np.quantile(each, [0.1, 0.5, 0.9], axis=0)
    np.testing.assert_allclose([found.lower, found.median, found.upper], limits)


def test_proportion_interval_by_hand():
    # 1 of 4 at z = 1.96: (0.25 + 0.4802 -+ 1.96 sqrt(0.046875 + 0.06003))/1.9604
    found = proportion_estimate(1, 4)
    assert_allclose([found.lower, found.upper], [0.0456, 0.6994], atol=1e-4)


def test_proportion_interval_mirrors():
    few, many = proportion_estimate(3, 17), proportion_estimate(14, 17)
    assert_allclose([few.lower, few.upper], [1 - many.upper, 1 - many.lower])


def test_proportion_narrows_with_patients():
    widths = [
        proportion_estimate(2 * n, 5 * n).upper
        - proportion_estimate(2 * n, 5 * n).lower
        for n in (1, 4, 40)
    ]
    assert widths[0] > widths[1] > widths[2]


@pytest.mark.parametrize(("n_events", "n"), [(0, 0), (5, 3), (-1, 4)])
def test_impossible_counts_are_refused(n_events, n):
    with pytest.raises(ResponderModelError, match="between 0 and n_patients"):
        proportion_estimate(n_events, n)
