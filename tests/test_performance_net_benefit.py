"""Net benefit and decision curves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from responder_model.errors import ResponderModelError
from responder_model.performance import (
    decision_curve,
    net_benefit,
    net_benefit_treat_all,
)

OUTCOME = np.array([1, 0, 1, 1, 0, 1, 0])
PROBABILITY = np.array([0.8, 0.3, 0.2, 0.6, 0.2, 0.3, 0.7])


@pytest.fixture
def cohort():
    rng = np.random.default_rng(4)
    true = 1 / (1 + np.exp(-rng.normal(-0.4, 1.2, 500)))
    return (rng.random(500) < true).astype(float), true


def test_net_benefit_by_hand():
    # at 0.3: treated .8 .3- .6 .3+ .7-: 3 true and 2 false positives
    found = net_benefit(OUTCOME, PROBABILITY, threshold=0.3)
    assert_allclose(found, 3 / 7 - 2 / 7 * 0.3 / 0.7, rtol=1e-14)


def test_treat_all_by_hand():
    found = net_benefit_treat_all(OUTCOME, threshold=0.3)
    assert_allclose(found, 4 / 7 - 3 / 7 * 0.3 / 0.7, rtol=1e-14)


def test_treat_all_equals_a_model_that_treats_all():
    all_treated = net_benefit(OUTCOME, np.full(7, 0.9), threshold=0.55)
    assert all_treated == net_benefit_treat_all(OUTCOME, threshold=0.55)


def test_treat_all_is_zero_at_the_outcome_proportion():
    assert_allclose(net_benefit_treat_all(OUTCOME, threshold=4 / 7), 0.0, atol=1e-15)


def test_nobody_treated_is_zero():
    assert net_benefit(OUTCOME, PROBABILITY, threshold=0.85) == 0.0


def test_threshold_zero_gives_the_outcome_proportion():
    assert_allclose(net_benefit(OUTCOME, PROBABILITY, threshold=0.0), 4 / 7)


def test_probability_equal_to_the_threshold_is_treated():
    assert net_benefit([1, 0], [0.5, 0.2], threshold=0.5) == 0.5


def test_order_of_patients_does_not_matter(cohort):
    y, p = cohort
    shuffled = np.random.default_rng(1).permutation(y.size)
    found = net_benefit(y[shuffled], p[shuffled], threshold=0.37)
    assert_allclose(found, net_benefit(y, p, threshold=0.37), rtol=1e-12)


def test_only_the_side_of_the_threshold_matters(cohort):
    y, p = cohort
    crude = np.where(p >= 0.37, 0.9, 0.1)
    found = net_benefit(y, crude, threshold=0.37)
    assert_allclose(found, net_benefit(y, p, threshold=0.37), rtol=1e-12)


def test_true_probabilities_are_useful_and_shifted_ones_less(cohort):
    y, p = cohort
    thresholds = np.arange(0.2, 0.7, 0.05)
    truth = decision_curve(y, p, thresholds=thresholds, interval="none")
    wrong = decision_curve(y, p**3, thresholds=thresholds, interval="none")
    assert truth.gain.mean() > 0.01
    assert truth.gain.mean() > wrong.gain.mean() + 0.01


def test_gain_compares_with_the_better_simple_strategy(cohort):
    y, p = cohort
    curve = decision_curve(y, p, thresholds=[0.1, 0.35, 0.6])
    best = np.maximum(curve.treat_all, 0.0)
    assert_allclose(curve.gain, curve.net_benefit - best, atol=1e-14)


def test_gain_has_no_width_where_everybody_is_treated(cohort):
    y, p = cohort
    curve = decision_curve(y, p, thresholds=[0.0])
    assert_allclose([curve.gain_lower, curve.gain_upper], [[0.0], [0.0]], atol=1e-14)


def test_analytic_interval_by_hand():
    # values of treatment at 0.3: 1, -3/7, 0 (not treated), 1, 0, 1, -3/7
    value = np.array([1, -3 / 7, 0, 1, 0, 1, -3 / 7])
    half = 1.959963984540054 * value.std(ddof=1) / np.sqrt(7)
    curve = decision_curve(OUTCOME, PROBABILITY, thresholds=[0.3])
    assert_allclose(curve.lower, value.mean() - half, rtol=1e-12)
    assert_allclose(curve.upper, value.mean() + half, rtol=1e-12)


def test_bootstrap_interval_agrees_with_the_analytic_one(cohort):
    y, p = cohort
    thresholds = [0.2, 0.42, 0.6]
    analytic = decision_curve(y, p, thresholds=thresholds)
    resampled = decision_curve(
        y,
        p,
        thresholds=thresholds,
        interval="bootstrap",
        n_resamples=4000,
        rng=np.random.default_rng(2),
    )
    assert_allclose(resampled.lower, analytic.lower, atol=0.006)
    assert_allclose(resampled.gain_upper, analytic.gain_upper, atol=0.006)
    assert resampled.n_failed_resamples == 0


def test_bootstrap_counts_resamples_of_one_class():
    curve = decision_curve(
        [0, 0, 0, 1],
        [0.1, 0.4, 0.2, 0.6],
        thresholds=[0.3],
        interval="bootstrap",
        n_resamples=400,
        rng=np.random.default_rng(2),
    )
    # P(the event is never drawn) = (3/4)^4 = 0.32
    assert 90 < curve.n_failed_resamples < 170


def test_bootstrap_needs_a_generator(cohort):
    with pytest.raises(ResponderModelError, match="rng must be a numpy Generator"):
        decision_curve(*cohort, thresholds=[0.3], interval="bootstrap")


def test_no_interval_when_none_is_asked(cohort):
    curve = decision_curve(*cohort, thresholds=[0.3], interval="none")
    assert curve.lower is None
    assert curve.gain_upper is None


def test_gains_from_is_the_threshold_below_which_treating_all_does_as_well():
    rng = np.random.default_rng(4)
    # nobody lies below 30 %, so that up to there the model treats everybody
    p = rng.uniform(0.3, 0.9, 4000)
    y = (rng.random(4000) < p).astype(float)
    thresholds = np.arange(0.05, 0.95, 0.05)
    curve = decision_curve(y, p, thresholds=thresholds, interval="none")
    assert 0.30 < curve.gains_from <= 0.45
    below = curve.thresholds < curve.gains_from
    assert (curve.gain[below] < 0.005).all()
    flat = decision_curve(y, np.full(4000, 0.6), thresholds=[0.2, 0.5], interval="none")
    assert flat.gains_from is None


def test_useful_range_is_none_for_a_useless_model():
    curve = decision_curve([1, 0, 1, 0], [0.3, 0.6, 0.2, 0.7], thresholds=[0.4, 0.5])
    assert curve.useful is None


@pytest.mark.parametrize("threshold", [1.0, -0.1, 30.0])
def test_threshold_outside_its_range_is_refused(threshold):
    with pytest.raises(ResponderModelError, match="at least 0 and below 1"):
        net_benefit(OUTCOME, PROBABILITY, threshold=threshold)
    with pytest.raises(ResponderModelError, match="at least 0 and below 1"):
        decision_curve(OUTCOME, PROBABILITY, thresholds=[0.2, threshold])


@pytest.mark.parametrize("thresholds", [[], [[0.2, 0.3]]])
def test_thresholds_must_be_a_list(thresholds):
    with pytest.raises(ResponderModelError, match="thresholds must be"):
        decision_curve(OUTCOME, PROBABILITY, thresholds=thresholds)


def test_one_outcome_class_is_refused():
    with pytest.raises(ResponderModelError, match="both responders and non-responders"):
        net_benefit([0, 0], [0.2, 0.4], threshold=0.3)
    with pytest.raises(ResponderModelError, match="both responders and non-responders"):
        net_benefit_treat_all([1, 1], threshold=0.3)


def test_patients_treated_otherwise_are_counted():
    # at 0.3 treating all is better: the two below 0.3 are spared
    curve = decision_curve(OUTCOME, PROBABILITY, thresholds=[0.3, 0.65])
    # at 0.65 treating nobody is better: .8 and .7 are treated
    assert curve.n_changed.tolist() == [2, 2]


def test_decision_curve_refuses_an_unknown_interval(cohort):
    with pytest.raises(ResponderModelError, match="interval must be one of analytic"):
        decision_curve(*cohort, thresholds=[0.3], interval="jackknife")


def test_decision_curve_refuses_a_bootstrap_without_resamples(cohort):
    rng = np.random.default_rng(0)
    with pytest.raises(ResponderModelError, match="n_resamples must be at least 1"):
        decision_curve(
            *cohort, thresholds=[0.3], interval="bootstrap", n_resamples=0, rng=rng
        )


def test_decision_curve_has_no_interval_when_every_resample_fails():
    class OnlyTheFirst(np.random.Generator):
        """Draws the first patient every time."""

        def multinomial(self, n, pvals, size):
            return np.eye(1, len(pvals)) * n * np.ones((size, 1))

    found = decision_curve(
        [0, 1, 1],
        [0.2, 0.6, 0.7],
        thresholds=[0.3],
        interval="bootstrap",
        n_resamples=4,
        rng=OnlyTheFirst(np.random.PCG64(0)),
    )
    assert found.lower is None
    assert found.n_failed_resamples == 4
