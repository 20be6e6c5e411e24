"""Internal validation of the whole procedure: our time against scikit-learn parts.

    python training/benchmarks/validation_speed.py [--n-resamples 200] [--n-peer 6]

Peers are what a careful user would build: LogisticRegressionCV, and XGBoost tuned over
a grid inside CalibratedClassifierCV, each refitted on the same resamples with the same
measures. They run on fewer resamples and are scaled up; everything runs in this process
on one core, and ours once more on two.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from columns import encoder_of, peer_columns
from peers import build_peer
from responder_model.development import Settings
from responder_model.performance import core_measures
from responder_model.simulation import simulate_cohort
from responder_model.validation import validate_internally
from responder_model.validation.resampling import bootstrap_rows, read_data
from stamp import stamped

OUT = Path("reports/benchmarks/validation_speed.csv")
TARGET = ("rtms_response", "screening")


def time_ours(
    cohort: pd.DataFrame, n_resamples: int, *, challenger: bool, n_jobs: int
) -> float:
    settings = Settings(decision=TARGET[0], moment=TARGET[1], challenger=challenger)
    validate_internally(settings, cohort, n_resamples=2 * n_jobs, n_jobs=n_jobs)
    start = time.perf_counter()
    validate_internally(settings, cohort, n_resamples=n_resamples, n_jobs=n_jobs)
    return time.perf_counter() - start


def time_peer(name: str, cohort: pd.DataFrame, n_resamples: int) -> float:
    """Seconds for the same optimism bootstrap with a peer inside."""
    data = read_data(
        Settings(decision=TARGET[0], moment=TARGET[1]).build_procedure(), cohort
    )
    known = cohort["relief_test"].notna().to_numpy()
    X = peer_columns(cohort[known], encoder_of(*TARGET))
    y = data.outcome.astype(int)
    start = time.perf_counter()
    for rows in bootstrap_rows(len(y), n_resamples, 0):
        p = build_peer(name, y[rows]).fit(X[rows], y[rows]).predict_proba(X)[:, 1]
        core_measures(y[rows], p[rows])
        core_measures(y, p)
        left_out = np.setdiff1d(np.arange(len(y)), rows)
        core_measures(y[left_out], p[left_out])
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-resamples", type=int, default=200)
    parser.add_argument("--n-peer", type=int, default=6)
    args = parser.parse_args()
    cohort = simulate_cohort(213, 1)
    rows = []
    for label, challenger in (("linear", False), ("pooled", True)):
        for n_jobs in (1, 2):
            seconds = time_ours(
                cohort, args.n_resamples, challenger=challenger, n_jobs=n_jobs
            )
            rows.append((f"responder_model, {label}", n_jobs, seconds))
    for name in ("ridge_cv", "xgboost", "xgboost_tuned"):
        seconds = time_peer(name, cohort, args.n_peer)
        rows.append((name, 1, seconds * args.n_resamples / args.n_peer))
    table = pd.DataFrame(rows, columns=["procedure", "cores", "seconds"])
    ours = table["seconds"].to_numpy()
    table["times_linear_1_core"] = ours / ours[0]
    table["times_pooled_1_core"] = ours / ours[2]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(table).to_csv(OUT, index=False, float_format="%.2f")
    print(
        f"{args.n_resamples} resamples, n = {int(cohort['relief_test'].notna().sum())}"
    )
    print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
