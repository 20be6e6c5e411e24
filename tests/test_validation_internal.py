"""Internal validation by the bootstrap: optimism, intervals, statements."""

import numpy as np
import pandas as pd
import pytest

from in_words import said
from responder_model.cohort import binary_outcome, outcome_levels
from responder_model.development import build_procedure, develop
from responder_model.development.pool import grouped_folds
from responder_model.development.published import published_model
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.performance import (
    DEFINITIONS,
    core_measures,
    net_benefit,
)
from responder_model.performance.definitions import possible_values
from responder_model.performance.estimate import cut
from responder_model.settings import Settings
from responder_model.simulation import draw_truth, simulate_cohort, true_probabilities
from responder_model.validation import (
    validate_by_centre,
    validate_by_subgroup,
    validate_externally,
    validate_internally,
)
from responder_model.validation.resampling import (
    Data,
    bootstrap_rows,
    develop_on,
    read_data,
)
from responder_model.validation.table import _shifted
from responder_model.words import Note

LINEAR = Settings(decision="rtms_response", moment="screening", challenger=False)


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(213, 4)


@pytest.fixture(scope="module")
def validated(cohort):
    return validate_internally(LINEAR, cohort, n_resamples=25)


def test_bootstrap_corrects_for_optimism(validated):
    table = validated.table.set_index("measure")
    assert validated.n_failed_resamples == 0
    assert (table["n_resamples"] == 25).all()
    assert table.loc["c_statistic", "optimism"] > 0.02
    assert table.loc["log_loss", "optimism"] < -0.01
    np.testing.assert_allclose(
        table["optimism_corrected"], table["apparent"] - table["optimism"]
    )


def test_interval_holds_the_corrected_value(validated):
    table = validated.table.set_index("measure")
    for name in ("c_statistic", "brier_score", "calibration_in_the_large"):
        row = table.loc[name]
        assert row["lower"] < row["optimism_corrected"] < row["upper"]


def test_632_plus_lies_between_simple_and_no_information(validated):
    row = validated.table.set_index("measure").loc["c_statistic"]
    assert 0.5 < row["corrected_632_plus"] <= row["corrected_632"] + 1e-9


def test_stability_is_zero_for_the_model_itself_and_positive_for_resamples(validated):
    stability = validated.stability
    error = stability.mean_absolute_prediction_error
    assert (error > 0).all()
    assert (error < 0.3).all()
    low, high = stability.limits()
    assert (low <= high).all()
    known = ~np.isnan(stability.outcome)
    curve = stability.decision_curves(np.array([0.2]))
    treat = stability.resampled[0][known] >= 0.2
    outcome = stability.outcome[known]
    expected = (treat @ outcome - treat @ (1 - outcome) * 0.25) / known.sum()
    assert curve[0, 0] == pytest.approx(expected)


def test_result_does_not_depend_on_the_number_of_processes(cohort):
    one = validate_internally(LINEAR, cohort, n_resamples=6, n_jobs=1)
    two = validate_internally(LINEAR, cohort, n_resamples=6, n_jobs=2)
    pd.testing.assert_frame_equal(one.table, two.table)


def test_optimism_is_near_zero_when_the_procedure_ignores_data():
    # the published component with a predictor set that says little, many patients
    cohort = simulate_cohort(1500, 5, truth="null")
    settings = Settings(
        decision="rtms_response",
        moment="screening",
        challenger=False,
        predictors=("sex",),
        components="published",
    )
    result = validate_internally(settings, cohort, n_resamples=10)
    # mean over 10 resamples of a difference with SD of about 0.008
    assert abs(result.value("c_statistic", "optimism")) < 4 * 0.008 / np.sqrt(10)


def test_corrected_performance_agrees_with_new_patients():
    truth = draw_truth("rtms_response", "right", np.random.default_rng(6))
    corrected, honest = [], []
    for seed in range(4):
        cohort = simulate_cohort(150, seed, truth=truth, symptom_recorded=False)
        result = validate_internally(LINEAR, cohort, n_resamples=8)
        corrected.append(result.value("log_loss"))
        model = develop(cohort, settings=LINEAR)
        new = simulate_cohort(
            2000, 100 + seed, truth=truth, symptom_recorded=False, blank_share=0.0
        )
        p = model.predict_cohort(new)["probability"].to_numpy()
        q = true_probabilities(new, truth, cut_points=[30.0])[30.0]
        known = ~np.isnan(q)
        p, q = p[known], q[known]
        honest.append(-np.mean(q * np.log(p) + (1 - q) * np.log1p(-p)))
    # log loss of 150 patients has SE of about 0.03, its mean over four 0.015
    assert np.mean(corrected) == pytest.approx(np.mean(honest), abs=4 * 0.015)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: validate_internally("folder", c), "source must be Settings or a mo"),
        (lambda c: validate_by_centre("folder", c), "source must be Settings or a mod"),
        (lambda c: validate_externally("folder", c), "model must be a model, got str"),
        (lambda c: validate_by_subgroup(LINEAR, c), "model must be a model, got Setti"),
        (lambda c: validate_internally(LINEAR, c, n_jobs=0), "n_jobs must be a whole "),
    ],
)
def test_what_is_no_model_or_number_of_processes_is_refused(cohort, call, message):
    with pytest.raises(DevelopmentError, match=message):
        call(cohort)


def test_unknown_design_is_refused(cohort):
    with pytest.raises(DevelopmentError, match="design must be one of bootstrap"):
        validate_internally(LINEAR, cohort, design="jackknife")


def test_published_model_has_nothing_to_repeat(cohort):
    from responder_model.development import published_model

    model = published_model("rtms_response", "screening")
    with pytest.raises(DevelopmentError, match="Use validate_externally"):
        validate_internally(model, cohort)


def test_failed_resamples_are_counted_and_explained():
    cohort = simulate_cohort(60, 8).head(24).copy()
    known = outcome_levels(cohort, "rtms_response")
    keep = np.flatnonzero(known.observed)[:12]
    small = cohort.iloc[keep].copy()
    small["relief_test"] = [60.0] + [0.0] * 11
    small["symptom_improved"] = pd.array([True] * 12, dtype="boolean")
    small["rtms_responder"] = pd.array([True] + [False] * 11, dtype="boolean")
    result = validate_internally(LINEAR, small, n_resamples=40)
    # a resample lacks the only event with probability (11/12)^12 = 0.35
    assert 0 < result.n_failed_resamples < 40
    assert any("both yes and no" in reason for reason in said(result.failures))
    assert any("not informative" in note for note in said(result.notes))


def test_smaller_cohorts_are_said_to_be_uninformative():
    cohort = simulate_cohort(45, 9)
    result = validate_internally(LINEAR, cohort, n_resamples=5)
    assert any("not informative" in note for note in said(result.notes))


def test_grouped_folds_keep_copies_together():
    groups = np.array([0, 0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8, 9])
    outcome = (groups % 2).astype(float)
    for inside, outside in grouped_folds(outcome, groups, 0):
        assert not set(groups[inside]) & set(groups[outside])


def test_what_resamples_leave_out_is_below_what_the_draw_of_resamples_moves(cohort):
    whole = build_procedure("rtms_response", "screening")
    data = read_data(whole, cohort)
    lean = build_procedure("rtms_response", "screening").set_params(in_resample=True)
    losses = []
    for rows in bootstrap_rows(len(data), 16, 3):
        unseen = np.setdiff1d(np.arange(len(data)), rows)
        fits = [develop_on(one, data, rows) for one in (whole, lean)]
        signed = np.where(data.outcome[unseen] > 0.5, -1.0, 1.0)
        losses.append(
            [
                np.logaddexp(0.0, signed * fit.linear_predictor_raw(data.raw[unseen]))
                for fit in fits
            ]
        )
    mean = np.array([[one.mean() for one in pair] for pair in losses])
    moved = (mean[:, 1] - mean[:, 0]).mean()
    # Monte-Carlo error of a mean over the 200 resamples of a validation
    assert abs(moved) < mean[:, 0].std(ddof=1) / np.sqrt(200)


def test_challenger_weight_on_resamples_stays_near_that_on_the_original():
    cohort = simulate_cohort(320, 11)
    procedure = build_procedure("rtms_response", "screening")
    data = read_data(procedure, cohort)
    original = develop_on(procedure, data, np.arange(len(data))).pool_.weight
    weights = [
        develop_on(procedure, data, rows).pool_.weight
        for rows in bootstrap_rows(len(data), 5, 0)
    ]
    # copies that leaked between folds gave 0.97 (design.md 3.3)
    assert abs(np.mean(weights) - original) < 0.2


def test_nearly_separated_resamples_give_no_slope():
    from responder_model.validation.resampling import measure

    outcome = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    levels = outcome.astype(np.int64)
    data = Data(raw=np.zeros((10, 1)), lower=levels, upper=levels, outcome=outcome)
    probability = np.array([0.49, 0.49, 0.49, 0.49, 0.5, 0.502, 0.51, 0.51, 0.51, 0.51])
    assert "calibration_slope" not in measure(data, probability, np.arange(10))
    assert "c_statistic" in measure(data, probability, np.arange(10))


def test_measure_that_no_resample_has_is_counted_as_failed():
    """Few implanted patients: the predictions of every resample separate them."""
    cohort = simulate_cohort(140, 21)
    settings = Settings(decision="emcs_success", challenger=False)
    result = validate_internally(settings, cohort, n_resamples=6)
    row = result.table.set_index("measure").loc["calibration_slope"]
    assert row["n_resamples"] + row["n_failed_resamples"] == 6
    assert row["n_resamples"] > 0 or pd.isna(row["optimism_corrected"])


def test_validate_internally_has_a_row_for_every_measure(validated):
    assert list(validated.table["measure"]) == list(DEFINITIONS)
    bootstrapped = validated.table.set_index("measure")
    assert bootstrapped["lower"].notna().all()
    assert (bootstrapped["lower"] <= bootstrapped["optimism_corrected"]).all()
    assert (bootstrapped["optimism_corrected"] <= bootstrapped["upper"]).all()


def test_validate_internally_measures_net_benefit_at_the_threshold(cohort):
    result = validate_internally(LINEAR, cohort, n_resamples=2, threshold=0.3)
    known = ~np.isnan(result.stability.outcome)
    expected = net_benefit(
        result.stability.outcome[known],
        result.stability.probability[known],
        threshold=0.3,
    )
    assert result.value("net_benefit", "apparent") == pytest.approx(expected)
    row = result.table.set_index("measure").loc["net_benefit"]
    assert row["definition"].endswith("t = 0.3")


def test_validate_internally_says_that_patients_are_simulated(validated):
    assert validated.provenance == "simulated"
    assert Note("validation.simulated") in validated.notes


def test_validate_internally_refuses_patients_who_are_in_the_prior(cohort):
    published = cohort.assign(centre="Saint-Étienne")
    for validate in (validate_internally, validate_by_centre):
        with pytest.raises(DevelopmentError, match="must be excluded, got saint_eti"):
            validate(LINEAR, published)


def test_validate_internally_refuses_no_resample(cohort):
    with pytest.raises(ResponderModelError, match="n_resamples must be at least 1"):
        validate_internally(LINEAR, cohort, n_resamples=0)


def test_value_of_an_unknown_measure_is_refused(validated):
    with pytest.raises(DevelopmentError, match="name must be a measure of the table"):
        validated.value("accuracy")


@pytest.mark.parametrize(
    ("name", "limits", "value", "expected"),
    [
        ("c_statistic", (0.8, 1.04), 0.95, (0.8, 1.0)),
        ("observed_expected_ratio", (-0.1, 2.3), 0.9, (0.0, 2.3)),
        ("scaled_brier_score", (-0.4, 1.2), 0.5, (-0.4, 1.0)),
        ("calibration_slope", (-0.4, 3.1), 1.2, (-0.4, 3.1)),
        ("net_benefit", (-0.5, 1.2), 0.3, (-0.25, 1.0)),
        # a corrected value may lie outside: its interval goes on holding it
        ("emax", (-0.2, 0.1), -0.05, (-0.05, 0.1)),
    ],
)
def test_interval_stays_within_what_a_measure_can_be(name, limits, value, expected):
    possible = possible_values(name, threshold=0.2)
    assert cut(limits, possible, value) == expected


def test_interval_adds_whom_a_model_is_measured_in_and_developed_on():
    """Two of each: -1 or 1 in whom, -2 or 2 on whom, never of the same resample."""
    measured, refitted = np.array([-1.0, 1.0]), np.array([-2.0, 2.0])
    # pairs of different resamples: -1 + 2 and 1 - 2
    low, high = _shifted("net_benefit", measured, refitted, 0.0)
    assert (low, high) == pytest.approx((-0.95, 0.95))


def test_interval_of_what_a_development_fits_has_one_chance():
    measured = np.linspace(-1.0, 1.0, 41)
    low, high = _shifted("calibration_in_the_large", measured, 100 * measured, 0.5)
    assert (low, high) == pytest.approx((-0.45, 1.45))


@pytest.mark.long
def test_intervals_cover_what_the_model_does_in_new_patients():
    """60 small cohorts; with coverage of 90 % fewer than 46 of them in one of 1000."""
    settings = Settings(decision="rtms_response", moment="session_1", challenger=False)
    names = ["c_statistic", "brier_score", "log_loss", "observed_expected_ratio"]
    hits = np.zeros(len(names))
    for seed in range(60):
        truth = draw_truth("rtms_response", "right", np.random.default_rng(seed))
        old = simulate_cohort(90, 100 + seed, truth=truth)
        new = simulate_cohort(4000, 200 + seed, truth=truth)
        found = validate_internally(settings, old, n_resamples=40, seed=seed)
        model = develop(old, settings=settings)
        levels = outcome_levels(new, "rtms_response")
        outcome = binary_outcome(levels, "rtms_response")
        p = model.predict_cohort(new)["probability"].to_numpy()
        known = ~np.isnan(outcome)
        in_new = core_measures(outcome[known], p[known]).values
        table = found.table.set_index("measure").loc[names]
        value = np.array([in_new[name] for name in names])
        hits += (table["lower"] <= value) & (value <= table["upper"])
    assert hits.min() >= 46, dict(zip(names, hits, strict=True))


def test_measure_without_an_apparent_value_is_in_the_table_with_its_reason(cohort):
    clear = cohort[(cohort["pain_intensity"] - 6.5).abs() > 0.6].drop(
        columns=["rtms_responder", "symptom_improved"]
    )
    clear["relief_test"] = np.where(clear["pain_intensity"] > 6.5, 5.0, 60.0)
    for design in ("bootstrap", "cross_validation"):
        result = validate_internally(LINEAR, clear, n_resamples=1, design=design)
        row = result.table.set_index("measure").loc["calibration_slope"]
        assert pd.isna(row["apparent"])
        assert "separation" in row["problem"].text()
        assert row["n_failed_resamples"] > 0


def test_nearly_one_probability_for_all_is_not_called_separation_alone():
    age = simulate_cohort(30, 2)[["age", "relief_test", "symptom_improved"]]
    result = validate_internally(LINEAR, age, n_resamples=1, design="cross_validation")
    row = result.table.set_index("measure").loc["calibration_slope"]
    assert "nearly one probability for all" in row["problem"].text()
    # the bootstrap's columns are not its own
    assert "corrected_632" not in result.table


def test_one_resample_has_a_correction_and_no_interval(cohort):
    table = validate_internally(LINEAR, cohort, n_resamples=1).table
    assert table["optimism_corrected"].notna().all()
    assert table[["lower", "upper"]].isna().all(axis=None)


@pytest.mark.parametrize("seed", [-1, 1.5, None, "a"])
def test_seed_that_cannot_be_repeated_is_refused(cohort, seed):
    model = published_model("rtms_response", "screening")
    with pytest.raises(ResponderModelError, match="seed must be a whole number"):
        validate_internally(LINEAR, cohort, n_resamples=2, seed=seed)
    with pytest.raises(ResponderModelError, match="seed must be a whole number"):
        validate_externally(model, cohort, seed=seed)


def test_distance_corrected_below_zero_is_said_and_kept():
    result = validate_internally(LINEAR, simulate_cohort(193, 3), n_resamples=20)
    corrected = result.table.set_index("measure")["optimism_corrected"]
    distances = ["integrated_calibration_index", "e50", "e90", "emax"]
    distances.append("estimated_calibration_index")
    assert corrected["estimated_calibration_index"] < 0.0 < corrected["emax"]
    (note,) = [note for note in said(result.notes) if "read as 0" in note]
    named = note.partition(": ")[2].partition(". ")[0].split(", ")
    assert named == [name for name in distances if corrected[name] < 0.0]
