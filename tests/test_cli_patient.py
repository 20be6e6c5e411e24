"""One patient on the command line: what is read, from where, and what is refused."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app

TARGET = "rtms_response@screening"


def run(*arguments, stdin=None):
    return CliRunner().invoke(app, [str(part) for part in arguments], stdin)


def probability(done):
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)["probability"]


def expected(patient):
    return rm.published_model("rtms_response", "screening").predict(patient).probability


@pytest.mark.parametrize("command", ["predict", "explain", "pathway"])
def test_a_key_that_stands_twice_in_the_json_is_refused(command):
    target = [] if command == "pathway" else [TARGET]
    text = '{"depression": 3, "depression": 18}'
    done = run(command, *target, "--input", "-", stdin=text)
    assert done.exit_code == 1
    assert done.stderr == "error: Depression (HADS-D) must be given once only.\n"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
def test_json_of_a_windows_editor_is_read(tmp_path, mark):
    data = (
        mark + json.dumps({"Étiologie": "AVC ischémique"}, ensure_ascii=False).encode()
    )
    (tmp_path / "patient.json").write_bytes(data)
    due = expected({"aetiology": "ischaemic_stroke"})
    from_file = run("predict", TARGET, "--json", "--input", tmp_path / "patient.json")
    from_stdin = run("predict", TARGET, "--json", "--input", "-", stdin=data)
    assert probability(from_file) == probability(from_stdin) == due


def test_an_option_overrides_the_json_under_any_name():
    text = json.dumps({"Dépression (HADS-D)": 3, "opioid": True})
    done = run(
        *("predict", TARGET, "--json", "--input", "-", "--depression", "18"), stdin=text
    )
    assert probability(done) == expected({"depression": 18, "opioid": True})


def test_explain_draws_a_patient_of_whom_nothing_is_known(tmp_path):
    done = run("explain", TARGET, "--json", "--figure", tmp_path / "why.png")
    assert probability(done) == expected({})
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_that_cannot_be_written_is_refused(tmp_path):
    for name, message in (
        (
            "absent/why.png",
            "--figure must lie in an existing directory, got ",
        ),
        ("why.xyz", "--figure must be a file that ends in .png, got why.xyz"),
        ("", "--figure must be a file that ends in .png"),
    ):
        done = run("explain", TARGET, "--age", "54", "--figure", tmp_path / name)
        assert done.exit_code == 1
        assert message in done.stderr
        assert done.stdout == ""


def test_a_card_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    arguments = ("--known", "aetiology", "--out", tmp_path / "file")
    done = run("scorecard", TARGET, *arguments)
    assert done.exit_code == 1
    assert "error: --out must be a folder, got " in done.stderr
