"""Runs in a store: apart from the caller's own, and what they say."""

from __future__ import annotations

import json
import shutil
import sys

import mlflow
import mlflow.sklearn
import mlflow.xgboost
import pytest

import responder_model as rm
from responder_model.artifact import read_manifest
from responder_model.tracking import (
    chosen_tracking_uri,
    cohort_digest,
    find_run,
    log_development,
    log_evaluation,
)
from responder_model.workflow import develop_and_track, track_folder
from stored import (
    QUIET,
    SETTINGS,
    TARGET,
    cohort,
    digest_of,
    files,
    folder,
    model,
    run,
    runs_of,
    uri,
)

pytestmark = QUIET


# ---------------------------------------------------------------- the caller's own


@pytest.fixture
def autologged(uri, monkeypatch):
    """A notebook that logs whatever is trained to a store of its own."""
    # MLflow's import hooks go with it
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    mlflow.xgboost.autolog(silent=True)
    mlflow.sklearn.autolog(silent=True)
    mlflow.autolog(silent=True)
    yield
    mlflow.autolog(disable=True)
    mlflow.sklearn.autolog(disable=True)
    mlflow.xgboost.autolog(disable=True)
    mlflow.set_tracking_uri(before)


@pytest.mark.usefixtures("autologged")
def test_autolog_of_the_caller_makes_no_run(folder, tmp_path, new_store):
    cohort = rm.simulate_cohort(n_patients=60, seed=3)
    made = rm.develop(cohort, "rtms_response", "screening")
    assert made.performance
    rm.validate_internally(made, cohort, n_resamples=2)
    rm.update(made, rm.simulate_cohort(n_patients=40, seed=4))
    rm.validate_externally(made, rm.simulate_cohort(n_patients=60, seed=4))
    rm.published_model("emcs_success", "implantation")
    (tmp_path / "ours").mkdir()
    uri = new_store(tmp_path / "ours")
    log_development(rm.load_model(folder), folder=folder, tracking_uri=uri)
    assert len(mlflow.search_runs(search_all_experiments=True)) == 0


def test_an_open_run_of_the_caller_stays_open_and_apart(
    cohort, tmp_path, uri, monkeypatch
):
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        with mlflow.start_run(run_name="notebook") as outer:
            monkeypatch.setenv("MLFLOW_RUN_ID", outer.info.run_id)
            folder = tmp_path / "m"
            made = develop_and_track(cohort, SETTINGS, folder=folder, tracking_uri=uri)
            log_evaluation(digest_of(folder), "report", {"n": 1}, tracking_uri=uri)
            assert made.run.run_id != outer.info.run_id
            assert mlflow.active_run().info.run_id == outer.info.run_id
        data = mlflow.MlflowClient(uri).get_run(outer.info.run_id).data
    finally:
        mlflow.set_tracking_uri(before)
    assert data.params == {}
    assert data.metrics == {}


def test_a_run_named_in_the_environment_is_not_taken_over(
    folder, model, uri, monkeypatch
):
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    made = log_development(model, folder=folder, tracking_uri=uri)
    assert made.run_id != "0" * 32
    assert find_run(digest_of(folder), tracking_uri=uri) == made.run_id


def test_settings_of_mlflow_name_store_and_experiment(
    run, files, tmp_path, monkeypatch, empty_store, new_store
):
    uri = f"sqlite:///{shutil.copy(empty_store, tmp_path / 'other.db')}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "pain clinic")
    assert chosen_tracking_uri() == uri
    done = run("develop", files["c"], TARGET, "--out", "m", "--json")
    assert done.exit_code == 0, done.stderr
    assert "other.db, as MLFLOW_TRACKING_URI says" in done.stderr
    assert "experiment pain clinic, as MLFLOW_EXPERIMENT_NAME says" in done.stderr
    assert json.loads(done.stdout)["tracking_uri"] == uri
    client = mlflow.MlflowClient(uri)
    made = client.get_run(json.loads(done.stdout)["run_id"])
    assert client.get_experiment(made.info.experiment_id).name == "pain clinic"
    given = new_store(tmp_path)
    named = run("track", "m", "--tracking-uri", given)
    assert named.exit_code == 0, named.stderr
    assert "MLFLOW_TRACKING_URI" not in named.stderr
    assert find_run(digest_of("m"), tracking_uri=given)


# ---------------------------------------------------------------- validations


def test_each_validation_is_a_run_of_its_own_that_names_its_cohort(
    run, files, folder, model, uri
):
    parent = log_development(model, folder=folder, tracking_uri=uri)
    before = mlflow.MlflowClient(uri).get_run(parent.run_id)
    due = {}
    for name in ("north", "south"):
        done = run("validate", folder, files[name], "--json")
        assert done.exit_code == 0, done.stderr
        rows = {r["measure"]: r["value"] for r in json.loads(done.stdout)["measures"]}
        due[name] = rows["c_statistic"]
    client = mlflow.MlflowClient(uri)
    children = [r for r in runs_of(uri) if r.info.run_id != parent.run_id]
    assert {r.data.tags["mlflow.parentRunId"] for r in children} == {parent.run_id}
    key = "validation.external.c_statistic.value"
    found = {r.data.params["cohort"]: r.data.metrics[key] for r in children}
    assert found == pytest.approx(due)
    assert len({r.data.params["cohort_digest"] for r in children}) == 2
    after = client.get_run(parent.run_id)
    assert after.data.metrics == before.data.metrics
    assert after.info.end_time == before.info.end_time


def test_cohort_digest_is_that_of_the_patients_in_any_order(cohort):
    due = cohort_digest(cohort)
    assert cohort_digest(cohort.iloc[::-1]) == due
    renamed = cohort.assign(patient_id=[f"X{k}" for k in range(len(cohort))])
    assert cohort_digest(renamed) == due
    assert cohort_digest(cohort.iloc[1:]) != due


def test_cohort_digest_cannot_be_guessed_without_the_key(cohort, tmp_path, monkeypatch):
    due = cohort_digest(cohort)
    monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(tmp_path / "centre"))
    assert cohort_digest(cohort) != due
    (key,) = tmp_path.rglob("fingerprint.key")
    assert key.stat().st_mode & 0o077 == 0
    assert [path for path in key.parent.iterdir() if path != key] == []


def test_cohort_digest_is_none_where_no_key_can_be_kept(cohort, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(tmp_path / "file"))
    assert cohort_digest(cohort) is None


def test_track_folder_says_what_it_found(folder, uri):
    run_id, made = track_folder(folder, tracking_uri=uri)
    assert made is not None
    assert track_folder(folder, tracking_uri=uri) == (run_id, None)


# ---------------------------------------------------------------- what a run says


def test_a_run_names_its_parent_its_words_and_its_evidence(
    cohort, model, uri, tmp_path
):
    folder = rm.save_model(model, tmp_path / "m")
    manifest = read_manifest(folder)
    run_id = log_development(model, folder=folder, tracking_uri=uri).run_id
    data = mlflow.MlflowClient(uri).get_run(run_id).data
    assert data.tags["kind"] == "development"
    assert "parent_digest" not in data.tags
    assert data.params["dictionary_sha256"] == manifest.files["dictionary.toml"]
    assert data.params["evidence_sha256"] == manifest.files["evidence.json"]
    assert data.params["cohort_fingerprint"] == model.fingerprints.values
    assert manifest.versions.items() <= data.params.items()
    assert {"responder_model", "python", "numpy"} <= set(manifest.versions)
    newer = rm.update(model, rm.simulate_cohort(n_patients=30, seed=8))
    folder = rm.save_model(newer, tmp_path / "newer")
    run_id = log_development(newer, folder=folder, tracking_uri=uri).run_id
    tags = mlflow.MlflowClient(uri).get_run(run_id).data.tags
    assert (tags["kind"], tags["parent_digest"]) == ("update", manifest.digest)


def test_a_measure_without_a_value_leaves_its_reason_as_a_tag(model, uri, tmp_path):
    one_class = rm.simulate_cohort(n_patients=40, seed=3)
    one_class = one_class[(one_class["rtms_responder"] == True).fillna(False)]  # noqa: E712
    newer = rm.update(model, one_class, count_again=True)
    folder = rm.save_model(newer, tmp_path / "newer")
    run_id = log_development(newer, folder=folder, tracking_uri=uri).run_id
    data = mlflow.MlflowClient(uri).get_run(run_id).data
    assert newer.performance.not_measured
    for name, why in newer.performance.not_measured.items():
        assert data.tags[f"not_measured.{name}"] == why.text()
        assert f"performance.apparent.{name}" not in data.metrics


def test_track_takes_several_folders_and_says_where(run, folder, uri, model, tmp_path):
    other = rm.save_model(rm.published_model("rtms_response", "screening"), "p")
    done = run("track", folder, other, "--json")
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [row["logged_now"] for row in rows] == [True, True]
    assert {row["tracking_uri"] for row in rows} == {uri}
    assert uri in run("track", folder).stdout


def test_combine_is_a_run_of_its_own(run, files, uri, tmp_path):
    for name in ("north", "south"):
        made = rm.develop(
            rm.read_cohort(files[name]).drop(columns="centre"), settings=SETTINGS
        )
        rm.save_model(made, tmp_path / name)
    done = run("combine", "north", "south", "--out", "both", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["tracking_uri"] == uri
    assert find_run(digest_of("both"), tracking_uri=uri) == said["run_id"]
