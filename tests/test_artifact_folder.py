"""A model folder is the old one or the new one, never half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from patience import PATIENCE
from responder_model.artifact import folder as folder_module
from responder_model.artifact import load_model, read_manifest, save_model
from responder_model.artifact.folder import (
    exchange,
    put_in_place,
    read_folder,
    replace_in_two_steps,
    write_folder,
)
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.model.example import example_model


def test_replacement_in_two_steps_is_recovered_after_a_kill(tmp_path: Path) -> None:
    old, new = tmp_path / "model", tmp_path / "new"
    first, second, third = (example_model(seed=seed) for seed in (1, 2, 3))
    save_model(first, old)
    save_model(second, new)
    # killed between the two renames: the folder is away
    old.rename(tmp_path / ".model.previous")
    assert load_model(old).predict({"age": 54}) == first.predict({"age": 54})
    save_model(third, old)
    assert not (tmp_path / ".model.previous").exists()
    assert load_model(old).predict({"age": 54}) == third.predict({"age": 54})
    replace_in_two_steps(new, old)
    assert load_model(old).predict({"age": 54}) == second.predict({"age": 54})
    assert not new.exists()


def test_names_are_exchanged_in_one_step(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this system cannot exchange two names")
    assert (tmp_path / "a" / "b").exists()
    assert (tmp_path / "b" / "a").exists()
    with pytest.raises(OSError, match="No such file"):
        exchange(tmp_path / "a", tmp_path / "absent")


def test_failed_write_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(example_model(seed=1), tmp_path / "model")

    def fail(*args: object) -> None:
        msg = "disk full"
        raise OSError(msg)

    monkeypatch.setattr(folder_module, "_write_file", fail)
    with pytest.raises(ResponderModelError, match="can be written: disk full"):
        save_model(example_model(seed=2), tmp_path / "model")
    monkeypatch.undo()
    load_model(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_old_leftovers_are_swept_up(tmp_path: Path) -> None:
    old, young = tmp_path / ".model.x.partial", tmp_path / ".model.y.partial"
    for path in (old, young):
        path.mkdir()
    (tmp_path / ".model.z.partial").touch()
    long_ago = time.time() - 7200
    for path in (old, tmp_path / ".model.z.partial"):
        os.utime(path, (long_ago, long_ago))
    save_model(example_model(), tmp_path / "model")
    assert not old.exists()
    assert not (tmp_path / ".model.z.partial").exists()
    assert young.exists()


def test_leftovers_of_another_folder_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / ".model1.x.partial"
    other.mkdir()
    long_ago = time.time() - 7200
    os.utime(other, (long_ago, long_ago))
    save_model(example_model(), tmp_path / "model[1-9]")
    assert other.exists()


def test_write_folder_deletes_no_file_that_is_not_a_models(tmp_path: Path) -> None:
    """A folder of somebody else's may well hold a manifest.json."""
    for name in ("manifest.json", "thesis.txt"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(ResponderModelError, match="must be new, empty or a model"):
        save_model(example_model(), tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["file/model", "x" * 300, "a\0b"])
def test_write_folder_refuses_a_place_that_cannot_be_written(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResponderModelError, match="must be one that can be written"):
        save_model(example_model(), tmp_path / name)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "loop", "file/model"])
def test_read_folder_refuses_a_name_that_cannot_be_read(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    with pytest.raises(UntrustedModelError, match="exists and can be read"):
        load_model(tmp_path / name)


def test_read_folder_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    code = "import sys, responder_model as rm; rm.load_model(sys.argv[1])"
    command = [sys.executable, "-c", code, str(tmp_path / "pipe")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert "UntrustedModelError: model folder must be a folder" in done.stderr


def test_folder_that_appears_while_saving_is_replaced(tmp_path: Path) -> None:
    for name in ("new", "model"):
        write_folder({"manifest.json": name.encode()}, tmp_path / name)
    put_in_place(tmp_path / "new", tmp_path / "model")
    assert read_folder(tmp_path / "model") == {"manifest.json": b"new"}


SAVER = """
import sys
from pathlib import Path
from responder_model.artifact import save_model
from responder_model.model.example import example_model
models = [example_model(seed=1), example_model(seed=2)]
print("ready", flush=True)
for i in range(10_000):
    save_model(models[i % 2], Path(sys.argv[1]))
"""


def kill_while_saving(folder: Path, seconds: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SAVER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def check_kills(tmp_path: Path, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = {
        read_manifest(save_model(example_model(seed=s), tmp_path / f"whole{s}")).digest
        for s in (1, 2)
    }
    found = set()
    save_model(example_model(seed=1), tmp_path / "model")
    for i in range(n):
        # every other folder is new: then there may be none, but never half
        name = "model" if i % 2 else f"new{i}"
        kill_while_saving(tmp_path / name, float(rng.uniform(0.0, 0.2)))
        if (tmp_path / name).exists():
            load_model(tmp_path / name)
            found.add(read_manifest(tmp_path / name).digest)
        else:
            assert name != "model"
    assert found <= whole


def test_kill_during_save_leaves_the_old_folder_or_the_new(tmp_path: Path) -> None:
    check_kills(tmp_path, 6, 0)


@pytest.mark.long
def test_200_kills_during_save_leave_the_old_folder_or_the_new(tmp_path: Path) -> None:
    check_kills(tmp_path, 200, 1)


def test_reading_while_another_process_replaces_gives_one_or_the_other(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "model"
    save_model(example_model(seed=1), folder)
    process = subprocess.Popen([sys.executable, "-c", SAVER, str(folder)])
    try:
        end = time.monotonic() + 1.5
        digests = set()
        while time.monotonic() < end:
            digests.add(read_manifest(folder).digest)
    finally:
        process.kill()
        process.wait()
    assert 1 <= len(digests) <= 2
