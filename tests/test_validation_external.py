"""Validation in other patients, by centre and by subgroup."""

import numpy as np
import pandas as pd
import pytest

from responder_model.cohort import outcome_levels
from responder_model.development.published import published_model
from responder_model.errors import DevelopmentError
from responder_model.performance import (
    estimate_measure,
)
from responder_model.reporting.groups import releasable
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort
from responder_model.validation import (
    group_differences,
    validate_by_centre,
    validate_by_subgroup,
    validate_externally,
)
from responder_model.words import Note

LINEAR = Settings(decision="rtms_response", moment="screening", challenger=False)


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(213, 4)


# ---------------------------------------------------------------- new patients


def test_external_validation_reports_measures_with_limits(cohort):
    from responder_model.development import published_model

    model = published_model("rtms_response", "screening")
    result = validate_externally(model, cohort, n_resamples=20)
    row = result.performance.row("c_statistic")
    assert row.lower < row.value < row.upper
    assert sum(result.applicability.values()) == len(cohort)
    assert Note("validation.simulated") in result.notes


def test_external_validation_states_one_outcome_class(cohort):
    from responder_model.development import published_model

    one = cohort.copy()
    one["relief_test"] = 0.0
    one["rtms_responder"] = pd.array([False] * len(one), dtype="boolean")
    result = validate_externally(published_model("rtms_response", "screening"), one)
    assert result.performance.problem
    assert result.table["value"].isna().all()


def test_validate_externally_counts_non_completers_as_non_responders(cohort):
    model = published_model("rtms_response", "screening")
    result = validate_externally(model, cohort, n_resamples=0)
    unknown = ~outcome_levels(cohort, "rtms_response").observed
    assert result.sensitivity.n_patients == result.n_patients + unknown.sum()
    assert result.sensitivity.n_events == result.n_events
    failed = cohort.copy()
    failed.loc[unknown, "relief_test"] = 0.0
    expected = validate_externally(model, failed, n_resamples=0)
    assert expected.sensitivity is None
    for row in expected.performance.table:
        if row.measure != "ordinal_concordance":  # relief of 0 is one level
            assert result.sensitivity.value(row.measure) == pytest.approx(row.value)


def test_validate_externally_counts_nobody_without_an_implant_as_failure():
    cohort = simulate_cohort(140, 21)
    model = published_model("emcs_success", "implantation")
    assert validate_externally(model, cohort, n_resamples=0).sensitivity is None


def test_validate_externally_measures_net_benefit_at_the_threshold(cohort):
    model = published_model("rtms_response", "screening")
    result = validate_externally(model, cohort, n_resamples=0, threshold=0.25)
    assert result.performance.row("net_benefit").definition.endswith("t = 0.25")


def test_validate_externally_says_when_patients_may_be_in_the_evidence(cohort):
    model = published_model("rtms_response", "screening")
    published = cohort.assign(centre="Saint-Étienne")
    said = Note("validation.in_evidence")
    assert said in validate_externally(model, published, n_resamples=0).notes
    notes = validate_externally(model, cohort, n_resamples=0).notes
    assert said not in notes


def test_validate_externally_says_how_many_patients_would_be_enough(cohort):
    from responder_model.sample_size import validation_criteria

    model = published_model("rtms_response", "screening")
    result = validate_externally(model, cohort, n_resamples=0)
    needed = validation_criteria(result.n_events / result.n_patients).n_required
    said = Note("validation.wide_intervals", n=result.n_patients, needed=needed)
    assert said in result.notes
    text = f"{result.n_patients} patients, where {needed} would give narrow intervals"
    assert str(said).startswith(text)


# ---------------------------------------------------------------- centres


def test_internal_external_validation_has_a_row_per_centre():
    cohort = simulate_cohort(200, 10, n_centres=3)
    table = validate_by_centre(LINEAR, cohort)
    assert table["centre"].nunique() == 3


def test_centres_without_an_outcome_are_refused():
    cohort = simulate_cohort(60, 5, n_centres=3).drop(
        columns=["relief_test", "symptom_improved", "rtms_responder"]
    )
    with pytest.raises(DevelopmentError, match="outcome must be known for some pat"):
        validate_by_centre(LINEAR, cohort)


def test_one_centre_is_refused(cohort):
    alone = cohort.copy()
    alone["centre"] = "Lyon"
    with pytest.raises(DevelopmentError, match="at least 2 centres"):
        validate_by_centre(LINEAR, alone)


# ---------------------------------------------------------------- subgroups


def test_subgroups_suppress_small_cells(cohort):
    from responder_model.development import published_model

    table = validate_by_subgroup(published_model("rtms_response", "screening"), cohort)
    small = table[table["problem"] == "small"]
    assert len(small) > 0
    assert (small["n_patients"] == "<10").all()
    assert small["c_statistic"].isna().all()
    assert {"lesion_type", "sex", "age", "aetiology"} == set(table["predictor"])


def test_subgroups_are_those_that_the_cohort_records(cohort):
    model = published_model("rtms_response", "screening")
    few = cohort[["age", "sex", "relief_test", "symptom_improved"]]
    table = validate_by_subgroup(model, few)
    assert set(table["predictor"]) == {"age", "sex"}
    assert set(validate_by_subgroup(model, few, by="sex")["predictor"]) == {"sex"}


def test_probability_of_other_patients_is_refused(cohort):
    model = published_model("rtms_response", "screening")
    with pytest.raises(DevelopmentError, match="one value for each patient.* 3 for"):
        validate_by_subgroup(model, cohort, probability=np.full(3, 0.5))


def test_subgroups_have_limits_and_say_whose_patients_they_are(cohort):
    model = published_model("rtms_response", "screening")
    table = validate_by_subgroup(model, cohort, by=["sex"])
    assert table.attrs["provenance"] == "simulated"
    women = (cohort["sex"] == "female").to_numpy()
    levels = outcome_levels(cohort, "rtms_response")
    outcome = np.where(levels.lower > 2, 1.0, np.where(levels.upper <= 2, 0.0, np.nan))
    chosen = women & ~np.isnan(outcome)
    p = model.predict_cohort(cohort)["probability"].to_numpy()
    row = table.set_index("group").loc["female"]
    for name in ("c_statistic", "calibration_slope"):
        expected = estimate_measure(name, outcome[chosen], p[chosen])
        found = [row[name], row[f"{name}_lower"], row[f"{name}_upper"]]
        np.testing.assert_allclose(
            found, [expected.value, expected.lower, expected.upper]
        )


def test_group_differences_are_those_of_independent_estimates():
    """With limits at ±1.96 SE, the SE of a difference is the root of both squares."""
    se = np.array([0.05, 0.12, 0.30])
    value = np.array([0.70, 0.60, 0.55])
    table = pd.DataFrame(
        {
            "predictor": "age",
            "group": ["under 50", "50 to 64", "65 and over"],
            "n_patients": ["80", "40", "12"],
            "c_statistic": value,
            "c_statistic_lower": value - 1.96 * se,
            "c_statistic_upper": value + 1.96 * se,
        }
    )
    found = group_differences(table)
    assert found["compared_with"].to_list() == ["under 50"] * 2
    expected = value[1:] - value[0]
    half = 1.96 * np.hypot(se[1:], se[0])
    np.testing.assert_allclose(found["c_statistic"], expected)
    np.testing.assert_allclose(found["c_statistic_lower"], expected - half)
    np.testing.assert_allclose(found["c_statistic_upper"], expected + half)
    assert found["calibration_in_the_large"].isna().all()


def test_group_differences_tell_nothing_of_hidden_groups():
    cohort = simulate_cohort(300, 1)
    model = published_model("rtms_response", "screening")
    rows = releasable(validate_by_subgroup(model, cohort, small_cell=1))
    told = {
        (row["predictor"], row["group"])
        for row in rows
        if row["n_patients"].isdigit() and row.get("c_statistic_lower") is not None
    }
    found = group_differences(pd.DataFrame(rows))
    for side in ("group", "compared_with"):
        assert set(zip(found["predictor"], found[side], strict=True)) <= told
    assert len(found) == len(told) - found["predictor"].nunique()
    assert group_differences(pd.DataFrame(rows[:1])).empty
    with pytest.raises(DevelopmentError, match="that of validate_by_subgroup"):
        group_differences(pd.DataFrame({"centre": ["a"], "n_patients": ["12"]}))


def test_subgroups_leave_out_patients_without_a_probability(cohort):
    model = published_model("rtms_response", "screening")
    p = model.predict_cohort(cohort)["probability"].to_numpy().copy()
    p[:20] = np.nan
    part = validate_by_subgroup(model, cohort, by=["sex"], probability=p)
    known = cohort.iloc[20:]
    expected = validate_by_subgroup(model, known, by=["sex"], probability=p[20:])
    pd.testing.assert_frame_equal(
        part.set_index("group").sort_index(), expected.set_index("group").sort_index()
    )
