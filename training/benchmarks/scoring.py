"""Scoring in memory: patients per second, against scikit-learn and shap.

    python training/benchmarks/scoring.py [--rows 1000,10000,100000,1000000]
        [--peer-rows 100000] [--repeats 3]

A dictionary-typed DataFrame in; probability, 95 % interval, cut-offs, applicability,
missing values and contributions out. Peers give a probability and contributions. Timed
side by side on the same rows; the best of the repeats, everything warm.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

import pandas as pd

from scoring_models import (
    best_seconds,
    best_side_by_side,
    build_contestants,
    patients,
    score_all,
)
from stamp import stamped

OUT = Path("reports/benchmarks/scoring_memory.csv")
OURS = "responder_model"


def in_memory(rows: list[int], *, peer_rows: int, repeats: int) -> pd.DataFrame:
    found = build_contestants()
    kinds = {
        "linear": (found.linear, found.linear_peers),
        "pooled": (found.pooled, found.trees_peers),
    }
    table = []
    few = patients(peer_rows)
    for kind, (model, peers) in kinds.items():
        for n in rows:
            cohort = patients(n)
            for n_jobs in (1, 2):
                run = partial(score_all, model, cohort, n_jobs)
                table.append((kind, OURS, n, n_jobs, n / best_seconds(run, repeats)))
        for peer in peers:
            seconds, ours = best_side_by_side(
                partial(peer.score, few), partial(score_all, model, few, 2), repeats
            )
            table.append((kind, peer.name, peer_rows, 2, peer_rows / seconds))
            print(f"{kind}: {seconds / ours:.1f} times as fast as {peer.name}")
    columns = ["kind", "method", "rows", "jobs", "patients_per_second"]
    return pd.DataFrame(table, columns=columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="1000,10000,100000,1000000")
    parser.add_argument("--peer-rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    rows = [int(word) for word in args.rows.split(",")]
    table = in_memory(rows, peer_rows=args.peer_rows, repeats=args.repeats)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(table).to_csv(OUT, index=False, float_format="%.0f")
    print(table.round(0).to_string(index=False))
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
