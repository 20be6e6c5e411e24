"""A store that fails well: other users, other settings, moved, killed, unusable."""

from __future__ import annotations

import json
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import mlflow
import mlflow.sklearn
import mlflow.xgboost
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import read_manifest
from responder_model.cli.app import app
from responder_model.tracking import (
    TrackedRun,
    check_store,
    chosen_tracking_uri,
    cohort_digest,
    find_run,
    keep_files_at,
    local_tracking_uri,
    log_development,
    log_evaluation,
    shown_uri,
)
from responder_model.tracking.store import _in_our_words
from responder_model.workflow import develop_and_track, track_folder

# MLflow and SQLAlchemy warn about themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
SETTINGS = rm.Settings(decision="rtms_response", moment="screening", challenger=False)
TARGET = "rtms_response@screening"


@pytest.fixture(scope="module")
def cohort():
    return rm.simulate_cohort(n_patients=40, seed=3)


@pytest.fixture(scope="module")
def model(cohort):
    return rm.develop(cohort, settings=SETTINGS)


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


def digest_of(folder):
    return read_manifest(folder).digest


def runs_of(uri):
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("responder_model")
    return client.search_runs([experiment.experiment_id])


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


# ---------------------------------------------------------------- after the save


@pytest.fixture
def filled_after(run):
    """Run a command on a disk that is full once a function of it has returned."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def run_until_full(module, name, words):
        work = getattr(import_module(module), name)

        def fill_the_disk(*arguments, **more):
            done = work(*arguments, **more)
            # from now on the system refuses to write beyond 50 kB of any file
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
            return done

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"{module}.{name}", fill_the_disk)
            try:
                done = run(*words)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert done.exit_code == 3, done.output
        assert "Traceback" not in done.stderr
        (said,) = [s for s in done.stderr.splitlines() if s.startswith("warning: ")]
        return done.stdout, said

    return run_until_full


@pytest.mark.usefixtures("uri")
def test_a_disk_that_fills_after_the_save_is_one_sentence_and_exit_code_3(
    run, files, tmp_path, filled_after
):
    words = ["develop", str(files["c"]), TARGET, "--out", "m"]
    _, said = filled_after("responder_model.workflow", "save_model", words)
    assert said.startswith("warning: saved, but not logged: ")
    assert said.endswith("Log it later: responder-model track m")
    assert rm.load_model(tmp_path / "m").n_patients
    assert find_run(digest_of(tmp_path / "m")) is None
    later = run("track", "m", "--json")
    assert later.exit_code == 0, later.stderr
    assert find_run(digest_of(tmp_path / "m")) == json.loads(later.stdout)["run_id"]


# In a namespace of its own: a small disk, a model on it, and no room for another.
FULL_DISK = """
import json, shutil, sys
from pathlib import Path
from typer.testing import CliRunner
from responder_model.cli.app import app

disk = Path.cwd()
run = lambda words: CliRunner().invoke(app, words.split())
listed = lambda: sorted(str(p.relative_to(disk)) for p in disk.rglob("*"))
develop = f"develop {sys.argv[1]} rtms_response@screening --no-track --out "
first = run(develop + "m")
before = {p: (disk / p).read_bytes() for p in listed() if (disk / p).is_file()}
(disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 8192))
tried = [run(develop + "m2"), run(develop + "m --overwrite"),
         run(f"update m {sys.argv[2]} --no-track --out u")]
(disk / "filler").unlink()
after = {p: (disk / p).read_bytes() for p in listed() if (disk / p).is_file()}
print(json.dumps({"first": first.exit_code, "codes": [t.exit_code for t in tried],
    "said": [t.stderr for t in tried], "new": sorted(set(after) - set(before)),
    "same": {p: after.get(p) == data for p, data in before.items()}}))
"""


@pytest.mark.long
def test_a_full_disk_leaves_the_old_model_and_nothing_of_the_new(files, tmp_path):
    mounted = ["unshare", "-rm", "sh", "-c"]
    mount = "mount -t tmpfs -o size=4m tmpfs disk && cd disk"
    (tmp_path / "disk").mkdir()
    try:
        subprocess.run([*mounted, mount], cwd=tmp_path, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here: neither root nor user namespaces")
    words = [sys.executable, "-c", FULL_DISK, files["c"], files["north"]]
    command = [*mounted, mount + ' && exec "$@"', "sh", *map(str, words)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found["first"] == 0
    assert found["codes"] == [1] * len(found["codes"]), found["said"]
    assert all("no space left" in said for said in found["said"]), found["said"]
    assert not any("Traceback" in said for said in found["said"])
    assert found["new"] == []
    assert all(found["same"].values())
    assert list((tmp_path / "disk").iterdir()) == []


def test_a_disk_that_fills_after_the_drawing_is_told_by_the_store(
    uri, files, tmp_path, filled_after
):
    words = ["develop", str(files["c"]), TARGET, "--out", "m"]
    _, said = filled_after("responder_model.workflow", "draw_development", words)
    assert said.startswith("warning: saved, but not logged: tracking store sqlite:")
    assert find_run(digest_of(tmp_path / "m"), tracking_uri=uri) is None


def test_a_disk_that_fills_after_the_validation_loses_no_result(
    files, folder, model, uri, filled_after
):
    log_development(model, folder=folder, tracking_uri=uri)
    words = ["validate", str(folder), str(files["north"])]
    out, said = filled_after("responder_model.cli.validate", "print_measures", words)
    assert "c-statistic" in out
    assert said.startswith("warning: done, but not logged: tracking store sqlite:")


@pytest.mark.usefixtures("uri")
def test_track_logs_a_folder_once(run, folder):
    first = run("track", folder, "--json")
    assert first.exit_code == 0, first.stderr
    again = run("track", folder, "--json")
    assert again.exit_code == 0
    made, known = json.loads(first.stdout), json.loads(again.stdout)
    assert made["logged_now"]
    assert not known["logged_now"]
    assert made["run_id"] == known["run_id"]
    assert "is tracked already: run " in run("track", folder).stdout


def test_track_refuses_a_folder_that_is_no_model(run, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run("track", "empty")
    assert done.exit_code == 1
    assert not (tmp_path / "mlflow.db").exists()


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


# ---------------------------------------------------------------- killed


KILLED_WHILE_LOGGING = """
import os, signal, sys
import responder_model.tracking.log as log
from responder_model.artifact import load_model

def kill(*arguments, **more):
    os.kill(os.getpid(), signal.SIGKILL)

# the last step but one: everything of the run is logged, the model is not
log.write_served = kill
folder, uri = sys.argv[1:]
log.log_development(load_model(folder), folder=folder, tracking_uri=uri)
"""


def test_a_run_that_was_killed_stays_so_and_its_folder_can_be_tracked(
    run, files, folder, uri
):
    command = [sys.executable, "-W", "ignore", "-c", KILLED_WHILE_LOGGING]
    done = subprocess.run([*command, str(folder), uri], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    (killed,) = runs_of(uri)
    assert killed.info.status == "RUNNING"
    told = run("validate", folder, files["north"])
    assert told.exit_code == 0, told.stderr
    assert f"responder-model track {folder}" in told.stderr
    assert run("track", folder).exit_code == 0
    assert run("validate", folder, files["north"]).exit_code == 0
    statuses = {r.info.run_id: r.info.status for r in runs_of(uri)}
    assert statuses.pop(killed.info.run_id) == "KILLED"
    assert list(statuses.values()) == ["FINISHED", "FINISHED"]


KILLED_ANYWHERE = """
import os, random, signal, sys, time
from pathlib import Path
import responder_model as rm
from responder_model.tracking import find_run, local_tracking_uri
from responder_model.workflow import develop_and_track, track_folder

place, n_kills, longest = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
cohort = rm.simulate_cohort(n_patients=40, seed=3)
settings = rm.Settings(decision="rtms_response", moment="screening", challenger=False)
uri = local_tracking_uri(place)

def child(work):
    # a process of its own, that shares no connection with this one
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return process

def develop(folder):
    # a name of its own, and so a digest: one that is tracked says nothing of another
    name = folder.name
    develop_and_track(cohort, settings, folder=folder, tracking_uri=uri, name=name)

def check(folder):
    assert rm.load_model(folder).name == folder.name
    known, made = track_folder(folder, tracking_uri=uri)
    (place / "told").open("a").write("found " if made is None else "tracked ")
    assert track_folder(folder, tracking_uri=uri) == (known, None)

def ended(process):
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

started = time.monotonic()
assert ended(child(lambda: develop(place / "old"))) == 0
started = time.monotonic()
assert ended(child(lambda: develop(place / "warm"))) == 0
usual = time.monotonic() - started
before = {p: p.read_bytes() for p in (place / "old").iterdir()}
tally = {"absent": 0, "intact": 0, "finished": 0}
for k in range(n_kills):
    folder = place / f"m{k}"
    process = child(lambda: develop(folder))
    time.sleep(usual * longest * (k + 0.5) / n_kills)
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass
    code = ended(process)
    tally["finished"] += code == 0
    if not folder.exists():
        tally["absent"] += 1
        continue
    assert ended(child(lambda: check(folder))) == 0, folder
    tally["intact"] += 1
assert {p: p.read_bytes() for p in (place / "old").iterdir()} == before
told = (place / "told").read_text().split()
print(tally | {word: told.count(word) for word in ("found", "tracked")})
"""


def kill_everywhere(place, n_kills):
    command = [sys.executable, "-W", "ignore", "-c", KILLED_ANYWHERE, str(place)]
    done = subprocess.run(
        [*command, str(n_kills), "1.1"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_hundred_kills_leave_whole_folders_that_can_be_tracked(tmp_path):
    tally = kill_everywhere(tmp_path, 100)
    counts = dict(re.findall(r"'(\w+)': (\d+)", tally))
    assert int(counts["absent"]) + int(counts["intact"]) == 100
    # the kills fell before the save, between save and log, and after
    assert min(int(counts[name]) for name in ("absent", "found", "tracked")) > 0
    assert int(counts["found"]) + int(counts["tracked"]) == int(counts["intact"])


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
