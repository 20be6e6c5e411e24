"""The table of all measures, and the core measures for resampling."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from responder_model import performance as pf
from responder_model.errors import ResponderModelError

CORE = (
    "c_statistic",
    "calibration_in_the_large",
    "calibration_slope",
    "observed_expected_ratio",
    "integrated_calibration_index",
    "brier_score",
    "scaled_brier_score",
    "log_loss",
    "net_benefit",
)


@pytest.fixture
def cohort():
    """193 patients, probabilities too extreme and too low."""
    rng = np.random.default_rng(31)
    lp = rng.normal(-0.2, 0.9, 193)
    y = (rng.random(193) < 1 / (1 + np.exp(-lp))).astype(float)
    return y, 1 / (1 + np.exp(-1.5 * lp + 0.4))


def test_core_measures_equal_the_public_ones(cohort):
    found = pf.core_measures(*cohort, threshold=0.3)
    assert tuple(found.values) == CORE
    assert found.failures == {}
    for measure, value in found.values.items():
        extra = {"threshold": 0.3} if measure == "net_benefit" else {}
        assert_allclose(value, getattr(pf, measure)(*cohort, **extra), rtol=1e-12)


def test_core_measures_state_why_one_class_has_none():
    found = pf.core_measures([1, 1, 1], [0.4, 0.6, 0.7])
    assert found.values == {}
    assert set(found.failures) == set(CORE)
    assert "got 3 responders of 3" in found.failures["c_statistic"].text()


def test_core_measures_of_separated_classes_have_no_slope_only():
    found = pf.core_measures([0, 0, 1, 1], [0.2, 0.3, 0.6, 0.8])
    assert list(found.failures) == ["calibration_slope"]
    assert found.values["c_statistic"] == 1.0


def test_core_measures_of_certain_probabilities_have_no_log_odds():
    found = pf.core_measures([0, 1, 0, 1, 1], [0.0, 1.0, 0.4, 0.3, 0.8])
    failed = {"calibration_in_the_large", "calibration_slope", "log_loss"}
    assert set(found.failures) == failed


def test_core_measures_never_hold_nan():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n = int(rng.integers(1, 12))
        y = rng.integers(0, 2, n)
        p = np.round(rng.random(n), 1)
        found = pf.core_measures(y, p)
        assert np.isfinite(list(found.values.values())).all()
        assert len(found.values) + len(found.failures) == len(CORE)


def test_core_measures_refuse_unequal_lengths():
    with pytest.raises(ResponderModelError, match="same length"):
        pf.core_measures([0, 1], [0.2])


def test_table_has_every_measure_with_its_definition(cohort):
    found = pf.measure_performance(*cohort, level=cohort[0])
    assert [row.measure for row in found.table] == list(pf.DEFINITIONS)
    assert all(row.definition for row in found.table)
    assert found.problem is None


def test_table_equals_the_public_measures(cohort):
    found = pf.measure_performance(*cohort, threshold=0.3)
    for row in found.table:
        extra = {"threshold": 0.3} if row.measure == "net_benefit" else {}
        if row.measure != "net_benefit_treat_all":
            expected = getattr(pf, row.measure)(*cohort, **extra)
            assert_allclose(row.value, expected, rtol=1e-12)
    expected = pf.net_benefit_treat_all(cohort[0], threshold=0.3)
    assert_allclose(found.value("net_benefit_treat_all"), expected, rtol=1e-12)


def test_intervals_hold_the_value(cohort):
    found = pf.measure_performance(*cohort, rng=np.random.default_rng(1))
    for row in found.table:
        assert row.interval
        assert row.lower is not None
        assert row.lower <= row.value <= row.upper, row.measure


def test_distances_have_no_interval_without_a_generator(cohort):
    row = pf.measure_performance(*cohort).row("emax")
    assert (row.lower, row.upper, row.interval) == (None, None, "")
    assert row.value is not None


def test_same_generator_gives_the_same_table(cohort):
    tables = [
        pf.measure_performance(*cohort, n_resamples=30, rng=np.random.default_rng(8))
        for _ in range(2)
    ]
    assert tables[0] == tables[1]


def test_distances_of_a_calibrated_model_are_compatible_with_zero():
    rng = np.random.default_rng(12)
    p = 1 / (1 + np.exp(-rng.normal(0.3, 0.9, 193)))
    y = (rng.random(193) < p).astype(float)
    row = pf.measure_performance(y, p, rng=rng).row("integrated_calibration_index")
    assert row.lower == 0.0
    assert_allclose(row.if_calibrated, row.value, atol=0.03)


def test_distances_of_a_wrong_model_are_not(cohort):
    y, p = cohort
    found = pf.measure_performance(y, p**2, rng=np.random.default_rng(3))
    row = found.row("integrated_calibration_index")
    assert row.lower > row.if_calibrated


def test_one_outcome_class_is_a_stated_problem_not_an_error():
    found = pf.measure_performance([0] * 12, np.linspace(0.1, 0.6, 12))
    assert found.problem.text().startswith("outcome must hold both responders")
    assert all(row.value is None for row in found.table)
    assert all(row.problem == found.problem for row in found.table)


def test_separation_leaves_the_other_measures():
    found = pf.measure_performance([0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.8])
    slope = found.row("calibration_slope")
    assert slope.value is None
    assert "complete separation" in slope.problem.text()
    assert found.value("c_statistic") == 1.0
    assert found.problem is None


def test_unfit_smoother_is_a_problem_of_its_rows_only():
    found = pf.measure_performance(
        [0, 1, 0, 1, 1] * 5, [0.2, 0.2, 0.6, 0.6, 0.6] * 5, smoother="spline"
    )
    assert "more distinct values" in found.row("e50").problem.text()
    assert found.value("brier_score") is not None


def test_interval_levels_add_an_ordinal_concordance(cohort):
    y, p = cohort
    found = pf.measure_performance(y, p, level=y, upper_level=y)
    assert_allclose(found.value("ordinal_concordance"), found.value("c_statistic"))


def test_definition_names_smoother_and_threshold(cohort):
    found = pf.measure_performance(*cohort, threshold=0.3, smoother="lowess")
    assert "rms::val.prob" in found.row("emax").definition
    assert found.row("net_benefit").definition.endswith("t = 0.3")


def test_performance_survives_json(cohort):
    found = pf.measure_performance(
        *cohort, n_resamples=20, rng=np.random.default_rng(2)
    )
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [row["value"] for row in read["table"]] == [r.value for r in found.table]


def test_performance_is_a_frame_with_one_row_per_measure(cohort):
    frame = pf.measure_performance(*cohort).to_frame()
    assert list(frame.columns[:4]) == ["measure", "value", "lower", "upper"]
    assert len(frame) == len(pf.DEFINITIONS) - 1  # no levels: no ordinal concordance


def test_unknown_row_is_refused(cohort):
    with pytest.raises(ResponderModelError, match="measure must be one of c_statistic"):
        pf.measure_performance(*cohort).value("intercept")


def test_every_definition_is_in_both_languages():
    for name, definition in pf.DEFINITIONS.items():
        assert set(definition.label) == set(definition.definition) == {"en", "fr"}, name
        assert hasattr(pf, name)


def test_the_word_intercept_never_stands_alone():
    for definition in pf.DEFINITIONS.values():
        assert definition.label["en"].lower() != "intercept"


def test_measure_performance_refuses_negative_resamples(cohort):
    with pytest.raises(ResponderModelError, match="n_resamples must be at least 0"):
        pf.measure_performance(*cohort, n_resamples=-1, rng=np.random.default_rng(0))


@pytest.mark.parametrize("n_resamples", [2.5, "20", None])
def test_measure_performance_refuses_resamples_that_are_no_count(cohort, n_resamples):
    with pytest.raises(ResponderModelError, match="n_resamples must be at least 0 and"):
        pf.measure_performance(*cohort, n_resamples=n_resamples)


def test_measure_performance_refuses_a_seed_for_a_generator(cohort):
    with pytest.raises(ResponderModelError, match="rng must be a numpy Gen.* got int"):
        pf.measure_performance(*cohort, rng=0)


def test_one_resample_gives_no_interval(cohort):
    found = pf.measure_performance(
        *cohort, n_resamples=1, rng=np.random.default_rng(0)
    ).row("e90")
    assert found.value is not None
    assert found.lower is None


@pytest.mark.parametrize("wrong", ["0.5", None, [0.2, 0.3]])
def test_threshold_and_confidence_must_be_numbers(cohort, wrong):
    with pytest.raises(ResponderModelError, match="threshold must be at least 0"):
        pf.net_benefit(*cohort, threshold=wrong)
    with pytest.raises(ResponderModelError, match="confidence must be between 0 and 1"):
        pf.estimate_measure("brier_score", *cohort, confidence=wrong)


def test_all_measures_equal_the_public_ones(cohort):
    y, p = cohort
    level = np.minimum(5, np.round(5 * p) + y)
    found = pf.all_measures(y, p, level=level, threshold=0.3)
    assert list(found.values) == list(pf.DEFINITIONS)
    expected = pf.measure_performance(y, p, level=level, threshold=0.3)
    for row in expected.table:
        assert_allclose(found.values[row.measure], row.value, rtol=1e-12)


def test_all_measures_state_why_one_class_has_none():
    found = pf.all_measures([1, 1, 1], [0.4, 0.6, 0.7], level=[3, 4, 5])
    assert found.values == {}
    assert set(found.failures) == set(pf.DEFINITIONS)


def test_describe_measure_names_smoother_and_threshold_in_both_languages():
    given = {"smoother": "loess", "threshold": 0.3}
    assert pf.describe_measure("net_benefit", **given).endswith("; t = 0.3")
    french = pf.describe_measure("net_benefit", lang="fr", **given)
    assert french.endswith(" ; t = 0,3")
    for lang, word in {"en": "smoother: local", "fr": "lissage : régression"}.items():
        assert word in pf.describe_measure("emax", lang=lang, **given)


def test_c_statistic_of_one_responder_has_a_value_without_an_interval():
    found = pf.measure_performance([0, 0, 0, 1], [0.2, 0.5, 0.3, 0.4])
    row = found.row("c_statistic")
    assert row.value == pytest.approx(2 / 3)
    assert row.lower is row.upper is None
    assert "without an interval" in row.problem.text()
