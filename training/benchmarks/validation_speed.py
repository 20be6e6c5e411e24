"""Internal validation of the whole procedure: time and memory beside an earlier build.

    RESPONDER_MODEL_BEFORE=../before python training/benchmarks/validation_speed.py \
        [--n-resamples 200] [--n-peer 6] [--rounds 1]

Each build runs in a process of its own on one core, in turns; seconds are those of the
processor, so that what else the machine does weighs little. Peers are what a careful
user would build: LogisticRegressionCV, and XGBoost tuned over a grid inside
CalibratedClassifierCV, each refitted on the same resamples with the same measures. They
run on fewer resamples and are scaled up; ours runs once more on two cores (wall time).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from columns import encoder_of, peer_columns
from peers import build_peer
from responder_model.development import build_procedure
from responder_model.performance import core_measures
from responder_model.simulation import simulate_cohort
from responder_model.validation.resampling import bootstrap_rows, read_data
from stamp import stamped
from timed import Timed, builds, time_validation

OUT = Path("reports/benchmarks/validation_speed.csv")
TARGET = ("rtms_response", "screening")


def time_builds(
    cohort: pd.DataFrame, n_resamples: int, rounds: int
) -> list[tuple[str, str, int, float, float]]:
    """Procedure, build, cores, seconds and MB; the least of the rounds."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cohort.pkl"
        cohort.to_pickle(path)
        for label, challenger in (("linear", False), ("pooled", True)):
            found: dict[str, list[Timed]] = {name: [] for name in builds()}
            for _ in range(rounds):
                for name, worktree in builds().items():
                    found[name].append(
                        time_validation(
                            worktree,
                            path,
                            n_resamples,
                            challenger=challenger,
                            n_jobs=1,
                        )
                    )
            for name, runs in found.items():
                best = min(runs, key=lambda run: run.cpu)
                rows.append((label, name, 1, best.cpu, best.memory))
            two = time_validation(
                builds()["now"], path, n_resamples, challenger=challenger, n_jobs=2
            )
            rows.append((label, "now", 2, two.wall, two.memory))
    return rows


def time_peer(name: str, cohort: pd.DataFrame, n_resamples: int) -> float:
    """Seconds for the same optimism bootstrap with a peer inside."""
    data = read_data(build_procedure(*TARGET), cohort)
    known = cohort["relief_test"].notna().to_numpy()
    X = peer_columns(cohort[known], encoder_of(*TARGET))
    y = data.outcome.astype(int)
    start = time.process_time()
    for rows in bootstrap_rows(len(y), n_resamples, 0):
        p = build_peer(name, y[rows]).fit(X[rows], y[rows]).predict_proba(X)[:, 1]
        core_measures(y[rows], p[rows])
        core_measures(y, p)
        left_out = np.setdiff1d(np.arange(len(y)), rows)
        core_measures(y[left_out], p[left_out])
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-resamples", type=int, default=200)
    parser.add_argument("--n-peer", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    cohort = simulate_cohort(213, 1)
    rows = time_builds(cohort, args.n_resamples, args.rounds)
    for name in ("ridge_cv", "xgboost", "xgboost_tuned") if args.n_peer else ():
        seconds = time_peer(name, cohort, args.n_peer)
        scaled = seconds * args.n_resamples / args.n_peer
        rows.append((name, "peer", 1, scaled, np.nan))
    columns = ["procedure", "build", "cores", "seconds", "megabytes"]
    table = pd.DataFrame(rows, columns=columns)
    before = table[table["build"] == "before"].set_index("procedure")["seconds"]
    table["of_before"] = table["seconds"] / table["procedure"].map(before)
    table["n_resamples"] = args.n_resamples
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(table).to_csv(OUT, index=False, float_format="%.3f")
    print(
        f"{args.n_resamples} resamples, n = {int(cohort['relief_test'].notna().sum())}"
    )
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
