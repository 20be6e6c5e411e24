r"""Accuracy on simulated truth: our procedure against peers and the floor.

    python training/benchmarks/accuracy.py --decision rtms_response \
        --truths right,wrong,null,interactions --sizes 50,193,800 --n-cohorts 60 \
        --out reports/benchmarks/accuracy

Resumable: a cohort and method that ``--out`` holds already is not run again. Slow peers
(``--slow``) run on ``--n-cohorts-slow`` cohorts. Prints the tables and writes them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import methods
import pandas as pd
import peers

from responder_model.simulation.cells import Cell, run_cell
from responder_model.simulation.report import ratio_table, render_tables, score_table
from responder_model.simulation.truth import truth_kinds

# Peers of the implant model: the slow ones say nothing at 25 patients.
_IMPLANT_PEERS = ("outcome_proportion", "ridge_cv", "firth", "firth_relief")


def main() -> None:
    args = _parse()
    rivals = peers.FAST if args.decision == "rtms_response" else _IMPLANT_PEERS
    fast = args.methods or [methods.OURS, methods.FLOOR, *methods.FAIR, *rivals]
    asked = [(fast, args.n_cohorts)]
    asked += [(peers.SLOW, args.n_cohorts_slow)] if args.slow else []
    tables = []
    for truth in args.truths:
        for size in args.sizes:
            cell = _cell(args, truth, size)
            for names, n_cohorts in asked:
                print(f"{cell.name}: {n_cohorts} cohorts", file=sys.stderr, flush=True)
                results = run_cell(
                    cell,
                    methods.build_methods(names),
                    n_cohorts,
                    args.out / "cells",
                    n_jobs=args.n_jobs,
                )
                tables.append(results)
    _report(args, pd.concat(tables, ignore_index=True), rivals)


def _report(args: argparse.Namespace, results: pd.DataFrame, rivals: list[str]) -> None:
    scores = score_table(results)
    ratios = ratio_table(
        results,
        ours=methods.OURS,
        floor=methods.FLOOR,
        peers=(*rivals, *peers.SLOW),
        beside=methods.FAIR,
    )
    text = render_tables(args.decision, scores, ratios)
    print(text)
    scores.to_csv(args.out / f"{args.decision}_scores.csv", index=False)
    ratios.to_csv(args.out / f"{args.decision}_ratios.csv", index=False)
    (args.out / f"{args.decision}.md").write_text(text, encoding="utf-8")


def _cell(args: argparse.Namespace, truth: str, size: int) -> Cell:
    run = peers.settings()["run"]
    return Cell(
        decision=args.decision,
        truth=truth,
        size=size,
        test_size=args.test_size or run["test_size"],
        selection=args.selection,
        test_selection=args.test_selection or args.selection,
        test_blank_share=args.test_blank_share,
        base_seed=args.base_seed or run["base_seed"],
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decision", default="rtms_response")
    parser.add_argument("--truths", help="comma-separated; default: all of them")
    parser.add_argument("--sizes", default="50,193,800")
    parser.add_argument("--methods", type=lambda text: text.split(","))
    parser.add_argument("--n-cohorts", type=int, default=60)
    parser.add_argument("--slow", action="store_true", help="also the slow peers")
    parser.add_argument("--n-cohorts-slow", type=int, default=40)
    parser.add_argument("--test-size", type=int)
    parser.add_argument("--selection", default="any", help="who is implanted")
    parser.add_argument("--test-selection", help="the same, of the test cohort")
    parser.add_argument("--test-blank-share", type=float, default=0.0)
    parser.add_argument("--base-seed", type=int)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("reports/benchmarks/accuracy"))
    args = parser.parse_args()
    kinds = truth_kinds(args.decision)
    args.truths = args.truths.split(",") if args.truths else list(kinds)
    args.sizes = [int(size) for size in args.sizes.split(",")]
    return args


if __name__ == "__main__":
    main()
