"""What docs/validation.md tells a user to run works as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from responder_model.cli.app import app

PAGE = (Path(__file__).parents[1] / "docs" / "validation.md").read_text("utf-8")
COMMANDS = re.findall(r"^    (responder-model .*)$", PAGE, re.MULTILINE)


@pytest.mark.long
def test_commands_of_the_validation_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        if arguments[0] in ("validate", "report") and "by_" not in command:
            arguments += ["--resamples", "2"]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, (program, arguments, done.output)


def test_validation_page_names_every_design():
    done = CliRunner().invoke(app, ["validate", "--help"])
    designs = "external", "bootstrap", "cross_validation", "by_centre", "by_subgroup"
    assert all(f"--design {design}" in PAGE for design in designs)
    assert all(design in done.output for design in designs)


def test_code_of_the_validation_page_compiles():
    section = PAGE.split("## In Python")[1].split("\n## ")[0]
    lines = re.findall(r"^    (.*)$", section, re.MULTILINE)
    compile("\n".join(lines), "validation.md", "exec")
