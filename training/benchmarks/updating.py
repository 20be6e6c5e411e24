"""Updating a model for patients who may have changed: which method errs least.

python training/benchmarks/updating.py [--cohorts N] [--new N ...] [--minutes M]
    [--seed S] [--out FILE]

An old model on 193 patients; N new ones from the same truth, one with another level,
with weaker slopes, or with other ones. Mean excess log loss x 1000 in the new patients
for the old model, the exact update, a new development and the automatic update, and
coverage of the 95 % interval. The automatic update is held against the exact one where
nothing changed, else against the best of the others; the bar is the most that the
ratio may be. After M minutes no other cohort is begun.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import responder_model as rm
from combining import SETTINGS, judge, patients, tested
from responder_model.simulation import draw_truth
from stamp import stamped

OLD, TESTED = 193, 2000
METHODS = ("old", "bayes", "refit", "auto")
# Most that the ratio may be, for 25, 60 and 200 new patients.
BARS = {
    "nothing changed": {25: 1.12, 60: 1.10, 200: 1.03},
    "level 0.7": {25: 0.85, 60: 0.80, 200: 0.80},
    "slopes x 0.4": {25: 1.05, 60: 1.05, 200: 0.85},
    "every slope 0.35": {25: 1.00, 60: 0.95, 200: 0.95},
}


def truths(rng):
    same = draw_truth("rtms_response", "right", rng)
    sign = rng.choice([-1, 1])
    moved = 0.35 * rng.normal(size=same.slopes.shape[1])
    return {
        "nothing changed": same,
        "level 0.7": replace(same, mean=same.mean + 0.7 * sign),
        "slopes x 0.4": replace(same, slopes=0.4 * same.slopes),
        "every slope 0.35": replace(
            same, slopes=same.slopes + np.where(same.slopes != 0, moved, 0.0)
        ),
    }


def study(seed, n_new, number):
    rng = np.random.default_rng([seed, n_new, number])
    changed = truths(rng)
    old = rm.develop(patients(OLD, rng, changed["nothing changed"]), settings=SETTINGS)
    found = {}
    for name, truth in changed.items():
        new, sets = patients(n_new, rng, truth), [tested(TESTED, rng, truth)]
        models = {
            "old": old,
            "bayes": rm.update(old, new, method="bayes"),
            "refit": rm.develop(new, settings=SETTINGS),
            "auto": rm.update(old, new, method="auto"),
        }
        for method, model in models.items():
            found[name, method, "x"], found[name, method, "cover"] = judge(model, sets)
    return found


def summary(rows, n_new):
    mean = rows.mean()
    for name, bars in BARS.items():
        row = {"truth": name, "n_new": n_new, "n_cohorts": len(rows)}
        for method in METHODS:
            row[f"x_{method}"] = round(mean[name, method, "x"], 2)
            row[f"coverage_{method}"] = round(mean[name, method, "cover"], 3)
        best = min(METHODS[:-1], key=lambda m: mean[name, m, "x"])  # noqa: B023
        against = "bayes" if name == "nothing changed" else best
        ours, theirs = rows[name, "auto", "x"], rows[name, against, "x"]
        ratio = ours.mean() / theirs.mean()
        error = (ours - ratio * theirs).std() / np.sqrt(len(rows)) / theirs.mean()
        row |= {"against": against, "ratio": round(ratio, 3), "se": round(error, 3)}
        yield row | {"bar": bars.get(n_new), "met": ratio <= bars.get(n_new, np.inf)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=60)
    parser.add_argument("--new", type=int, nargs="+", default=[60, 200, 25])
    parser.add_argument("--minutes", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=51)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    end = time.monotonic() + 60.0 * args.minutes
    rows = {n_new: [] for n_new in args.new}
    for number in range(args.cohorts):
        for n_new in args.new:
            if time.monotonic() < end:
                rows[n_new].append(study(args.seed, n_new, number))
    table = pd.DataFrame(
        row for n, found in rows.items() for row in summary(pd.DataFrame(found), n)
    )
    print(table.to_string(index=False))
    if args.out:
        stamped(table).to_csv(args.out, index=False)


if __name__ == "__main__":
    main()
