"""What docs/answers.md shows is run as it stands there."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from responder_model.cli.app import app

PAGE = Path(__file__).parents[1] / "docs" / "answers.md"
COMMANDS = re.findall(
    r"^    (responder-model .*)$", PAGE.read_text("utf-8"), re.MULTILINE
)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_answers_page_runs(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output


def test_code_of_the_answers_page_gives_what_it_shows():
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 5
    assert found.failed == 0
