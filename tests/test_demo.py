"""The demonstration, run once for real."""

from __future__ import annotations

import mlflow
import pandas as pd
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import read_manifest
from responder_model.cli.app import app
from responder_model.cumulative_logit.components import is_published
from responder_model.demo import EXPORT, example_patients, known_values, run_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Output of the command, its folder, and its tracked runs."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    done = CliRunner().invoke(app, ["demo", "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return done, folder, tracked_runs(folder)


def tracked_runs(folder):
    client = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    (experiment,) = client.search_experiments(filter_string="name = 'responder_model'")
    return client.search_runs([experiment.experiment_id])


def test_demo_develops_all_five_models_labelled_simulated(demo):
    folders = sorted((demo[1] / "models").iterdir())
    models = [rm.load_model(folder) for folder in folders]
    assert {(m.decision, m.moment) for m in models} == set(rm.dictionary().targets())
    assert {model.provenance for model in models} == {"simulated"}


def test_demo_shows_what_all_published_components_weigh(demo):
    lines = [line for line in demo[0].stdout.splitlines() if line.startswith("│")]
    for path in sorted((demo[1] / "models").iterdir()):
        model = rm.load_model(path)
        rows = [line for line in lines if model.target in line]
        weight = sum(
            after
            for name, (_, after) in model.component_weights.items()
            if is_published(name)
        )
        assert rows[0].split("│")[4].strip() == f"{weight:.2f}"


def test_demo_tracks_every_development(demo):
    client, runs = mlflow.MlflowClient(f"sqlite:///{demo[1] / 'mlflow.db'}"), demo[2]
    assert len(runs) == 5
    assert {run.data.params["provenance"] for run in runs} == {"simulated"}
    for run in runs:
        paths = {item.path for item in client.list_artifacts(run.info.run_id)}
        assert {"priors.json", "mixture.json", "figures", "model_folder"} <= paths


def test_demo_scores_three_patients_by_both_models(demo):
    table = pd.read_csv(demo[1] / "predictions.csv")
    assert set(table["patient"]) == {"A", "B", "C"}
    counts = table.groupby("provenance").size().to_dict()
    assert counts == {"published": 9, "simulated": 9}
    model = rm.load_model(demo[1] / "models" / "rtms_response@screening")
    patient = example_patients()[0]
    values = known_values(patient, "rtms_response", "screening")
    row = table[(table["patient"] == "A") & (table["provenance"] == "simulated")]
    assert row["probability"].item() == pytest.approx(model.predict(values).probability)


def test_demo_draws_figures(demo):
    names = {path.name for path in (demo[1] / "figures").iterdir()}
    assert {f"patient_{p.name}_published.png" for p in example_patients()} <= names
    assert {f"patient_{p.name}_simulated.png" for p in example_patients()} <= names
    assert sum(name.startswith("beeswarm_") for name in names) == 5


def test_demo_ends_with_where_to_look(demo):
    text = demo[0].stdout
    assert "SIMULATED" in text
    assert "not a medical device" in text
    assert "mlflow ui --backend-store-uri" in text


def digests_in(folder):
    models = sorted((folder / "models").iterdir())
    return {path.name: read_manifest(path).digest for path in models}


def test_demo_repeated_gives_the_same_and_says_what_it_is_doing(demo):
    folder, said = demo[1], []
    before, digests = (folder / "predictions.csv").read_bytes(), digests_in(folder)
    again = run_demo(folder, lang="fr", announce=said.append)
    assert (folder / "predictions.csv").read_bytes() == before
    assert digests_in(folder) == digests
    targets = ["@".join(target) for target in rm.dictionary().targets()]
    assert [done.model.target for done in again.developments] == targets
    # nobody waits without a word: one for each development, and no other long work
    assert said[0].text("fr") == "Lecture et vérification de l'export d'exemple"
    assert [note.text("en") for note in said] == [
        "Reading and checking the example export",
        *(f"Developing and tracking {target}" for target in targets),
        "Scoring the example patients",
    ]


def test_demo_leaves_what_somebody_changed_alone(demo):
    path = demo[1] / "predictions.csv"
    whole = path.read_bytes()
    path.write_bytes(whole + b"my own line\n")
    again = CliRunner().invoke(app, ["demo", "--out", str(demo[1]), "--seed", "9"])
    assert again.exit_code == 1
    assert "predictions.csv (changed since)" in again.stderr
    assert path.read_bytes() == whole + b"my own line\n"
    path.write_bytes(whole)


def test_example_export_is_messy_and_simulated():
    from importlib.resources import files

    data = (files("responder_model") / "data" / "examples" / EXPORT).read_bytes()
    with pytest.raises(UnicodeDecodeError, match="utf-8"):
        data.decode("utf-8")
    assert b";" in data
    assert b"oui" in data


def test_known_values_hide_what_comes_later():
    patient = example_patients()[2]
    values = known_values(patient, "rtms_response", "session_1")
    assert "relief_1" in values
    assert "relief_2" not in values
    assert known_values(example_patients()[0], "rtms_response", "session_1") is None
