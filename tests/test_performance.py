"""Measures: hand-computed cases, properties, limits, and the door they share."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from responder_model import performance as pf
from responder_model.errors import ResponderModelError
from responder_model.performance._smooth import loess, loess_variance
from responder_model.performance.calibration_distance import _loess_at_patients
from responder_model.performance.distances import _quantile

# Six patients, asymmetric: 4 respond, mean probability 0.4
OUTCOME = np.array([1, 0, 1, 1, 0, 1])
PROBABILITY = np.array([0.8, 0.3, 0.2, 0.6, 0.2, 0.3])

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


def expit(x):
    return 1 / (1 + np.exp(-x))


def logit(p):
    return np.log(p / (1 - p))


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


# Truth, invariances, limits


def test_true_probabilities_are_calibrated(cohort):
    y, p = cohort
    for measure, ideal in (
        ("calibration_in_the_large", 0.0),
        ("calibration_slope", 1.0),
        ("joint_calibration_intercept", 0.0),
        ("observed_expected_ratio", 1.0),
    ):
        found = pf.estimate_measure(measure, y, p, confidence=0.999)
        assert found.lower < ideal < found.upper, measure
    assert pf.integrated_calibration_index(y, p) < 0.02


@pytest.mark.parametrize("power", [0.4, 3.0])
def test_c_statistic_is_unchanged_by_an_increasing_function(cohort, power):
    y, p = cohort
    assert pf.c_statistic(y, p**power) == pf.c_statistic(y, p)


def test_c_statistic_of_reversed_outcome_is_its_complement(cohort):
    y, p = cohort
    assert_allclose(pf.c_statistic(1 - y, p), 1 - pf.c_statistic(y, p), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    shift=st.floats(-3, 3),
    scale=st.floats(0.3, 3),
    seed=st.integers(0, 1000),
)
def test_calibration_follows_a_linear_change_of_log_odds(shift, scale, seed):
    # lp' = (lp - shift)/scale: slope' = scale slope, a' = a + slope shift
    rng = np.random.default_rng(seed)
    lp = rng.normal(0.4, 1.0, 150)
    y = (rng.random(150) < expit(lp)).astype(int)
    p, changed = expit(lp), expit((lp - shift) / scale)
    slope = pf.calibration_slope(y, p)
    assert_allclose(pf.calibration_slope(y, changed), scale * slope, rtol=1e-6)
    intercept = pf.joint_calibration_intercept(y, p) + slope * shift
    assert_allclose(
        pf.joint_calibration_intercept(y, changed), intercept, rtol=1e-6, atol=1e-7
    )


def test_calibration_in_the_large_follows_a_shift(cohort):
    y, p = cohort
    moved = pf.calibration_in_the_large(y, expit(logit(p) - 0.8))
    assert_allclose(moved, pf.calibration_in_the_large(y, p) + 0.8, rtol=1e-9)


def test_ratio_is_one_after_recalibration_in_the_large(cohort):
    y, p = cohort
    wrong = expit(0.7 * logit(p) + 0.5)
    right = expit(logit(wrong) + pf.calibration_in_the_large(y, wrong))
    assert_allclose(pf.observed_expected_ratio(y, right), 1.0, rtol=1e-9)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [("brier_score", None), ("log_loss", None), ("calibration_slope", None)],
)
def test_measure_is_unchanged_when_outcome_and_probability_flip(
    cohort, measure, expected
):
    y, p = cohort
    function = getattr(pf, measure)
    assert_allclose(function(1 - y, 1 - p), function(y, p), rtol=1e-8)


@pytest.mark.parametrize("smoother", ["loess", "lowess", "spline"])
def test_distances_are_unchanged_when_outcome_and_probability_flip(cohort, smoother):
    y, p = cohort[0][:400], cohort[1][:400] ** 1.5
    ici = pf.integrated_calibration_index
    # lowess interpolates between points 1 % of the range apart, from the left
    tolerance = 2e-4 if smoother == "lowess" else 1e-7
    flipped = ici(1 - y, 1 - p, smoother=smoother)
    assert_allclose(flipped, ici(y, p, smoother=smoother), atol=tolerance)


@pytest.mark.parametrize("smoother", ["loess", "lowess", "spline"])
def test_distances_grow_with_miscalibration(cohort, smoother):
    y, p = cohort
    found = [
        pf.integrated_calibration_index(y, expit(logit(p) + d), smoother=smoother)
        for d in (0.0, 0.5, 1.0, 2.0)
    ]
    assert np.all(np.diff(found) > 0.03)


def test_distances_are_ordered(cohort):
    y, p = cohort[0][:200], cohort[1][:200] ** 2
    e50, e90, emax = (f(y, p) for f in (pf.e50, pf.e90, pf.emax))
    assert e50 <= e90 <= emax
    ici = pf.integrated_calibration_index(y, p)
    assert 1e4 * ici**2 / 100 <= pf.estimated_calibration_index(y, p) <= 100 * emax**2


def test_interpolated_loess_agrees_with_the_direct_one():
    rng = np.random.default_rng(3)
    p = expit(rng.normal(0.3, 1.4, 1500))
    y = (rng.random(1500) < p**1.4).astype(float)
    from responder_model.performance._smooth import loess

    direct = np.abs(loess(p, y, p) - p).mean()
    assert_allclose(pf.integrated_calibration_index(y, p), direct, atol=1e-4)


def test_unknown_smoother_is_refused():
    with pytest.raises(ResponderModelError, match="loess, lowess, spline, got 'gam'"):
        pf.integrated_calibration_index(OUTCOME, PROBABILITY, smoother="gam")


def test_spline_with_few_probabilities_is_refused():
    outcome, probability = [0, 1, 0, 1, 1] * 5, [0.2, 0.2, 0.6, 0.6, 0.6] * 5
    with pytest.raises(ResponderModelError, match="more distinct values for a spline"):
        pf.e90(outcome, probability, smoother="spline")


def test_perfect_probabilities_have_no_error():
    assert pf.brier_score(OUTCOME, OUTCOME) == 0.0
    assert pf.scaled_brier_score(OUTCOME, OUTCOME) == 1.0
    assert pf.c_statistic(OUTCOME, OUTCOME) == 1.0


def test_scaled_brier_score_of_the_outcome_proportion_is_zero():
    found = pf.scaled_brier_score([1, 0, 0, 1, 0], [0.4] * 5)
    assert_allclose(found, 0.0, atol=1e-15)


def test_log_loss_of_the_outcome_proportion_is_the_entropy():
    found = pf.log_loss([1, 0, 0, 1, 0], [0.4] * 5)
    assert_allclose(found, -0.4 * np.log(0.4) - 0.6 * np.log(0.6), rtol=1e-12)


def test_true_probabilities_have_the_best_scores(cohort):
    y, p = cohort
    for worse in (p**1.5, expit(1.6 * logit(p)), expit(logit(p) + 0.4)):
        assert pf.brier_score(y, p) < pf.brier_score(y, worse)
        assert pf.log_loss(y, p) < pf.log_loss(y, worse)


def test_calibration_slope_refuses_equal_probabilities():
    with pytest.raises(ResponderModelError, match="one value for all"):
        pf.calibration_slope(OUTCOME, [0.4] * 6)


def test_calibration_slope_of_nearly_equal_probabilities_is_no_separation():
    probability = 0.3 + 1e-9 * np.array([3.0, 1.0, 2.0, 4.0, 0.0, 2.5])
    with pytest.raises(ResponderModelError, match="one value for all"):
        pf.calibration_slope(OUTCOME, probability)


@pytest.mark.parametrize("direction", [1, -1])
def test_calibration_slope_refuses_separation(direction):
    probability = expit(direction * np.array([-2.0, -1.0, 0.5, 0.5, 1.0, 3.0]))
    with pytest.raises(ResponderModelError, match="complete separation"):
        pf.calibration_slope([0, 0, 0, 1, 1, 1], probability)


def test_spline_refuses_separation():
    p = np.linspace(0.05, 0.95, 60)
    with pytest.raises(ResponderModelError, match="must have a finite fit"):
        pf.integrated_calibration_index((p > 0.5).astype(int), p, smoother="spline")


def test_calibration_in_the_large_survives_extreme_probabilities():
    y = np.array([0, 1] * 30)
    found = pf.calibration_in_the_large(y, np.full(60, 1e-12))
    assert_allclose(found, -logit(1e-12), rtol=1e-9)


def test_observed_expected_ratio_refuses_no_expected_event():
    with pytest.raises(ResponderModelError, match="no event is expected"):
        pf.observed_expected_ratio(OUTCOME, np.zeros(6))


# Intervals


def test_interval_of_a_complete_separation_has_width():
    found = pf.estimate_measure(
        "c_statistic", [0] * 10 + [1] * 15, np.linspace(0.1, 0.9, 25)
    )
    assert (found.value, found.upper, found.method) == (1.0, 1.0, "Newcombe 5")
    assert 0.75 < found.lower < 0.95


def test_interval_of_reversed_separation_mirrors_it():
    p = np.linspace(0.1, 0.9, 25)
    found = pf.estimate_measure("c_statistic", [1] * 10 + [0] * 15, p)
    mirror = pf.estimate_measure("c_statistic", [0] * 10 + [1] * 15, p)
    assert_allclose([found.lower, found.upper], [0.0, 1 - mirror.lower])


def test_interval_of_the_c_statistic_covers_at_25_patients():
    """95 % of 800 cohorts, with Monte-Carlo error; c +- z se would cover 89 to 92 %."""
    rng = np.random.default_rng(25)
    covered, plain = [], []
    for _ in range(800):
        y = (rng.random(25) < 0.42).astype(float)
        # two normal scores 1.4657 apart have c = 0.85
        score = 1.0 / (1.0 + np.exp(-rng.normal(size=25) - 1.4657 * y))
        found = pf.estimate_measure("c_statistic", y, score)
        covered.append(found.lower <= 0.85 <= found.upper)
        if found.standard_error is not None:
            plain.append(abs(found.value - 0.85) <= 1.96 * found.standard_error)
    error = np.sqrt(0.95 * 0.05 / 800)
    assert np.mean(covered) >= 0.95 - 3 * error
    assert np.mean(plain) < 0.95 - 3 * error


def test_delong_refuses_a_single_event():
    with pytest.raises(ResponderModelError, match="two responders and two non-resp"):
        pf.estimate_measure("c_statistic", [0, 0, 0, 1], [0.1, 0.4, 0.3, 0.35])


@pytest.mark.parametrize(
    "measure",
    ["c_statistic", "scaled_brier_score", "brier_score", "log_loss"],
)
def test_standard_error_agrees_with_the_bootstrap(cohort, measure):
    y, p = cohort[0][:600], expit(1.5 * logit(cohort[1][:600]) + 0.4)
    rng = np.random.default_rng(7)
    function = getattr(pf, measure)
    draws = rng.integers(600, size=(500, 600))
    spread = np.std([function(y[i], p[i]) for i in draws])
    found = pf.estimate_measure(measure, y, p)
    assert_allclose(found.standard_error, spread, rtol=0.12)


def test_estimate_prints_value_and_interval():
    found = pf.Estimate(
        value=0.7, lower=0.61, upper=0.79, standard_error=None, method="x"
    )
    assert str(found) == "0.700 (0.610 to 0.790)"


def test_unknown_measure_is_refused():
    with pytest.raises(ResponderModelError, match="measure must be one of c_statistic"):
        pf.estimate_measure("intercept", OUTCOME, PROBABILITY)


def test_confidence_outside_its_range_is_refused():
    with pytest.raises(ResponderModelError, match="confidence must be between 0 and 1"):
        pf.estimate_measure("brier_score", OUTCOME, PROBABILITY, confidence=95)


# Calibration curve


def test_calibration_curve_of_the_truth_lies_on_the_diagonal(cohort):
    curve = pf.calibration_curve(*cohort)
    assert np.abs(curve.observed - curve.probability).max() < 0.05
    inside = (curve.lower <= curve.probability) & (curve.probability <= curve.upper)
    assert inside.mean() > 0.8


def test_calibration_curve_spans_the_central_share(cohort):
    curve = pf.calibration_curve(*cohort, share=0.9)
    expected = np.quantile(cohort[1], [0.05, 0.95])
    assert_allclose(curve.probability[[0, -1]], expected)
    assert curve.probability.size == 101


def test_calibration_curve_stays_between_0_and_1():
    rng = np.random.default_rng(5)
    p = expit(rng.normal(0, 3, 40))
    y = (rng.random(40) < p).astype(int)
    curve = pf.calibration_curve(y, p, share=1.0, smoother="loess")
    for line in (curve.observed, curve.lower, curve.upper):
        assert line.min() >= 0.0
        assert line.max() <= 1.0


def test_band_does_not_collapse_where_everybody_responds():
    p = np.linspace(0.2, 0.9, 60)
    y = (np.arange(60) % 3 > 0) | (p > 0.6)
    curve = pf.calibration_curve(y.astype(int), p, at=[0.9], smoother="loess")
    assert curve.observed[0] > 0.96
    assert curve.lower[0] < 0.90


def test_calibration_curve_counts_patients_by_tenths(cohort):
    curve = pf.calibration_curve(*cohort)
    counts = np.histogram(cohort[1][cohort[0] == 0], np.linspace(0, 1, 11))[0]
    assert curve.responders.sum() == curve.n_events == cohort[0].sum()
    assert curve.non_responders.tolist() == [*counts[:-1], 0]  # 3 in the last


def test_calibration_curve_leaves_out_small_bins(cohort):
    y, p = cohort[0][:193], cohort[1][:193]
    curve = pf.calibration_curve(y, p)
    counts = np.histogram(p[y == 1], curve.bin_edges)[0]
    assert (counts < 10).any()
    assert set(curve.responders) <= {0, *counts[counts >= 10]}


def test_calibration_curve_of_few_patients_has_two_parameters():
    rng = np.random.default_rng(8)
    p = expit(rng.normal(0, 1.2, 60))
    y = (rng.random(60) < p).astype(int)
    curve = pf.calibration_curve(y, p)
    assert curve.smoother == "logistic"
    slopes = np.diff(logit(curve.observed)) / np.diff(logit(curve.probability))
    assert_allclose(slopes, pf.calibration_slope(y, p), rtol=1e-8)


def test_logistic_band_has_the_slope_of_the_joint_fit_at_its_crossing(cohort):
    y, p = cohort
    curve = pf.calibration_curve(y, p, smoother="logistic", at=[0.5])
    joint = pf.estimate_measure("joint_calibration_intercept", y, p)
    ends = [curve.lower[0], curve.observed[0], curve.upper[0]]
    assert_allclose(logit(np.array(ends)), [joint.lower, joint.value, joint.upper])


def test_calibration_curve_of_one_probability_is_a_point():
    curve = pf.calibration_curve([0, 1, 1, 1], [0.6] * 4)
    assert_allclose(curve.observed, [0.75])


def test_band_narrows_with_confidence(cohort):
    y, p = cohort[0][:300], cohort[1][:300]
    narrow, wide = (pf.calibration_curve(y, p, confidence=c) for c in (0.5, 0.95))
    assert np.all(wide.upper - wide.lower >= narrow.upper - narrow.lower)


def test_calibration_curve_refuses_lowess(cohort):
    with pytest.raises(ResponderModelError, match="loess, spline, logistic, got 'low"):
        pf.calibration_curve(*cohort, smoother="lowess")


def test_band_of_loess_covers_the_truth():
    # band of a straight truth, coverage at two points over 200 cohorts
    rng = np.random.default_rng(11)
    hits = np.zeros(2)
    for _ in range(200):
        p = rng.uniform(0.1, 0.9, 200)
        y = (rng.random(200) < p).astype(float)
        curve = pf.calibration_curve(y, p, at=[0.35, 0.6])
        hits += (curve.lower <= curve.probability) & (curve.probability <= curve.upper)
    assert np.all(hits / 200 > 0.90)


# Imports


def test_performance_imports_no_heavy_library():
    code = (
        "import sys, responder_model.performance;"
        "print([m for m in ('scipy', 'pandas', 'sklearn', 'statsmodels', 'matplotlib')"
        " if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("share", [0.0, 1.5, -0.2])
def test_calibration_curve_refuses_an_impossible_share(share):
    with pytest.raises(ResponderModelError, match="share must be above 0 and at most"):
        pf.calibration_curve([0, 1, 0, 1], [0.2, 0.4, 0.6, 0.7], share=share)


@pytest.mark.parametrize("at", [[0.0, 0.5], [0.5, 30.0], [np.nan], [[0.2, 0.3]]])
def test_calibration_curve_refuses_points_that_are_no_probabilities(at):
    with pytest.raises(ResponderModelError, match="at must be a list of probabilities"):
        pf.calibration_curve([0, 1, 0, 1], [0.2, 0.4, 0.6, 0.7], at=at)


LOG_ODDS = {
    "normal": lambda rng, n, s: rng.normal(-0.4, s, n),
    "skewed": lambda rng, n, s: rng.exponential(s, n) - s,
    "two_groups": lambda rng, n, s: np.r_[
        rng.normal(-2.0, 0.1 * s, n // 2), rng.normal(1.0, s, n - n // 2)
    ],
}


@pytest.mark.parametrize("n", [520, 1500])
@pytest.mark.parametrize("spread", [0.2, 0.5, 2.0])
@pytest.mark.parametrize("shape", LOG_ODDS)
def test_interpolated_loess_keeps_its_stated_error(shape, spread, n):
    rng = np.random.default_rng(7)
    lp = LOG_ODDS[shape](rng, n, spread)
    y = (rng.random(n) < 1 / (1 + np.exp(-lp))).astype(float)
    p = 1 / (1 + np.exp(-0.8 * lp - 0.3))
    error = np.abs(_loess_at_patients(y, p) - loess(p, y, p))
    assert error.max() < 1e-3
    assert error.mean() < 3e-5
    ends = np.argsort(p)[[0, 1, 2, -3, -2, -1]]
    assert_allclose(error[ends], 0.0, atol=1e-12)


def test_loess_counts_equal_probabilities_as_often_as_they_are():
    rng = np.random.default_rng(6)
    p = rng.random(80)[rng.integers(0, 80, 120)]
    y = (rng.random(120) < p).astype(float)
    apart = p + np.linspace(0.0, 1e-10, 120)
    assert_allclose(loess(p, y), loess(apart, y, apart), atol=1e-7)
    squares = loess_variance(p, p)
    assert_allclose(squares, loess_variance(apart, apart), atol=1e-7)


@pytest.mark.parametrize("n", [1, 2, 9, 10, 193])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_quantiles_of_distances_are_those_of_numpy(n, share):
    values = np.random.default_rng(n).random(n)
    assert_allclose(_quantile(values, share), np.quantile(values, share), rtol=1e-14)


@pytest.mark.parametrize("n", [401, 500])
def test_loess_is_exact_up_to_500_probabilities(n):
    rng = np.random.default_rng(5)
    p = 1 / (1 + np.exp(-rng.normal(0.0, 0.7, n)))
    y = (rng.random(n) < p).astype(float)
    assert_allclose(_loess_at_patients(y, p), loess(p, y, p), atol=1e-12)
