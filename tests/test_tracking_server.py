"""A server with two workers on PostgreSQL: log, register, promote, and its end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import digest_of
from responder_model.cli.app import app
from responder_model.promotion.promoting import read_standing
from responder_model.tracking import check_store, find_run
from responder_model.tracking.promotions import Entry, write_promotion
from responder_model.tracking.registry import opened_registry, registered
from responder_model.workflow import register_folder

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
NAME = "rtms_response.screening"
SETTINGS = rm.Settings(decision="rtms_response", moment="screening", challenger=False)
# Seconds: two workers load slowly on a busy machine.
READY = 300


def published():
    return rm.published_model("rtms_response", moment="screening")


def programs():
    """Folder of PostgreSQL's programs, as Debian has them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found or os.geteuid() != 0:
        pytest.skip("PostgreSQL is not installed, or nobody may start it")
    return found[-1].parent


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Address of a cluster of its own, which an unprivileged user runs."""
    pytest.importorskip("psycopg")
    programs_in = programs()
    place = Path("/tmp") / f"responder_model_pg_{os.getpid()}"  # noqa: S108
    place.mkdir()
    shutil.chown(place, "nobody")
    port = free_port()

    def as_nobody(program, *words):
        command = ["runuser", "-u", "nobody", "--", str(programs_in / program), *words]
        return subprocess.run(command, check=True, cwd=place, capture_output=True)

    try:
        as_nobody("initdb", "-D", str(place / "data"), "-U", "mlflow", "--auth=trust")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {place}"
        log = str(place / "log")
        started = ["-D", str(place / "data"), "-o", options, "-l", log, "-w", "start"]
        as_nobody("pg_ctl", *started)
        as_nobody(
            "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "mlflow", "runs"
        )
        yield f"postgresql://mlflow:hunter2@127.0.0.1:{port}/runs"
        as_nobody("pg_ctl", "-D", str(place / "data"), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def server(database, tmp_path_factory):
    """Process and address of ``mlflow server --workers 2`` on that database."""
    place = tmp_path_factory.mktemp("server")
    port = free_port()
    mlflow = [sys.executable, "-m", "mlflow"]
    # two workers would both set up an empty database
    subprocess.run(
        [*mlflow, "db", "upgrade", database], check=True, capture_output=True
    )
    words = ["--backend-store-uri", database, "--workers", "2", "--port", str(port)]
    words += ["--host", "127.0.0.1", "--artifacts-destination", str(place / "files")]
    # else it starts seven more processes
    settings = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [*mlflow, "server", *words],
            env=settings,
            cwd=place,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address)
        yield process, address
    finally:
        stop(process)


def wait_for(address):
    until = time.monotonic() + READY
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail("the server was not ready")


def stop(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


def test_a_database_without_a_server_is_refused_before_anything_is_written(
    database, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rm.TrackingError, match="keeps no files") as error:
        check_store(database)
    assert "mlflow server" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_database_without_a_server_keeps_its_files_where_it_was_told(
    database, run, tmp_path, monkeypatch
):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "without a server")
    rm.save_model(published(), tmp_path / "m")
    first = run("track", "m", "--tracking-uri", database, "--artifact-root", "files")
    assert first.exit_code == 0, first.stderr
    assert list((tmp_path / "files").rglob("model.json"))
    # whoever comes later, elsewhere, needs not know the place
    monkeypatch.chdir(tmp_path.parent)
    check_store(database)
    digest = digest_of(rm.load_model(tmp_path / "m"))
    assert find_run(digest, tracking_uri=database)
    assert "hunter2" not in first.output


def test_the_life_of_a_model_on_a_server(server, run, tmp_path, monkeypatch):
    process, uri = server
    monkeypatch.setenv("RESPONDER_MODEL_CACHE_FOLDER", str(tmp_path / "fetched"))
    models = []
    for k, (n, truth) in enumerate(((40, "right"), (300, "wrong"))):
        cohort = rm.simulate_cohort(n_patients=n, seed=n, truth=truth)
        model = rm.develop(cohort, settings=SETTINGS)
        folder = rm.save_model(model, tmp_path / f"m{k}")
        version, is_new = register_folder(folder, tracking_uri=uri, for_simulated=True)
        assert (version.number, is_new) == (k + 1, True)
        models.append(model)
    assert not register_folder(tmp_path / "m0", tracking_uri=uri)[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)

    # two at once, without a lock: one parameter decides
    def try_to(number):
        with opened_registry(uri) as client:
            to = registered(client, NAME).version(number)
        entry = Entry(action="promoted", to=to, by="me", reason="r")
        try:
            return write_promotion(entry, expected=0, uri=uri).to_version
        except rm.ResponderModelError as error:
            return str(error)

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(try_to, (1, 2)))
    (winner,) = [one for one in done if isinstance(one, int)]
    assert read_standing(NAME, uri=uri).number == winner
    new = tmp_path / "new.csv"
    drawn = rm.simulate_cohort(n_patients=250, seed=7, truth="wrong")
    drawn.to_csv(new, index=False)
    if winner == 1:
        asked = ("--cohort", new, "--threshold", "0.3", "--reason", "new centre")
        done = run("promote", f"models:/{NAME}/2", *asked)
        assert done.exit_code == 0, done.output
    assert run("registry", "check").exit_code == 0
    assert run("history", NAME).exit_code == 0
    name = f"models:/{NAME}@champion"
    before = run("predict", name, "--age", "54", "--json")
    assert json.loads(before.stdout)["model_digest"] == digest_of(models[1])

    # it is stopped while a model is developed: saved, said, and logged later
    run_id = find_run(digest_of(models[0]), tracking_uri=uri)
    assert run_id is not None
    stop(process)
    began = time.monotonic()
    after = run("predict", name, "--age", "54", "--json")
    assert time.monotonic() - began < 60
    assert json.loads(after.stdout) == json.loads(before.stdout)
    assert "does not answer" in after.stderr
    refused = run("track", "m0")
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
