"""Models, patients and clocks that the speed benchmarks share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import responder_model as rm

if TYPE_CHECKING:
    from scoring_peers import Peer

TARGET = ("rtms_response", "session_2")
# Patients of the development cohort, and distinct patients that are scored.
N_DEVELOPMENT, N_DISTINCT = 400, 50_000


@dataclass(frozen=True, kw_only=True)
class Contestants:
    """Our two kinds of model, and their peers, all developed on the same patients."""

    linear: rm.Model
    pooled: rm.Model
    linear_peers: tuple[Peer, ...]
    trees_peers: tuple[Peer, ...]


def our_models(seed: int = 3) -> dict[str, rm.Model]:
    """Published evidence, and a developed model in which the trees have weight."""
    cohort = rm.simulate_cohort(n_patients=N_DEVELOPMENT, seed=seed)
    models = {
        "linear": rm.published_model(*TARGET),
        "pooled": rm.develop(cohort, TARGET[0], moment=TARGET[1], seed=0),
    }
    if models["pooled"].pool is None:
        msg = "the development cohort must give the trees some weight"
        raise RuntimeError(msg)
    for model in models.values():
        model.scorer.warm()
    return models


def build_contestants(seed: int = 3) -> Contestants:
    from scoring_peers import linear_peer, trees_peer

    models = our_models(seed)
    cohort = rm.simulate_cohort(n_patients=N_DEVELOPMENT, seed=seed)
    known = cohort[cohort["relief_test"].notna()]
    outcome = (known["relief_test"] > 30).to_numpy(dtype=float)
    return Contestants(
        linear=models["linear"],
        pooled=models["pooled"],
        linear_peers=tuple(
            linear_peer(known, outcome, TARGET, ensemble=e) for e in (True, False)
        ),
        trees_peers=tuple(
            trees_peer(known, outcome, TARGET, ensemble=e) for e in (True, False)
        ),
    )


def patients(n_patients: int, seed: int = 5) -> pd.DataFrame:
    """Dictionary-typed patients, repeated beyond ``N_DISTINCT``, each with an id."""
    distinct = rm.simulate_cohort(n_patients=min(n_patients, N_DISTINCT), seed=seed)
    repeated = distinct.iloc[np.arange(n_patients) % len(distinct)]
    repeated = repeated.reset_index(drop=True)
    repeated["patient_id"] = [f"P{k:08d}" for k in range(n_patients)]
    repeated.attrs = dict(distinct.attrs)
    return repeated


def score_all(model: rm.Model, cohort: pd.DataFrame, n_jobs: int) -> None:
    """Everything a table of scores holds: interval, cut-offs and contributions."""
    scores = model.score_cohort(cohort, n_jobs=n_jobs)
    for part in (scores.probability, scores.lower, scores.upper, scores.probabilities):
        assert np.isfinite(part).all()
    assert scores.contributions.shape == (len(cohort), len(model.encoder.predictors))


def best_seconds(run: Callable[[], object], repeats: int) -> float:
    """Shortest of several runs: what the machine can do when nothing disturbs it."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def best_side_by_side(
    first: Callable[[], object], second: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """Shortest of several runs of each, taken in turn."""
    found = [(best_seconds(first, 1), best_seconds(second, 1)) for _ in range(repeats)]
    return min(a for a, _ in found), min(b for _, b in found)
