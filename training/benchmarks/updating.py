"""Updating a model for patients who may have changed: which method errs least.

python training/benchmarks/updating.py [--cohorts N] [--new N] [--seed S]

An old model on 193 patients; N new ones from the same truth, one with another level,
with weaker slopes, or with other ones. Mean excess log loss x 1000 in the new patients
for the old model, the exact update, a new development and the automatic update, and
coverage of the 95 % interval.
"""

import argparse
from dataclasses import replace

import numpy as np
import pandas as pd

import responder_model as rm
from combining import SETTINGS, judge, patients, tested
from responder_model.simulation import draw_truth

OLD, TESTED = 193, 3000


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


def study(args, number):
    rng = np.random.default_rng([args.seed, args.new, number])
    changed = truths(rng)
    old = rm.develop(patients(OLD, rng, changed["nothing changed"]), settings=SETTINGS)
    found = {}
    for name, truth in changed.items():
        new, sets = patients(args.new, rng, truth), [tested(TESTED, rng, truth)]
        models = {
            "old": old,
            "bayes": rm.update(old, new),
            "new development": rm.develop(new, settings=SETTINGS),
            "auto": rm.update(old, new, method="auto"),
        }
        for method, model in models.items():
            found[name, method, "x"], found[name, method, "cover"] = judge(model, sets)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=60)
    parser.add_argument("--new", type=int, default=60)
    parser.add_argument("--seed", type=int, default=51)
    args = parser.parse_args()
    rows = pd.DataFrame([study(args, number) for number in range(args.cohorts)])
    mean = rows.mean()
    print(vars(args))
    methods = ("old", "bayes", "new development", "auto")
    print("| truth | " + " | ".join(f"{m}: x, coverage" for m in methods), end="")
    print(" | auto / best other (SE) |")
    print("|---" * (len(methods) + 2) + "|")
    for name in dict.fromkeys(name for name, _, _ in rows.columns):
        cells = [
            f"{mean[name, m, 'x']:.1f}, {100 * mean[name, m, 'cover']:.0f} %"
            for m in methods
        ]
        best = min(methods[:-1], key=lambda m: mean[name, m, "x"])  # noqa: B023
        ours, theirs = rows[name, "auto", "x"], rows[name, best, "x"]
        ratio = ours.mean() / theirs.mean()
        error = (ours - ratio * theirs).std() / np.sqrt(len(rows)) / theirs.mean()
        print(f"| {name} | " + " | ".join(cells), end="")
        print(f" | {ratio:.2f} ({error:.2f}), {best} |")


if __name__ == "__main__":
    main()
