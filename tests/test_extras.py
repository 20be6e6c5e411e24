"""The package without what only some users install: what works, what says so."""

from __future__ import annotations

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
# An interpreter in which a library is not found, as where it was never installed.
WITHOUT = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *arguments):
        if name.partition(".")[0] == {library!r}:
            return None
        return self.finder.find_spec(name, *arguments)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from responder_model.cli import main
sys.argv = ["responder-model", *{arguments!r}]
main()
"""


def run_without(library, *arguments, cwd):
    code = WITHOUT.format(library=library, arguments=[str(a) for a in arguments])
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd
    )


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    path = tmp_path_factory.mktemp("centre") / "centre.csv"
    rm.simulate_cohort(n_patients=60, seed=0).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "rtms_response@screening", "--age", "54"),
        ("evidence",),
        ("models",),
        ("demo", "--help"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_commands_that_log_nothing_need_no_mlflow(tmp_path, arguments):
    done = run_without("mlflow", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_develop_without_mlflow_is_refused_before_it_works(tmp_path, centre):
    target = ("develop", centre, "rtms_response@screening", "--out", "model")
    done = run_without("mlflow", *target, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "error: mlflow is not installed: pip install 'responder-model[tracking]'. "
        "Or log nothing: --no-track.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_develop_without_mlflow_works_untracked(tmp_path, centre):
    target = ("develop", centre, "rtms_response@screening", "--out", "model")
    done = run_without("mlflow", *target, "--no-track", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert rm.load_model(tmp_path / "model").target == "rtms_response@screening"


def test_demo_without_mlflow_says_what_to_install(tmp_path):
    done = run_without("mlflow", "demo", "--out", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "pip install 'responder-model[tracking]'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_validate_without_mlflow_prints_and_says_that_nothing_was_logged(
    tmp_path, centre
):
    rm.save_model(example_model(), tmp_path / "model")
    done = run_without("mlflow", "validate", "model", centre, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "c_statistic" in done.stdout
    assert "note: not logged: mlflow is not installed" in done.stderr


def test_validate_refuses_a_store_that_it_cannot_reach(tmp_path, centre):
    rm.save_model(example_model(), tmp_path / "model")
    store = ("--tracking-uri", "sqlite:///mlflow.db")
    done = run_without("mlflow", "validate", "model", centre, *store, cwd=tmp_path)
    assert done.returncode == 1
    assert "pip install 'responder-model[tracking]'" in done.stderr


@pytest.mark.parametrize(
    ("library", "extra", "arguments"),
    [
        ("cryptography", "signing", ("sign", "model", "--key", "key")),
        ("dask", "distributed", ("score-dask", "model", "a.parquet", "--out", "b")),
        ("pyspark", "spark", ("score-spark", "model", "a.parquet", "--out", "b")),
    ],
)
def test_command_without_its_extra_says_what_to_install(
    tmp_path, library, extra, arguments
):
    rm.save_model(example_model(), tmp_path / "model")
    (tmp_path / "key").write_text("no key", encoding="utf-8")
    done = run_without(library, *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith(f": pip install 'responder-model[{extra}]'.\n")


def test_every_extra_that_an_error_names_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert {"tracking", "signing", "distributed", "spark"} <= set(extras)
    assert extras["all"] == ["responder-model[tracking,signing,distributed]"]


def test_missing_extra_leaves_a_worker_process_whole():
    error = MissingExtraError(library="mlflow", extra="tracking")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.name) == (type(error), str(error), "mlflow")
    assert isinstance(again, ImportError)
