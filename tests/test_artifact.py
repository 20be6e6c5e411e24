"""Model folders: the same model comes back, bit for bit, and nothing else."""

from __future__ import annotations

import builtins
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from responder_model.artifact import (
    as_published,
    digest_of,
    load_model,
    model_files,
    read_manifest,
    save_model,
)
from responder_model.challenger import fit_trees
from responder_model.errors import ResponderModelError
from responder_model.features import Encoder
from responder_model.model import LinearPart, Model, Pool
from responder_model.model.example import example_model
from responder_model.model.parts import ApparentPerformance
from responder_model.schema import dictionary
from responder_model.tracking import log_development

TARGETS = [f"{d}@{m}" for d, m in dictionary().targets()]


@pytest.fixture(scope="module")
def pooled() -> Model:
    cohort = rm.simulate_cohort(n_patients=200, seed=1)
    encoder = Encoder.for_decision("rtms_response", "session_1")
    outcome = (cohort["relief_test"].fillna(0) > 30).to_numpy(dtype=float)
    trees = fit_trees(encoder.raw(cohort), outcome, encoder, seed=0)
    pool = Pool(weight=0.3, offset=0.1, slope=0.8, trees=trees.to_json())
    return example_model("rtms_response", "session_1", pool=pool)


def same_numbers(first: Model, second: Model) -> bool:
    cohort = rm.simulate_cohort(n_patients=50, seed=8)
    a, b = first.score_cohort(cohort), second.score_cohort(cohort)
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in a.__dataclass_fields__
    )


@pytest.mark.parametrize("target", TARGETS)
def test_saved_model_predicts_bit_for_bit_the_same(target: str, tmp_path: Path) -> None:
    decision, moment = target.split("@")
    model = example_model(decision, moment, seed=3)
    loaded = load_model(save_model(model, tmp_path / "model"))
    assert same_numbers(model, loaded)
    patient = {"age": 54.3, "aetiology": "amputation"}
    assert loaded.predict(patient) == model.predict(patient)
    assert model_files(loaded) == model_files(model)


def test_pooled_model_comes_back_with_its_trees(pooled: Model, tmp_path: Path) -> None:
    loaded = load_model(save_model(pooled, tmp_path / "model"))
    assert (tmp_path / "model" / "trees.json").exists()
    assert same_numbers(pooled, loaded)
    assert loaded.predict({"relief_1": 40}) == pooled.predict({"relief_1": 40})


def test_folder_holds_trees_only_when_they_have_weight(tmp_path: Path) -> None:
    save_model(example_model(), tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "MODEL_CARD.md",
        "dictionary.toml",
        "evidence.json",
        "manifest.json",
        "model.json",
        "performance.json",
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_published_model_gives_the_same_bytes_again(
    target: str, tmp_path: Path
) -> None:
    model = as_published(rm.published_model(*target.split("@")))
    files = model_files(model)
    assert model_files(as_published(model)) == files
    loaded = load_model(save_model(model, tmp_path / "model"))
    assert model_files(loaded) == files
    assert same_numbers(model, loaded)
    assert read_manifest(tmp_path / "model").versions == {}


def test_developed_model_comes_back(tmp_path: Path) -> None:
    cohort = rm.simulate_cohort(n_patients=120, seed=11)
    model = rm.develop(cohort, "rtms_response", "session_1", seed=0)
    loaded = load_model(save_model(model, tmp_path / "model"))
    assert same_numbers(model, loaded)
    assert loaded.provenance == "simulated"
    manifest = read_manifest(tmp_path / "model")
    assert manifest.provenance == "simulated"
    assert manifest.target == "rtms_response@session_1"
    assert manifest.sample_size_verdict == model.sample_size.verdict
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "SIMULATED" in card


def test_folder_holds_no_row_of_the_cohort(tmp_path: Path) -> None:
    cohort = rm.simulate_cohort(n_patients=120, seed=12)
    rng = np.random.default_rng(0)
    # values that nothing but a copied row can bring into the folder
    cohort["age"] = (rng.uniform(30, 80, len(cohort))).round(9)
    cohort["relief_test"] = (cohort["relief_test"] + 0.123456789).clip(-100, 100)
    cohort["patient_id"] = [f"zqx-{i:04d}" for i in range(len(cohort))]
    model = rm.develop(cohort, "rtms_response", "screening", seed=0)
    save_model(model, tmp_path / "model")
    text = "".join(
        path.read_text(encoding="utf-8") for path in (tmp_path / "model").iterdir()
    )
    assert "zqx" not in text
    for name in ("age", "relief_test"):
        for value in cohort[name].dropna():
            assert repr(float(value)) not in text


def test_nothing_is_unpickled(
    pooled: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(pooled, tmp_path / "model")

    def refuse(*args: object, **kwargs: object) -> None:
        msg = "unpickled"
        raise AssertionError(msg)

    for name in ("load", "loads", "Unpickler", "_Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(builtins, "eval", refuse)
    model = load_model(tmp_path / "model")
    model.predict({"age": 54})
    model.score_cohort(pd.DataFrame({"age": [54.0]}))


WATCHED = """
import sys

def watch(event, arguments):
    # every unpickler raises it, whichever library calls it
    if event == "pickle.find_class":
        raise AssertionError(f"unpickled {arguments}")

sys.addaudithook(watch)
import mlflow
import pandas as pd
import responder_model as rm

folder, uri, model_uri = sys.argv[1:]
model = rm.load_model(folder)
patient = {"age": 54.0, "relief_1": 40.0}
frame = pd.DataFrame([patient])
model.compare(patient, {"age": 60})
model.explain(frame)
rm.pathway(patient, screening_model=model)
mlflow.set_tracking_uri(uri)
served = mlflow.pyfunc.load_model(model_uri).predict(frame)
assert served["probability"].iloc[0] == model.predict(patient).probability
print("served")
"""


def test_nothing_is_unpickled_to_predict_explain_and_serve(
    pooled: Model, tmp_path: Path, new_store: Callable[[Path], str]
) -> None:
    folder = save_model(pooled, tmp_path / "model")
    uri = new_store(tmp_path)
    run = log_development(pooled, folder=folder, tracking_uri=uri)
    command = [sys.executable, "-W", "ignore", "-c", WATCHED]
    command += [str(folder), uri, run.model_uri]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "served\n", done.stderr


LIGHT = """
import sys
from responder_model.artifact import load_model
load_model(sys.argv[1]).predict({"age": 54, "relief_1": 40})
heavy = ("pandas", "scipy", "sklearn", "xgboost", "shap", "mlflow", "cryptography")
print([name for name in heavy if name in sys.modules])
"""


def test_loading_and_predicting_need_numpy_alone(pooled: Model, tmp_path: Path) -> None:
    save_model(pooled, tmp_path / "model")
    command = [sys.executable, "-c", LIGHT, str(tmp_path / "model")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_saving_replaces_a_model_folder_whole(pooled: Model, tmp_path: Path) -> None:
    save_model(pooled, tmp_path / "model")
    save_model(example_model(), tmp_path / "model")
    assert load_model(tmp_path / "model").moment == "screening"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_saving_refuses_a_folder_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ResponderModelError, match="must be new, empty or a model"):
        save_model(example_model(), tmp_path)
    (tmp_path / "empty").mkdir()
    save_model(example_model(), tmp_path / "empty")


def test_saving_refuses_a_model_that_cannot_be_read_back(tmp_path: Path) -> None:
    part = example_model().linear[0]
    broken = LinearPart(
        cut_point=10,
        intercept=float("nan"),
        coefficients=part.coefficients,
        covariance=part.covariance,
    )
    model = example_model(linear=(broken, *example_model().linear[1:]))
    with pytest.raises(ResponderModelError, match="every number of a model must be"):
        save_model(model, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_measures_that_are_not_defined_are_null(tmp_path: Path) -> None:
    apparent = {"calibration_slope": float("nan"), "c_statistic": np.float64(0.7)}
    measured = ApparentPerformance(apparent=apparent, outcome_definition="composite")
    model = example_model(performance=measured)
    loaded = load_model(save_model(model, tmp_path / "model"))
    known = {"calibration_slope": None, "c_statistic": 0.7}
    assert loaded.performance.apparent == known


# ---------------------------------------------------------------- its identity


def test_prediction_names_the_folder_of_its_model(tmp_path: Path) -> None:
    model = example_model(seed=11)
    assert model.predict({}).model_digest is None
    assert (
        model.predict_cohort(pd.DataFrame({"age": [54]})).attrs["model_digest"] is None
    )
    folder = save_model(model, tmp_path / "model")
    digest = read_manifest(folder).digest
    assert model.predict({}).to_dict()["model_digest"] == digest
    assert load_model(folder).predict({}) == model.predict({})
    assert pickle.loads(pickle.dumps(model)).predict({}).model_digest == digest
    scores = model.predict_cohort(pd.DataFrame({"age": [54]}))
    assert scores.attrs["model_digest"] == digest


def test_prediction_of_a_changed_model_has_not_the_digest_of_the_first() -> None:
    model = example_model(seed=12)
    first = digest_of(model)
    changed = replace(model, name="another")
    assert changed.predict({}).model_digest is None
    assert digest_of(changed) != first
    assert changed.predict({}).model_digest == digest_of(changed)
