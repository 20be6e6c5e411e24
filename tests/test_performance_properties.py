"""Measures of a prediction: what must hold for any cohort, and at the edges."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from measured import OUTCOME, PROBABILITY, expit, logit
from responder_model import performance as pf
from responder_model.errors import ResponderModelError
from responder_model.performance._smooth import loess


@pytest.fixture
def cohort():
    """4 000 patients whose true probability is known, 38 % responders."""
    rng = np.random.default_rng(20)
    true = expit(rng.normal(-0.6, 1.1, 4000))
    return (rng.random(4000) < true).astype(float), true


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
