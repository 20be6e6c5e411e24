"""The package without what only some users install: what works, what says so."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import responder_model as rm
from responder_model.errors import MissingExtraError
from responder_model.model.example import example_model

ROOT = Path(__file__).parents[1]
# An interpreter in which libraries are not found, as where they were never installed;
# it runs every command and prints what became of each.
WITHOUT = """
import json
import os
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *arguments):
        missing = ("mlflow", "cryptography", "dask", "pyspark", "fastapi", "fpdf")
        if name.partition(".")[0] in missing:
            return None
        return self.finder.find_spec(name, *arguments)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from typer.testing import CliRunner
from responder_model.cli.app import app

answers = {}
for name, arguments in json.loads(sys.argv[1]).items():
    before = set(os.listdir())
    done = CliRunner().invoke(app, arguments)
    written = sorted(set(os.listdir()) - before)
    answers[name] = [done.exit_code, done.stdout, done.stderr, written]
print(json.dumps(answers))
"""
ALL = (
    *("tracking", "signing", "distributed", "serving", "formats", "pdf"),
    *("postgresql", "hospital"),
)
DEVELOP = ("develop", "centre.csv", "rtms_response@screening", "--out", "new")
VALIDATE = ("validate", "model", "centre.csv", "--seed", "1")
COMMANDS = {
    "predict": ("predict", "rtms_response@screening", "--age", "54"),
    "evidence": ("evidence",),
    "models": ("models",),
    "develop": DEVELOP,
    "develop_untracked": (*DEVELOP, "--no-track"),
    "demo": ("demo", "--out", "out"),
    "validate": VALIDATE,
    "validate_stored": (*VALIDATE, "--tracking-uri", "sqlite:///mlflow.db"),
    "signing": ("sign", "model", "--key", "key"),
    "distributed": ("score-dask", "model", "a.parquet", "--out", "b"),
    "spark": ("score-spark", "model", "a.parquet", "--out", "b"),
    "serving": ("serve",),
    "pdf": ("predict", "rtms_response@screening", "--age", "54", "--pdf", "a.pdf"),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Exit code, stdout, stderr and new files of each command without any extra."""
    folder = tmp_path_factory.mktemp("without")
    cohort = rm.simulate_cohort(n_patients=60, seed=0)
    cohort.to_csv(folder / "centre.csv", index=False)
    rm.save_model(example_model(), folder / "model")
    (folder / "key").write_text("no key", encoding="utf-8")
    (folder / "a.parquet").touch()
    command = [sys.executable, "-c", WITHOUT, json.dumps(COMMANDS)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["predict", "evidence", "models"])
def test_commands_that_log_nothing_need_no_mlflow(answers, name):
    code, out, err, _ = answers[name]
    assert code == 0, err
    assert out


def test_develop_without_mlflow_is_refused_before_it_works(answers):
    code, _, err, written = answers["develop"]
    assert code == 1
    assert err == (
        "error: mlflow is not installed: pip install 'responder-model[tracking]'. "
        "Or log nothing: --no-track.\n"
    )
    assert written == []


def test_develop_without_mlflow_works_untracked(answers):
    code, out, err, written = answers["develop_untracked"]
    assert code == 0, err
    assert "folder: new" in out
    # and what keeps the folder from being written over
    assert written == [".responder_model.json", "new"]


def test_demo_without_mlflow_says_what_to_install(answers):
    code, _, err, written = answers["demo"]
    assert code == 1
    assert "pip install 'responder-model[tracking]'" in err
    assert written == []


def test_validate_without_mlflow_prints_and_says_that_nothing_was_logged(answers):
    code, out, err, _ = answers["validate"]
    assert code == 0, err
    assert "c-statistic" in out
    assert "note: not logged: mlflow is not installed" in err


def test_validate_without_mlflow_refuses_a_store_that_is_named(answers):
    code, _, err, written = answers["validate_stored"]
    assert code == 1
    assert "pip install 'responder-model[tracking]'" in err
    assert written == []


@pytest.mark.parametrize("extra", ["signing", "distributed", "spark", "serving", "pdf"])
def test_command_without_its_extra_says_what_to_install(answers, extra):
    code, _, err, _ = answers[extra]
    assert code == 1
    assert err.endswith(f": pip install 'responder-model[{extra}]'.\n")


def test_every_extra_that_an_error_names_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert {*ALL, "spark"} <= set(extras)
    assert extras["all"] == [f"responder-model[{','.join(ALL)}]"]


def test_missing_extra_leaves_a_worker_process_whole():
    error = MissingExtraError(library="mlflow", extra="tracking")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.name) == (type(error), str(error), "mlflow")
    assert isinstance(again, ImportError)
