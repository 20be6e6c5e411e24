"""Champion and challenger on the same patients: differences, verdict, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

import responder_model as rm
from responder_model.performance import log_loss, net_benefit
from responder_model.promotion import Paired, compare, judge
from responder_model.promotion.paired import (
    NOT_KNOWN,
    gain_in_calibration,
    gain_in_log_loss,
    gain_in_net_benefit,
    mean_difference,
)

SETTINGS = rm.Settings(decision="rtms_response", moment="screening", challenger=False)
NONE = Paired(value=0.0, lower=-1.0, upper=1.0, standard_error=0.5, p_gain=0.5)


@pytest.fixture(scope="module")
def drawn():
    """Outcomes of known log-odds, and the probabilities of three models."""
    rng = np.random.default_rng(3)
    lp = rng.normal(-0.3, 1.0, 300)
    y = (rng.random(300) < expit(lp)).astype(float)
    return y, lp, rng.normal(size=300)


def expit(x):
    return 1.0 / (1.0 + np.exp(-x))


def paired(p_gain, lower=-1.0, upper=1.0):
    return Paired(
        value=0.0, lower=lower, upper=upper, standard_error=0.5, p_gain=p_gain
    )


# ---------------------------------------------------------------- differences


def test_mean_difference_is_students():
    d = np.random.default_rng(0).normal(0.1, 1.0, 37)
    due = ttest_1samp(d, 0.0)
    low, high = due.confidence_interval(0.95)
    found = mean_difference(d)
    np.testing.assert_allclose([found.lower, found.upper], [low, high])
    tail = min(found.p_gain, 1.0 - found.p_gain)
    np.testing.assert_allclose(2.0 * tail, due.pvalue)


def test_gains_are_differences_of_the_measures_and_change_sign_with_places(drawn):
    y, lp, noise = drawn
    p0, p1 = expit(lp + noise), expit(lp)
    gain = gain_in_log_loss(y, p0, p1)
    np.testing.assert_allclose(gain.value, log_loss(y, p0) - log_loss(y, p1))
    np.testing.assert_allclose(gain_in_log_loss(y, p1, p0).value, -gain.value)
    worth = gain_in_net_benefit(y, p0, p1, threshold=0.3)
    due = net_benefit(y, p1, threshold=0.3) - net_benefit(y, p0, threshold=0.3)
    np.testing.assert_allclose(worth.value, due)


def test_equal_models_gain_nothing(drawn):
    y, lp, _ = drawn
    p = expit(lp)
    for found in (
        gain_in_log_loss(y, p, p),
        gain_in_net_benefit(y, p, p, threshold=0.4),
        *gain_in_calibration(y, p, p).values(),
    ):
        assert (found.value, found.p_gain) == (0.0, 0.5)
        assert not found.is_clear_gain
        assert not found.is_clear_loss


def test_calibration_that_is_far_off_is_clearly_worse_and_back_clearly_better(drawn):
    y, lp, _ = drawn
    for name, off in (("in_the_large", lp + 1.0), ("slope", 3.0 * lp)):
        worse = gain_in_calibration(y, expit(lp), expit(off))[name]
        assert worse.is_clear_loss
        assert gain_in_calibration(y, expit(off), expit(lp))[name].is_clear_gain


def test_which_level_is_closer_is_unsure_while_its_sign_is(drawn):
    y, lp, _ = drawn
    # on both sides of the truth, by the same small step
    found = gain_in_calibration(y, expit(lp - 0.1), expit(lp + 0.1))["in_the_large"]
    assert found.lower < 0.0 < found.upper


def test_a_slope_that_has_no_estimate_decides_nothing(drawn):
    y, lp, _ = drawn
    found = gain_in_calibration(y, np.full(300, 0.4), expit(lp))["slope"]
    assert found == NOT_KNOWN


# ---------------------------------------------------------------- verdict


@pytest.mark.parametrize(
    ("gain", "others", "verdict", "worse_by"),
    [
        (paired(0.99, lower=0.01), {}, "better", ()),
        (paired(0.97), {}, "probably_better", ()),
        (paired(0.8), {}, "probably_better", ()),
        (paired(0.79), {}, "no_evidence", ()),
        (paired(0.21), {}, "no_evidence", ()),
        (paired(0.2), {}, "worse", ("log_loss",)),
        (
            paired(0.99, lower=0.01),
            {"slope": paired(0.01, upper=-0.1)},
            "worse",
            ("slope",),
        ),
        (
            paired(0.1),
            {"net_benefit": paired(0.01, upper=-0.1)},
            "worse",
            ("log_loss", "net_benefit"),
        ),
    ],
)
def test_judge_follows_the_table(gain, others, verdict, worse_by):
    parts = {"net_benefit": NONE, "in_the_large": NONE, "slope": NONE, **others}
    found = judge(gain, parts.pop("net_benefit"), parts)
    assert found == {"verdict": verdict, "worse_by": worse_by}


# ---------------------------------------------------------------- patients


@pytest.fixture(scope="module")
def published():
    return rm.published_model("rtms_response", "screening")


@pytest.fixture(scope="module")
def cohort():
    return rm.simulate_cohort(n_patients=60, seed=5)


@pytest.fixture(scope="module")
def developed(cohort):
    return rm.develop(cohort, settings=SETTINGS)


def test_patients_of_a_model_are_left_out_and_counted(published, cohort, developed):
    new = rm.simulate_cohort(n_patients=40, seed=6)
    alone = compare(published, developed, new, simulated=True)
    mixed = pd.concat([new, cohort.assign(patient_id=None)], ignore_index=True)
    mixed["patient_id"] = [f"P{k}" for k in range(len(mixed))]
    mixed.attrs = dict(new.attrs)
    found = compare(published, developed, mixed, simulated=True)
    assert found.n_left_out == developed.n_patients
    assert found.n_patients == alone.n_patients
    np.testing.assert_allclose(found.gain.value, alone.gain.value)


def test_compare_refuses_what_can_not_decide(published, cohort, developed):
    new = rm.simulate_cohort(n_patients=60, seed=6)
    other = rm.published_model("rtms_response", "session_1")
    with pytest.raises(rm.DevelopmentError, match="one question"):
        compare(other, developed, new, simulated=True)
    with pytest.raises(rm.DevelopmentError, match="must be real"):
        compare(published, developed, new)
    with pytest.raises(rm.DevelopmentError, match="at least 20 new patients"):
        compare(published, developed, new.iloc[:15], simulated=True)
    many = rm.simulate_cohort(n_patients=120, seed=8)
    yes = many[(many["rtms_responder"] == True).fillna(False)]  # noqa: E712
    with pytest.raises(rm.DevelopmentError, match="got one class"):
        compare(published, developed, yes, simulated=True)
    with pytest.raises(rm.DevelopmentError, match="who are in neither, got") as refused:
        compare(published, developed, cohort, simulated=True)
    # an option of updates, which a promotion has not
    assert "count" not in str(refused.value)


def test_compare_refuses_patients_of_the_evidence(published, developed):
    new = rm.simulate_cohort(n_patients=60, seed=6)
    of_evidence = new.assign(centre="Saint-Étienne")
    of_evidence.attrs = dict(new.attrs)
    with pytest.raises(rm.DevelopmentError, match="evidence"):
        compare(published, developed, of_evidence, simulated=True)


def test_what_is_logged_is_finite_and_of_all_patients(published, developed):
    new = rm.simulate_cohort(n_patients=60, seed=6)
    found = compare(published, developed, new, simulated=True)
    figures = found.figures()
    assert figures["n_patients"] == found.n_patients
    assert np.isfinite(list(figures.values())).all()
    assert found.n_needed >= 20
