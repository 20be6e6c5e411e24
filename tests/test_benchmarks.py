"""The benchmark scripts run from the command line and write their tables."""

from __future__ import annotations

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
