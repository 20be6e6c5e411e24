"""What tests of a store share: a model, its cohort, a store, files, runs."""

from __future__ import annotations

from functools import cache

import mlflow
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import read_manifest
from responder_model.cli.app import app

SETTINGS = rm.Settings(decision="rtms_response", moment="screening", challenger=False)
TARGET = "rtms_response@screening"
# MLflow and SQLAlchemy warn about themselves.
QUIET = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@cache
def developed():
    """A model of 40 patients, once for all files."""
    return rm.develop(rm.simulate_cohort(n_patients=40, seed=3), settings=SETTINGS)


def digest_of(folder):
    return read_manifest(folder).digest


def runs_of(uri):
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("responder_model")
    return client.search_runs([experiment.experiment_id])


@pytest.fixture(scope="module")
def cohort():
    return rm.simulate_cohort(n_patients=40, seed=3)


@pytest.fixture(scope="module")
def model():
    return developed()


@pytest.fixture
def folder(model, tmp_path):
    return rm.save_model(model, tmp_path / "m")


@pytest.fixture
def uri(tmp_path, new_store):
    return new_store(tmp_path)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


@pytest.fixture
def files(tmp_path):
    """Files of two cohorts, by name."""
    found = {}
    for name, n_patients, seed in (("c", 40, 3), ("north", 60, 21), ("south", 90, 22)):
        found[name] = tmp_path / f"{name}.csv"
        patients = rm.simulate_cohort(n_patients=n_patients, seed=seed)
        patients.to_csv(found[name], index=False)
    return found
