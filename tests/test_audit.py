"""The audit trail: what is written, its key, what verification and a recall find."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from audited import KEY, OTHER, WORD, codes, entry, files, judged, written
from responder_model.audit import (
    Trail,
    affected,
    new_key,
    read_key,
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
