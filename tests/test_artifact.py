"""Model folders: the same model comes back, bit for bit, and nothing else."""

from __future__ import annotations

import builtins
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from responder_model.artifact import (
    as_published,
    load_model,
    model_files,
    new_signing_key,
    read_manifest,
    save_model,
    sign_model,
    verify_model,
)
from responder_model.artifact import folder as folder_module
from responder_model.artifact.folder import (
    exchange,
    put_in_place,
    read_folder,
    replace_in_two_steps,
    write_folder,
)
from responder_model.challenger import fit_trees
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.features import Encoder
from responder_model.model import LinearPart, Model, Pool
from responder_model.model.example import example_model
from responder_model.schema import dictionary

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
    assert manifest.sample_size_verdict == model.sample_size["verdict"]
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
    model = example_model(performance={"slope": float("nan"), "c": np.float64(0.7)})
    loaded = load_model(save_model(model, tmp_path / "model"))
    assert loaded.performance == {"slope": None, "c": 0.7}


# ------------------------------------------------------------------ never half


def test_replacement_in_two_steps_is_recovered_after_a_kill(tmp_path: Path) -> None:
    old, new = tmp_path / "model", tmp_path / "new"
    save_model(example_model(seed=1), old)
    save_model(example_model(seed=2), new)
    # killed between the two renames: the folder is away
    old.rename(tmp_path / ".model.previous")
    before = example_model(seed=1).predict({"age": 54})
    assert load_model(old).predict({"age": 54}) == before
    save_model(example_model(seed=3), old)
    assert not (tmp_path / ".model.previous").exists()
    after = example_model(seed=3).predict({"age": 54})
    assert load_model(old).predict({"age": 54}) == after
    replace_in_two_steps(new, old)
    assert load_model(old).predict({"age": 54}) == example_model(seed=2).predict(
        {"age": 54}
    )
    assert not new.exists()


def test_names_are_exchanged_in_one_step(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this system cannot exchange two names")
    assert (tmp_path / "a" / "b").exists()
    assert (tmp_path / "b" / "a").exists()
    with pytest.raises(OSError, match="No such file"):
        exchange(tmp_path / "a", tmp_path / "absent")


def test_failed_write_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(example_model(seed=1), tmp_path / "model")

    def fail(*args: object) -> None:
        msg = "disk full"
        raise OSError(msg)

    monkeypatch.setattr(folder_module, "_write_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save_model(example_model(seed=2), tmp_path / "model")
    monkeypatch.undo()
    load_model(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_old_leftovers_are_swept_up(tmp_path: Path) -> None:
    old, young = tmp_path / ".model.x.partial", tmp_path / ".model.y.partial"
    for path in (old, young):
        path.mkdir()
    (tmp_path / ".model.z.partial").touch()
    long_ago = time.time() - 7200
    for path in (old, tmp_path / ".model.z.partial"):
        os.utime(path, (long_ago, long_ago))
    save_model(example_model(), tmp_path / "model")
    assert not old.exists()
    assert not (tmp_path / ".model.z.partial").exists()
    assert young.exists()


def test_folder_that_appears_while_saving_is_replaced(tmp_path: Path) -> None:
    for name in ("new", "model"):
        write_folder({"manifest.json": name.encode()}, tmp_path / name)
    put_in_place(tmp_path / "new", tmp_path / "model")
    assert read_folder(tmp_path / "model") == {"manifest.json": b"new"}


SAVER = """
import sys
from pathlib import Path
from responder_model.artifact import save_model
from responder_model.model.example import example_model
models = [example_model(seed=1), example_model(seed=2)]
print("ready", flush=True)
for i in range(10_000):
    save_model(models[i % 2], Path(sys.argv[1]))
"""


def kill_while_saving(folder: Path, seconds: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SAVER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def check_kills(tmp_path: Path, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = {
        read_manifest(save_model(example_model(seed=s), tmp_path / f"whole{s}")).digest
        for s in (1, 2)
    }
    found = set()
    save_model(example_model(seed=1), tmp_path / "model")
    for i in range(n):
        # every other folder is new: then there may be none, but never half
        name = "model" if i % 2 else f"new{i}"
        kill_while_saving(tmp_path / name, float(rng.uniform(0.0, 0.2)))
        if (tmp_path / name).exists():
            load_model(tmp_path / name)
            found.add(read_manifest(tmp_path / name).digest)
        else:
            assert name != "model"
    assert found <= whole


def test_kill_during_save_leaves_the_old_folder_or_the_new(tmp_path: Path) -> None:
    check_kills(tmp_path, 6, 0)


@pytest.mark.long
def test_200_kills_during_save_leave_the_old_folder_or_the_new(tmp_path: Path) -> None:
    check_kills(tmp_path, 200, 1)


def test_reading_while_another_process_replaces_gives_one_or_the_other(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "model"
    save_model(example_model(seed=1), folder)
    process = subprocess.Popen([sys.executable, "-c", SAVER, str(folder)])
    try:
        end = time.monotonic() + 1.5
        digests = set()
        while time.monotonic() < end:
            digests.add(read_manifest(folder).digest)
    finally:
        process.kill()
        process.wait()
    assert 1 <= len(digests) <= 2


# ------------------------------------------------------------------ signatures


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, bytes]:
    pytest.importorskip("cryptography")
    private, public = new_signing_key()
    folder = save_model(example_model(), tmp_path / "model")
    assert sign_model(folder, private) == public.hex()
    return folder, public


def test_signed_folder_loads_with_its_key(signed: tuple[Path, bytes]) -> None:
    folder, public = signed
    load_model(folder)
    load_model(folder, trusted_keys=[public])
    other = new_signing_key()[1]
    load_model(folder, trusted_keys=[other, public.hex().upper()])
    assert verify_model(folder, [public]) == read_manifest(folder).digest


def test_signature_of_another_key_is_refused(signed: tuple[Path, bytes]) -> None:
    other = new_signing_key()[1]
    with pytest.raises(UntrustedModelError, match="must be of a trusted key"):
        load_model(signed[0], trusted_keys=[other])


def test_unsigned_folder_is_refused_when_a_signature_is_asked_for(
    tmp_path: Path,
) -> None:
    folder = save_model(example_model(), tmp_path / "model")
    with pytest.raises(UntrustedModelError, match="must be signed by a trusted key"):
        load_model(folder, trusted_keys=[b"\0" * 32])
    with pytest.raises(UntrustedModelError, match="must be signed by a trusted key"):
        load_model(folder, trusted_keys=[])


def test_signature_moved_to_another_model_is_refused(
    signed: tuple[Path, bytes], tmp_path: Path
) -> None:
    folder, public = signed
    other = save_model(example_model(seed=9), tmp_path / "other")
    (other / "signature.json").write_bytes((folder / "signature.json").read_bytes())
    with pytest.raises(UntrustedModelError, match="must sign this manifest"):
        load_model(other, trusted_keys=[public])


def test_every_flipped_byte_of_a_signature_is_refused(
    signed: tuple[Path, bytes],
) -> None:
    path = signed[0] / "signature.json"
    data = path.read_bytes()
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1
        path.write_bytes(bytes(flipped))
        with pytest.raises(UntrustedModelError, match=r"signature\.json"):
            load_model(signed[0])


def test_saving_again_removes_the_signature(signed: tuple[Path, bytes]) -> None:
    save_model(example_model(), signed[0])
    assert not (signed[0] / "signature.json").exists()


def test_keys_of_another_length_are_refused(signed: tuple[Path, bytes]) -> None:
    with pytest.raises(ResponderModelError, match="private_key must have 32 bytes"):
        sign_model(signed[0], b"short")
    with pytest.raises(ResponderModelError, match="trusted key must have 32 bytes"):
        load_model(signed[0], trusted_keys=["abcd"])
