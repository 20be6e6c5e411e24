"""The benchmark scripts run from the command line and write their tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPTS = Path(__file__).parents[1] / "training" / "benchmarks"


def run(script, *arguments):
    command = [sys.executable, str(SCRIPTS / script), *arguments, "--n-jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("decision", "size", "against"),
    [("rtms_response", "40", "ridge_cv"), ("emcs_success", "25", "outcome_proportion")],
)
def test_accuracy_prints_ratios_and_writes_tables(tmp_path, decision, size, against):
    methods = f"responder_model,floor,{against}"
    arguments = ["--decision", decision, "--truths", "right", "--sizes", size]
    arguments += ["--methods", methods, "--n-cohorts", "2", "--test-size", "200"]
    printed = run("accuracy.py", *arguments, "--out", str(tmp_path))
    assert f"ratio to best peer ({against})" in printed
    scores = pd.read_csv(tmp_path / f"{decision}_scores.csv").set_index("method")
    assert scores.loc["responder_model", "coverage"] > 0.5
    assert (scores["n_failed"] == 0).all()
    assert (tmp_path / f"{decision}.md").read_text(encoding="utf-8").strip() in printed


@pytest.mark.long
def test_real_data_scores_the_sets_that_scikit_learn_ships(tmp_path):
    arguments = ["--sets", "diabetes_progression", "--n-repeats", "1"]
    arguments += ["--methods", "responder_model,ridge_cv", "--out", str(tmp_path)]
    printed = run("real_data.py", *arguments)
    assert "| responder_model |" in printed
    scores = pd.read_csv(tmp_path / "scores.csv").set_index("method")
    assert scores.loc["responder_model", "log_loss"] < 0.5


@pytest.mark.long
def test_validation_coverage_has_a_row_for_each_measure(tmp_path):
    arguments = ["--n-cohorts", "2", "--n-resamples", "5", "--sizes", "60"]
    printed = run("validation_coverage.py", *arguments, "--out", str(tmp_path))
    table = pd.read_csv(tmp_path / "validation_bootstrap.csv").set_index("measure")
    assert table.loc["c_statistic", "n_cohorts"] == 2
    assert table.loc["c_statistic", "apparent_bias"] > table.loc["c_statistic", "bias"]
    assert "| 60 | log_loss | 2 |" in printed


def test_learning_curves_names_methods_in_words(tmp_path):
    """Method ridge_cv is measured at one size only: there is no curve to draw."""
    sizes = {
        "responder_model": (50, 193),
        "ordinal_ridge": (50, 193),
        "ridge_cv": (50,),
    }
    rows = [
        ("right", size, method, 1.0 / size, 0.001)
        for method, at in sizes.items()
        for size in at
    ]
    columns = ["truth", "size", "method", "excess_log_loss", "excess_log_loss_se"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "scores.csv", index=False)
    code = (
        "import pandas as pd, learning_curves as lc; "
        f"found = lc.curves(pd.read_csv({str(tmp_path / 'scores.csv')!r}), 'right'); "
        "print([curve.name for curve in found])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
    )
    assert done.stdout.strip() == "['this package', 'tuned ordinal ridge']"


def test_learning_curves_draws_the_truth_that_is_called_null(tmp_path):
    folder = tmp_path / "reports" / "benchmarks" / "accuracy"
    folder.mkdir(parents=True)
    rows = [
        ("null", size, method, 1.0 / size, 0.001)
        for method in ("responder_model", "ridge_cv")
        for size in (50, 193)
    ]
    columns = ["truth", "size", "method", "excess_log_loss", "excess_log_loss_se"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(folder / "rtms_response_scores.csv", index=False)
    for truth, code in (("null", 0), ("nothing", 2)):
        command = [sys.executable, str(SCRIPTS / "learning_curves.py")]
        command += ["--truth", truth]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert (folder / f"learning_curve_{truth}.png").exists() == (code == 0)
