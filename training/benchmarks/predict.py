"""One patient in process: milliseconds for everything a page shows, against peers.

    python training/benchmarks/predict.py [--patients 300]

Ours: checked values, probability, interval, cut-offs, contributions with their ranges,
missing values, applicability and messages. Peers: calibrated scikit-learn on one row of
a DataFrame, then shap's exact explainer. Medians, taken in turn patient by patient.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

import responder_model as rm
from scoring_models import TARGET, build_contestants, patients
from stamp import stamped

OUT = Path("reports/benchmarks/predict.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=300)
    args = parser.parse_args()
    found = build_contestants()
    cohort = patients(args.patients)
    used = [
        row.name for row in rm.dictionary().predictors(*TARGET) if row.name in cohort
    ]
    values = [row.dropna().to_dict() for _, row in cohort[used].iterrows()]
    timed: dict[str, list[float]] = {}

    def clock(name: str, run: object, given: object) -> None:
        start = time.perf_counter()
        run(given)  # type: ignore[operator]
        timed.setdefault(name, []).append(1000.0 * (time.perf_counter() - start))

    for k, patient in enumerate(values):
        clock("responder_model, linear", found.linear.predict, patient)
        clock("responder_model, pooled", found.pooled.predict, patient)
        for peer in (*found.linear_peers, *found.trees_peers):
            clock(peer.name, peer.score, cohort.iloc[[k]])
    table = pd.DataFrame(
        [
            (name, *np.percentile(found, [50, 95]), len(found))
            for name, found in timed.items()
        ],
        columns=["method", "median_ms", "percentile_95_ms", "patients"],
    )
    pooled = table["median_ms"].iloc[1]
    table["times_pooled"] = table["median_ms"] / pooled
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(table).to_csv(OUT, index=False, float_format="%.3f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
