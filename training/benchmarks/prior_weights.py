r"""What other prior weights of "nothing predicts" would change, on simulated truth.

    python training/benchmarks/prior_weights.py --cells null:60,right:60,right:193 \
        --weights 0.2,0.3,0.4 --n-cohorts 20

The component with SD 0.02 gets each weight, and all others share the rest as they do
today. Without trees. All weights see the same cohorts; ratios are to the weight that is
built in (their SE from the cohorts' differences), and to ``before`` where its worktree
is named and it has no trees. Writes ``reports/benchmarks/prior_weights.csv``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from before import run_before
from known_truth.cells import Cell, Predicted, Task, simulate_task
from known_truth.scores import score_predictions
from methods import run_ours
from responder_model.cumulative_logit import components
from stamp import stamped
from timed import builds

OUT = Path("reports/benchmarks/prior_weights.csv")
NULL_SD = 0.02
BUILT_IN = components.ZERO_WEIGHTS[NULL_SD]
# Patients from which the earlier build has trees, without which nothing is run here.
TREES_FROM = 100
_ZERO = dict(components.ZERO_WEIGHTS)
_PUBLISHED = dict(components.PUBLISHED_WEIGHTS)
_SIZES = components.SIZES_WEIGHT


def develop_with(task: Task, weight: float) -> Predicted:
    """Ours, with another prior weight of the component in which nothing predicts."""
    rest = (1.0 - weight) / (1.0 - BUILT_IN)
    zero = {sd: w * rest for sd, w in _ZERO.items()} | {NULL_SD: weight}
    components.ZERO_WEIGHTS.update(zero)
    components.PUBLISHED_WEIGHTS.update({k: w * rest for k, w in _PUBLISHED.items()})
    components.SIZES_WEIGHT = _SIZES * rest
    return run_ours(task, challenger=False)


def run(cell: Cell, weights: list[float], n_cohorts: int) -> pd.DataFrame:
    """Scores of every weight on every cohort."""
    rows: list[dict[str, Any]] = []
    for cohort in range(n_cohorts):
        task = simulate_task(cell, cohort)
        found = {f"{weight:g}": develop_with(task, weight) for weight in weights}
        if "before" in builds() and cell.size < TREES_FROM:
            found["before"] = run_before(task)
        for name, predicted in found.items():
            scores = score_predictions(task.true_probability, **vars(predicted))
            rows.append({"weight": name, "cohort": cohort, **vars(scores)})
    return pd.DataFrame(rows)


def summarise(cell: Cell, found: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean excess log loss (x 1000), coverage, width and ratios of each weight."""
    excess = found.pivot_table(
        index="cohort", columns="weight", values="excess_log_loss"
    )
    means = found.groupby("weight")[["coverage", "width"]].mean()
    rows = []
    for name in excess:
        row = {"truth": cell.truth, "n": cell.size, "weight": name}
        row |= {"n_cohorts": len(excess), "x": 1000.0 * excess[name].mean()}
        row |= means.loc[name].to_dict()
        for other in {f"{BUILT_IN:g}", "before"} & set(excess):
            ratio = excess[name].mean() / excess[other].mean()
            apart = excess[name] - ratio * excess[other]
            row[f"to_{other}"] = ratio
            row[f"se_to_{other}"] = apart.sem() / excess[other].mean()
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", default="null:60,right:60,right:193,wrong:193")
    parser.add_argument("--weights", default="0.2,0.3,0.4")
    parser.add_argument("--n-cohorts", type=int, default=20)
    parser.add_argument("--base-seed", type=int, default=31)
    args = parser.parse_args()
    weights = [float(weight) for weight in args.weights.split(",")]
    rows: list[dict[str, Any]] = []
    for name in args.cells.split(","):
        truth, _, size = name.partition(":")
        cell = Cell(
            decision="rtms_response",
            truth=truth,
            size=int(size),
            test_size=2000,
            base_seed=args.base_seed,
        )
        rows += summarise(cell, run(cell, weights, args.n_cohorts))
        print(pd.DataFrame(rows).round(3).to_string(index=False), flush=True)
    stamped(pd.DataFrame(rows)).to_csv(OUT, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
