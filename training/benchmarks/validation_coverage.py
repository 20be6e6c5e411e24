r"""Coverage of the intervals of an internal validation, measure by measure.

    python training/benchmarks/validation_coverage.py --n-cohorts 150

A cohort is validated internally; the developed model is then measured in 8000 new
patients of the same truth. Covered: the interval holds that value. Simulated patients.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from responder_model.cohort import binary_outcome, outcome_levels
from responder_model.development import develop
from responder_model.performance import all_measures
from responder_model.settings import Settings
from responder_model.simulation import draw_truth, simulate_cohort
from responder_model.validation import validate_internally
from stamp import stamped

DECISION, MOMENT = "rtms_response", "session_1"
N_NEW = 8000


def main() -> None:
    args = _parse()
    tables = []
    for size in args.sizes:
        print(f"n = {size}: {args.n_cohorts} cohorts", file=sys.stderr, flush=True)
        cohorts = Parallel(n_jobs=args.n_jobs)(
            delayed(_one_cohort)(args, size, seed) for seed in range(args.n_cohorts)
        )
        tables.append(_summary(pd.concat(cohorts), size))
    table = pd.concat(tables)
    text = _render(table, args)
    print(text)
    args.out.mkdir(parents=True, exist_ok=True)
    name = f"validation_{args.design}"
    stamped(table).to_csv(args.out / f"{name}.csv", index=False, float_format="%.4g")
    (args.out / f"{name}.md").write_text(text, encoding="utf-8")


def _one_cohort(args: argparse.Namespace, size: int, seed: int) -> pd.DataFrame:
    """Rows of the validation's table, with the value in new patients."""
    seeds = np.random.SeedSequence([args.base_seed, size, seed]).generate_state(3)
    truth = draw_truth(DECISION, args.truth, np.random.default_rng(seeds[0]))
    cohort, new = (
        simulate_cohort(n, int(one), truth=truth)
        for n, one in ((size, seeds[1]), (N_NEW, seeds[2]))
    )
    settings = Settings(decision=DECISION, moment=MOMENT, challenger=args.pooled)
    found = validate_internally(
        settings, cohort, n_resamples=args.n_resamples, design=args.design, seed=seed
    )
    levels = outcome_levels(new, DECISION)
    outcome = binary_outcome(levels, DECISION)
    known = ~np.isnan(outcome)
    p = develop(cohort, settings=settings).predict_cohort(new)["probability"].to_numpy()
    measured = all_measures(
        outcome[known],
        p[known],
        level=levels.lower[known],
        upper_level=levels.upper[known],
    )
    columns = ["measure", "apparent", "optimism_corrected", "lower", "upper"]
    table = found.table[columns]
    return table.assign(new=table["measure"].map(measured.values))


def _summary(rows: pd.DataFrame, size: int) -> pd.DataFrame:
    numbers = rows.drop(columns="measure").astype(float)
    rows = numbers.assign(measure=rows["measure"]).dropna()
    error = rows["optimism_corrected"] - rows["new"]
    covered = rows["new"].between(rows["lower"], rows["upper"])
    half = (rows["upper"] - rows["lower"]) / 2.0
    rows = rows.assign(error=error, covered=covered, half=half)
    rows["apparent_error"] = rows["apparent"] - rows["new"]
    by_measure = rows.groupby("measure", sort=False)
    table = by_measure.agg(
        n_cohorts=("error", "size"),
        apparent_bias=("apparent_error", "mean"),
        bias=("error", "mean"),
        sd=("error", "std"),
        half_width=("half", "mean"),
        coverage=("covered", "mean"),
    )
    table["coverage_se"] = np.sqrt(
        table["coverage"] * (1 - table["coverage"]) / table["n_cohorts"]
    )
    return table.reset_index().assign(size=size)


def _render(table: pd.DataFrame, args: argparse.Namespace) -> str:
    lines = [
        f"# Intervals of internal validation: {args.design}, evidence {args.truth}",
        "",
        f"{DECISION}@{MOMENT}, {'pooled' if args.pooled else 'linear'}, "
        f"{args.n_resamples} resamples. Error: corrected value less the developed "
        f"model's in {N_NEW} new simulated patients.",
        "",
        "| n | measure | cohorts | apparent bias | bias | SD of the error | half-width "
        "| coverage, % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.size} | {row.measure} | {row.n_cohorts} | {row.apparent_bias:+.3f} "
        f"| {row.bias:+.3f} | {row.sd:.3f} | {row.half_width:.3f} "
        f"| {100 * row.coverage:.0f} ± {100 * row.coverage_se:.0f} |"
        for row in table.itertuples(index=False)
    ]
    return "\n".join([*lines, ""])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--truth", default="right")
    parser.add_argument("--sizes", default="90,193")
    parser.add_argument("--n-cohorts", type=int, default=150)
    parser.add_argument("--n-resamples", type=int, default=100)
    parser.add_argument("--design", default="bootstrap")
    parser.add_argument("--pooled", action="store_true", help="with trees")
    parser.add_argument("--base-seed", type=int, default=2026)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("reports/benchmarks/coverage"))
    args = parser.parse_args()
    args.sizes = [int(size) for size in args.sizes.split(",")]
    return args


if __name__ == "__main__":
    main()
