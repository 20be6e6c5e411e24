"""Accuracy on small clinical data sets that nobody here made, by cross-validation.

    python training/benchmarks/real_data.py --out reports/benchmarks/real_data

No evidence exists for these outcomes: our estimator runs with its zero-centred prior
components only. Resumable: ``--out``/cells keeps the probabilities given to patients
left out, per set and method (kept out of version control: delete them to start anew).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

import peers
from left_out import OURS, predict_left_out
from real_scores import score_methods
from real_sets import declarations, load_real_set, set_names
from real_summary import render_summary, summarise_methods
from stamp import stamped


def main() -> None:
    args = _parse()
    names = args.sets or list(set_names())
    methods = dict.fromkeys(args.methods, args.n_repeats)
    if args.slow:
        methods |= dict.fromkeys(peers.SLOW, args.n_repeats_slow)
    todo = [
        (name, method, n_repeats)
        for name in names
        for method, n_repeats in methods.items()
        if not _path(args.out, name, method).exists()
    ]
    if not args.report:
        print(f"{len(todo)} of set x method to run", file=sys.stderr, flush=True)
        Parallel(n_jobs=args.n_jobs)(delayed(_run)(args.out, *job) for job in todo)
    tables = []
    for name in names:
        predicted = {
            method: pd.read_csv(_path(args.out, name, method)).to_numpy()
            for method in methods
            if _path(args.out, name, method).exists()
        }
        tables.append(score_methods(load_real_set(name), predicted, ours=OURS))
    scores = pd.concat(tables, ignore_index=True)
    summary = summarise_methods(scores)
    text = render_summary(scores, summary, ours=OURS)
    print(text)
    stamped(scores).to_csv(args.out / "scores.csv", index=False, float_format="%.5g")
    stamped(summary).to_csv(args.out / "summary.csv", index=False, float_format="%.5g")
    (args.out / "real_data.md").write_text(text, encoding="utf-8")


def _path(out: Path, name: str, method: str) -> Path:
    return out / "cells" / f"{name}__{method}.csv"


def _run(out: Path, name: str, method: str, n_repeats: int) -> None:
    probability = predict_left_out(load_real_set(name), method, n_repeats)
    path = _path(out, name, method)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    pd.DataFrame(probability).to_csv(temporary, index=False, float_format="%.7g")
    temporary.replace(path)


def _parse() -> argparse.Namespace:
    s = declarations()["settings"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=lambda text: text.split(","))
    fast = [OURS, *peers.FAST]
    parser.add_argument("--methods", type=lambda text: text.split(","), default=fast)
    parser.add_argument("--n-repeats", type=int, default=s["n_repeats"])
    parser.add_argument("--report", action="store_true", help="of what there is")
    parser.add_argument("--slow", action="store_true", help="also the slow peers")
    parser.add_argument("--n-repeats-slow", type=int, default=s["n_repeats_slow"])
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument(
        "--out", type=Path, default=Path("reports/benchmarks/real_data")
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
