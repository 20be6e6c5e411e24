"""Measures against R and dcurves; scripts, data and versions in tests/reference/."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from responder_model import performance as pf

REFERENCE = Path(__file__).parent / "reference"
CASES = ("overconfident", "tied", "small", "rare")
Z = 1.959963984540054


def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open() as file:
        return list(csv.DictReader(file))


PATIENTS = _rows("performance_cases.csv")
NUMBERS = {
    (row["case"], row["measure"]): float(row["value"])
    for row in _rows("performance.csv")
}


def _column(case: str, name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in PATIENTS if row["case"] == case])


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def outcome(case: str) -> np.ndarray:
    return _column(case, "outcome")


@pytest.fixture
def probability(case: str) -> np.ndarray:
    return _column(case, "probability")


def test_versions_of_r_are_recorded():
    versions = (REFERENCE / "versions.txt").read_text()
    assert all(name in versions for name in ("R version", "rms", "pROC", "survival"))


@pytest.mark.parametrize(
    ("measure", "reference"),
    [
        ("c_statistic", "c_statistic"),
        ("brier_score", "val.prob_Brier"),
        ("scaled_brier_score", "scaled_brier_score"),
        ("log_loss", "log_loss"),
        ("observed_expected_ratio", "observed_expected_ratio"),
        ("calibration_in_the_large", "calibration_in_the_large"),
        ("joint_calibration_intercept", "joint_calibration_intercept"),
        ("calibration_slope", "calibration_slope"),
    ],
)
def test_measure_matches_r(case, outcome, probability, measure, reference):
    found = getattr(pf, measure)(outcome, probability)
    assert_allclose(found, NUMBERS[case, reference], rtol=1e-10)


def test_c_statistic_is_near_that_of_val_prob(case, outcome, probability):
    # rms::lrm.fit bins the probabilities before it counts pairs; pROC does not
    found = pf.c_statistic(outcome, probability)
    assert_allclose(found, NUMBERS[case, "val.prob_C"], atol=2e-4)


@pytest.mark.parametrize(
    ("measure", "reference"),
    [("joint_calibration_intercept", "Intercept"), ("calibration_slope", "Slope")],
)
def test_joint_calibration_matches_val_prob(
    case, outcome, probability, measure, reference
):
    # rms::lrm.fit stops at a relative deviance change of 0.025 % ** 2, hence 1e-6
    found = getattr(pf, measure)(outcome, probability)
    assert_allclose(found, NUMBERS[case, f"val.prob_{reference}"], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("measure", "reference"),
    [("integrated_calibration_index", "Eavg"), ("e90", "E90"), ("emax", "Emax")],
)
def test_lowess_distances_match_val_prob(
    case, outcome, probability, measure, reference
):
    found = getattr(pf, measure)(outcome, probability, smoother="lowess")
    assert_allclose(found, NUMBERS[case, f"val.prob_{reference}"], atol=1e-8)


@pytest.mark.parametrize("smoother", ["loess", "lowess", "spline"])
@pytest.mark.parametrize(
    "measure",
    [
        "integrated_calibration_index",
        "e50",
        "e90",
        "emax",
        "estimated_calibration_index",
    ],
)
def test_distance_matches_r_smoother(case, outcome, probability, measure, smoother):
    found = getattr(pf, measure)(outcome, probability, smoother=smoother)
    assert_allclose(found, NUMBERS[case, f"{measure}_{smoother}"], atol=1e-8)


def test_delong_variance_matches_proc_and_its_interval_is_on_the_logit_scale(
    case, outcome, probability
):
    found = pf.estimate_measure("c_statistic", outcome, probability)
    variance = NUMBERS[case, "c_statistic_variance"]
    assert_allclose(found.standard_error**2, variance, rtol=1e-10)
    c = found.value
    half = Z * variance**0.5 / (c * (1.0 - c))
    logit = np.log(c / (1.0 - c))
    expected = [1.0 / (1.0 + np.exp(-x)) for x in (logit - half, logit + half)]
    assert_allclose([found.lower, found.upper], expected, rtol=1e-9)


@pytest.mark.parametrize(
    "measure",
    ["calibration_in_the_large", "joint_calibration_intercept", "calibration_slope"],
)
def test_wald_interval_matches_glm(case, outcome, probability, measure):
    found = pf.estimate_measure(measure, outcome, probability)
    value, se = NUMBERS[case, measure], NUMBERS[case, f"{measure}_se"]
    assert_allclose(found.lower, value - Z * se, rtol=1e-9, atol=1e-9)
    assert_allclose(found.upper, value + Z * se, rtol=1e-9, atol=1e-9)


def test_ordinal_concordance_matches_survival(case, probability):
    level = _column(case, "level")
    found = pf.ordinal_concordance_estimate(level, probability)
    assert_allclose(found.value, NUMBERS[case, "ordinal_concordance"], rtol=1e-12)
    variance = NUMBERS[case, "ordinal_concordance_variance"]
    assert_allclose(found.standard_error**2, variance, rtol=1e-10)


@pytest.mark.parametrize("smoother", ["loess", "spline"])
def test_calibration_curve_and_band_match_r(case, outcome, probability, smoother):
    rows = [
        row
        for row in _rows("performance_curves.csv")
        if row["case"] == case and row["smoother"] == smoother
    ]
    at, observed, lower, upper = (
        np.array([float(row[name]) for row in rows])
        for name in ("probability", "observed", "lower", "upper")
    )
    curve = pf.calibration_curve(outcome, probability, smoother=smoother, at=at)
    assert_allclose(curve.observed, observed, atol=1e-8)
    assert_allclose(curve.lower, lower, atol=1e-8)
    assert_allclose(curve.upper, upper, atol=1e-8)


def _dcurves(case: str, model: str) -> tuple[np.ndarray, np.ndarray]:
    rows = [
        row
        for row in _rows("net_benefit.csv")
        if row["case"] == case and row["model"] == model
    ]
    names = ("threshold", "net_benefit")
    thresholds, benefit = (np.array([float(r[name]) for r in rows]) for name in names)
    return thresholds, benefit


def test_net_benefit_matches_dcurves(case, outcome, probability):
    thresholds, expected = _dcurves(case, "probability")
    found = [pf.net_benefit(outcome, probability, threshold=t) for t in thresholds]
    assert_allclose(found, expected, atol=1e-12)
    curve = pf.decision_curve(outcome, probability, thresholds=thresholds)
    assert_allclose(curve.net_benefit, expected, atol=1e-12)


def test_net_benefit_treat_all_matches_dcurves(case, outcome, probability):
    thresholds, expected = _dcurves(case, "all")
    found = [pf.net_benefit_treat_all(outcome, threshold=t) for t in thresholds]
    assert_allclose(found, expected, atol=1e-12)
    curve = pf.decision_curve(outcome, probability, thresholds=thresholds)
    assert_allclose(curve.treat_all, expected, atol=1e-12)


@pytest.mark.parametrize(("n_events", "n"), [(17, 36), (0, 12), (3, 3), (43, 71)])
def test_proportion_matches_hmisc(n_events, n):
    found = pf.proportion_estimate(n_events, n)
    expected = [NUMBERS[f"wilson_{n_events}_{n}", end] for end in ("lower", "upper")]
    assert_allclose([found.lower, found.upper], expected, rtol=1e-10, atol=1e-12)
