"""The dictionary is the only list of fields: what is added there appears everywhere.

A copy of the package gets two more predictors in its TOML and nothing else.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import responder_model

PACKAGE = Path(responder_model.__file__).parent
_START = "from responder_model.cli import main; main()"
ADDED = """
[[fields]]
name = "sleep_quality"
kind = "number"
role = "predictor"
label = { en = "Sleep quality", fr = "Qualité du sommeil" }
help = { en = "NRS, mean of last week", fr = "EN, moyenne de la semaine" }
minimum = 0
maximum = 10
known_from = "screening"
used_by = ["rtms_response"]
reference = { mean = 5.0, sd = 2.0, source = "test", status = "judgement" }

[[fields]]
name = "handedness"
kind = "category"
role = "predictor"
label = { en = "Handedness", fr = "Latéralité" }
help = { en = "Preferred hand", fr = "Main préférée" }
known_from = "screening"
used_by = ["rtms_response"]
reference = { proportions = { left = 0.1, right = 0.9 }, source = "test" }
categories = [
    { name = "left", label = { en = "left", fr = "gauche" } },
    { name = "right", label = { en = "right", fr = "droite" } },
]
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run the command line of a package whose dictionary has two more predictors."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(
        PACKAGE, root / "responder_model", ignore=shutil.ignore_patterns("__pycache__")
    )
    path = root / "responder_model" / "data" / "dictionary.toml"
    text = path.read_text(encoding="utf-8")
    # before the first series: fields stand together
    at = text.index("[[series]]")
    path.write_text(text[:at] + ADDED + "\n" + text[at:], encoding="utf-8")
    environment = os.environ | {
        "PYTHONPATH": str(root),
        "COLUMNS": "200",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }

    def call(*arguments, code=_START, check=True):
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(
            command,
            check=check,
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )

    return call


@pytest.fixture(scope="module")
def filled(run, tmp_path_factory):
    """A simulated cohort with the new columns."""
    path = tmp_path_factory.mktemp("filled") / "cohort.csv"
    run("simulate", "--n-patients", 60, "--seed", 1, "--out", path)
    lines = path.read_text(encoding="utf-8").splitlines()
    header = lines[0].split(",")
    rows = [line.split(",") for line in lines[1:]]
    for name, values in (
        ("sleep_quality", ["3", "7"]),
        ("handedness", ["left", "droite"]),
    ):
        if name in header:
            at = header.index(name)
            for k, row in enumerate(rows):
                row[at] = values[k % 2]
        else:
            header.append(name)
            for k, row in enumerate(rows):
                row.append(values[k % 2])
    path.write_text("\n".join(",".join(r) for r in [header, *rows]), encoding="utf-8")
    return path


def test_added_predictors_are_options_of_predict(run):
    text = run("predict", "--help").stdout
    assert "--sleep-quality" in text
    assert "--handedness" in text


def test_added_predictors_stand_in_the_template(run, tmp_path):
    run("template", "--lang", "fr", "--out", tmp_path / "saisie.csv")
    header = (tmp_path / "saisie.csv").read_text(encoding="utf-8-sig")
    assert "Qualité du sommeil" in header or "sleep_quality" in header


def test_added_predictors_are_checked(run, filled, tmp_path):
    assert run("check", filled).returncode == 0
    bad = tmp_path / "bad.csv"
    bad.write_text(filled.read_text(encoding="utf-8").replace(",3,left", ",33,both"))
    found = run("check", bad, check=False)
    assert found.returncode == 1
    assert "sleep_quality" in found.stdout + found.stderr
    assert "handedness" in found.stdout + found.stderr


def test_added_predictors_are_developed_and_predicted(run, filled, tmp_path):
    folder = tmp_path / "model"
    run("develop", filled, "rtms_response@screening", "--out", folder, "--no-track")
    columns = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert "sleep_quality" in json.dumps(columns["encoder"])
    assert "handedness=left" in json.dumps(columns["encoder"])
    answer = run(
        "predict", folder, "--sleep-quality", "2", "--handedness", "gauche", "--json"
    )
    contributions = json.loads(answer.stdout)["contributions"]
    assert {"sleep_quality", "handedness"} <= set(contributions)


def test_added_predictors_are_in_the_signature_of_the_tracked_model(run):
    code = (
        "from responder_model.tracking.signature import build_signature as build;"
        "print(build('rtms_response', 'screening').inputs)"
    )
    inputs = run(code=code).stdout
    assert "sleep_quality" in inputs
    assert "handedness" in inputs
