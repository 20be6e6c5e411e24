"""What fails or is killed after the work is done costs none of it."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
from importlib import import_module

import pytest

import responder_model as rm
from responder_model.tracking import (
    find_run,
    log_development,
)
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
