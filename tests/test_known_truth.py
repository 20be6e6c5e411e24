"""Scores against a known truth, and the cells of the accuracy benchmark."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from known_truth.cells import (
    Cell,
    Predicted,
    read_results,
    run_cell,
    simulate_task,
)
from known_truth.scores import (
    excess_log_loss,
    expected_calibration_slope,
    ratio_to,
    ratio_to_best,
    score_predictions,
    summarise_scores,
)
from known_truth.tables import (
    matches_table,
    ratio_table,
    render_matches,
    render_tables,
    score_table,
)
from responder_model.features import expit, logit
from responder_model.simulation import draw_truth, true_probabilities

TRUE = np.array([0.15, 0.35, 0.6, 0.8])


# ---------------------------------------------------------------- scores


def test_excess_log_loss_matches_hand_computation():
    # 0.6 log(0.6 / 0.5) + 0.4 log(0.4 / 0.5)
    expected = 0.6 * np.log(1.2) + 0.4 * np.log(0.8)
    assert excess_log_loss(np.array([0.6]), np.array([0.5])) == pytest.approx(expected)


def test_excess_log_loss_is_zero_only_for_the_truth():
    assert excess_log_loss(TRUE, TRUE) == 0
    assert excess_log_loss(TRUE, TRUE * 0.9) > 0


def test_excess_log_loss_takes_certain_truths():
    given = excess_log_loss(np.array([0.0, 1.0]), np.array([0.2, 0.7]))
    assert given == pytest.approx(-(np.log(0.8) + np.log(0.7)) / 2)


def test_excess_log_loss_is_the_same_for_the_opposite_outcome():
    other = np.array([0.2, 0.3, 0.7, 0.75])
    assert excess_log_loss(TRUE, other) == pytest.approx(
        excess_log_loss(1 - TRUE, 1 - other)
    )


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7])
def test_expected_calibration_slope_undoes_a_factor_on_the_log_odds(factor):
    predicted = expit(factor * logit(TRUE))
    slope = expected_calibration_slope(TRUE, predicted)
    assert slope == pytest.approx(1 / factor, rel=1e-6)


def test_expected_calibration_slope_is_undefined_for_equal_predictions():
    assert np.isnan(expected_calibration_slope(TRUE, np.full(4, 0.4)))


def test_expected_calibration_slope_takes_extreme_predictions():
    extreme = np.array([1e-6, 1e-6, 1 - 1e-6, 1 - 1e-6])
    assert 0 < expected_calibration_slope(TRUE, extreme) < 0.2


def test_interval_score_matches_hand_computation():
    lower, upper = np.array([0.1, 0.4, 0.5, 0.2]), np.array([0.2, 0.5, 0.9, 0.7])
    scores = score_predictions(TRUE, TRUE, lower, upper)
    # widths 0.1, 0.1, 0.4, 0.5; missed below by 0.05 and above by 0.1, times 2 / 0.05
    assert scores.width == pytest.approx(0.275)
    assert scores.interval_score == pytest.approx(0.275 + 40 * 0.15 / 4)
    assert scores.coverage == 0.5


def test_coverage_of_the_outer_tenths_is_by_predicted_probability():
    probability = np.linspace(0.05, 0.95, 20)
    lower, upper = probability - 0.04, probability + 0.04
    upper[:2] = probability[:2] - 0.01
    scores = score_predictions(probability, probability[:], lower, upper)
    assert (scores.coverage_lowest, scores.coverage_highest) == (0.0, 1.0)


def test_scores_without_intervals_say_so():
    scores = score_predictions(TRUE, TRUE)
    assert np.isnan(scores.coverage)
    assert np.isnan(scores.interval_score)


@pytest.mark.parametrize(
    ("probability", "message"),
    [
        (np.array([0.2]), r"probability must have shape \(4,\), got \(1,\)"),
        (np.array([0.2, 0.3, np.nan, 0.4]), "probability must lie between 0 and 1"),
        (np.array([0.2, 0.3, 1.2, 0.4]), "probability must lie between 0 and 1"),
    ],
)
def test_score_predictions_refuses_wrong_predictions(probability, message):
    with pytest.raises(ValueError, match=message):
        score_predictions(TRUE, probability)


# ---------------------------------------------------------------- tables


def results_of(losses, truth="right", size=50):
    return pd.DataFrame(
        {
            "truth": truth,
            "size": size,
            "cohort": np.tile(np.arange(3), len(losses)),
            "method": np.repeat(list(losses), 3),
            "excess_log_loss": np.concatenate(list(losses.values())),
            "calibration_slope": 1.0,
            "coverage": np.tile([0.7, 0.9, 0.95], len(losses)),
            "coverage_lowest": 0.9,
            "coverage_highest": 0.9,
            "width": 0.4,
            "interval_score": 0.5,
            "failed": 0,
            "seconds": 0.1,
        }
    )


LOSSES = {"ours": [0.01, 0.03, 0.02], "a": [0.05, 0.04, 0.06], "b": [0.03, 0.05, 0.04]}


def test_summary_gives_mean_and_monte_carlo_error():
    summary = summarise_scores(results_of(LOSSES)).set_index("method")
    assert summary.loc["ours", "excess_log_loss"] == pytest.approx(0.02)
    assert summary.loc["ours", "excess_log_loss_se"] == pytest.approx(0.01 / 3**0.5)
    assert summary.loc["a", "share_below_80"] == pytest.approx(1 / 3)


def test_ratio_has_the_error_of_a_ratio_of_paired_means():
    ratio = ratio_to(results_of(LOSSES), "ours", "b")
    # residuals ours - 0.5 b: -0.005, 0.005, 0
    assert ratio.ratio == pytest.approx(0.5)
    assert ratio.standard_error == pytest.approx(0.005 / 3**0.5 / 0.04)
    assert ratio.n_cohorts == 3


def test_ratio_pairs_only_cohorts_that_both_have():
    results = results_of(LOSSES)
    results = results[~((results["method"] == "b") & (results["cohort"] == 1))]
    ratio = ratio_to(results, "ours", "b")
    assert ratio.ratio == pytest.approx((0.01 + 0.02) / (0.03 + 0.04))
    assert ratio.n_cohorts == 2


def test_best_peer_has_the_lowest_mean_over_cohorts():
    assert ratio_to_best(results_of(LOSSES), "ours", ("a", "b")).against == "b"


def test_best_peer_is_not_the_one_that_met_easy_cohorts_only():
    results = results_of(LOSSES)
    easy = (results["method"] != "a") | (results["cohort"] == 1)
    results.loc[results["cohort"] == 1, "excess_log_loss"] /= 10
    # a has the lowest mean, over the one easy cohort where ours is far ahead of it
    results.loc[results["method"] == "a", "excess_log_loss"] = 0.02
    best = ratio_to_best(results[easy], "ours", ("a", "b"))
    assert best.against == "b"
    assert best.ratio == pytest.approx((0.01 + 0.003 + 0.02) / (0.03 + 0.005 + 0.04))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: ratio_to(r, "ours", "c"), "results must hold ours and c"),
        (lambda r: ratio_to_best(r, "ours", ("c",)), "results must hold one of c"),
        (
            lambda r: ratio_to(
                r[(r["method"] == "ours") == (r["cohort"] == 0)], "ours", "a"
            ),
            "ours and a must share a cohort",
        ),
    ],
)
def test_ratios_refuse_what_was_not_run(call, message):
    with pytest.raises(ValueError, match=message):
        call(results_of(LOSSES))


def test_tables_name_the_best_peer_the_floor_and_what_stands_beside():
    results = results_of(LOSSES | {"floor": [0.01, 0.02, 0.03]})
    ratios = ratio_table(
        results, ours="ours", floor="floor", peers=("a", "b"), beside=("a", "c")
    )
    assert list(ratios["comparison"]) == ["best_peer", "best_learner", "floor", "a"]
    text = render_tables("rtms_response", score_table(results), ratios)
    assert "ratio to best peer (b): 0.50 ± 0.07" in text
    assert "| ours | 3 | 20.0 ± 5.8 | 1.00 | 85.0 |" in text


def test_matches_table_says_where_all_sizes_are_too_few_or_enough():
    sizes = {"size": [50, 200] * 3, "method": np.repeat(["ours", "bad", "good"], 2)}
    losses = {"excess_log_loss": [0.02, 0.01, 0.08, 0.03, 0.015, 0.01]}
    scores = pd.DataFrame({"truth": "right"} | sizes | losses)
    table = matches_table(scores, ours="ours", size=50)
    needed = dict(zip(table["method"], table["n_patients"], strict=True))
    assert needed == {"bad": np.inf, "good": pytest.approx(50)}
    assert "| right | more | 50 |" in render_matches(table, 50)


def test_matches_table_passes_over_sizes_where_a_method_failed():
    sizes = {"size": [50, 200] * 2, "method": np.repeat(["ours", "broken"], 2)}
    losses = {"excess_log_loss": [0.02, 0.01, np.nan, 0.015]}
    scores = pd.DataFrame({"truth": "right"} | sizes | losses)
    table = matches_table(scores, ours="ours", size=50)
    assert table["n_patients"].tolist() == [200.0]


def test_matches_of_a_method_that_was_not_run_stay_open():
    rows = [
        ("right", "ridge", 120.0),
        ("right", "ebm", np.inf),
        ("null", "ridge", 60.0),
    ]
    table = pd.DataFrame(rows, columns=["truth", "method", "n_patients"])
    text = render_matches(table, 50)
    assert "| right | 120 | more |" in text
    assert "| null | 60 | – |" in text


# ---------------------------------------------------------------- cells

CELL = Cell(decision="rtms_response", truth="right", size=30, test_size=200)
IMPLANTS = Cell(decision="emcs_success", truth="right", size=25, test_size=100)


def predict_proportion(task):
    return Predicted(probability=np.full(len(task.test), task.outcome.mean()))


def predict_truth(task):
    q = task.true_probability
    return Predicted(probability=q, lower=q * 0.9, upper=q)


def raise_error(task):
    msg = "no fit"
    raise ValueError(msg)


NO_GAPS = {"test_blank_share": 0.0}

METHODS = {"proportion": predict_proportion, "truth": predict_truth}


@pytest.mark.parametrize("cell", [CELL, IMPLANTS], ids=["rtms", "emcs"])
def test_task_hides_the_outcome_of_the_test_cohort(cell):
    task = simulate_task(cell, 0)
    assert len(task.development) == cell.size
    assert len(task.test) == cell.test_size
    hidden = {"relief_test", "rtms_responder"}
    if cell.decision == "emcs_success":
        hidden = {"emcs_relief", "emcs_success"}
    assert not hidden & set(task.test.columns)
    assert task.levels.observed.all()


def test_task_holds_the_true_probability_of_its_test_cohort():
    cell = Cell(decision="rtms_response", truth="right", size=20, test_size=5000)
    tasks = [simulate_task(cell, k) for k in range(2)]
    assert not np.array_equal(tasks[0].true_probability, tasks[1].true_probability)
    seeds = np.random.SeedSequence([0, 20, 1]).spawn(4)
    truth = draw_truth("rtms_response", "right", np.random.default_rng(seeds[0]))
    again = true_probabilities(tasks[1].test, truth)[30]
    np.testing.assert_allclose(again, tasks[1].true_probability)


def test_only_development_patients_have_gaps_unless_asked():
    cell = Cell(
        decision="rtms_response",
        truth="right",
        size=200,
        test_size=200,
        test_blank_share=0.3,
    )
    task, usual = simulate_task(cell, 0), simulate_task(replace(cell, **NO_GAPS), 0)
    assert task.development["fatigue"].isna().any()
    assert task.test["fatigue"].isna().mean() == pytest.approx(0.3, abs=0.15)
    assert usual.test["fatigue"].notna().all()
    np.testing.assert_array_equal(task.true_probability, usual.true_probability)
    assert (cell.label, replace(cell, **NO_GAPS).label) == (
        "right:30-percent-blank",
        "right",
    )


def test_implanted_responders_only_in_the_second_scenario():
    cell = Cell(
        decision="emcs_success",
        truth="right",
        size=25,
        test_size=50,
        selection="responders",
    )
    task = simulate_task(cell, 0)
    assert (task.development["relief_test"] > 30).all()
    assert (task.test["relief_test"] <= 30).any()
    assert cell.label == "right:responders-to-any"


def test_cell_scores_every_cohort_and_method(tmp_path):
    results = run_cell(CELL, METHODS, 3, tmp_path)
    assert len(results) == 6
    truth = results[results["method"] == "truth"]
    assert (truth["excess_log_loss"] < 1e-12).all()
    assert (truth["coverage"] == 1).all()


def test_cell_is_the_same_in_one_and_two_processes(tmp_path):
    def proportion(task):  # a local function travels to another process by value
        return Predicted(probability=np.full(len(task.test), task.outcome.mean()))

    one = run_cell(CELL, {"proportion": proportion}, 2, tmp_path / "one")
    two = run_cell(CELL, {"proportion": proportion}, 2, tmp_path / "two", n_jobs=2)
    pd.testing.assert_frame_equal(
        one.drop(columns="seconds"), two.drop(columns="seconds"), rtol=1e-5
    )


def test_cell_resumes_where_it_stopped(tmp_path):
    calls = []

    def counted(task):
        calls.append(len(task.test))
        return predict_proportion(task)

    run_cell(CELL, {"proportion": counted}, 2, tmp_path)
    results = run_cell(
        CELL, {"proportion": counted, "truth": predict_truth}, 3, tmp_path
    )
    assert len(calls) == 3
    assert results.groupby("method").size().to_dict() == {"proportion": 3, "truth": 3}


def test_cell_of_the_null_truth_resumes_under_its_name(tmp_path):
    cell = Cell(decision="rtms_response", truth="null", size=30, test_size=50)
    run_cell(cell, {"proportion": predict_proportion}, 1, tmp_path)
    results = run_cell(cell, {"proportion": predict_proportion}, 2, tmp_path)
    assert results["truth"].tolist() == ["null", "null"]
    pd.testing.assert_frame_equal(read_results(tmp_path, "rtms_response"), results)


def test_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must hold results"):
        read_results(tmp_path, "rtms_response")


def test_cell_runs_changed_methods_again(tmp_path):
    first = run_cell(CELL, METHODS, 1, tmp_path)
    changed = {"proportion": predict_truth, "truth": raise_error}
    again = run_cell(CELL, changed, 1, tmp_path, rerun=["proportion"])
    assert len(first) == len(again) == 2
    assert again["excess_log_loss"].max() < 1e-12
    assert again["failed"].sum() == 0


def test_cell_keeps_results_of_methods_that_are_not_asked_for(tmp_path):
    run_cell(CELL, METHODS, 1, tmp_path)
    run_cell(CELL, {"late": predict_truth}, 1, tmp_path, rerun=["proportion"])
    kept = pd.read_csv(tmp_path / f"{CELL.name}.csv")
    assert sorted(kept["method"]) == ["late", "proportion", "truth"]


def test_cell_refuses_a_folder_of_another_seed(tmp_path):
    run_cell(CELL, METHODS, 1, tmp_path)
    with pytest.raises(ValueError, match="base_seed must be that of the"):
        run_cell(replace(CELL, base_seed=7), METHODS, 1, tmp_path)


def test_failed_method_is_counted_not_fatal(tmp_path):
    results = run_cell(CELL, {"broken": raise_error, **METHODS}, 1, tmp_path)
    failed = results.set_index("method")["failed"].to_dict()
    assert failed == {"broken": 1, "proportion": 0, "truth": 0}
