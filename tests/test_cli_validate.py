"""Command line: ``sample-size`` and ``validate``."""

import json
from dataclasses import asdict

import pytest
from typer.testing import CliRunner

from responder_model.cli.app import app
from responder_model.sample_size import validation_criteria


@pytest.fixture
def run(monkeypatch):
    """Run the command line; a wide terminal keeps every word on its line."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    runner = CliRunner()
    return lambda *arguments, **more: runner.invoke(app, list(arguments), **more)


# ---------------------------------------------------------------- sample-size


def test_sample_size_for_validation_gives_the_numbers_of_the_package(run):
    given = ["--validation", "--outcome-proportion", "0.42", "--c-statistic", "0.7"]
    more = ["--threshold", "0.3", "--n-patients", "600", "--json"]
    parts = json.loads(run("sample-size", *given, *more).stdout)
    expected = validation_criteria(0.42, c_statistic=0.7, threshold=0.3, n_patients=600)
    assert parts["criteria"] == [asdict(row) for row in expected.criteria]
    assert parts["n_required"] == expected.n_required
    assert parts["n_events_required"] == expected.n_events_required
    assert parts["purpose"] == "validation"


def test_sample_size_for_validation_says_what_fewer_patients_mean(run):
    done = run("sample-size", "--validation", "--outcome-proportion", "0.42")
    assert "interval of the calibration slope at most 0.2 wide" in done.stdout
    assert "too wide to say that a model is well calibrated" in done.stdout


def test_sample_size_refuses_a_c_statistic_of_zero(run):
    given = ["--parameters", "3", "--outcome-proportion", "0.4", "--c-statistic", "0"]
    done = run("sample-size", *given)
    assert done.exit_code == 1
    assert "c_statistic must be above 0.5 and below 1, got 0" in done.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "number of candidate coefficients (or --validation)"),
        (["--validation", "--parameters", "3"], "must be left out with --validation"),
        (["--parameters", "3", "--threshold", "0.3"], "left out without --validation"),
    ],
)
def test_sample_size_refuses_options_that_do_not_go_together(run, given, message):
    done = run("sample-size", "--outcome-proportion", "0.4", *given)
    assert done.exit_code == 2
    assert message in done.stderr
