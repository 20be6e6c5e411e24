"""Tracking on a real store: what is logged, and the served model's numbers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import mlflow
import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from responder_model.tracking import (
    local_tracking_uri,
    log_development,
    served_columns,
)
from responder_model.tracking.signature import (
    build_signature,
    input_example,
    output_columns,
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
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("tracking")


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


@pytest.fixture(scope="module")
def served(run):
    """The logged model as MLflow loads it."""
    with tracking(run.tracking_uri):
        return mlflow.pyfunc.load_model(run.model_uri)


def download_model(run, directory):
    with tracking(run.tracking_uri):
        return mlflow.artifacts.download_artifacts(
            run.model_uri, dst_path=str(directory)
        )


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


# ---------------------------------------------------------------- the signature


@pytest.mark.parametrize(("decision", "moment"), rm.dictionary().targets())
def test_signature_takes_the_predictors_of_the_dictionary(decision, moment):
    signature = build_signature(decision, moment)
    expected = [row.name for row in rm.dictionary().predictors(decision, moment)]
    assert signature.inputs.input_names() == expected
    assert not any(column.required for column in signature.inputs.inputs)
    assert signature.outputs.input_names() == list(output_columns(decision, moment))


@pytest.mark.parametrize(("decision", "moment"), rm.dictionary().targets())
def test_input_example_is_a_valid_cohort_of_invented_values(decision, moment):
    example = input_example(decision, moment)
    model = rm.published_model(decision, moment)
    assert np.isfinite(model.predict_cohort(example)["probability"]).all()
    assert example.iloc[1].isna().all()


# ---------------------------------------------------------------- the served model


def expected_table(model, cohort):
    """What the package itself says, under the names of the served columns."""
    table = model.predict_cohort(cohort)
    numbers = table[[name for name in table if "probability" in name]].assign(
        lower=table["lower"], upper=table["upper"], baseline=model.baseline
    )
    contributions = model.contributions_cohort(cohort).add_prefix("contribution_")
    return pd.concat([numbers, contributions], axis=1)


def test_loaded_model_gives_the_numbers_of_predict(served, model, cohort):
    found = served.predict(served_columns(cohort, model.decision, model.moment))
    expected = expected_table(model, cohort)[list(found.columns)]
    pd.testing.assert_frame_equal(found, expected)
    assert list(found.columns) == list(output_columns(model.decision, model.moment))


def test_served_columns_make_whole_numbers_what_mlflow_takes(served, model):
    patients = pd.DataFrame({"age": [54, 61], "opioid": [True, False]})
    with pytest.raises(mlflow.MlflowException, match="Incompatible input types"):
        served.predict(patients)
    given = served_columns(patients, model.decision, model.moment)
    found = served.predict(given)["probability"]
    due = model.predict({"age": 54, "opioid": True}).probability
    assert found[0] == pytest.approx(due, rel=1e-12)


def test_loaded_model_takes_absent_columns_and_none(served, model):
    patients = pd.DataFrame({"age": [54.0, np.nan], "aetiology": ["amputation", None]})
    found = served.predict(patients)["probability"].tolist()
    known = model.predict({"age": 54, "aetiology": "amputation"}).probability
    np.testing.assert_allclose(found, [known, model.predict({}).probability])


def test_loaded_model_takes_yes_and_no_in_any_form(served, model):
    expected = model.predict({"opioid": True}).probability
    for word in ("yes", "oui", True, 1):
        patients = pd.DataFrame({"opioid": pd.Series([word], dtype=object)})
        np.testing.assert_allclose(served.predict(patients)["probability"], expected)


def test_loaded_model_refuses_what_the_dictionary_refuses(served):
    with pytest.raises(rm.InvalidCohortError, match="age must be between 18 and 100"):
        served.predict(pd.DataFrame({"age": [540.0]}))


def test_loaded_model_refuses_an_altered_folder(run, model, directory, tmp_path):
    with tracking(run.tracking_uri):
        copy = mlflow.artifacts.download_artifacts(
            run.model_uri, dst_path=str(tmp_path)
        )
    (path,) = Path(copy).rglob("model.json")
    path.write_text(path.read_text("utf-8").replace("0.1", "0.2", 1), encoding="utf-8")
    with pytest.raises(rm.UntrustedModelError):
        mlflow.pyfunc.load_model(copy)


def test_logged_model_holds_no_pickle(run, tmp_path):
    with tracking(run.tracking_uri):
        copy = mlflow.artifacts.download_artifacts(
            run.model_uri, dst_path=str(tmp_path)
        )
    files = [path for path in Path(copy).rglob("*") if path.is_file()]
    assert files
    assert not any(path.suffix in (".pkl", ".pickle", ".joblib") for path in files)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, body, *, deadline):
    """Post JSON to the server, waiting until it listens."""
    url = f"http://127.0.0.1:{port}/invocations"
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)["predictions"]
        except (URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def test_models_serve_gives_the_numbers_of_predict(run, model, directory):
    port = free_port()
    binaries = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": run.tracking_uri,
    }
    command = f"models serve --env-manager local --workers 1 -h 127.0.0.1 -p {port}"
    server = subprocess.Popen(
        [f"{binaries}/mlflow", *command.split(), "-m", run.model_uri],
        env=environment,
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    patients = [
        {"age": 54, "aetiology": "amputation", "opioid": True, "relief_1": -5.5},
        {"age": None, "aetiology": None, "opioid": "no", "relief_1": 40},
    ]
    try:
        body = {"dataframe_records": patients}
        found = ask(port, body, deadline=time.monotonic() + 60)
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=20)
    predictions = [model.predict(patient) for patient in patients]
    for row, expected in zip(found, predictions, strict=True):
        np.testing.assert_allclose(row["probability"], expected.probability)
        np.testing.assert_allclose([row["lower"], row["upper"]], expected.interval)
        for name, contribution in expected.contributions.items():
            np.testing.assert_allclose(
                row[f"contribution_{name}"], contribution, atol=1e-12
            )


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
