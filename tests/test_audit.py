"""The audit trail: what verify finds, what a killed process costs, who may read."""

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

from responder_model.audit import (
    AuditKey,
    Entry,
    Judgement,
    Trail,
    affected,
    new_key,
    read_key,
    verify_trail,
)
from responder_model.audit.head import HEAD
from responder_model.errors import ResponderModelError

KEY = AuditKey(secret=bytes(range(32)))
OTHER = AuditKey(secret=bytes(range(1, 33)))
WORD = "zq7canary"


def entry(k: int, **more: object) -> Entry:
    parts = {
        "request": f"{k:032x}",
        "decision": "rtms_response@screening",
        "model": "a" * 64,
        "input": {"patient": {"age": 54.0, "centre": WORD}},
        "output": {"probability": k / 1000},
    }
    return Entry(**{**parts, **more})


def written(folder: Path, sizes=(3, 1, 4), *, full: int = 1000) -> Path:
    """A trail of groups of these sizes, over several files."""
    trail, k = Trail(folder, KEY, full=full), 0
    for size in sizes:
        trail.append([entry(k + j) for j in range(size)])
        k += size
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("audit") / "trail")


@pytest.fixture
def trail(whole, tmp_path) -> Path:
    return shutil.copytree(whole, tmp_path / "trail")


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def codes(found: Judgement) -> list[str]:
    return [note.code.partition(".")[2] for note in found.faults]


def judged(folder: Path, key: AuditKey = KEY) -> tuple[str, list[str]]:
    found = verify_trail(folder, key)
    return found.state, codes(found)


# ---------------------------------------------------------------- what is written


def test_verify_trail_finds_an_untouched_trail_whole(whole):
    found = verify_trail(whole, KEY)
    assert (found.state, found.n_lines, found.n_answers) == ("whole", 8, 8)
    assert found.faults == found.notes == ()
    assert len(files(whole)) > 1


def test_a_line_holds_no_value_of_the_patient(whole):
    text = b"".join(path.read_bytes() for path in whole.iterdir())
    assert WORD.encode() not in text
    assert b"age" not in text


def test_the_same_patient_has_the_same_code_under_a_key_and_another_under_another():
    one, two = entry(1).to_dict(KEY), entry(2).to_dict(KEY)
    assert one["input"] == two["input"]
    assert one["input"] != entry(1).to_dict(OTHER)["input"]
    other = entry(1, input={"patient": {"age": 55.0}}).to_dict(KEY)
    assert one["input"] != other["input"]


def test_files_belong_to_their_owner_alone(whole):
    assert all(path.stat().st_mode & 0o077 == 0 for path in whole.iterdir())


def test_two_processes_write_one_chain(tmp_path):
    one, two = Trail(tmp_path / "t", KEY), Trail(tmp_path / "t", KEY)
    for k in range(6):
        (one, two)[k % 2].append([entry(k)])
    assert verify_trail(tmp_path / "t", KEY).n_answers == 6


# ---------------------------------------------------------------- the key


def test_new_key_is_its_owners_alone_and_never_written_over(tmp_path):
    path = tmp_path / "audit.key"
    made = new_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path) == made
    assert made.secret.hex() not in repr(made)
    with pytest.raises(ResponderModelError, match="exists"):
        new_key(path)
    assert read_key(path) == made


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_read_key_refuses_a_file_that_others_may_use(tmp_path, mode):
    path = tmp_path / "audit.key"
    new_key(path)
    path.chmod(mode)
    with pytest.raises(ResponderModelError, match="chmod 600"):
        read_key(path)


@pytest.mark.parametrize("text", ["", "ab" * 31, "ab" * 33, "zz" * 32, "é" * 64])
def test_read_key_refuses_a_key_of_another_length(tmp_path, text):
    path = tmp_path / "audit.key"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(ResponderModelError, match="64 hexadecimal digits"):
        read_key(path)


# ---------------------------------------------------------------- what verify finds


def test_verify_trail_names_the_line_that_was_edited(trail):
    path = files(trail)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"0.001", b"0.901")
    path.write_bytes(b"".join(lines))
    found = verify_trail(trail, KEY)
    assert codes(found) == ["changed"]
    assert dict(found.faults[0].values) == {"file": "000001.jsonl", "line": 2}
    assert found.n_answers == 7


def test_verify_trail_finds_lines_that_were_removed_moved_or_added(trail):
    path = files(trail)[0]
    first, second, third = path.read_bytes().splitlines(keepends=True)
    for lines in (
        [first, third],
        [second, first, third],
        [first, second, second, third],
        [first, third, second],
    ):
        path.write_bytes(b"".join(lines))
        state, found = judged(trail)
        assert state == "broken"
        assert set(found) == {"out_of_place"}


def test_verify_trail_finds_a_chain_that_was_made_anew_without_the_key(trail):
    other = trail.parent / "other"
    made = Trail(other, OTHER, full=1000)
    made.append([entry(k) for k in range(8)])
    shutil.copy(other / "000001.jsonl", trail / "000001.jsonl")
    assert judged(trail)[0] == "broken"


def test_verify_trail_finds_what_is_missing_at_the_end(trail):
    last = files(trail)[-1]
    lines = last.read_bytes().splitlines(keepends=True)
    last.write_bytes(b"".join(lines[:-1]))
    assert judged(trail) == ("broken", ["cut_off"])
    last.write_bytes(b"".join(lines)[:-5])
    assert judged(trail) == ("broken", ["cut_off"])
    last.unlink()
    assert judged(trail) == ("broken", ["last_file_missing", "cut_off"])


def test_verify_trail_finds_a_file_that_is_missing_or_one_too_many(trail):
    first, second, *_ = files(trail)
    shutil.copy(first, trail / "000009.jsonl")
    assert judged(trail)[0] == "broken"
    (trail / "000009.jsonl").unlink()
    first.unlink()
    assert "file_missing" in judged(trail)[1]


def test_verify_trail_finds_another_head(trail):
    head = trail / HEAD
    data = head.read_bytes()
    head.write_bytes(data.replace(b'"count":8', b'"count":7'))
    assert judged(trail) == ("broken", ["head_not_ours"])
    head.unlink()
    assert judged(trail) == ("broken", ["head_missing"])


def test_verify_trail_finds_another_key(trail):
    assert judged(trail, OTHER) == ("broken", ["other_key"])


def test_verify_trail_finds_an_older_copy_by_a_head_that_was_kept(trail, tmp_path):
    older = shutil.copytree(trail, tmp_path / "older")
    Trail(trail, KEY, full=1000).append([entry(99)])
    kept = shutil.copy(trail / HEAD, tmp_path / "kept.json")
    assert verify_trail(trail, KEY, earlier=kept).state == "whole"
    assert judged(older) == ("whole", [])
    found = verify_trail(older, KEY, earlier=kept)
    assert (found.state, codes(found)) == ("broken", ["not_continued"])
    with pytest.raises(ResponderModelError, match="copy"):
        verify_trail(trail, OTHER, earlier=kept)


def test_verify_trail_says_that_the_clock_went_back(tmp_path, monkeypatch):
    from responder_model.audit import trail as module

    class Clock(module.datetime):
        hours = iter((10, 9, 11))

        @classmethod
        def now(cls, tz=None):
            return cls(2026, 5, 3, next(cls.hours), tzinfo=tz)

    monkeypatch.setattr(module, "datetime", Clock)
    written(tmp_path / "t", (1, 1, 1))
    found = verify_trail(tmp_path / "t", KEY)
    assert found.state == "whole"
    assert [note.code for note in found.notes] == ["audit.clock"]


def test_verify_trail_refuses_a_folder_of_other_things(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ResponderModelError, match="holds no audit trail"):
            verify_trail(folder, KEY)


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


# ---------------------------------------------------------------- after a recall


def test_affected_lists_the_answers_of_a_model_and_of_a_table_of_codes(tmp_path):
    trail = Trail(tmp_path / "t", KEY)
    trail.append([entry(1), entry(2, model="b" * 64, mapping="v1")])
    trail.append([entry(3, also=("b" * 64,)), entry(3, mapping="v1")])
    folder = tmp_path / "t"
    found = affected(folder, model=f"sha256:{'b' * 64}")
    assert [row["n"] for row in found.rows] == [2, 3]
    assert found.requests == (f"{2:032x}", f"{3:032x}")
    assert found.models == {"a" * 64: 3, "b" * 64: 2}
    assert [row["n"] for row in affected(folder, mapping="v1").rows] == [2, 4]
    both = affected(folder, model="b" * 64, mapping="v1")
    assert [row["n"] for row in both.rows] == [2]
    nobody = affected(folder, model="c" * 64)
    assert (nobody.rows, nobody.n_answers) == ((), 4)


@pytest.mark.parametrize(
    "edit",
    [
        (b'"time":"2', b'"time":"x'),
        (b'"request":"', b'"request":["'),
        (b'"model":"a', b'"model":7,"x":"'),
        (b'{"n"', b'["n"'),
    ],
)
def test_affected_counts_lines_that_nobody_can_read(trail, edit):
    path = files(trail)[0]
    path.write_bytes(path.read_bytes().replace(*edit, 1))
    found = affected(trail, model="a" * 64)
    assert (len(found.rows), found.n_unreadable) == (7, 1)


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
