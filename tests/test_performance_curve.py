"""The calibration curve, its band, and the smoother behind it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from measured import expit, logit
from responder_model import performance as pf
from responder_model.errors import ResponderModelError
from responder_model.performance._smooth import loess, loess_variance
from responder_model.performance.calibration_distance import _loess_at_patients
from responder_model.performance.distances import _quantile


@pytest.fixture
def cohort():
    """4 000 patients whose true probability is known, 38 % responders."""
    rng = np.random.default_rng(20)
    true = expit(rng.normal(-0.6, 1.1, 4000))
    return (rng.random(4000) < true).astype(float), true


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
