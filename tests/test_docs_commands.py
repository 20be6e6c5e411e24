"""Each command that answers has a page, and what the page shows is run."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from responder_model.cli.app import app

DOCS = Path(__file__).parents[1] / "docs"
# Page of each command, and how many lines of output it shows at least.
PAGES = {
    "answers": (("predict", "explain"), 9),
    "course": (("course",), 10),
    "pathway": (("pathway",), 14),
    "implant": (("implant",), 9),
    "stopping": (("stopping",), 12),
    "value": (("value",), 15),
    "one_page": (("predict", "pathway", "implant", "course", "stopping"), 0),
}


def bare(text):
    """Lines without the borders of a table, which its head and rows draw otherwise."""
    lines = text.replace("┃", "│").splitlines()
    return [line.strip() for line in lines if line.strip()]


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_of_a_command_shows_is_what_it_prints(name, tmp_path, monkeypatch):
    if name == "one_page":
        pytest.importorskip("fpdf")
    monkeypatch.chdir(tmp_path)
    page = (DOCS / f"{name}.md").read_text("utf-8")
    commands = re.findall(r"^    responder-model (.*)$", page, re.MULTILINE)
    due, n_lines = PAGES[name]
    assert {shlex.split(command)[0] for command in commands} >= set(due)
    printed = []
    for command in commands:
        done = CliRunner().invoke(app, ["--lang", "en", *shlex.split(command)])
        assert done.exit_code == 0, (command, done.output)
        printed += bare(done.stdout)
        named = re.findall(r"--(?:pdf|html|figure) (\S+)", command)
        assert all(Path(path).exists() for path in named)
    shown = [
        line
        for text in re.findall(r"```text\n(.*?)```", page, re.DOTALL)
        for line in bare(text)
    ]
    assert len(shown) >= n_lines
    assert [line for line in shown if line not in printed] == []


@pytest.mark.parametrize("name", PAGES)
def test_code_of_a_page_runs(name, tmp_path, monkeypatch):
    if name == "one_page":
        pytest.importorskip("fpdf")
    monkeypatch.chdir(tmp_path)
    page = (DOCS / f"{name}.md").read_text("utf-8")
    found = doctest.testfile(str(DOCS / f"{name}.md"), module_relative=False)
    assert found.failed == 0
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        if ">>>" not in code:
            exec(compile(code, f"{name}.md", "exec"), {})
