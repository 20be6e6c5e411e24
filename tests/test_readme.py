"""What the README shows is run as it stands there."""

from __future__ import annotations

import csv
import doctest
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from responder_model.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SHELL_BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
MAKE_TARGETS = re.findall(r"^    make ([a-z-]+)", README, flags=re.MULTILINE)


@pytest.mark.parametrize("block", SHELL_BLOCKS)
def test_commands_of_the_readme_succeed(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        program, *arguments = shlex.split(line)
        done = CliRunner().invoke(app, arguments)
        assert program == "responder-model"
        assert done.exit_code == 0, f"{line}\n{done.output}"


def test_python_of_the_readme_prints_what_it_says():
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0


# Row of the table of the README, the truth of a run, and its sizes in that order.
RATIOS = (
    ("right", "right", (60, 193, 800)),
    ("right, with strong interactions", "interactions", (60, 193, 800)),
    ("right, mildly or strongly bent", "mildly_nonlinear", (60, 193)),
    ("right, mildly or strongly bent", "strongly_nonlinear", (60, 193)),
    ("wrong: every sign reversed, or half of them", "wrong", (60, 193, 800)),
    ("wrong: every sign reversed, or half of them", "half_signs_wrong", (60, 193)),
)


@pytest.mark.parametrize(("row", "truth", "sizes"), RATIOS)
def test_ratios_of_the_readme_are_those_of_its_build(row, truth, sizes):
    path = ROOT / "reports" / "benchmarks" / "accuracy" / "rtms_response_ratios.csv"
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    (build,) = {one["software"] for one in rows}
    assert build.replace("responder_model ", "build ").replace(",", "") in README
    measured = {
        (one["truth"], int(one["size"])): f"{float(one['ratio']):.2f}"
        for one in rows
        if one["comparison"] == "best_peer"
    }
    (line,) = (text for text in README.splitlines() if text.startswith(f"| {row} |"))
    # a cell of two truths has them in the order of RATIOS
    place = [one for name, one, _ in RATIOS if name == row].index(truth)
    cells = [re.findall(r"\d\.\d\d", cell) for cell in line.split("|")[2:-1]]
    shown = [cell[place] for cell in cells if len(cell) > place]
    assert shown == [measured[truth, size] for size in sizes]


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert MAKE_TARGETS == ["demo", "test"]
    assert len(README.splitlines()) <= 150
    assert all(f"\n{target}:" in makefile for target in MAKE_TARGETS)


def test_links_of_the_readme_lead_somewhere():
    named = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).is_file()] == []
