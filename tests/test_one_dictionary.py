"""The dictionary is the only list of fields: a new row there appears everywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import responder_model as rm

NEW_FIELD = """
[[fields]]
name = "sleep_quality"
kind = "number"
role = "predictor"
known_from = "screening"
used_by = ["rtms_response"]
label = { en = "Sleep quality", fr = "Qualité du sommeil" }
help = { en = "Mean of last week.", fr = "Moyenne de la dernière semaine." }
unit = { en = "points", fr = "points" }
minimum = 0
maximum = 10
default_prior_sd = 0.20
reference = { mean = 5, sd = 2, source = "invented", status = "judgement" }
"""

PROBE = """
import json, sys, warnings
from pathlib import Path
import numpy as np
from typer.testing import CliRunner
import responder_model as rm
from responder_model.cli.app import app
from responder_model.tracking.signature import build_signature

folder = Path(sys.argv[1])
run = lambda *arguments: CliRunner().invoke(app, list(arguments))
run("template", "--lang", "fr", "--out", str(folder / "sheet.csv"))
cohort = rm.simulate_cohort(n_patients=60, seed=1)
cohort["sleep_quality"] = np.linspace(0.0, 10.0, len(cohort))
cohort.to_csv(folder / "cohort.csv", index=False)
bad = cohort.assign(sleep_quality=11.0)
bad.to_csv(folder / "bad.csv", index=False)
model = rm.develop(rm.read_cohort(folder / "cohort.csv"), "rtms_response", "screening")
published = rm.published_model("rtms_response", "screening")
print(json.dumps({
    "template": (folder / "sheet.csv").read_text("utf-8-sig"),
    "check": run("check", str(folder / "cohort.csv")).exit_code,
    "check_bad": run("check", str(folder / "bad.csv"), "--json").stdout,
    "help": run("predict", "--help").stdout,
    "developed": list(model.predict({"sleep_quality": 9}).contributions),
    "published": list(published.predict({"sleep_quality": 9}).contributions),
    "priors": list(model.priors["columns"]),
    "signature": build_signature("rtms_response", "screening").inputs.input_names(),
    "evidence": run("evidence", "rtms_response").stdout,
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a copy of the package says whose dictionary has one more field."""
    folder = tmp_path_factory.mktemp("copy")
    package = folder / "src" / "responder_model"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(rm.__file__).parent, package, ignore=ignored)
    dictionary = package / "data" / "dictionary.toml"
    with dictionary.open("a", encoding="utf-8") as file:
        file.write(NEW_FIELD)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(folder)],
        env=os.environ | {"PYTHONPATH": str(folder / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_template_has_the_new_field(found):
    assert "Qualité du sommeil [points]" in found["template"]


def test_check_knows_the_new_field(found):
    assert found["check"] == 0
    problems = json.loads(found["check_bad"])["problems"]
    assert len(problems) == 60
    assert {(p["field"], p["allowed"]) for p in problems} == {
        ("sleep_quality", "between 0 and 10 points")
    }


def test_predict_has_an_option_for_the_new_field(found):
    assert "--sleep-quality" in found["help"]


@pytest.mark.parametrize("key", ["developed", "published", "priors", "signature"])
def test_models_have_the_new_field(found, key):
    assert "sleep_quality" in found[key]


def test_evidence_says_that_nothing_is_known_of_the_new_field(found):
    assert "sleep_quality" in found["evidence"]
