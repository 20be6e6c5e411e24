"""docs/life.md is run as it stands there: what it says is what happens."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app

PAGE = Path(__file__).parents[1] / "docs" / "life.md"
# The story takes half a minute, most of it the store and what it imports.
pytestmark = pytest.mark.long
BLOCK = re.compile(r"^```\{run\}\n((?::[^\n]*\n)*)(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(text):
    """Commands of a block, as the page's directive splits them."""
    joined = " ".join(text.splitlines()).replace("\\ ", " ")
    return [line for line in joined.split("responder-model ") if line.strip()]


@pytest.fixture(scope="module")
def told(tmp_path_factory, new_store):
    """What each command printed, in a folder that has a store already."""
    folder, found, names = tmp_path_factory.mktemp("life"), {}, {}
    new_store(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for options, text in BLOCK.findall(PAGE.read_text("utf-8")):
            if ":python:" in options:
                exec(text, names)
                continue
            wanted = re.search(r":exit: (\d+)", options)
            for line in commands(text):
                done = CliRunner().invoke(app, shlex.split(line))
                expected = int(wanted.group(1)) if wanted else 0
                assert done.exit_code == expected, (line, done.output)
                found[line.split()[0], len(found)] = done.output
    return folder, found


def said_by(told, command):
    return [text for (name, _), text in told[1].items() if name == command]


def test_two_hospitals_make_one_model_without_exchanging_patients(told):
    folder, _ = told
    joint = rm.load_model(folder / "models" / "joint")
    assert joint.n_patients > 200
    shared = (folder / "north.share.json").read_text("utf-8")
    assert "SIM-" not in shared
    assert len(said_by(told, "share")) == 2


def test_bad_year_raises_an_alarm_that_names_the_update(told):
    folder, _ = told
    (text,) = said_by(told, "monitor")
    assert text.startswith("ALARME")
    assert "update --method auto" in text
    kept = json.loads((folder / "monitoring" / "monitoring.json").read_text("utf-8"))
    # an alarm, which a model of 218 patients may owe to its own uncertainty
    assert kept["state"] == "off"


def test_update_comes_from_the_joint_model_and_expects_less(told):
    folder, _ = told
    joint, newer = (rm.load_model(folder / "models" / n) for n in ("joint", "updated"))
    assert newer.parent == joint.digest
    after = rm.read_cohort(folder / "after.csv")
    means = [m.predict_cohort(after)["probability"].mean() for m in (joint, newer)]
    assert means[1] < means[0] - 0.05


def test_history_names_both_champions_and_the_registry_agrees(told):
    (history,) = said_by(told, "history")
    assert "alarm, and update with its patients" in history
    assert "two hospitals" in history
    first, second = said_by(told, "promote")
    assert "is the champion" in first
    assert "version 2 is the champion" in second
