"""Command line of the accuracy benchmark."""

from __future__ import annotations

import argparse
from pathlib import Path

from responder_model.simulation.truth import truth_kinds


def parse_options(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--decision", default="rtms_response")
    parser.add_argument("--truths", help="comma-separated; default: all of them")
    parser.add_argument("--sizes", default="50,193,800")
    parser.add_argument("--methods", type=lambda text: text.split(","))
    parser.add_argument(
        "--rerun",
        type=lambda text: text.split(","),
        default=[],
        help="methods that changed since: their earlier results are thrown away",
    )
    parser.add_argument("--report", action="store_true", help="of what there is")
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
