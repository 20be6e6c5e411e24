"""Tracking on a real store: what is logged, and the served model's numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from responder_model.tracking import (
    local_tracking_uri,
    log_development,
)

# MLflow and SQLAlchemy warn about themselves when a model is loaded.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def cohort():
    return rm.simulate_cohort(n_patients=60, seed=5)


@pytest.fixture(scope="module")
def model(cohort):
    return rm.develop(cohort, "rtms_response", moment="session_1")


@pytest.fixture(scope="module")
def directory(tmp_path_factory, new_store):
    place = tmp_path_factory.mktemp("tracking")
    new_store(place)
    return place


@pytest.fixture(scope="module")
def folder(model, directory):
    return rm.save_model(model, directory / "folder")


@pytest.fixture(scope="module")
def run(model, folder, directory):
    """One development, logged to a store of its own."""
    figure = directory / "beeswarm.png"
    figure.write_bytes(PNG)
    return log_development(
        model,
        folder=folder,
        run_name="a run",
        tracking_uri=local_tracking_uri(directory),
        figures=[figure],
    )


@pytest.fixture(scope="module")
def client(run):
    return mlflow.MlflowClient(run.tracking_uri)


@contextmanager
def tracking(uri):
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


# ---------------------------------------------------------------- the run


def test_store_and_artifacts_lie_in_the_directory(run, directory):
    assert (directory / "mlflow.db").is_file()
    assert Path(run.model_path.removeprefix("file://")).is_relative_to(directory)


def test_log_development_restores_the_tracking_uri(model, folder, directory):
    with tracking("sqlite:///elsewhere.db"):
        log_development(
            model, folder=folder, tracking_uri=local_tracking_uri(directory)
        )
        assert mlflow.get_tracking_uri() == "sqlite:///elsewhere.db"
    assert not Path("elsewhere.db").exists()


def test_run_has_parameters_weights_and_measures(run, client, model):
    data = client.get_run(run.run_id).data
    assert data.params["decision"] == "rtms_response"
    assert data.params["provenance"] == "simulated"
    assert data.params["n_patients"] == str(model.n_patients)
    weights = [v for k, v in data.metrics.items() if k.startswith("mixture_weight.")]
    np.testing.assert_allclose(sum(weights), 1.0)
    assert any(name.startswith("performance.apparent.") for name in data.metrics)
    assert data.tags["provenance"] == "simulated"


def test_run_has_priors_mixture_figures_and_folder(run, client):
    found = {item.path for item in client.list_artifacts(run.run_id)}
    assert {"priors.json", "mixture.json", "figures", "model_folder"} <= found
    figures = client.list_artifacts(run.run_id, "figures")
    assert [item.path for item in figures] == ["figures/beeswarm.png"]


def test_run_holds_no_patient(run, client, cohort, directory):
    data = client.get_run(run.run_id).data
    logged = json.dumps([data.params, data.tags, data.metrics])
    assert not any(name in logged for name in cohort["patient_id"])
    texts = [path for path in directory.rglob("*") if path.suffix in (".json", ".md")]
    assert texts
    for path in texts:
        text = path.read_text(encoding="utf-8")
        assert not any(name in text for name in cohort["patient_id"])


def test_model_folder_of_the_run_is_the_model(run, client, model, directory, cohort):
    folder = client.download_artifacts(run.run_id, "model_folder", str(directory))
    loaded = rm.load_model(folder)
    expected = model.predict_cohort(cohort)["probability"]
    pd.testing.assert_series_equal(
        loaded.predict_cohort(cohort)["probability"], expected
    )


# ---------------------------------------------------------------- the served model


def test_logged_model_is_loaded_by_its_uri_and_by_its_run(run, model, cohort):
    due = model.predict_cohort(cohort)["probability"]
    with tracking(run.tracking_uri):
        for uri in (run.model_uri, f"runs:/{run.run_id}/model"):
            found = mlflow.pyfunc.load_model(uri).predict(cohort)["probability"]
            pd.testing.assert_series_equal(found, due)


def test_importing_tracking_switches_telemetry_off():
    code = (
        "import os; os.environ.pop('MLFLOW_DISABLE_TELEMETRY', None)\n"
        "import responder_model.tracking\n"
        "print(os.environ['MLFLOW_DISABLE_TELEMETRY'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "true"
