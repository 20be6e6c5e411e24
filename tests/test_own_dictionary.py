"""A model keeps its own dictionary and evidence: what is added to the installed ones
later, revised or said otherwise, changes no number of it.

Each later package is a copy of this one with other data, asked in a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import responder_model as rm
from responder_model.artifact import digest_of
from responder_model.words import say

PACKAGE = Path(rm.__file__).parent
NEXT = "0.3.0"
FIRST_CATEGORY = '    { name = "ischaemic_stroke", lesion_type = "central"'
GOUT = (
    '    { name = "gout", lesion_type = "peripheral", '
    'label = { en = "gout", fr = "goutte" } },\n'
)
FIELD = """
[[fields]]
name = "sleep_quality"
kind = "number"
role = "predictor"
label = { en = "Sleep quality", fr = "Qualité du sommeil" }
help = { en = "NRS", fr = "EN" }
unit = { en = "points", fr = "points" }
minimum = 0
maximum = 10
known_from = "screening"
used_by = ["rtms_response", "emcs_success"]
reference = { mean = 5.0, sd = 2.0, source = "test", status = "judgement" }

[[series]]"""
# What is put in place of what, in the dictionary of a later package.
LATER = {
    "category": (FIRST_CATEGORY, GOUT + FIRST_CATEGORY),
    "field": ("\n[[series]]", FIELD),
    "cut point": ("cut_points = [10, 20, 30, 50, 70]", "cut_points = [10, 20, 30, 40]"),
    "label": ('label = { en = "Aetiology", fr', 'label = { en = "Cause of pain", fr'),
    "word of a category": ('en = "ischaemic stroke"', 'en = "brain infarction"'),
    "word of a unit": ('unit = { en = "years"', 'unit = { en = "y"'),
    "prior": (
        'contrast = "central_vs_peripheral"\nmean = 0.40',
        'contrast = "central_vs_peripheral"\nmean = -0.90',
    ),
    "finding": ("interval = [1.04, 4.00]", "interval = [1.24, 3.00]"),
}
# Where they stand, if not in the dictionary.
EVIDENCE = {
    "prior": "evidence/priors/rtms_response.toml",
    "finding": "evidence/rtms_response.toml",
}
PATIENT = {
    "age": 54,
    "aetiology": "amputation",
    "pain_duration": "3 ans",
    "pain_intensity": 7,
    "pain_site": "lower_limb",
}
# Everything is asked of one interpreter, which prints the answers by name.
ASK = """
import json, sys
from dataclasses import asdict
import pandas as pd
import responder_model as rm
from responder_model.artifact import digest_of
from responder_model.reporting import build_report

NUMBERS = "probability interval probabilities linear_predictor contributions".split()
model = rm.load_model("model")
patient = json.loads(sys.argv[1])
said = asdict(model.predict(patient))
found = {name: said[name] for name in NUMBERS} | {"digest": digest_of(model)}
again = rm.load_model(rm.save_model(model, "again"))
found["saved again"] = again.predict(patient).probability
cohort = rm.read_cohort("cohort.csv")
found["cohort"] = model.predict_cohort(cohort)["probability"].tolist()
newer = rm.update(model, rm.read_cohort("new.csv"), count_again=True)
found["update"] = newer.predict(patient).probability
found["update keeps its dictionary"] = newer.dictionary is model.dictionary
found["explained"] = model.explain(cohort.head(9)).display_data.tolist()
rm.score_file(model, "cohort.csv", "scores.csv")
found["file"] = pd.read_csv("scores.csv")["probability"].tolist()
validated = rm.validate_internally(model, cohort, n_resamples=2)
found["validated"] = validated.table.to_json()
found["report"] = build_report(model).markdown
if "gout" in sys.argv[2:]:
    rows = pd.DataFrame([patient, {**patient, "aetiology": "gout"}])
    rows.to_csv("gout.csv", index=False)
    try:
        model.predict({**patient, "aetiology": "gout"})
    except rm.InvalidPatientError as error:
        found["patient with gout"] = [p.field for p in error.problems]
    try:
        model.predict_cohort(rm.read_cohort("gout.csv"))
    except rm.InvalidCohortError as error:
        found["cohort with gout"] = [[p.row, p.field] for p in error.problems]
    rm.score_file(model, "gout.csv", "gout_scores.csv")
    found["rows scored"] = len(pd.read_csv("gout_scores.csv"))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of today, its cohort and new patients."""
    root = tmp_path_factory.mktemp("today")
    for name, n, seed in (("cohort", 120, 4), ("new", 40, 5)):
        cohort = rm.simulate_cohort(n_patients=n, seed=seed)
        cohort.to_csv(root / f"{name}.csv", index=False)
    model = rm.develop(
        rm.read_cohort(root / "cohort.csv"), "rtms_response", "session_1"
    )
    rm.save_model(model, root / "model")
    return root


@pytest.fixture(scope="module")
def today(written: Path) -> dict[str, Any]:
    return ask(written, PACKAGE.parent)


def ask(folder: Path, packages: Path, *more: str) -> dict[str, Any]:
    for name in ("again", "scores.csv", "gout_scores.csv"):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(PATIENT), *more],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(packages), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def ask_next(folder: Path, packages: Path, *more: str) -> dict[str, Any]:
    """Ask a next version; only its reports name the version that writes them."""
    later = ask(folder, packages, *more)
    assert NEXT in later["report"]
    later["report"] = later["report"].replace(NEXT, rm.__version__)
    return later


def later_package(root: Path, *changes: str) -> Path:
    """Folder with a copy of the package as a next version, its dictionary changed."""
    top = shutil.copytree(PACKAGE, root / "responder_model") / "__init__.py"
    text, ours = top.read_text(encoding="utf-8"), f'__version__ = "{rm.__version__}"'
    assert ours in text
    top.write_text(text.replace(ours, f'__version__ = "{NEXT}"'), encoding="utf-8")
    for change in changes:
        name = EVIDENCE.get(change, "dictionary.toml")
        path = root / "responder_model" / "data" / name
        text = path.read_text(encoding="utf-8")
        old, new = LATER[change]
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return root


def test_model_of_earlier_evidence_shows_and_uses_its_own(
    written: Path, today: dict[str, Any], tmp_path: Path
) -> None:
    later = ask_next(written, later_package(tmp_path, "prior", "finding"))
    assert "| 0.40 (0.40)" in later["report"] or "0.43" in later["report"]
    revised = say("report.evidence_revised", "en")
    assert revised not in today["report"]
    assert later.pop("report").replace(f"> {revised}\n\n", "") == today["report"]
    assert later == {name: today[name] for name in later}


def without_words(explained: list[list[str]]) -> list[list[str]]:
    """Cells of an explanation without those whose words a later package may change."""
    words = ("stroke", "infarction", "years", " y")
    return [[c for c in row if not any(w in c for w in words)] for row in explained]


@pytest.mark.parametrize(
    "changes",
    [
        ("category", "field", "cut point"),
        ("label", "word of a category", "word of a unit"),
    ],
    ids=["added", "said otherwise"],
)
def test_model_of_an_earlier_dictionary_gives_the_same_numbers(
    written: Path, today: dict[str, Any], tmp_path: Path, changes: tuple[str, ...]
) -> None:
    gout = ["gout"] if "category" in changes else []
    later = ask_next(written, later_package(tmp_path, *changes), *gout)
    assert without_words(later.pop("explained")) == without_words(today["explained"])
    if "label" in changes:
        del later["report"]
    if gout:
        assert later.pop("patient with gout") == ["aetiology"]
        assert later.pop("cohort with gout") == [[3, "aetiology"]]
        assert later.pop("rows scored") == 1
    assert later == {name: today[name] for name in later}
    assert later["update keeps its dictionary"]


def test_folder_keeps_the_dictionary_of_its_model(written: Path) -> None:
    text = (written / "model" / "dictionary.toml").read_text(encoding="utf-8")
    model = rm.load_model(written / "model")
    assert model.dictionary.text == text
    assert digest_of(model) == rm.load_model(written / "model").digest
