"""An audit trail under random edits, kills, and losses of power or room."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from audited import KEY, OTHER, entry, files, judged, written
from responder_model.audit import (
    Trail,
    verify_trail,
)
from responder_model.audit.head import HEAD
from responder_model.errors import ResponderModelError


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("audit") / "trail")


@pytest.fixture
def trail(whole, tmp_path) -> Path:
    return shutil.copytree(whole, tmp_path / "trail")


# ---------------------------------------------------------------- random edits


def any_byte(rng, folder):
    path = rng.choice(filled(folder))
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    data[at] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def bytes_put_in(rng, folder):
    path = rng.choice(filled(folder))
    data = path.read_bytes()
    # what is put after the last line is told from a torn line by its beginning
    at = rng.randrange(len(data) + 1)
    path.write_bytes(data[:at] + rng.choice((b" ", b"x", b"\n", b"0")) + data[at:])


def bytes_taken(rng, folder):
    path = rng.choice(filled(folder))
    data = path.read_bytes()
    at, n = rng.randrange(len(data)), rng.randint(1, 200)
    path.write_bytes(data[:at] + data[at + n :])


def line_taken(rng, folder):
    path = rng.choice(files(folder))
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    path.write_bytes(b"".join(lines))


def line_copied(rng, folder):
    path = rng.choice(files(folder))
    lines = path.read_bytes().splitlines(keepends=True)
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    path.write_bytes(b"".join(lines))


def lines_shuffled(rng, folder):
    path = rng.choice([p for p in files(folder) if p.read_bytes().count(b"\n") > 1])
    lines = path.read_bytes().splitlines(keepends=True)
    before = list(lines)
    while lines == before:
        rng.shuffle(lines)
    path.write_bytes(b"".join(lines))


def cut_at_the_end(rng, folder):
    path = files(folder)[-1]
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data))])


def file_taken(rng, folder):
    rng.choice(filled(folder)).unlink()


def files_exchanged(rng, folder):
    one, two = rng.sample(filled(folder), 2)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def value_rewritten(rng, folder):
    """An edit that leaves a well-formed line, as an insider would make it."""
    path = rng.choice(files(folder))
    lines = path.read_bytes().splitlines(keepends=True)
    at = rng.randrange(len(lines))
    lines[at] = lines[at].replace(b'"probability":0.0', b'"probability":0.9')
    path.write_bytes(b"".join(lines))


def line_forged(rng, folder):
    """A line of another key, well-formed, put in or added at the end."""
    from responder_model.audit.entry import seal_line

    path = rng.choice(files(folder))
    lines = path.read_bytes().splitlines(keepends=True)
    at = rng.randrange(len(lines) + 1)
    n = rng.randint(1, 9)
    lines.insert(at, seal_line(OTHER, n, "0" * 64, entry(n).to_dict(OTHER))[0])
    path.write_bytes(b"".join(lines))


def filled(folder: Path) -> list[Path]:
    return [path for path in (*files(folder), folder / HEAD) if path.stat().st_size]


EDITS: tuple[Callable[[random.Random, Path], None], ...] = (
    any_byte,
    bytes_put_in,
    bytes_taken,
    line_taken,
    line_copied,
    lines_shuffled,
    cut_at_the_end,
    file_taken,
    files_exchanged,
    value_rewritten,
    line_forged,
)


def edited_and_not_found(whole, tmp_path, n_edits: int) -> list[tuple[str, int]]:
    missed = []
    for seed in range(n_edits):
        rng = random.Random(seed)
        folder = shutil.copytree(whole, tmp_path / "edited")
        edit = rng.choice(EDITS)
        edit(rng, folder)
        if verify_trail(folder, KEY).state != "broken":
            missed.append((edit.__name__, seed))
        shutil.rmtree(folder)
    return missed


def untouched_and_accused(tmp_path, n_trails: int) -> list[int]:
    accused = []
    for seed in range(n_trails):
        rng = random.Random(seed)
        sizes = [rng.randint(1, 6) for _ in range(rng.randint(0, 6))]
        folder = written(tmp_path / str(seed), sizes, full=rng.choice((1, 1500, 10**6)))
        found = verify_trail(folder, KEY)
        if (found.state, found.n_answers, found.notes) != ("whole", sum(sizes), ()):
            accused.append(seed)
    return accused


def test_verify_trail_finds_random_edits(whole, tmp_path):
    assert edited_and_not_found(whole, tmp_path, 150) == []


def test_verify_trail_accuses_no_untouched_trail(tmp_path):
    assert untouched_and_accused(tmp_path, 5) == []


@pytest.mark.long
def test_verify_trail_finds_1000_random_edits(whole, tmp_path):
    assert edited_and_not_found(whole, tmp_path, 1000) == []


@pytest.mark.long
def test_verify_trail_accuses_none_of_200_untouched_trails(tmp_path):
    assert untouched_and_accused(tmp_path, 200) == []


# ---------------------------------------------------------------- killed, full, begun


def killed(folder: Path, *, behind: int, torn: int) -> Path:
    """A trail with lines behind its head, and the beginning of another."""
    trail = Trail(folder, KEY)
    trail.append([entry(1), entry(2)])
    head = (folder / HEAD).read_bytes()
    path = folder / "000001.jsonl"
    trail.append([entry(k) for k in range(3, 3 + behind + 1)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: 2 + behind]) + lines[2 + behind][:torn])
    (folder / HEAD).write_bytes(head)
    return folder


@pytest.mark.parametrize(("behind", "torn"), [(1, 0), (3, 0), (0, 5), (0, 60), (2, 99)])
def test_a_killed_process_is_told_as_interrupted(tmp_path, behind, torn):
    folder = killed(tmp_path / "t", behind=behind, torn=torn)
    found = verify_trail(folder, KEY)
    assert (found.state, found.faults) == ("interrupted", ())
    assert found.n_answers == 2 + behind
    said = [note.code for note in found.notes]
    assert said == ["audit.behind"] * (behind > 0) + ["audit.torn"] * (torn > 0)


@pytest.mark.parametrize(("behind", "torn"), [(1, 0), (0, 5), (2, 99)])
def test_the_next_server_goes_on_after_a_kill_and_says_so(tmp_path, behind, torn):
    folder = killed(tmp_path / "t", behind=behind, torn=torn)
    Trail(folder, KEY).append([entry(9)])
    found = verify_trail(folder, KEY)
    assert (found.state, found.n_answers) == ("whole", 3 + behind)
    assert [note.code for note in found.notes] == ["audit.interruptions"]


def test_what_is_put_behind_the_head_is_no_interruption(tmp_path):
    folder = killed(tmp_path / "t", behind=0, torn=0)
    path = folder / "000001.jsonl"
    data = path.read_bytes()
    for added in (b"# a note", b"\n", b"{}\n", data.splitlines(keepends=True)[0]):
        path.write_bytes(data + added)
        assert judged(folder)[0] == "broken"
        with pytest.raises(ResponderModelError, match="cannot be continued"):
            Trail(folder, KEY)
        assert path.read_bytes() == data + added


class Disk:
    """What a loss of power leaves of a folder: what was flushed, and no more.

    Bytes of a file are safe when it is flushed. Names are safe at once, or, on a disk
    that is ``lazy``, when the folder is flushed.
    """

    def __init__(self, folder: Path, *, lazy: bool) -> None:
        self.folder, self.lazy = folder, lazy
        self.bytes: dict[int, bytes] = {}
        self.names: dict[str, int] = {}
        self.states: list[dict[str, bytes]] = []
        self.held: list[int] = []

    def flush(self, place: int) -> None:
        told = os.fstat(place)
        if stat.S_ISDIR(told.st_mode):
            self.names = {path.name: path.stat().st_ino for path in files_in(self)}
        else:
            # held, so that no other file gets its number
            self.held.append(os.dup(place))
            path = Path(f"/proc/self/fd/{place}")
            self.bytes[told.st_ino] = path.read_bytes()
        self.keep()

    def keep(self) -> None:
        if not self.lazy:
            self.names = {path.name: path.stat().st_ino for path in files_in(self)}
        state = {name: self.bytes.get(at, b"") for name, at in self.names.items()}
        self.states.append(state)


def files_in(disk: Disk) -> list[Path]:
    return list(disk.folder.iterdir())


@pytest.mark.parametrize("lazy", [False, True])
def test_a_loss_of_power_at_any_moment_takes_no_answer_that_left(
    tmp_path, monkeypatch, lazy
):
    disk = Disk(tmp_path / "trail", lazy=lazy)
    monkeypatch.setattr(os, "fsync", disk.flush)
    replace = Path.replace

    def replaced(self: Path, target: Path) -> Path:
        found = replace(self, target)
        disk.keep()
        return found

    monkeypatch.setattr(Path, "replace", replaced)
    trail = Trail(disk.folder, KEY, full=1000)
    begun, left = len(disk.states), []
    for k in range(3):
        trail.append([entry(2 * k), entry(2 * k + 1)])
        left.append((len(disk.states), 2 * k + 2))
    monkeypatch.undo()
    for place in disk.held:
        os.close(place)
    assert len(files(disk.folder)) > 1
    for k, state in enumerate(disk.states, 1):
        folder = tmp_path / f"after-{k}"
        folder.mkdir()
        for name, data in state.items():
            (folder / name).write_bytes(data)
        n_left = max((n for at, n in left if at <= k), default=0)
        if k >= begun:
            found = verify_trail(folder, KEY)
            assert found.state in ("whole", "interrupted"), found.faults
            assert found.n_answers >= n_left
        Trail(folder, KEY, full=1000).append([entry(99)])
        assert verify_trail(folder, KEY).n_answers > n_left


def test_trail_refuses_a_folder_that_it_cannot_continue(trail, tmp_path):
    with pytest.raises(ResponderModelError, match="not written with this key"):
        Trail(trail, OTHER)
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ResponderModelError, match="head.json is missing"):
        Trail(other, KEY)
    last = files(trail)[-1]
    last.write_bytes(last.read_bytes()[:-1])
    with pytest.raises(ResponderModelError, match="missing at its end"):
        Trail(trail, KEY)


@pytest.mark.parametrize("refused", ["write", "fsync"])
def test_a_full_disk_leaves_the_trail_as_it_was(trail, monkeypatch, refused):
    going_on = Trail(trail, KEY, full=10**6)
    before = {path.name: path.read_bytes() for path in files(trail)}
    asked = getattr(os, refused)

    def full(place, *data):
        if refused == "write" and len(data[0]) > 100:
            return asked(place, data[0][:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, refused, full)
    with pytest.raises(OSError, match="No space"):
        going_on.append([entry(1)])
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in files(trail)} == before
    going_on.append([entry(1)])
    assert verify_trail(trail, KEY).state == "whole"


# ---------------------------------------------------------------- killed, really


def kills(folder: Path, rounds: int) -> dict:
    """Kill so many pairs of writers with -9 while they write; what was found."""
    script = Path(__file__).with_name("audit_kills.py")
    command = [sys.executable, str(script), str(folder), str(rounds), "16"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def check_kills(found: dict, rounds: int) -> None:
    """No answer that left is missing, and no kill is called tampering."""
    assert found["lost"] == 0
    assert set(found["states"]) <= {"whole", "interrupted"}
    assert sum(found["states"].values()) == rounds
    # half of the rounds wait for an answer, or nothing was tried
    assert found["given"] >= rounds / 4


def test_killed_writers_lose_no_answer_that_left(tmp_path):
    check_kills(kills(tmp_path / "t", 10), 10)


@pytest.mark.long
def test_200_killed_writers_lose_no_answer_that_left(tmp_path):
    found = kills(tmp_path / "t", 200)
    check_kills(found, 200)
    # some kills came between the lines and the head
    assert found["states"]["interrupted"] > 0
