"""The gate of promotion: what it lets through, and how sure its figures are.

python training/benchmarks/promotion_gate.py [--studies N] [--sets N] [--seed S]

A model is developed on 50 patients. Beside it stand one of half its error (its log-odds
pulled towards the truth), the same two with places changed, and a model developed on 50
others. Each pair is compared on sets of 60 and 200 new patients of known truth. Shares
of the verdicts, how often the interval lies above 0 and P(gain > 0) is 0.8 or more, and
coverage of the true gain by three intervals: Student's, the normal and the paired
bootstrap (200 resamples, percentiles). Monte Carlo errors are between studies.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import responder_model as rm
from combining import SETTINGS, patients, tested
from responder_model.promotion.comparison import PROBABLY, judge
from responder_model.promotion.paired import (
    gain_in_calibration,
    gain_in_log_loss,
    gain_in_net_benefit,
)
from responder_model.simulation import draw_truth
from stamp import stamped

DEVELOPED, POPULATION, RESAMPLES, THRESHOLD = 50, 4000, 200, 0.4
SIZES = (60, 200)
OUT = Path("reports/benchmarks/promotion_gate.csv")
VERDICTS = ("better", "probably_better", "no_evidence", "worse")


def logit(p):
    return np.log(p) - np.log1p(-p)


def expit(x):
    return 1.0 / (1.0 + np.exp(-x))


def models(rng, truth):
    """Probabilities of the population: the truth, and each pair."""
    known, chance = tested(POPULATION, rng, truth)
    first, second = (
        rm.develop(patients(DEVELOPED, rng, truth), settings=SETTINGS)
        .predict_cohort(known)["probability"]
        .to_numpy()
        for _ in range(2)
    )
    # half of the squared error of the log-odds is half of the excess log loss
    half = expit(logit(chance) + (logit(first) - logit(chance)) / np.sqrt(2.0))
    pairs = {
        "half the error": (first, half),
        "twice the error": (half, first),
        "developed on others": (first, second),
    }
    return chance, pairs


def true_gain(chance, champion, challenger):
    def loss(p):
        return -(chance * np.log(p) + (1 - chance) * np.log1p(-p)).mean()

    return loss(champion) - loss(challenger)


def holds(true, found, y, p0, p1, rng):
    """Whether each interval holds the true gain."""
    half = 1.959964 * found.standard_error
    surprise = [-np.log(np.where(y == 1, p, 1 - p)) for p in (p0, p1)]
    rows = rng.integers(y.size, size=(RESAMPLES, y.size))
    means = (surprise[0] - surprise[1])[rows].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {
        "student": found.lower <= true <= found.upper,
        "normal": abs(true - found.value) <= half,
        "bootstrap": low <= true <= high,
    }


def compared(true, chance, pair, n, rng):
    rows = rng.integers(POPULATION, size=n)
    y = (rng.random(n) < chance[rows]).astype(float)
    p0, p1 = (p[rows] for p in pair)
    found = gain_in_log_loss(y, p0, p1)
    verdict = judge(
        found,
        gain_in_net_benefit(y, p0, p1, threshold=THRESHOLD),
        gain_in_calibration(y, p0, p1),
    )
    row = {f"verdict_{name}": verdict["verdict"] == name for name in VERDICTS}
    row["interval_above_0"] = found.is_clear_gain
    row["p_at_least_0.8"] = found.p_gain >= PROBABLY
    for name in ("net_benefit", "in_the_large", "slope"):
        row[f"worse_by_{name}"] = name in verdict["worse_by"]
    return row | holds(true, found, y, p0, p1, rng)


def study(args, number):
    rng = np.random.default_rng([args.seed, number])
    chance, pairs = models(rng, draw_truth("rtms_response", "right", rng))
    found = []
    for name, pair in pairs.items():
        true = true_gain(chance, *pair)
        for n in SIZES:
            sets = [compared(true, chance, pair, n, rng) for _ in range(args.sets)]
            means = pd.DataFrame(sets).mean()
            found.append({"pair": name, "n": n, "true_gain": true, **means})
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=60)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    rows = pd.DataFrame([r for k in range(args.studies) for r in study(args, k)])
    groups = rows.groupby(["pair", "n"], sort=False)
    errors = groups.std() / np.sqrt(args.studies)
    table = groups.mean().join(errors, rsuffix="_se").reset_index()
    table = table.assign(studies=args.studies, sets=args.sets, seed=args.seed)
    stamped(table.round(5)).to_csv(args.out, index=False)
    shown = [c for c in table if not c.endswith("_se")]
    print(table[shown].round(3).T.to_string())


if __name__ == "__main__":
    main()
