"""The record of outputs: what it lets a command replace, and what it does not."""

from __future__ import annotations

import json
import os
import time

import pytest

from responder_model.errors import ResponderModelError
from responder_model.outputs import (
    RECORD,
    Output,
    check_outputs,
    digest_of_path,
    drafted,
    on_record,
    put_files,
)


def output(path, **more):
    return Output(path=path, **{"command": "report", "model": "m", **more})


def write(out, text="ours", **more):
    with drafted(out, **more) as draft:
        (draft if out.kind == "file" else draft / "a" / "page.txt").parent.mkdir(
            exist_ok=True
        )
        (draft if out.kind == "file" else draft / "a" / "page.txt").write_text(text)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_untouched_output_is_replaced(kind, tmp_path):
    out = output(tmp_path / "out", kind=kind)
    write(out)
    write(out, "newer")
    page = tmp_path / "out" if kind == "file" else tmp_path / "out" / "a" / "page.txt"
    assert page.read_text() == "newer"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"command": "score"}, "not on record"),
        ({"model": "other"}, "of another model"),
    ],
)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_was_written_for_something_else_is_refused(kind, change, reason, tmp_path):
    write(output(tmp_path / "out", kind=kind))
    with pytest.raises(ResponderModelError, match=reason):
        check_outputs(output(tmp_path / "out", kind=kind, **change))


def test_a_block_that_fails_leaves_what_was_there(tmp_path):
    out = output(tmp_path / "out.txt")
    write(out)

    def fail():
        with drafted(out) as draft:
            draft.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (tmp_path / "out.txt").read_text() == "ours"
    assert {path.name for path in tmp_path.iterdir()} == {"out.txt", RECORD}


def test_a_run_that_died_between_record_and_file_is_no_clash(tmp_path):
    out = output(tmp_path / "out.txt")
    write(out)
    (tmp_path / "draft").write_text("newer")
    with on_record(out, {"out.txt": digest_of_path(tmp_path / "draft")}):
        check_outputs(out)  # died before the file was replaced
        (tmp_path / "draft").replace(tmp_path / "out.txt")
        check_outputs(out)  # died after it


def test_what_was_never_written_is_on_no_record(tmp_path):
    def fail(name):
        out = output(tmp_path / name)
        with on_record(out, {name: "0" * 64}):
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - whatever the disk says
        fail("first.txt")
    assert list(tmp_path.iterdir()) == []
    write(output(tmp_path / "out.txt"))
    with pytest.raises(OSError):  # noqa: PT011
        fail("second.txt")
    assert list(json.loads((tmp_path / RECORD).read_text())) == ["out.txt"]
    with pytest.raises(OSError):  # noqa: PT011
        fail("out.txt")
    check_outputs(output(tmp_path / "out.txt"))  # what stands there is still ours


@pytest.mark.parametrize("text", ["", "[]", "{", '{"out.txt": 3}', '{"out.txt": {}}'])
def test_a_record_that_is_none_lets_nothing_be_replaced(text, tmp_path):
    out = output(tmp_path / "out.txt")
    write(out)
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(ResponderModelError, match="not on record"):
        check_outputs(out)


def test_a_file_that_came_during_the_work_is_left_alone(tmp_path):
    out = output(tmp_path / "out.txt")
    (tmp_path / "draft").write_text("ours")
    (tmp_path / "out.txt").write_text("somebody's")
    with pytest.raises(ResponderModelError, match=r"out.txt \(not on record"):
        put_files(out, {"out.txt": tmp_path / "draft"})
    assert (tmp_path / "out.txt").read_text() == "somebody's"


def test_a_file_of_somebody_in_our_folder_is_left_alone(tmp_path):
    out = output(tmp_path / "out", kind="folder")
    write(out)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    write(out, "newer")
    with pytest.raises(ResponderModelError, match=r"notes.txt \(not on record"):  # noqa: SIM117
        with drafted(out) as draft:
            (draft / "notes.txt").write_text("ours")
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_a_folder_with_hidden_files_only_counts_as_empty(tmp_path):
    (tmp_path / ".DS_Store").touch()
    check_outputs(output(tmp_path, kind="folder"))


def test_one_place_for_two_outputs_is_refused_whatever_is_asked(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "out")
    one, two = output(tmp_path / "out"), output(tmp_path / "link")
    with pytest.raises(ResponderModelError, match="a place of its own"):
        check_outputs(one, two, overwrite=True)


def test_a_pipe_is_no_file_to_replace(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ResponderModelError, match="an ordinary file"):
        check_outputs(output(tmp_path / "pipe"), overwrite=True)


def test_a_link_in_our_folder_leads_into_no_model(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    for name in ("manifest.json", "model.json"):
        (model / name).write_text("{}")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").symlink_to(model)
    with pytest.raises(ResponderModelError, match="outside every model folder"):
        write(output(tmp_path / "out", kind="folder"), overwrite=True)
    assert len(list(model.iterdir())) == 2


def test_a_manifest_alone_makes_no_model_folder(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    write(output(tmp_path / "out.txt"))


def test_who_may_read_a_file_stays_as_it_was(tmp_path):
    out = output(tmp_path / "out.txt")
    write(out)
    (tmp_path / "out.txt").chmod(0o600)
    write(out, "newer")
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["file", "folder", "model"])
def test_a_folder_that_is_closed_is_told_before_the_work(tmp_path, monkeypatch, kind):
    # root may write everywhere: the system is asked, and answers no
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ResponderModelError, match="where you may write"):
        check_outputs(output(tmp_path / "out.txt", kind=kind))


def test_drafts_of_the_dead_are_swept_up(tmp_path):
    for name, age in (("old", 7200), ("young", 0)):
        draft = tmp_path / f".out.txt.{name}.partial"
        draft.mkdir()
        os.utime(draft, (time.time() - age, time.time() - age))
    write(output(tmp_path / "out.txt"))
    assert [p.name for p in tmp_path.glob(".*.partial")] == [".out.txt.young.partial"]


def test_the_record_forgets_what_is_gone_and_names_no_patient(tmp_path):
    write(output(tmp_path / "one.txt"), "a patient")
    (tmp_path / "one.txt").unlink()
    write(output(tmp_path / "two.txt"), "a patient")
    record = json.loads((tmp_path / RECORD).read_text())
    assert set(record) == {"two.txt"}
    assert set(record["two.txt"]) == {"command", "model", "sha256"}
    assert "patient" not in (tmp_path / RECORD).read_text()
