"""Limits of a measure lie where the measure can be, whoever computes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_model.cohort import outcome_levels
from responder_model.development import published_model
from responder_model.errors import ResponderModelError
from responder_model.performance import (
    DEFINITIONS,
    decision_curve,
    estimate_measure,
    measure_performance,
)
from responder_model.performance.definitions import possible_values
from responder_model.performance.intervals import ESTIMATORS
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort
from responder_model.validation import (
    validate_by_subgroup,
    validate_externally,
    validate_internally,
)

# Good and bad probabilities of a few patients: each pushes some limit over an edge.
OUTCOME = np.array([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1])
GOOD = np.array([97, 96, 98, 95, 97, 96, 3, 4, 2, 3, 5, 8]) / 100
COHORTS = {
    "good": (OUTCOME, GOOD),
    "bad": (OUTCOME, np.clip(0.9 - GOOD, 0.1, 0.9)),
    "two patients": (np.array([0, 1]), np.array([0.3, 0.6])),
    "one event of 40": (np.arange(40) == 0, np.linspace(0.9, 0.02, 40)),
}


def is_within(
    name: str, lower: float, upper: float, threshold: float, value: float = 0.5
) -> bool:
    """Whether limits are possible, or hold a value (of a smoother) that is not."""
    least, most = possible_values(name, threshold=threshold)
    return bool(min(least, value) <= lower <= upper <= max(most, value))


@pytest.mark.parametrize(("outcome", "p"), COHORTS.values(), ids=COHORTS.keys())
@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_measure_performance_keeps_limits_within_what_is_possible(
    outcome, p, threshold
):
    rng = np.random.default_rng(0)
    found = measure_performance(
        outcome, p, threshold=threshold, n_resamples=50, rng=rng
    )
    rows = [row for row in found.table if row.lower is not None]
    assert {"brier_score", "scaled_brier_score", "net_benefit"} <= {
        row.measure for row in rows
    }
    for row in rows:
        assert is_within(row.measure, row.lower, row.upper, threshold, row.value)
        assert row.lower <= row.value <= row.upper


def test_limits_that_the_formula_puts_outside_stand_at_the_edge():
    assert estimate_measure("brier_score", OUTCOME, GOOD).lower == 0.0
    assert estimate_measure("log_loss", OUTCOME, GOOD).lower == 0.0
    assert estimate_measure("scaled_brier_score", OUTCOME, GOOD).upper == 1.0
    two = measure_performance([0, 1], [0.3, 0.6]).row("net_benefit")
    assert (two.lower, two.value, two.upper) == (pytest.approx(-0.48, abs=0.01), 0.5, 1)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(3, 30),
    name=st.sampled_from(sorted(ESTIMATORS)),
)
def test_estimate_measure_keeps_limits_within_what_is_possible(seed, n, name):
    rng = np.random.default_rng(seed)
    outcome = rng.permutation(np.arange(n) < rng.integers(1, n))
    p = np.clip(rng.beta(0.4, 0.4, n), 1e-6, 1 - 1e-6)
    try:
        found = estimate_measure(name, outcome, p)
    except ResponderModelError:
        return
    assert is_within(name, found.lower, found.upper, 0.5)
    assert found.lower <= found.value <= found.upper


@pytest.mark.parametrize("interval", ["analytic", "bootstrap"])
@pytest.mark.parametrize(("outcome", "p"), COHORTS.values(), ids=COHORTS.keys())
def test_decision_curve_stays_within_the_worth_of_a_patient(interval, outcome, p):
    t = np.linspace(0.05, 0.9, 18)
    curve = decision_curve(
        outcome, p, thresholds=t, interval=interval, rng=np.random.default_rng(1)
    )
    harm = t / (1 - t)
    assert (-harm <= curve.lower).all()
    assert (curve.upper <= 1.0).all()
    everybody = curve.treat_all > 1e-9
    assert (np.where(everybody, -1.0, -harm) <= curve.gain_lower).all()
    assert (curve.gain_upper <= np.where(everybody, harm, 1.0)).all()
    for low, value, high in (
        (curve.lower, curve.net_benefit, curve.upper),
        (curve.gain_lower, curve.gain, curve.gain_upper),
    ):
        assert (low <= high).all()
        if interval == "analytic":
            assert ((low <= value + 1e-12) & (value <= high + 1e-12)).all()


@pytest.fixture(scope="module")
def small():
    whole = simulate_cohort(n_patients=80, seed=8)
    return whole[outcome_levels(whole, "rtms_response").observed].iloc[:26]


def test_external_validation_and_its_parts_keep_limits_possible(small):
    model = published_model("rtms_response", "screening")
    table = validate_externally(model, small, n_resamples=30).performance.to_frame()
    for row in table.dropna(subset=["lower"]).itertuples():
        assert is_within(row.measure, row.lower, row.upper, 0.5, row.value)
    parts = validate_by_subgroup(model, small, small_cell=1)
    names = [n.removesuffix("_lower") for n in parts if str(n).endswith("_lower")]
    assert "brier_score" in names
    for name in names:
        limits = parts[[f"{name}_lower", f"{name}_upper"]].dropna().to_numpy(float)
        assert all(is_within(name, *pair, 0.5) for pair in limits)


@pytest.mark.parametrize("design", ["bootstrap", "cross_validation"])
def test_internal_validation_keeps_limits_possible(small, design):
    plain = Settings(decision="rtms_response", moment="screening", challenger=False)
    found = validate_internally(plain, small, design=design, n_resamples=4, seed=1)
    for row in found.table.dropna(subset=["lower"]).itertuples():
        # a corrected value may lie outside: its interval goes on holding it
        corrected = row.optimism_corrected
        assert is_within(row.measure, row.lower, row.upper, 0.5, corrected)


def test_every_bounded_measure_says_so():
    bounded = {n for n, row in DEFINITIONS.items() if np.isfinite(row.possible).any()}
    assert bounded == set(DEFINITIONS) - {
        "calibration_in_the_large",
        "joint_calibration_intercept",
        "calibration_slope",
        "net_benefit",
        "net_benefit_treat_all",
    }
