"""The files that `make quick` runs are found, not listed."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def quick():
    script = ROOT / "training" / "quick_tests.py"
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_quick_tests_are_those_of_the_rooms_without_processes(quick):
    for name in ("cohort_reading", "cumulative_logit", "model", "patient", "schema"):
        assert f"tests/test_{name}.py" in quick
    assert "src/responder_model/model/fitted.py" in quick


@pytest.mark.parametrize(
    "name",
    [
        "quick",  # starts a process itself
        "tracking",  # imports MLflow
        "cli_report",  # the same, by what the commands import in their functions
        "validation_internal",  # resamples in processes
        "known_truth",  # the same, of the benchmarks
        "development",  # runs a script
        "tracking_disclosure",  # develops by the command, which tracks
    ],
)
def test_quick_tests_leave_out_what_reaches_mlflow_or_a_process(quick, name):
    assert (ROOT / "tests" / f"test_{name}.py").exists()
    assert f"tests/test_{name}.py" not in quick


def test_quick_tests_leave_out_what_takes_long(quick):
    with (ROOT / "tests" / "seconds.csv").open(encoding="utf-8") as file:
        took = {row["file"]: float(row["seconds"]) for row in csv.DictReader(file)}
    found = [took.get(name, 0.0) for name in quick]
    assert max(found) <= 6.0
    assert sum(found) < 100.0 < sum(took.values())
