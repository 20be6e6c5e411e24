"""A run that is stopped, killed or crowded out goes on where it was."""

from __future__ import annotations

import errno
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import responder_model as rm
from patience import PATIENCE
from responder_model.cohort import write_cohort
from responder_model.errors import ResponderModelError
from responder_model.outputs import RECORD
from responder_model.scoring import score_file
from scored import (
    N,
    assert_same_scores,
    cohort,
    model,
    parquet,
    small_parts,
    spoil,
)

# ---------------------------------------------------------------- interruptions


class StoppedError(Exception):
    """What stands for an interruption inside this process."""


def stop_after(n_parts):
    told = []

    def announce(progress):
        told.append(progress)
        if len(told) == n_parts:
            raise StoppedError

    return announce


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_an_interrupted_run_goes_on_where_it_was(
    kind, model, cohort, tmp_path, small_parts
):
    path, out = tmp_path / f"patients.{kind}", tmp_path / "scores.csv"
    write_cohort(cohort, path)
    with pytest.raises(StoppedError):
        score_file(model, path, out, announce=stop_after(3))
    assert not out.exists()
    told = []
    scored = score_file(model, path, out, announce=told.append)
    assert scored.n_resumed == 3
    assert told[-1].n_patients < N
    assert_same_scores(pd.read_csv(out), model.predict_cohort(cohort))
    assert sorted(f.name for f in tmp_path.iterdir()) == [RECORD, path.name, out.name]


@pytest.mark.parametrize("change", ["input", "model", "options"])
def test_parts_of_another_run_are_not_gone_on_with(
    change, model, cohort, parquet, small_parts
):
    out = parquet.with_name("scores.csv")
    with pytest.raises(StoppedError):
        score_file(model, parquet, out, announce=stop_after(3))
    if change == "input":
        spoil(parquet, lambda frame: frame.loc.__setitem__((0, "age"), 51.0))
    if change == "model":
        model = rm.published_model("rtms_response", "session_1")
    scored = score_file(model, parquet, out, contributions=change == "options")
    assert scored.n_resumed == 0
    assert scored.n_patients == N


def test_a_folder_among_the_parts_of_another_version_is_thrown_away(model, parquet):
    out = parquet.with_name("scores.csv")
    (parquet.parent / ".scores.csv.parts" / "model").mkdir(parents=True)
    assert score_file(model, parquet, out).n_patients == N


@contextmanager
def limited_file_size():
    """Give a function that makes the disk take no more; then as before."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda _: resource.setrlimit(resource.RLIMIT_FSIZE, (99, limits[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_a_disk_that_takes_no_more_is_named_and_the_run_goes_on(
    n_jobs, model, cohort, parquet, small_parts
):
    out = parquet.with_name("scores.csv")
    with (
        pytest.raises(ResponderModelError, match=r"scores.csv could not be written"),
        limited_file_size() as full,
    ):
        score_file(model, parquet, out, n_jobs=n_jobs, announce=full)
    assert score_file(model, parquet, out).n_resumed >= 1
    assert_same_scores(pd.read_csv(out), model.predict_cohort(cohort))


def test_a_damaged_part_is_scored_again(model, cohort, parquet, small_parts):
    out = parquet.with_name("scores.csv")
    with pytest.raises(StoppedError):
        score_file(model, parquet, out, announce=stop_after(3))
    part = sorted(parquet.parent.glob(".scores.csv.parts/*.arrow"))[1]
    part.write_bytes(part.read_bytes()[:100])
    assert score_file(model, parquet, out).n_resumed == 2
    assert_same_scores(pd.read_csv(out), model.predict_cohort(cohort))


def test_an_older_result_stays_until_the_new_one_is_whole(model, parquet, small_parts):
    out = parquet.with_name("scores.csv")
    score_file(model, parquet, out)
    older = out.read_bytes()
    spoil(parquet, lambda frame: frame.loc.__setitem__((0, "age"), 51.0))
    with pytest.raises(StoppedError):
        score_file(model, parquet, out, announce=stop_after(3))
    assert out.read_bytes() == older
    assert score_file(model, parquet, out).n_resumed == 3
    assert out.read_bytes() != older


def test_two_runs_do_not_write_the_same_result(model, parquet, small_parts):
    out = parquet.with_name("scores.csv")

    def second(_):
        score_file(model, parquet, out)

    with pytest.raises(ResponderModelError, match="written by another process"):
        score_file(model, parquet, out, announce=second)


def test_a_disk_without_locks_is_written_all_the_same(model, parquet, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert score_file(model, parquet, parquet.with_name("s.csv")).n_patients == N


# ---------------------------------------------------------------- real processes

COMMAND = (str(Path(sys.executable).with_name("responder-model")), "score")


@pytest.fixture(scope="module")
def long_file(tmp_path_factory, cohort):
    """Enough rows for several processes and some seconds."""
    path = tmp_path_factory.mktemp("long") / "patients.parquet"
    repeated = cohort.assign(provenance="simulated").iloc[np.arange(300_000) % N]
    repeated = repeated.assign(patient_id=[f"P{k}" for k in range(len(repeated))])
    repeated.to_parquet(path, index=False)
    return path


def start(path, out, *more):
    arguments = ["rtms_response@session_2", str(path), "--out", str(out), "--jobs", "2"]
    return subprocess.Popen(
        [*COMMAND, *arguments, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def kill_and_resume(model, path, out, n_kills, seed):
    """Kill a run at random moments, then let it end; return how much was resumed."""
    rng = random.Random(seed)
    parts = out.with_name(f".{out.name}.parts")
    for _ in range(n_kills):
        n_before = len(list(parts.glob("*.arrow")))
        running = start(path, out)
        wait_for(
            lambda n=n_before, run=running: (
                len(list(parts.glob("*.arrow"))) > n or run.poll() is not None
            )
        )
        time.sleep(rng.uniform(0.0, 0.5))
        running.kill()
        running.communicate()
        if running.returncode == 0:
            return None
        if out.exists():  # killed after it had put the whole result in place
            rows = pq.read_metadata(path).num_rows
            assert pq.read_metadata(out).num_rows == rows
            score_file(model, path, out)
            return None
    return score_file(model, path, out)


def test_a_killed_run_leaves_nothing_and_goes_on(model, long_file, cohort, tmp_path):
    out = tmp_path / "scores.parquet"
    scored = kill_and_resume(model, long_file, out, n_kills=2, seed=1)
    assert scored is None or scored.n_resumed > 0
    scores = pd.read_parquet(out)
    assert scores["row"].tolist() == list(range(2, 300_002))
    expected = model.predict_cohort(cohort)["probability"].to_numpy()
    np.testing.assert_allclose(
        scores["probability"], expected[np.arange(300_000) % N], rtol=0, atol=1e-12
    )
    assert {found.name for found in tmp_path.iterdir()} == {"scores.parquet", RECORD}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_runs_killed_again_and_again_go_on(seed, model, long_file, tmp_path):
    out = tmp_path / "scores.parquet"
    kill_and_resume(model, long_file, out, n_kills=3, seed=seed)
    scores = pd.read_parquet(out)
    assert scores["row"].tolist() == list(range(2, 300_002))
    assert scores["patient_id"].is_unique


MEMORY = """
import sys, threading, time
import responder_model as rm
from responder_model.scoring import score_file
from pathlib import Path

highest = [0]
def watch():
    while True:
        text = Path("/proc/self/smaps_rollup").read_text()
        highest[0] = max(highest[0], int(text.split("Pss:")[1].split()[0]) * 1024)
        time.sleep(0.1)

if __name__ == "__main__":
    model = rm.published_model("rtms_response", "session_2")
    out = sys.argv[3]
    threading.Thread(target=watch, daemon=True).start()
    score_file(model, sys.argv[1], Path(out) / "small.parquet", n_jobs=2)
    small, highest[0] = highest[0], 0
    scored = score_file(model, sys.argv[2], Path(out) / "large.parquet", n_jobs=2)
    print(scored.n_patients, small, highest[0])
"""


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_ten_million_rows_stay_within_a_gibibyte(cohort, long_file, tmp_path):
    """Above what a small run with the same libraries takes."""
    table = pq.read_table(long_file)
    large = tmp_path / "large_input.parquet"
    with pq.ParquetWriter(large, table.schema) as writer:
        for k in range(34):
            names = table.schema.get_field_index("patient_id")
            ids = [f"P{k}-{i}" for i in range(len(table))]
            renamed = table.set_column(names, "patient_id", [ids])
            writer.write_table(renamed.cast(table.schema))
    script = tmp_path / "memory.py"
    script.write_text(MEMORY)
    small = tmp_path / "small_input.parquet"
    pq.write_table(table.slice(0, 140_000), small)
    command = [sys.executable, str(script), str(small), str(large), str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    n_patients, low, high = map(int, done.stdout.split())
    assert n_patients == 34 * 300_000
    assert high - low < 2**30
