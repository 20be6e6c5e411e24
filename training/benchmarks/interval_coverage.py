r"""Coverage of the true probability by the 95 % interval of the served model.

    python training/benchmarks/interval_coverage.py --n-cohorts 100

Every model is developed whole (pool included) and asked five times: complete patients,
30 % and 60 % of every predictor missing, 30 % missing in the development cohort too,
and the bare linear posterior for comparison. Then the same for single contributions.
Simulated patients; resumable: a cohort that ``--out`` holds is not run again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from coverage_contributions import contributions_table
from coverage_methods import METHODS
from known_truth.cells import Cell, run_cell
from known_truth.tables import render_tables, score_table
from stamp import stamped

# Truths whose contributions are linear, so that each has a true value.
LINEAR = ("right", "wrong", "null", "half_signs_wrong")
# Lowest coverage that is asked of complete patients, by truth, percent.
TARGETS = {"right": 93, "wrong": 92, "null": 92, "interactions": 90}


def main() -> None:
    args = _parse()
    tables = []
    for truth in args.truths:
        for size in args.sizes:
            cell = Cell(
                decision=args.decision,
                truth=truth,
                size=size,
                test_size=args.test_size,
                base_seed=args.base_seed,
            )
            print(f"{cell.name}: {args.n_cohorts}", file=sys.stderr, flush=True)
            folder, n_jobs = args.out / "cells", args.n_jobs
            rows = run_cell(cell, METHODS, args.n_cohorts, folder, n_jobs=n_jobs)
            tables.append(rows)
    scores = score_table(pd.concat(tables, ignore_index=True))
    parts = [render_tables(f"{args.decision}, intervals", scores, pd.DataFrame())]
    parts.append("\n".join(_verdicts(scores)))
    stamped(scores).to_csv(args.out / f"{args.decision}_coverage.csv", index=False)
    linear = [truth for truth in args.truths if truth in LINEAR]
    if args.n_contributions and linear and args.decision == "rtms_response":
        single = contributions_table(
            linear, args.sizes, args.n_contributions, args.n_jobs
        )
        stamped(single).to_csv(args.out / "contributions.csv", index=False)
        parts.append("## Single contributions\n\n" + single.round(3).to_string())
    text = "\n\n".join(parts) + "\n"
    print(text)
    (args.out / f"{args.decision}_coverage.md").write_text(text, encoding="utf-8")


def _verdicts(scores: pd.DataFrame) -> list[str]:
    """Coverage against its target, width against the linear posterior and by gaps."""
    lines = ["| truth | n | coverage (target) | width / linear | width, 30 % gaps |"]
    lines.append("|---|---|---|---|---|")
    for (truth, size), cell in scores.groupby(["truth", "size"], sort=False):
        row = cell.set_index("method")
        target = 87 if (truth, size) == ("interactions", 800) else TARGETS.get(truth)
        width = row["width"]
        lines.append(
            f"| {truth} | {size} | {100 * row.loc['served', 'coverage']:.1f} "
            f"({'–' if target is None else f'≥ {target}'}) "
            f"| {width['served'] / width['linear_posterior']:.2f} "
            f"| × {width['missing_30'] / width['served']:.2f} |"
        )
    return lines


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decision", default="rtms_response")
    parser.add_argument("--truths", default="right,wrong,null,interactions")
    parser.add_argument("--sizes", default="50,193,800")
    parser.add_argument("--n-cohorts", type=int, default=100)
    parser.add_argument("--n-contributions", type=int, default=40, help="cohorts")
    parser.add_argument("--test-size", type=int, default=4000)
    parser.add_argument("--base-seed", type=int, default=2024)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("reports/benchmarks/coverage"))
    args = parser.parse_args()
    args.truths = args.truths.split(",")
    args.sizes = [int(size) for size in args.sizes.split(",")]
    args.out.mkdir(parents=True, exist_ok=True)
    return args


if __name__ == "__main__":
    main()
