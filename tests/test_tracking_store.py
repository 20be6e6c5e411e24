"""Stores that two use at once, that are refused before any work, or that have moved."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import mlflow
import mlflow.sklearn
import mlflow.xgboost
import pytest

import responder_model as rm
from responder_model.tracking import (
    TrackedRun,
    check_store,
    find_run,
    keep_files_at,
    local_tracking_uri,
    log_development,
    log_evaluation,
    shown_uri,
)
from responder_model.tracking.store import _in_our_words
from stored import (
    QUIET,
    TARGET,
    digest_of,
    files,
    folder,
    model,
    run,
    runs_of,
    uri,
)

pytestmark = QUIET


# ---------------------------------------------------------------- two at once


FIRST_USE = """
import sys, time
from pathlib import Path
from responder_model.artifact import load_model
from responder_model.tracking import check_store, local_tracking_uri, log_development

place, folder, name = sys.argv[1:]
model, uri = load_model(folder), local_tracking_uri(place)
Path(place, name).touch()
while not Path(place, "go").exists():
    time.sleep(0.001)
check_store(uri)
log_development(model, folder=folder, tracking_uri=uri)
"""


def first_use_by_two(place, folder):
    """Let two processes make one store at the same moment; what they said."""
    command = [sys.executable, "-W", "ignore", "-c", FIRST_USE, str(place), str(folder)]
    both = [
        subprocess.Popen([*command, name], stderr=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    while not all((place / name).exists() for name in ("one", "two")):
        time.sleep(0.01)
    (place / "go").touch()
    said = [process.communicate()[1] for process in both]
    return said if any(process.returncode for process in both) else []


def test_two_first_users_of_a_store_both_succeed(folder, tmp_path):
    place = tmp_path / "store"
    place.mkdir()
    assert first_use_by_two(place, folder) == []
    assert len(runs_of(local_tracking_uri(place))) == 2


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_twenty_pairs_of_first_users_all_succeed(folder, tmp_path):
    for k in range(20):
        place = tmp_path / f"store_{k}"
        place.mkdir()
        assert first_use_by_two(place, folder) == []


# ---------------------------------------------------------------- refused before


def refused(uri):
    with pytest.raises(rm.TrackingError) as error:
        check_store(uri)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_check_store_refuses_a_deleted_experiment_and_says_the_remedy(uri):
    check_store(uri)
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("responder_model")
    client.delete_experiment(experiment.experiment_id)
    assert "mlflow experiments restore --experiment-id" in refused(uri)
    with pytest.raises(rm.TrackingError, match="must not be deleted"):
        find_run("0" * 64, tracking_uri=uri)
    client.restore_experiment(experiment.experiment_id)
    check_store(uri)


def test_check_store_refuses_artifacts_that_are_no_folder(uri, tmp_path):
    (tmp_path / "mlartifacts").write_text("a file")
    assert "its files need a folder that can be written here" in refused(uri)


def test_check_store_refuses_files_on_another_computer(uri, tmp_path):
    client = mlflow.MlflowClient(uri)
    client.create_experiment("responder_model", "file:///home/nobody-here/runs/1")
    assert "/home/nobody-here/runs/1" in refused(uri)
    assert not Path("/home/nobody-here").exists()


def test_check_store_refuses_a_database_that_is_read_only(uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_store(uri)
    # root too is refused by SQLite's own read-only mode
    said = refused(f"sqlite:///file:{tmp_path}/mlflow.db?mode=ro&uri=true")
    assert "readonly" in said


def test_check_store_refuses_a_disk_without_room(uri, monkeypatch):
    monkeypatch.setattr("responder_model.tracking.files.NEEDED_BYTES", 2**62)
    assert "MiB left" in refused(uri)


@pytest.mark.skipif(find_spec("pymssql") is not None, reason="the driver is here")
@pytest.mark.usefixtures("uri")
def test_the_place_of_files_is_named_once_and_no_other_afterwards(
    run, folder, tmp_path
):
    words = ("track", folder, "--artifact-root")
    made = run(*words, tmp_path / "for all", "--json")
    assert made.exit_code == 0, made.stderr
    assert list((tmp_path / "for all").rglob("model.json"))
    assert not (tmp_path / "mlartifacts").exists()
    other = run(*words, tmp_path / "elsewhere")
    assert other.exit_code == 1
    assert "--artifact-root must be where experiment responder_model" in other.stderr
    assert "for%20all" in other.stderr
    again = run("track", folder, "--json")
    assert json.loads(again.stdout)["logged_now"] is False
    with pytest.raises(rm.TrackingError, match="need a folder that can be written"):
        keep_files_at(f"sqlite:///{tmp_path / 'new.db'}", "/proc/none")


def test_check_store_names_an_absent_driver_and_no_password():
    said = refused("mssql+pymssql://me:hunter2@127.0.0.1:1/runs")
    assert "pymssql is not installed" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("uri", ["postgres://me:hunter2@db/runs", "/srv", "foo://bar"])
def test_check_store_names_the_forms_that_work_and_no_password(uri):
    said = refused(uri)
    assert "a database postgresql://HOST/NAME (not postgres://)" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("kind", ["postgresql", "http"])
def test_check_store_gives_up_what_does_not_answer(kind):
    """MLflow by itself tries a database ten times, for two minutes."""
    with socket.socket() as taken:  # bound and not listening: refused at once
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        start = time.monotonic()
        said = refused(f"{kind}://me:hunter2@127.0.0.1:{port}/runs")
    assert time.monotonic() - start < 60.0
    assert f"nothing answers at 127.0.0.1, port {port}" in said
    assert "hunter2" not in said


def test_a_model_that_stays_here_is_not_developed_for_a_server(run, files, tmp_path):
    words = ("rtms_response@screening", "--out", tmp_path / "m", "--stays-here")
    store = ("--tracking-uri", "http://me:hunter2@h")
    done = run("develop", files["c"], *words, *store)
    assert done.exit_code == 1
    assert "must be a store of this centre for a model that stays here" in done.stderr
    assert "hunter2" not in done.stderr
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("kind", ["http", "postgresql"])
def test_check_store_gives_up_what_connects_and_says_nothing(kind, monkeypatch):
    monkeypatch.setattr("responder_model.tracking.address.SILENCE", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        said = refused(f"{kind}://me:hunter2@127.0.0.1:{silent.getsockname()[1]}/runs")
    assert time.monotonic() - start < 60.0
    assert "hunter2" not in said


def test_a_reason_is_what_the_database_answered():
    """As on a disk that fills while a run is written."""
    said = (
        "(raised as a result of Query-invoked autoflush; consider using a "
        "session.no_autoflush block if this flush is occurring prematurely)\n"
        "(sqlite3.OperationalError) database or disk is full\n[SQL: INSERT INTO tags]"
    )
    with (
        pytest.raises(rm.TrackingError, match="used: database or disk is full. Ch"),
        _in_our_words("sqlite:////srv/mlflow.db"),
    ):
        raise RuntimeError(said)


def test_a_path_that_would_be_another_file_is_refused(tmp_path):
    for name in ("a?b", "50%20x"):
        with pytest.raises(rm.TrackingError, match="must have no"):
            local_tracking_uri(tmp_path / name)


@pytest.mark.parametrize("name", ["a b#é à 100%", "it's a@b:c 日本"])
def test_odd_characters_in_the_path_do_no_harm(model, tmp_path, new_store, name):
    place = tmp_path / name
    place.mkdir()
    new_store(place)
    folder = rm.save_model(model, place / "m")
    uri = local_tracking_uri(place)
    check_store(uri)
    log_development(model, folder=folder, tracking_uri=uri)
    assert log_evaluation(digest_of(folder), "report", {"n": 1}, tracking_uri=uri)
    assert {p.name for p in place.iterdir()} == {"m", "mlflow.db", "mlartifacts"}
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_validate_refuses_an_unusable_store_before_it_works(run, files, folder):
    uri = f"sqlite:///{files['c']}"
    done = run("validate", folder, files["north"], "--tracking-uri", uri, "--json")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "file is not a database" in done.stderr
    assert "--no-track" in done.stderr


# ---------------------------------------------------------------- moved


def test_a_moved_store_finds_its_files_beside_it(model, tmp_path, new_store):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new_store(old)
    folder = rm.save_model(model, old / "m")
    made = log_development(model, folder=folder, tracking_uri=local_tracking_uri(old))
    old.rename(new)
    uri = local_tracking_uri(new)
    run_id = log_evaluation(digest_of(new / "m"), "report", {"n": 1}, tracking_uri=uri)
    assert not old.exists()
    assert (new / "mlartifacts" / run_id / "artifacts/report/values.json").is_file()
    client = mlflow.MlflowClient(uri)
    logged = client.get_logged_model(made.model_uri.rpartition("/")[2])
    assert logged.artifact_location.startswith((new / "mlartifacts").as_uri() + "/")
    assert "priors.json" in {p.path for p in client.list_artifacts(made.run_id)}


def test_a_copied_store_leaves_the_original_alone(model, tmp_path, new_store):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new_store(old)
    folder = rm.save_model(model, old / "m")
    log_development(model, folder=folder, tracking_uri=local_tracking_uri(old))
    before = sorted(old.rglob("*"))
    subprocess.run(["cp", "-r", old, new], check=True)
    uri = local_tracking_uri(new)
    run_id = log_evaluation(digest_of(new / "m"), "report", {"n": 1}, tracking_uri=uri)
    assert (new / "mlartifacts" / run_id).is_dir()
    assert sorted(old.rglob("*")) == before


# ---------------------------------------------------------------- passwords


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://mlflow:hunter2@db/runs",
        "postgresql://mlflow:hunter2/x@db/runs",
        "http://me:p@hunter2@server:5000",
        "https://hunter2@server",
        "mysql+pymysql://db/runs?user=me&password=hunter2",
        "postgresql://db/runs?sslpassword=hunter2&port=1",
    ],
)
def test_no_password_is_shown(uri):
    assert "hunter2" not in shown_uri(uri)
    assert "hunter2" not in shown_uri(f"cannot reach {uri}, giving up")
    made = TrackedRun(tracking_uri=uri, run_id="r", model_uri="m", model_path="p")
    assert "hunter2" not in repr(made)


def test_no_password_is_printed_by_develop(run, files, uri, monkeypatch):
    # SQLite takes no password, and this one is in its query
    uri = f"{uri}?password=hunter2"
    done = run("develop", files["c"], TARGET, "--out", "m", "--tracking-uri", uri)
    assert "hunter2" not in done.output
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    done = run("develop", files["c"], TARGET, "--out", "m2", "--json")
    assert "hunter2" not in done.output
