"""Measures of a prediction: what they refuse, and values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from measured import OUTCOME, PROBABILITY, expit
from responder_model import performance as pf
from responder_model.errors import ResponderModelError

MEASURES = (
    "c_statistic",
    "calibration_in_the_large",
    "joint_calibration_intercept",
    "calibration_slope",
    "observed_expected_ratio",
    "integrated_calibration_index",
    "e50",
    "e90",
    "emax",
    "estimated_calibration_index",
    "brier_score",
    "scaled_brier_score",
    "log_loss",
)
LOG_ODDS_MEASURES = (
    "calibration_in_the_large",
    "joint_calibration_intercept",
    "calibration_slope",
    "log_loss",
)


@pytest.fixture
def cohort():
    """4 000 patients whose true probability is known, 38 % responders."""
    rng = np.random.default_rng(20)
    true = expit(rng.normal(-0.6, 1.1, 4000))
    return (rng.random(4000) < true).astype(float), true


# The door


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("value", [0, 1])
def test_one_outcome_class_is_refused(measure, value):
    with pytest.raises(ResponderModelError, match="both responders and non-responders"):
        getattr(pf, measure)([value] * 6, PROBABILITY)


@pytest.mark.parametrize("measure", MEASURES)
def test_unequal_lengths_are_refused(measure):
    with pytest.raises(ResponderModelError, match="same length, got 5, 6"):
        getattr(pf, measure)(OUTCOME[:5], PROBABILITY)


@pytest.mark.parametrize("measure", MEASURES)
def test_percent_instead_of_probability_is_refused(measure):
    with pytest.raises(ResponderModelError, match="between 0 and 1"):
        getattr(pf, measure)(OUTCOME, 100 * PROBABILITY)


@pytest.mark.parametrize("measure", MEASURES)
def test_missing_probability_is_refused(measure):
    probability = PROBABILITY.copy()
    probability[2] = np.nan
    with pytest.raises(ResponderModelError, match="no missing value"):
        getattr(pf, measure)(OUTCOME, probability)


@pytest.mark.parametrize("measure", MEASURES)
def test_ordered_outcome_is_refused(measure):
    with pytest.raises(ResponderModelError, match="0 .non-responder. or 1"):
        getattr(pf, measure)(OUTCOME + 1, PROBABILITY)


@pytest.mark.parametrize("measure", LOG_ODDS_MEASURES)
@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_log_odds_measures_refuse_certainty(measure, edge):
    probability = PROBABILITY.copy()
    probability[0] = edge
    with pytest.raises(ResponderModelError, match="above 0 and below 1"):
        getattr(pf, measure)(OUTCOME, probability)


def test_text_is_refused():
    with pytest.raises(ResponderModelError, match="outcome must be numbers"):
        pf.brier_score(["yes", "no"], [0.5, 0.4])


def test_tables_are_refused():
    with pytest.raises(ResponderModelError, match="one-dimensional, got 2"):
        pf.brier_score(OUTCOME.reshape(2, 3), PROBABILITY)


def test_errors_show_no_patient():
    with pytest.raises(ResponderModelError) as caught:
        pf.brier_score([0, 1], [0.5, 37.25])
    assert "37" not in str(caught.value)


def test_measures_do_not_change_their_input():
    outcome, probability = OUTCOME.copy(), PROBABILITY.copy()
    pf.measure_performance(outcome, probability, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(outcome, OUTCOME)
    np.testing.assert_array_equal(probability, PROBABILITY)


@pytest.mark.parametrize("measure", MEASURES)
def test_order_of_patients_does_not_matter(measure, cohort):
    y, p = cohort[0][:300], cohort[1][:300] ** 1.3
    shuffled = np.random.default_rng(1).permutation(300)
    function = getattr(pf, measure)
    assert_allclose(function(y[shuffled], p[shuffled]), function(y, p), rtol=1e-9)


# Hand-computed


def test_c_statistic_by_hand():
    # pairs: .8 beats both; .2 loses to .3, ties .2; .6 beats both; .3 ties .3, beats .2
    assert pf.c_statistic(OUTCOME, PROBABILITY) == (2 + 0.5 + 2 + 1.5) / 8


def test_brier_score_by_hand():
    expected = (0.04 + 0.09 + 0.64 + 0.16 + 0.04 + 0.49) / 6
    assert_allclose(pf.brier_score(OUTCOME, PROBABILITY), expected, rtol=1e-14)


def test_scaled_brier_score_by_hand():
    expected = 1 - (1.46 / 6) / (4 / 6 * 2 / 6)
    assert_allclose(pf.scaled_brier_score(OUTCOME, PROBABILITY), expected, rtol=1e-12)


def test_log_loss_by_hand():
    given = [0.8, 0.7, 0.2, 0.6, 0.8, 0.3]
    expected = -np.log(np.prod(given)) / 6
    assert_allclose(pf.log_loss(OUTCOME, PROBABILITY), expected, rtol=1e-14)


def test_observed_expected_ratio_by_hand():
    assert_allclose(pf.observed_expected_ratio(OUTCOME, PROBABILITY), 4 / 2.4)


def test_observed_expected_interval_by_hand():
    found = pf.estimate_measure("observed_expected_ratio", OUTCOME, PROBABILITY)
    factor = np.exp(1.959963984540054 * np.sqrt((2 / 6) / 4))
    assert_allclose([found.lower, found.upper], [4 / 2.4 / factor, 4 / 2.4 * factor])


def test_calibration_in_the_large_by_hand():
    # one probability for all: logit(3/4) - logit(0.2) = log 3 + log 4
    found = pf.calibration_in_the_large([1, 0, 1, 1], [0.2] * 4)
    assert_allclose(found, np.log(12), rtol=1e-12)


def test_joint_calibration_by_hand():
    # 2 of 3 respond where 20 % was predicted, 3 of 4 where 50 %: a line through both
    outcome = [1, 1, 0, 1, 1, 1, 0]
    probability = [0.2] * 3 + [0.5] * 4
    slope = (np.log(3) - np.log(2)) / (0 - np.log(1 / 4))
    assert_allclose(pf.calibration_slope(outcome, probability), slope, rtol=1e-10)
    intercept = pf.joint_calibration_intercept(outcome, probability)
    assert_allclose(intercept, np.log(3), rtol=1e-10)


def test_joint_intercept_is_not_calibration_in_the_large():
    outcome = [1, 1, 0, 1, 1, 1, 0]
    probability = [0.2] * 3 + [0.5] * 4
    joint = pf.joint_calibration_intercept(outcome, probability)
    assert abs(joint - pf.calibration_in_the_large(outcome, probability)) > 0.3


@pytest.mark.parametrize("smoother", ["loess", "lowess"])
def test_distances_by_hand_for_two_probabilities(smoother):
    # the curve passes through 3/4 at 0.4 and 1/5 at 0.6: distances .35 and .40
    outcome = [1, 1, 1, 0] * 5 + [1, 0, 0, 0, 0] * 5
    probability = [0.4] * 20 + [0.6] * 25

    def found(measure):
        return getattr(pf, measure)(outcome, probability, smoother=smoother)

    ici = (20 * 0.35 + 25 * 0.40) / 45
    assert_allclose(found("integrated_calibration_index"), ici, atol=1e-9)
    assert_allclose(found("e50"), 0.40, atol=1e-9)
    assert_allclose(found("emax"), 0.40, atol=1e-9)
    eci = 100 * (20 * 0.35**2 + 25 * 0.40**2) / 45
    assert_allclose(found("estimated_calibration_index"), eci, atol=1e-7)


@pytest.mark.parametrize("smoother", ["loess", "lowess"])
def test_curve_is_the_mean_of_equal_probabilities_that_fill_the_window(smoother):
    # R 4.2.2: lowess(p, y, iter = 0)$y is 0.25 at each of the twelve
    outcome = [1] * 3 + [0] * 9 + [1, 0, 1]
    probability = [0.3] * 12 + [0.5, 0.7, 0.8]
    found = pf.e50(outcome, probability, smoother=smoother)
    assert_allclose(found, 0.05, atol=1e-12)


def test_ordinal_concordance_by_hand():
    # pairs that differ: (0,1) (0,3) (0,1') (1,3) (1',3); 1 > 3 is the only error
    found = pf.ordinal_concordance([0, 1, 3, 1], [0.1, 0.7, 0.6, 0.3])
    assert found == 4 / 5


def test_ordinal_concordance_leaves_out_overlapping_intervals():
    # patient 2 is known to lie in levels 1-3: comparable with level 0 only
    found = pf.ordinal_concordance(
        [0, 1, 1, 2], [0.2, 0.5, 0.1, 0.4], upper_level=[0, 1, 3, 2]
    )
    # pairs (0,1) right, (0,2) wrong, (0,3) right, (1,3) wrong
    assert found == 2 / 4


def test_ordinal_concordance_of_two_levels_is_the_c_statistic(cohort):
    y, p = cohort
    assert_allclose(pf.ordinal_concordance(y, p), pf.c_statistic(y, p), rtol=1e-12)


@pytest.mark.parametrize("direction", [1, -1])
def test_perfect_order_of_two_levels_has_the_interval_of_the_c_statistic(direction):
    score = [0.1, 0.2, 0.3, 0.6, 0.7][::direction]
    level = [0, 0, 0, 1, 1]
    found = pf.ordinal_concordance_estimate(level, score)
    expected = pf.estimate_measure("c_statistic", level, score)
    assert (found.lower, found.upper) == (expected.lower, expected.upper)
    assert found.upper - found.lower > 0.5


def test_perfect_order_takes_the_cut_off_that_compares_most_pairs():
    # levels 0-1 known as an interval, then 2, 2, 3, 4: 2 x 4 pairs at level 2
    score = [0.1, 0.2, 0.4, 0.5, 0.6, 0.9]
    found = pf.ordinal_concordance_estimate(
        [0, 0, 2, 2, 3, 4], score, upper_level=[1, 1, 2, 2, 3, 4]
    )
    expected = pf.estimate_measure("c_statistic", [0, 0, 1, 1, 1, 1], score)
    assert (found.value, found.lower) == (1.0, expected.lower)


def test_ordinal_concordance_refuses_one_level():
    with pytest.raises(ResponderModelError, match="no comparable pair"):
        pf.ordinal_concordance([2, 2, 2], [0.1, 0.4, 0.3])


def test_ordinal_concordance_refuses_reversed_interval():
    with pytest.raises(ResponderModelError, match="upper_level must be at least level"):
        pf.ordinal_concordance([0, 2], [0.1, 0.4], upper_level=[0, 1])


def test_concordance_by_cut_point_leaves_out_straddling_outcomes():
    level = np.array([0, 1, 0, 2, 1, 0, 2])
    upper = np.array([0, 1, 2, 2, 1, 0, 2])  # the third lies anywhere
    p = np.linspace(0.2, 0.8, 7)
    table = np.stack([p, p**2], axis=1)
    found = pf.concordance_by_cut_point(
        level, table, cut_points=(10.0, 30.0), upper_level=upper
    )
    assert [c.n_patients for c in found] == [6, 6]
    assert [c.n_events for c in found] == [4, 2]
    assert found[0].estimate is not None
    known = level[[0, 1, 3, 4, 5, 6]] > 0
    expected = pf.c_statistic(known.astype(int), p[[0, 1, 3, 4, 5, 6]])
    assert found[0].estimate.value == expected


def test_concordance_by_cut_point_states_an_empty_class():
    p = [[0.4], [0.6], [0.7]]
    (found,) = pf.concordance_by_cut_point([0, 0, 0], p, cut_points=(50.0,))
    assert found.estimate is None
    assert str(found.problem) == "one outcome class among 3 patients"


def test_concordance_by_cut_point_takes_served_among_fitted_cut_points():
    # levels count the fitted 10, 20, 30; only 10 and 30 are served
    level = [0, 1, 2, 3, 3, 0]
    table = [[0.1, 0.1], [0.5, 0.2], [0.6, 0.3], [0.8, 0.9], [0.7, 0.6], [0.6, 0.2]]
    found = pf.concordance_by_cut_point(
        level, table, cut_points=(10.0, 30.0), positions=(0, 2)
    )
    assert [c.n_events for c in found] == [4, 2]


def test_concordance_by_cut_point_refuses_a_wrong_table():
    with pytest.raises(ResponderModelError, match="one column for each of 2 cut-offs"):
        pf.concordance_by_cut_point([0, 1], [[0.2], [0.4]], cut_points=(10.0, 30.0))
