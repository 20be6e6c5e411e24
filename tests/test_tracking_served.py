"""The served model: what it takes, what it answers, what it needs to run."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import mlflow
import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from in_words import said
from patience import PATIENCE
from responder_model.artifact import digest_of
from responder_model.tracking import served_columns
from responder_model.tracking.serve import score_served
from responder_model.tracking.signature import (
    TEXTS,
    input_example,
    output_columns,
)
from responder_model.tracking.spark import save_served

# MLflow and SQLAlchemy warn about themselves when a model is loaded.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def cohort():
    return rm.simulate_cohort(n_patients=60, seed=5)


@pytest.fixture(scope="module")
def model(cohort):
    return rm.develop(cohort, "rtms_response", moment="session_1")


@pytest.fixture(scope="module")
def place(model, tmp_path_factory):
    return save_served(model, tmp_path_factory.mktemp("served") / "s")


@pytest.fixture(scope="module")
def served(place):
    """The model as MLflow loads it."""
    return mlflow.pyfunc.load_model(str(place))


# ---------------------------------------------------------------- the signature


@pytest.mark.parametrize(("decision", "moment"), rm.dictionary().targets())
def test_input_example_is_answered_and_holds_invented_values(decision, moment):
    example = input_example(decision, moment)
    answer = score_served(rm.published_model(decision, moment), example)
    assert np.isfinite(answer["probability"]).all()
    assert (answer["problem"] == "").all()
    assert example.iloc[1].isna().all()


def test_logged_model_tells_what_each_column_may_hold(served):
    notes = served.metadata.metadata["inputs"]
    assert notes["age"] == "between 18 and 100 years"


# ---------------------------------------------------------------- what it answers


def expected_numbers(model, cohort):
    """What the package itself says, under the names of the served columns."""
    table = model.predict_cohort(cohort)
    numbers = table[[name for name in table if "probability" in name]].assign(
        lower=table["lower"], upper=table["upper"], baseline=model.baseline
    )
    contributions = model.contributions_cohort(cohort).add_prefix("contribution_")
    return pd.concat([numbers, contributions], axis=1)


def test_served_model_gives_the_numbers_of_predict_for_a_whole_cohort(
    served, model, cohort
):
    found = served.predict(cohort)
    assert list(found.columns) == list(output_columns(model.decision, model.moment))
    numbers = [name for name in found if name not in TEXTS]
    expected = expected_numbers(model, cohort)[numbers]
    pd.testing.assert_frame_equal(found[numbers], expected)
    table = model.predict_cohort(cohort)
    assert found["applicability"].tolist() == table["applicability"].tolist()
    assert found["missing"].tolist() == table["missing"].tolist()


def test_served_model_says_what_predict_says_of_a_patient(served, model):
    patient = {"age": "54,5", "aetiology": "AVC ischémique", "opioid": True}
    (row,) = served.predict(pd.DataFrame([patient])).to_dict(orient="records")
    due = model.predict(patient)
    assert row["probability"] == pytest.approx(due.probability, rel=1e-12)
    assert row["provenance"] == due.provenance
    assert row["model_digest"] == digest_of(model)
    assert row["applicability"] == due.applicability.level
    assert row["missing"].split() == list(due.missing)
    assert row["messages"].split("\n") == list(said(due.messages))
    assert json.loads(row["read"]) == {
        "age": 54.5,
        "aetiology": "ischaemic_stroke",
        "lesion_type": "central",
        "opioid": "yes",
    }
    assert row["problem"] == ""


def test_served_model_says_what_a_failed_test_means():
    model = rm.published_model("emcs_success", "implantation")
    patient = {"age": 54, "relief_test": 5}
    answer = score_served(model, [patient])
    assert answer["messages"][0].split("\n") == list(
        said(model.predict(patient).messages)
    )


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"age": [54], "opioid": [True]}),
        pd.DataFrame({"age": pd.array([54], "Int64"), "opioid": ["oui"]}),
        pd.DataFrame({"age": ["54"], "opioid": pd.array([True], "boolean")}),
        pd.DataFrame({"Âge": [54.0], "opioid": pd.Categorical(["yes"])}),
        {"age": 54, "opioid": 1},
        {"age": [54], "opioid": [True]},
        [{"age": 54, "opioid": "yes"}],
    ],
    ids=["bool", "Int64", "boolean", "label", "record", "columns", "records"],
)
def test_served_model_takes_values_of_any_type(served, model, frame):
    due = model.predict({"age": 54, "opioid": True}).probability
    assert served.predict(frame)["probability"][0] == pytest.approx(due, rel=1e-12)


def test_served_model_takes_a_patient_of_whom_nothing_is_known(served, model):
    due = model.predict({}).probability
    for frame in (pd.DataFrame([{}]), pd.DataFrame({"age": [None]}), [{"age": np.nan}]):
        found = served.predict(frame)["probability"]
        np.testing.assert_allclose(found, [due])


def test_served_model_answers_no_rows_with_none(served, cohort, model):
    answer = served.predict(cohort.iloc[:0])
    assert len(answer) == 0
    assert list(answer.columns) == list(output_columns(model.decision, model.moment))


def test_simulated_rows_are_answered_as_simulated():
    model = rm.published_model("rtms_response", "screening")
    patients = {"age": [54, 60], "provenance": ["simulated", None]}
    answer = score_served(model, pd.DataFrame(patients))
    assert answer["provenance"].tolist() == ["simulated", "simulated"]
    assert score_served(model, {"age": 54})["provenance"].tolist() == ["published"]


# ---------------------------------------------------------------- what it refuses


def test_a_bad_row_is_named_and_the_others_are_answered(served, model):
    patients = pd.DataFrame({"age": [54, 540, 60]}, index=["a", "b", "c"])
    answer = served.predict(patients)
    assert answer.loc["b", "problem"] == "Age must be between 18 and 100 years"
    assert answer.loc["b", "probability"] is None
    assert answer.loc[["a", "c"], "problem"].tolist() == ["", ""]
    due = [model.predict({"age": age}).probability for age in (54, 60)]
    np.testing.assert_allclose(answer.loc[["a", "c"], "probability"].tolist(), due)


def test_a_misspelt_column_is_refused_where_it_holds_a_value(served):
    answer = served.predict(pd.DataFrame({"age": [54, 60], "relieff_1": [80.0, None]}))
    assert "relieff_1 must be a field" in answer["problem"][0]
    assert "Relief after session 1" in answer["problem"][0]
    assert answer["probability"][0] is None
    assert answer["problem"][1] == ""


def test_a_value_known_only_later_is_refused_as_by_predict(served, model):
    with pytest.raises(rm.InvalidPatientError) as refused:
        model.predict({"age": 54, "relief_2": 40})
    (problem,) = refused.value.problems
    answer = served.predict(pd.DataFrame({"age": [54], "relief_2": [40]}))
    assert answer["problem"][0] == f"Relief after session 2 must be {problem.allowed}"


def test_what_a_cohort_knows_only_later_is_left_unused_and_said(served, cohort):
    said = served.predict(cohort)["messages"][0].split("\n")[-1]
    assert said.startswith("Left unused, known only later than session_1: relief_2, ")


def test_a_column_given_twice_is_refused_by_name(served):
    answer = served.predict(pd.DataFrame({"age": [54], "Âge": [55]}))
    assert answer["problem"].tolist() == ["Age must be in one column only"]


def test_what_is_no_table_is_refused_without_quoting_it(served):
    with pytest.raises(TypeError, match="must be a table, a record") as refused:
        served.predict("Martin, 54 years")
    assert "Martin" not in str(refused.value)


def test_no_message_of_a_refused_table_holds_a_value(served):
    planted = {"age": "6174", "aetiology": "Zyx-Planted", "relief_2": 41.739}
    answer = served.predict(pd.DataFrame([planted]))
    text = answer.to_json()
    assert not any(str(value) in text for value in planted.values())


def test_served_columns_leave_out_what_the_model_does_not_read(served, model, cohort):
    wide = cohort.assign(comment="seen twice")
    assert "comment must be a field" in served.predict(wide)["problem"][0]
    chosen = served_columns(wide, model.decision, model.moment)
    pd.testing.assert_series_equal(
        served.predict(chosen)["probability"], served.predict(cohort)["probability"]
    )


# ---------------------------------------------------------------- what it needs


def test_served_model_asks_no_index_for_this_package(place):
    texts = [
        (place / name).read_text("utf-8")
        for name in ("requirements.txt", "conda.yaml", "python_env.yaml")
    ]
    assert "mlflow==" in texts[0]
    assert not any("responder" in text for text in texts)


ALONE = """
import sys
sys.path = [p for p in sys.path if p] + [sys.argv[1]]
try:
    import responder_model
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("the package must be out of reach here")

class Refuse:
    # whatever is neither required nor comes with what is required
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("shap", "statsmodels", "typer", "rich"):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Refuse())
import mlflow
import pandas as pd
served = mlflow.pyfunc.load_model(sys.argv[2])
print(served.predict(pd.DataFrame({"age": [54], "relief_1": [40]}))["probability"][0])
import responder_model
assert responder_model.__file__.startswith(sys.argv[2]), responder_model.__file__
"""


def test_served_model_runs_where_this_package_is_not_installed(
    place, model, tmp_path_factory
):
    # every package of this environment but ours, by links
    others = tmp_path_factory.mktemp("others")
    for entry in Path(np.__file__).parents[1].iterdir():
        if "responder" not in entry.name and entry.suffix != ".pth":
            (others / entry.name).symlink_to(entry)
    copy = tmp_path_factory.mktemp("elsewhere") / "model"
    shutil.copytree(place, copy)
    # -I -S: no PYTHONPATH, no working directory, no site-packages
    command = [sys.executable, "-W", "ignore", "-I", "-S", "-c", ALONE]
    done = subprocess.run(
        [*command, str(others), str(copy)], capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    due = model.predict({"age": 54, "relief_1": 40}).probability
    assert float(done.stdout) == pytest.approx(due, rel=1e-12)


def test_served_model_refuses_an_altered_folder(model, tmp_path):
    place = save_served(model, tmp_path / "s")
    (path,) = place.rglob("model.json")
    path.write_text(path.read_text("utf-8").replace("0.1", "0.2", 1), encoding="utf-8")
    with pytest.raises(rm.UntrustedModelError):
        mlflow.pyfunc.load_model(str(place))


def test_served_model_holds_no_pickle_and_no_compiled_code(model, tmp_path):
    place = save_served(model, tmp_path / "s")
    endings = {path.suffix for path in place.rglob("*") if path.is_file()}
    assert ".json" in endings
    assert not endings & {".pkl", ".pickle", ".joblib", ".pyc"}


# ---------------------------------------------------------------- over HTTP


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
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer, parse_constant=pytest.fail)["predictions"]
        except (URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def test_models_serve_answers_each_row_over_http(place, model):
    port = free_port()
    binaries = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    command = f"models serve --env-manager local --workers 1 -h 127.0.0.1 -p {port}"
    server = subprocess.Popen(
        [f"{binaries}/mlflow", *command.split(), "-m", str(place)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    patients = [
        {"age": 54, "aetiology": "amputation", "opioid": True, "relief_1": -5.5},
        {"age": None, "aetiology": None, "opioid": "no", "relief_1": 40},
        {"age": 540},
        {"age": 54, "relieff_1": 40},
    ]
    try:
        body = {"dataframe_records": patients}
        found = ask(port, body, deadline=time.monotonic() + PATIENCE)
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=PATIENCE)
    assert "between 18 and 100" in found[2]["problem"]
    assert "relieff_1 must be a field" in found[3]["problem"]
    assert [row["probability"] for row in found[2:]] == [None, None]
    for row, patient in zip(found[:2], patients[:2], strict=True):
        expected = model.predict(patient)
        np.testing.assert_allclose(row["probability"], expected.probability)
        np.testing.assert_allclose([row["lower"], row["upper"]], expected.interval)
        assert row["messages"].split("\n") == list(said(expected.messages))
        for name, contribution in expected.contributions.items():
            np.testing.assert_allclose(
                row[f"contribution_{name}"], contribution, atol=1e-12
            )
