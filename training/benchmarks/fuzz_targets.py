"""What is fuzzed: prediction, the path to an implant, reading, scoring and loading."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import fuzz_patients as patients
import responder_model as rm
from fuzz_values import JUNK
from responder_model.cohort import read_cohort
from responder_model.errors import ResponderModelError
from responder_model.pathways import pathway
from responder_model.schema import dictionary
from responder_model.simulation import simulate_cohort, write_french_export

# Patients of the simulated cohort behind the developed, pooled models.
N_DEVELOPMENT = 300


@cache
def build_models() -> dict[str, rm.Model]:
    """Return the published models, and developed ones with and without trees."""
    found = {f"{d}@{m}": rm.published_model(d, m) for d, m in dictionary().targets()}
    cohort = simulate_cohort(N_DEVELOPMENT, seed=3, n_implanted=60)
    for decision, moment in (
        ("rtms_response", "screening"),
        ("rtms_response", "session_2"),
    ):
        found[f"pooled {moment}"] = rm.develop(cohort, decision, moment)
    found["developed implant"] = rm.develop(cohort, "emcs_success")
    return found


def predict(model: rm.Model, patient: Any, rng: random.Random) -> str:
    """Predict, compare or follow the path of one patient, and say how it went."""
    way = rng.random()
    try:
        if way < 0.8:
            problem = patients.problem_of(model.predict(patient), model.baseline)
        elif way < 0.93:
            changes = rng.choice([{"age": rng.choice(JUNK)}, rng.choice(JUNK)])
            other = model.compare(patient, changes)
            problem = patients.problem_of(other.after, model.baseline)
        else:
            path = pathway(patient)
            lower, upper = path.interval
            problem = "" if 0 <= lower <= path.probability <= upper <= 1 else "path"
    except ResponderModelError as error:
        str(error).encode()
        return f"refused: {type(error).__name__}"
    except Exception as error:  # noqa: BLE001 - every kind counts
        return f"EXCEPTION {type(error).__name__} {str(error)[:80]!r}"
    return f"WRONG {problem}" if problem else "predicted"


def write_cohorts(folder: Path) -> list[Path]:
    """Write small valid files of every kind that is read."""
    cohort = simulate_cohort(25, seed=1, n_implanted=5)
    table = cohort.astype(object).where(cohort.notna(), None)
    table.to_csv(folder / "comma.csv", index=False)
    table.to_csv(folder / "tab.csv", index=False, sep="\t", encoding="utf-16")
    table.to_csv(folder / "bom.csv", index=False, sep=";", encoding="utf-8-sig")
    write_french_export(cohort, folder / "french.csv")
    table.to_excel(folder / "book.xlsx", index=False)
    cohort.to_parquet(folder / "typed.parquet")
    table.astype("str").to_parquet(folder / "text.parquet", compression=None)
    return [
        p for p in sorted(folder.iterdir()) if p.suffix in (".csv", ".xlsx", ".parquet")
    ]


def read(path: Path) -> str:
    """Read a file and score what was read."""
    try:
        cohort = read_cohort(path)
        scores = rm.published_model("rtms_response", "screening").predict_cohort(cohort)
    except ResponderModelError as error:
        str(error).encode()
        return f"refused: {type(error).__name__}"
    numbers = scores[["lower", "probability", "upper"]].to_numpy(dtype=float)
    sound = np.isfinite(numbers).all() and (np.diff(numbers, axis=1) >= 0).all()
    return "read and scored" if sound else "WRONG scores"


def write_models(folder: Path) -> list[Path]:
    """Save models with and without trees."""
    names = ("rtms_response@screening", "emcs_success@implantation", "pooled session_2")
    models = build_models()
    return [
        rm.save_model(models[name], folder / f"base{k}") for k, name in enumerate(names)
    ]


def load(folder: Path) -> str:
    """Load a folder and predict with what was loaded."""
    try:
        model = rm.load_model(folder)
        found = [model.predict(p) for p in ({}, {"age": 54, "aetiology": "amputation"})]
    except ResponderModelError as error:
        str(error).encode()
        return f"refused: {type(error).__name__}"
    problems = [p for f in found if (p := patients.problem_of(f, model.baseline))]
    return f"WRONG {problems[0]}" if problems else "predicted"
