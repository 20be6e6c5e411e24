r"""Accuracy on simulated truth: our procedure against peers and the floor.

    python training/benchmarks/accuracy.py --decision rtms_response \
        --truths right,wrong,null,interactions --sizes 50,193,800 --n-cohorts 60 \
        --out reports/benchmarks/accuracy

Resumable: a cohort and method that ``--out`` holds already is not run again, unless
``--rerun responder_model`` says that the method changed since. Slow peers
(``--slow``) run on ``--n-cohorts-slow`` cohorts. Prints the tables and writes them;
``--report`` does so of all that ``--out`` holds, and runs nothing.
"""

from __future__ import annotations

import argparse
import sys

import pandas as pd

import methods
import peers
from known_truth.cells import Cell, read_results, run_cell
from known_truth.tables import (
    matches_table,
    ratio_table,
    render_matches,
    render_tables,
    score_table,
)
from options import parse_options
from stamp import stamped

# Peers of the implant model: the slow ones say nothing at 25 patients.
_IMPLANT_PEERS = ("outcome_proportion", "ridge_cv", "firth", "firth_relief")


def main() -> None:
    args = parse_options(__doc__.splitlines()[0])
    rivals = peers.FAST if args.decision == "rtms_response" else _IMPLANT_PEERS
    if args.report:
        _report(args, read_results(args.out / "cells", args.decision), rivals)
        return
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
                    rerun=args.rerun,
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
        beside=(methods.BEFORE, *methods.FAIR, *peers.SLOW),
    )
    matches = matches_table(scores, ours=methods.OURS, size=min(args.sizes))
    name = "_".join([args.decision, *({args.selection} - {"any"})])
    text = render_tables(name, scores, ratios)
    text += render_matches(matches, min(args.sizes)) if len(args.sizes) > 1 else ""
    print(text)
    stamped(scores).to_csv(
        args.out / f"{name}_scores.csv", index=False, float_format="%.5g"
    )
    stamped(ratios).to_csv(
        args.out / f"{name}_ratios.csv", index=False, float_format="%.5g"
    )
    (args.out / f"{name}.md").write_text(text, encoding="utf-8")


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


if __name__ == "__main__":
    main()
