"""Trees from outside: what XGBoost would not survive is refused before it reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import responder_model as rm
from forging import reforge
from responder_model.artifact import load_model, save_model
from responder_model.artifact.folder import MAX_BYTES
from responder_model.challenger import PARAMETERS, fit_trees
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.features import Encoder
from responder_model.model import Pool
from responder_model.model.example import example_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(example_model(), tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


def test_sizes_leave_room_for_the_largest_model(trees: bytes, tmp_path: Path) -> None:
    """Many times what is needed, and no more: reading takes 30 times the size."""
    pool = Pool(weight=0.2, offset=0.0, slope=1.0, trees=trees)
    model = example_model(pool=pool)
    six = model.components * 3
    folder = save_model(replace(model, components=six), tmp_path / "model")
    for path in folder.iterdir():
        assert 10 * path.stat().st_size < MAX_BYTES[path.name] <= 2**23


@pytest.fixture(scope="module")
def trees() -> bytes:
    cohort = rm.simulate_cohort(n_patients=200, seed=1)
    encoder = Encoder.for_decision("rtms_response", "screening")
    outcome = (cohort["relief_test"].fillna(0) > 30).to_numpy(dtype=float)
    return fit_trees(encoder.raw(cohort), outcome, encoder, seed=0).to_json()


def _booster(document: dict[str, Any]) -> dict[str, Any]:
    booster: dict[str, Any] = document["learner"]["gradient_booster"]["model"]
    return booster


def _tree(document: dict[str, Any]) -> dict[str, Any]:
    """A tree that splits on categories and on numbers."""
    trees: list[dict[str, Any]] = _booster(document)["trees"]
    return next(t for t in trees if 0 < len(t["categories_nodes"]) < 3)


TREE_CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no trees": (
        lambda d: _booster(d).update(trees=[]),
        "hold 1 to 10000 trees",
    ),
    "another booster": (
        lambda d: d["learner"]["gradient_booster"].update(name="dart"),
        "be plain boosted trees",
    ),
    "a cycle": (
        lambda d: _tree(d)["left_children"].__setitem__(1, 0),
        "further down only",
    ),
    "a child beyond": (
        lambda d: _tree(d)["left_children"].__setitem__(0, 10**6),
        "further down only",
    ),
    "half a split": (
        lambda d: _tree(d)["left_children"].__setitem__(0, -1),
        "two branches or none",
    ),
    "an unknown predictor": (
        lambda d: _tree(d)["split_indices"].__setitem__(0, 999),
        "the model's predictors only",
    ),
    "a short list": (
        lambda d: _tree(d)["split_conditions"].pop(),
        "describe every node",
    ),
    "a wrong count": (
        lambda d: _tree(d)["tree_param"].update(num_nodes="99"),
        "count the nodes",
    ),
    "lost categories": (
        lambda d: _tree(d)["categories"].clear(),
        "name the categories",
    ),
    "an unknown category": (
        lambda d: _tree(d)["categories"].__setitem__(0, 99),
        "name the categories",
    ),
    "a forgotten split": (
        lambda d: _tree(d)["categories_nodes"].clear(),
        "describe every split on categories",
    ),
    "categories of a number": (
        lambda d: _tree(d)["split_type"].__setitem__(slice(None), [1] * 7),
        "split on categories where the predictor has them",
    ),
    "nobody at a node": (
        lambda d: _tree(d)["sum_hessian"].__setitem__(slice(None), [0.0] * 7),
        "have patients at each node",
    ),
    "a huge threshold": (
        lambda d: _tree(d)["split_conditions"].__setitem__(0, 1e300),
        "numbers of single precision",
    ),
    "a certain outcome": (
        lambda d: d["learner"]["learner_model_param"].update(base_score="[1E0]"),
        "log-odds of a yes/no outcome",
    ),
    "an odd default": (
        lambda d: _tree(d)["default_left"].__setitem__(0, 7),
        "where missing values go",
    ),
    "no structure": (lambda d: d.pop("learner"), "structure of XGBoost's JSON"),
    "several outcomes": (
        lambda d: d["learner"]["gradient_booster"]["model"]["tree_info"].__setitem__(
            0, 3
        ),
        "predict one outcome",
    ),
}


def test_trees_deeper_than_ours_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would go to XGBoost's own reader, which a forged file can crash."""
    monkeypatch.setitem(PARAMETERS, "max_depth", 3)
    encoder = example_model().encoder
    raw = encoder.raw(rm.simulate_cohort(n_patients=200, seed=1))
    outcome = (np.nan_to_num(raw).sum(axis=1) % 20 > 10).astype(float)
    deep = fit_trees(raw, outcome, encoder, seed=0).to_json()
    pool = Pool(weight=0.2, offset=0.0, slope=1.0, trees=deep)
    with pytest.raises(ResponderModelError, match="at most 3 decisions in each tree"):
        save_model(example_model(pool=pool), tmp_path / "model")


@pytest.mark.parametrize("kind", TREE_CHANGES)
def test_forged_trees_are_refused(kind: str, trees: bytes, tmp_path: Path) -> None:
    pool = Pool(weight=0.2, offset=0.0, slope=1.0, trees=trees)
    folder = save_model(example_model(pool=pool), tmp_path / "model")
    load_model(folder)
    change, message = TREE_CHANGES[kind]
    document = json.loads(trees)
    change(document)
    (folder / "trees.json").write_text(json.dumps(document))
    reforge(folder)
    with pytest.raises(UntrustedModelError, match=message):
        load_model(folder)


def test_trees_without_a_pool_are_refused(folder: Path, trees: bytes) -> None:
    (folder / "trees.json").write_bytes(trees)
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="have a pool when trees.json"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.json", "trees.json"])
@pytest.mark.parametrize("seed", range(2))
def test_forged_json_gives_a_model_or_a_refusal(
    name: str, seed: int, trees: bytes, tmp_path: Path
) -> None:
    """Values of the wrong kind anywhere never raise anything but our own error."""
    rng = np.random.default_rng(seed)
    pool = Pool(weight=0.2, offset=0.0, slope=1.0, trees=trees)
    folder = save_model(example_model(pool=pool), tmp_path / "model")
    original = (folder / name).read_bytes()
    wrong: list[Any] = [None, [], {}, "x", -1, 1e308, True, [[]], 0]
    for _ in range(25):
        document = json.loads(original)
        node, key = document, str(rng.choice(list(document)))
        while isinstance(node[key], dict | list) and node[key] and rng.random() < 0.85:
            node = node[key]
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = keys[rng.integers(0, len(keys))]
        node[key] = wrong[rng.integers(0, len(wrong))]
        (folder / name).write_text(json.dumps(document))
        reforge(folder)
        try:
            found = load_model(folder).predict({"age": 54}).probability
        except UntrustedModelError:
            continue
        assert 0 <= found <= 1
