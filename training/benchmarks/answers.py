"""One patient answered in full: milliseconds for what a page or a command shows.

    python training/benchmarks/answers.py [--patients 200]

The prediction with its two intervals and shares, then its verdict in words, what to ask
next, the course over the visits, and all of it as JSON. CPU time of this process stands
beside the time on the wall, which others who use the machine lengthen. Medians and 95th
percentiles over simulated patients of whom about half of the answers are known.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import responder_model as rm
from stamp import stamped

OUT = Path("reports/benchmarks/answers.csv")
TARGETS = (("rtms_response", "screening"), ("rtms_response", "session_3"))


def patients(model: rm.Model, n: int) -> Iterator[dict[str, Any]]:
    """Simulated patients, each answer known with an even chance."""
    rng = np.random.default_rng(1)
    cohort = rm.simulate_cohort(n_patients=n, seed=1)
    used = [name for name in model.encoder.predictors if name in cohort]
    for _, row in cohort[used].iterrows():
        known = row.dropna().to_dict()
        yield {name: value for name, value in known.items() if rng.random() < 0.5}


def jobs(model: rm.Model) -> dict[str, Callable[[dict[str, Any]], Any]]:
    """What is timed, by name."""
    return {
        "predict": model.predict,
        "predict and verdict": lambda p: model.predict(p).verdict.note.text("fr"),
        "questions": model.questions,
        "all as JSON": lambda p: json.dumps(
            {
                **model.predict(p).to_dict("fr"),
                "questions": [row.to_dict() for row in model.questions(p)],
            }
        ),
        "course": rm.course,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=200)
    args = parser.parse_args()
    rows = []
    for decision, moment in TARGETS:
        model = rm.published_model(decision, moment)
        values = list(patients(model, args.patients))
        for name, job in jobs(model).items():
            job(values[0])
            spent = []
            for patient in values:
                cpu, wall = time.process_time(), time.perf_counter()
                job(patient)
                spent.append(
                    (time.process_time() - cpu, time.perf_counter() - wall),
                )
            ms = 1000.0 * np.array(spent)
            figures = np.percentile(ms, [50, 95], axis=0).T.ravel()
            rows.append((f"{decision}@{moment}", name, *figures, len(ms)))
    columns = ["model", "answer", "cpu_median_ms", "cpu_p95_ms", "median_ms", "p95_ms"]
    table = pd.DataFrame(rows, columns=[*columns, "patients"])
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(table).to_csv(OUT, index=False, float_format="%.3f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
