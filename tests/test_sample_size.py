"""Riley's criteria against the published tools, and the verdict stored in a model."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from responder_model.artifact.node import Node
from responder_model.artifact.records import read_sample_size
from responder_model.errors import ResponderModelError
from responder_model.sample_size import (
    PLANNING_C_STATISTIC,
    cox_snell_maximum,
    cox_snell_r2,
    development_criteria,
    expected_shrinkage,
    sample_size_verdict,
    validation_criteria,
)
from responder_model.sample_size.validation import _n_for_net_benefit
from responder_model.schema import dictionary

REFERENCE = json.loads(
    (Path(__file__).parent / "reference" / "sample_size.json").read_text()
)
BY_R2 = [r for r in REFERENCE["development"] if "csrsquared" in r["options"]]
BY_C = [r for r in REFERENCE["development"] if "cstatistic" in r["options"]]


def _required(criteria):
    return [criterion.n_required for criterion in criteria]


def _published(reference):
    return [reference["required"][f"Criteria {k}"] for k in (1, 2, 3)]


# Development


@pytest.mark.parametrize("reference", BY_R2)
def test_criteria_match_pmsampsize_exactly_given_r2(reference):
    options = reference["options"]
    found = development_criteria(
        options["parameters"], options["prevalence"], r2=options["csrsquared"]
    )
    assert _required(found)[:3] == _published(reference)


def test_published_example_is_matched_given_its_r2():
    # 12 parameters, outcome proportion 0.4, c-statistic 0.75 -> R2 0.1787, EPP 18.1
    found = development_criteria(12, 0.4, r2=0.1787)
    assert _required(found)[:3] == [543, 289, 369]
    assert_allclose(543 * 0.4 / 12, 18.1)


@pytest.mark.parametrize("reference", BY_C)
def test_criteria_match_pmsampsize_within_its_simulation_error(reference):
    options = reference["options"]
    c, phi = options["cstatistic"], options["prevalence"]
    assert_allclose(cox_snell_r2(c, phi), reference["rsquared"], atol=6e-4)
    found = development_criteria(options["parameters"], phi, c_statistic=c)
    assert_allclose(_required(found)[:3], _published(reference), rtol=0.006)


@pytest.mark.parametrize("reference", REFERENCE["development"])
def test_largest_r2_matches_pmsampsize(reference):
    found = cox_snell_maximum(reference["options"]["prevalence"])
    assert_allclose(found, reference["max_r2a"], atol=1e-9)


def test_r2_agrees_with_a_simulation_of_its_definition():
    # four million patients, in 40 parts for the error of their mean
    rng = np.random.default_rng(1)
    c, phi = 0.7, 0.3
    mu = math.sqrt(2) * 0.5244005127080407  # normal quantile of 0.7
    gains = []
    for _ in range(40):
        y = rng.random(100_000) < phi
        x = rng.normal(mu * y, 1.0)
        lp = mu * x - mu**2 / 2 + math.log(phi / (1 - phi))
        model = np.mean(np.where(y, lp, 0.0) - np.logaddexp(0, lp))
        null = np.mean(np.where(y, math.log(phi), math.log(1 - phi)))
        gains.append(model - null)
    found = 1 - math.exp(-2 * np.mean(gains))
    error = 2 * np.std(gains) / math.sqrt(40)
    assert abs(cox_snell_r2(c, phi) - found) < 3 * error


def test_third_criterion_by_hand():
    # (1.96/0.05)^2 * 0.42 * 0.58 = 374.3
    assert development_criteria(9, 0.42)[2].n_required == 375


def test_fourth_criterion_by_hand():
    # exp((-0.508 + 0.259 ln 0.05 + 0.504 ln 30 - ln 0.05)/0.544) = 543.7, BMJ 2020
    assert development_criteria(30, 0.05, r2=0.04)[3].n_required == 544


def test_r2_is_the_same_for_responders_and_non_responders():
    assert_allclose(cox_snell_r2(0.73, 0.2), cox_snell_r2(0.73, 0.8), rtol=1e-10)


def test_r2_grows_with_the_c_statistic_up_to_its_maximum():
    found = [cox_snell_r2(c, 0.42) for c in (0.51, 0.6, 0.7, 0.8, 0.9, 0.99, 0.9999)]
    assert np.all(np.diff(found) > 0)
    assert found[0] < 0.001
    assert 0.95 * cox_snell_maximum(0.42) < found[-1] < cox_snell_maximum(0.42)


def test_more_parameters_need_more_patients():
    found = np.array([_required(development_criteria(p, 0.42)) for p in (5, 10, 40)])
    assert np.all(np.diff(found[:, [0, 1, 3]], axis=0) > 0)
    assert np.all(found[:, 2] == found[0, 2])


def test_expected_shrinkage_inverts_the_first_criterion():
    for n in (30, 193, 2000):
        s = expected_shrinkage(n, 17, 0.11)
        assert_allclose(17 / ((s - 1) * math.log(1 - 0.11 / s)), n, rtol=1e-9)


def test_expected_shrinkage_grows_with_patients():
    found = [expected_shrinkage(n, 20, 0.1) for n in (10, 50, 193, 1000, 10_000)]
    assert np.all(np.diff(found) > 0)
    assert 0.1 < found[0] < found[-1] < 1.0


# Verdict


def test_verdict_of_the_published_cohort_is_exploratory():
    found = sample_size_verdict(193, 81, 20)
    assert not found.sufficient
    assert found.verdict == "insufficient"
    assert found.may_claim == "exploratory"
    assert found.n_required > 1500
    assert found.c_statistic == PLANNING_C_STATISTIC
    assert "193 (81 responders)" in found.wording["en"]
    assert found.internal_validation_informative


def test_verdict_of_a_registry_is_sufficient():
    found = sample_size_verdict(10_000, 4200, 20)
    assert found.sufficient
    assert found.verdict == "sufficient"
    assert found.may_claim == "developed"
    assert found.expected_shrinkage > 0.9
    assert all(criterion.met for criterion in found.criteria)


def test_verdict_without_patients_rests_on_published_evidence():
    found = sample_size_verdict(0, 0, 20, outcome_proportion=0.42)
    assert found.verdict == "no_patients"
    assert found.may_claim == "published_evidence"
    assert found.expected_shrinkage is None
    assert "published evidence alone" in found.wording["en"]


def test_verdict_says_when_internal_validation_is_noise():
    found = sample_size_verdict(25, 12, 6)
    assert not found.internal_validation_informative
    assert "not informative" in found.wording["en"]
    assert "n'est pas informative" in found.wording["fr"]


def test_verdict_turns_at_the_required_number():
    required = sample_size_verdict(1000, 420, 20).n_required
    proportion = 0.42
    short, enough = (
        sample_size_verdict(n, round(n * 0.42), 20, outcome_proportion=proportion)
        for n in (required - 1, required)
    )
    assert not short.sufficient
    assert enough.sufficient
    assert enough.criteria[0].met


def test_events_per_parameter_matches_the_published_example():
    found = sample_size_verdict(543, 217, 12, c_statistic=0.75, outcome_proportion=0.4)
    assert_allclose(found.events_per_parameter_required, 18.1, atol=0.04)
    assert found.sufficient


def test_reported_criterion_does_not_decide():
    found = sample_size_verdict(600, 240, 12, c_statistic=0.75)
    assert not found.criteria[3].met
    assert not found.criteria[3].decides
    assert found.sufficient


def test_french_wording_has_a_decimal_comma():
    wording = sample_size_verdict(193, 81, 20).wording["fr"]
    assert "0,51" in wording
    assert "0.51" not in wording


@pytest.mark.parametrize(
    ("n_patients", "n_events"), [(193, 81), (25, 12), (9000, 4000)]
)
def test_verdict_survives_json(n_patients, n_events):
    found = sample_size_verdict(n_patients, n_events, 12)
    text = json.dumps({"sample_size": found.to_dict()}, allow_nan=False)
    document = Node.of(json.loads(text), "model.json")
    assert read_sample_size(document, dictionary()) == found


# External validation


@pytest.mark.parametrize("reference", REFERENCE["validation"])
def test_validation_matches_pmvalsampsize(reference):
    options = reference["options"]
    found = validation_criteria(
        options["prevalence"],
        c_statistic=options["cstatistic"],
        linear_predictor=tuple(options["lpnormal"]),
        ratio_width=options.get("oeciwidth", 0.2),
        slope_width=options.get("csciwidth", 0.2),
        c_width=options.get("cstatciwidth", 0.1),
    )
    ratio, slope, c = _required(found.criteria)
    required = reference["required"]
    # the tool steps its standard error up by 1e-4, and simulates the slope
    assert_allclose(ratio, required["Criteria 1 - O/E"], rtol=0.004)
    assert_allclose(slope, required["Criteria 2 - C-slope"], rtol=0.005)
    assert c == required["Criteria 3 - C statistic"]


def test_net_benefit_criterion_matches_pmvalsampsize():
    reference = REFERENCE["validation"][2]["required"]["Criteria 4 - St Net Benefit"]
    found = _n_for_net_benefit(0.7, 0.6, 0.31, 0.3, 0.2)
    assert math.ceil(found) == reference


def test_ratio_criterion_by_hand():
    # SE = asinh(0.1)/1.96, n = 0.58/(0.42 SE^2)
    found = validation_criteria(0.42).criteria[0].n_required
    se = math.asinh(0.1) / 1.96
    assert found == math.ceil(0.58 / 0.42 / se**2)


def test_implied_linear_predictor_is_calibrated_and_has_the_c_statistic():
    # a normal linear predictor with the implied mean and spread asks for as many
    implied = validation_criteria(0.42, c_statistic=0.62)
    v = 2 * 0.3054807880993974**2  # normal quantile of 0.62
    mean = math.log(0.42 / 0.58) + v * (0.42 - 0.5)
    spread = math.sqrt(v + 0.42 * 0.58 * v**2)
    normal = validation_criteria(
        0.42, c_statistic=0.62, linear_predictor=(mean, spread)
    )
    slopes = [c.criteria[1].n_required for c in (implied, normal)]
    assert_allclose(slopes[0], slopes[1], rtol=0.02)


def test_narrower_intervals_need_more_patients():
    wide = validation_criteria(0.42, threshold=0.3, slope_width=0.4, c_width=0.2)
    narrow = validation_criteria(0.42, threshold=0.3)
    pairs = zip(_required(wide.criteria), _required(narrow.criteria), strict=True)
    assert [a < b for a, b in pairs] == [False, True, True, False]
    assert narrow.n_required == max(_required(narrow.criteria))


def test_validation_compares_with_the_patients_at_hand():
    found = validation_criteria(0.42, n_patients=600)
    met = {c.name: c.met for c in found.criteria}
    assert met["observed_expected_ratio"]
    assert not met["calibration_slope"]
    json.dumps(found.to_dict(), allow_nan=False)


# Refusals


@pytest.mark.parametrize("proportion", [0.0, 1.0, 42.0])
def test_impossible_proportion_is_refused(proportion):
    with pytest.raises(ResponderModelError, match="outcome_proportion must be above 0"):
        development_criteria(10, proportion)


@pytest.mark.parametrize("c", [0.5, 1.0, 0.2])
def test_impossible_c_statistic_is_refused(c):
    with pytest.raises(ResponderModelError, match="c_statistic must be above 0.5"):
        sample_size_verdict(193, 81, 20, c_statistic=c)


def test_r2_above_its_maximum_is_refused():
    with pytest.raises(ResponderModelError, match=r"r2 must be in \(0, 0.328\)"):
        development_criteria(10, 0.05, r2=0.4)


def test_model_without_parameters_is_refused():
    with pytest.raises(ResponderModelError, match="n_candidate_parameters at least 1"):
        sample_size_verdict(193, 81, 0)


def test_more_events_than_patients_are_refused():
    with pytest.raises(ResponderModelError, match="between 0 and n_patients, got 9 of"):
        sample_size_verdict(5, 9, 3)


@pytest.mark.parametrize("n_events", [0, 40])
def test_one_outcome_class_needs_an_expected_proportion(n_events):
    with pytest.raises(ResponderModelError, match="outcome_proportion must be given"):
        sample_size_verdict(40, n_events, 5)


def test_shrinkage_without_patients_is_refused():
    with pytest.raises(ResponderModelError, match="n_patients at least 1"):
        expected_shrinkage(0, 5, 0.1)


def test_width_zero_is_refused():
    with pytest.raises(ResponderModelError, match="widths of intervals must be above"):
        validation_criteria(0.42, slope_width=0.0)


def test_width_that_is_missing_is_refused():
    with pytest.raises(ResponderModelError, match="widths of intervals must be above"):
        validation_criteria(0.42, c_width=math.nan)


@pytest.mark.parametrize(
    "given", [(0.0, 0.0), (0.0, -1.0), (math.nan, 1.0), (0.0,), (900.0, 1.0)]
)
def test_linear_predictor_that_is_no_distribution_is_refused(given):
    with pytest.raises(ResponderModelError, match="linear_predictor must be a mean"):
        validation_criteria(0.42, linear_predictor=given)


def test_verdict_on_fewer_patients_than_parameters_has_a_shrinkage():
    verdict = sample_size_verdict(10, 5, 1000)
    assert_allclose(verdict.expected_shrinkage, verdict.r2, rtol=1e-6)


def test_number_of_patients_that_is_missing_is_refused():
    with pytest.raises(ResponderModelError, match="n_patients must be at least 0"):
        development_criteria(10, 0.42, n_patients=math.nan)


def test_threshold_outside_its_range_is_refused():
    with pytest.raises(ResponderModelError, match="threshold must be above 0 and bel"):
        validation_criteria(0.42, threshold=30.0)
