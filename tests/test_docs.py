"""What the pages in docs/ say of files, limits, commands and keys holds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact.folder import MAX_BYTES
from responder_model.artifact.keys import TRUSTED_KEYS
from responder_model.artifact.node import MAX_NUMBER, MAX_TEXT
from responder_model.artifact.strict_json import MAX_DEPTH
from responder_model.cli.app import app
from responder_model.model.example import example_model

PAGE = (Path(__file__).parents[1] / "docs" / "model_folder.md").read_text("utf-8")
UNITS = {"KiB": 2**10, "MiB": 2**20}


def test_model_folder_page_lists_every_file_with_its_limit() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|.*\| (\d+) (KiB|MiB) \|$", PAGE, re.MULTILINE)
    assert {name: int(n) * UNITS[unit] for name, n, unit in rows} == MAX_BYTES


def test_model_folder_page_states_the_limits_of_the_reader() -> None:
    assert f"deeper than {MAX_DEPTH} levels" in PAGE
    assert f"beyond {MAX_NUMBER:.0e}".replace("+", "") in PAGE
    assert f"beyond {MAX_TEXT} characters" in PAGE


def test_model_folder_page_names_every_key_of_a_prediction() -> None:
    section = PAGE.split("## What `predict --json` prints")[1]
    named = set(re.findall(r"`([a-z_]+)`", section))
    model = example_model()
    found = model.predict({"age": 54}).to_dict()
    inner = {"lower", "upper", "same_sign", *found["applicability"]}
    inner |= {*found["verdict"], *found["width_shares"]}
    inner |= {*model.questions({"age": 54})[0].to_dict()}
    assert named == set(found) | inner


def test_commands_of_the_model_folder_page_sign_and_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cryptography")
    if shutil.which("openssl") is None:
        pytest.skip("openssl is absent")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(TRUSTED_KEYS, raising=False)
    rm.save_model(example_model(), "models/centre")
    for line in re.findall(r"^    ((?:openssl|responder-model) .*)$", PAGE, re.M):
        program, *arguments = line.split()
        if program == "openssl":
            subprocess.run([program, *arguments], check=True)
        else:
            done = CliRunner().invoke(app, arguments)
            assert done.exit_code == 0, done.output
    code = re.findall(r"^    ((?:from|rm\.) ?.*)$", PAGE, re.M)
    assert len(code) == 3
    exec("\n".join(code), {"rm": rm})
    monkeypatch.setenv(TRUSTED_KEYS, "public.pem")
    assert CliRunner().invoke(app, ["inspect", "models/centre"]).exit_code == 0
