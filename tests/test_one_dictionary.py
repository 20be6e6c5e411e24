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
ADDED = """
[[fields]]
name = "sleep_quality"
kind = "number"
role = "predictor"
label = { en = "Sleep quality", fr = "Qualité du sommeil" }
help = { en = "NRS, mean of last week", fr = "EN, moyenne de la semaine" }
unit = { en = "points", fr = "points" }
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
# Everything is asked of one interpreter, which prints the answers by name.
ASK = """
import json
from pathlib import Path

import pandas as pd
from typer.testing import CliRunner

from responder_model.cli.app import app
from responder_model.cohort import inspect_file
from responder_model.patient import check_patient
from responder_model.tracking.signature import output_columns

def run(*arguments):
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr

found = {"help": run("predict", "--help")}

run("template", "--lang", "fr", "--out", "sheet.csv")
found["template"] = Path("sheet.csv").read_text(encoding="utf-8-sig")
Path("sheet.csv").write_text("Qualité du sommeil;Âge\\n11;54\\n", encoding="utf-8")
inspection, _ = inspect_file("sheet.csv")
found["problems"] = [problem.field for problem in inspection.problems]
found["columns"] = list(inspection.cohort)
found["patient"] = check_patient(
    {"Sleep quality": "7,5"}, "rtms_response", "screening"
)

run("simulate", "--n-patients", "60", "--seed", "1", "--out", "cohort.csv")
cohort = pd.read_csv("cohort.csv")
cohort["sleep_quality"] = [3, 7] * 30
cohort["handedness"] = ["left", "droite"] * 30
cohort.to_csv("cohort.csv", index=False)
found["check"] = run("check", "cohort.csv")
cohort.assign(sleep_quality=33, handedness="both").to_csv("bad.csv", index=False)
found["check_bad"] = run("check", "bad.csv")

target = "rtms_response@screening"
found["develop"] = run("develop", "cohort.csv", target, "--out", "model", "--no-track")
model = json.loads(Path("model/model.json").read_text(encoding="utf-8"))
found["encoder"] = json.dumps(model["encoder"])
given = ("--sleep-quality", "2", "--handedness", "gauche", "--json")
found["predict"] = run("predict", "model", *given)
found["signature"] = " ".join(output_columns("rtms_response", "screening"))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a package answers whose dictionary has two more predictors."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, root / "responder_model")
    path = root / "responder_model" / "data" / "dictionary.toml"
    text = path.read_text(encoding="utf-8")
    # before the first series: fields stand together
    at = text.index("[[series]]")
    path.write_text(text[:at] + ADDED + "\n" + text[at:], encoding="utf-8")
    added = {"PYTHONPATH": str(root), "PYTHONUTF8": "1", "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=root,
        env=os.environ | added | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_added_predictors_are_options_of_predict(found):
    code, text, _ = found["help"]
    assert code == 0
    assert "--sleep-quality" in text
    assert "--handedness" in text


def test_added_predictors_stand_in_the_template(found):
    assert "Qualité du sommeil" in found["template"]
    assert "Latéralité" in found["template"]


def test_added_predictors_are_read_and_checked(found):
    assert found["check"][0] == 0, found["check"]
    code, out, err = found["check_bad"]
    assert code == 1
    assert "Sleep quality" in out + err
    assert "Handedness" in out + err


def test_added_predictor_is_known_by_its_labels(found):
    assert found["problems"] == ["sleep_quality"]
    assert found["columns"] == ["age", "sleep_quality"]
    assert found["patient"] == {"sleep_quality": 7.5}


def test_added_predictors_are_developed_and_predicted(found):
    assert found["develop"][0] == 0, found["develop"]
    assert "sleep_quality" in found["encoder"]
    assert "handedness=left" in found["encoder"]
    code, answer, err = found["predict"]
    assert code == 0, err
    contributions = json.loads(answer)["contributions"]
    assert {"sleep_quality", "handedness"} <= set(contributions)


def test_added_predictors_are_in_the_signature_of_the_tracked_model(found):
    assert "sleep_quality" in found["signature"]
    assert "handedness" in found["signature"]
