"""Models combined without patients, beside development on all patients together.

python training/benchmarks/combining.py [--cohorts N] [--centres C] [--size N]
    [--truth right|wrong|null] [--level-sd S] [--slope-sd S] [--seed S]

For each study, C cohorts are simulated, whose truths may differ. Mean excess log loss
in patients of new centres and of the first centre, as a ratio to a model developed on
all patients with the centre's name left out (no trees anywhere), with its standard
error, and coverage of the 95 % interval. "with centres": the same development, told
which patient is of which centre.
"""

import argparse
from dataclasses import replace

import numpy as np
import pandas as pd

import responder_model as rm
from known_truth.scores import excess_log_loss
from responder_model.combining import combine
from responder_model.simulation import draw_truth, simulate_cohort
from responder_model.simulation.relief import true_probabilities
from responder_model.simulation.settings import generator_settings

SETTINGS = rm.Settings(
    decision="rtms_response", moment="screening", challenger=False, centres="ignored"
)
NAMED = replace(SETTINGS, centres="named")
N_NEW, TESTED, OWN = 10, 400, 2000


def patients(n, rng, truth):
    drawn = simulate_cohort(
        n,
        int(rng.integers(2**31)),
        truth=truth,
        n_implanted=0,
        symptom_recorded=False,
        blank_share=0.05,
        non_completers=0.0,
    )
    return drawn.drop(columns=list(generator_settings().not_recorded))


def tested(n, rng, truth):
    drawn = simulate_cohort(
        n,
        int(rng.integers(2**31)),
        truth=truth,
        n_implanted=0,
        symptom_recorded=False,
        blank_share=0.0,
        non_completers=0.0,
    )
    chance = true_probabilities(drawn, truth, cut_points=[30])[30]
    dropped = [*generator_settings().not_recorded, "relief_test", "rtms_responder"]
    return drawn.drop(columns=dropped), chance


def judge(model, sets):
    loss, covered = [], []
    for known, chance in sets:
        told = model.predict_cohort(known)
        loss.append(excess_log_loss(chance, told.probability.to_numpy()))
        covered.append(((told.lower <= chance) & (chance <= told.upper)).mean())
    return 1000.0 * np.mean(loss), np.mean(covered)


def study(args, number):
    rng = np.random.default_rng([args.seed, args.centres, args.size, number])
    truth = draw_truth("rtms_response", args.truth, rng)

    def centre():
        moved = args.slope_sd * rng.normal(size=truth.slopes.shape[1])
        return replace(
            truth,
            mean=truth.mean + args.level_sd * rng.normal(),
            slopes=truth.slopes + np.where(truth.slopes != 0, moved, 0.0),
        )

    truths = [centre() for _ in range(args.centres)]
    cohorts = [patients(args.size, rng, one) for one in truths]
    new = [tested(TESTED, rng, centre()) for _ in range(N_NEW)]
    own = [tested(OWN, rng, truths[0])]
    models = [rm.develop(one, settings=SETTINGS) for one in cohorts]
    named = [one.assign(centre=f"c{c}") for c, one in enumerate(cohorts)]
    whole = pd.concat(named, ignore_index=True).assign(patient_id=None)
    pooled = rm.develop(whole.drop(columns="centre"), settings=SETTINGS)
    candidates = {
        "pooled": pooled,
        "with centres": rm.develop(whole, settings=NAMED),
        "first centre alone": models[0],
        "combined, alike": combine(models, alike=True).model,
        "combined": combine(models).model,
        "combined, for the first": combine(models, for_member=0).model,
    }
    found = combine(models)
    row = {("flags", "", ""): sum(one.contradicts for one in found.members)}
    for name, model in candidates.items():
        for where, sets in (("new", new), ("own", own)):
            row[name, where, "x"], row[name, where, "cover"] = judge(model, sets)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=60)
    parser.add_argument("--centres", type=int, default=5)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--truth", default="right")
    parser.add_argument("--level-sd", type=float, default=0.0)
    parser.add_argument("--slope-sd", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=41)
    args = parser.parse_args()
    rows = pd.DataFrame([study(args, number) for number in range(args.cohorts)])
    print(vars(args))
    print(
        "| model | new centre: x | ratio (SE) | coverage | own: x | ratio | coverage |"
    )
    print("|---|---|---|---|---|---|---|")
    names = list(dict.fromkeys(name for name, where, _ in rows.columns if where))
    for name in names:
        cells = [name]
        for where in ("new", "own"):
            x, base = rows[name, where, "x"], rows["pooled", where, "x"]
            ratio = x.mean() / base.mean()
            error = (x - ratio * base).std() / np.sqrt(len(rows)) / base.mean()
            cells += [f"{x.mean():.1f}", f"{ratio:.2f} ({error:.2f})"]
            cells.append(f"{100 * rows[name, where, 'cover'].mean():.0f} %")
        print("| " + " | ".join(cells) + " |")
    n = args.centres * args.cohorts
    print(f"centres that contradict: {rows['flags', '', ''].sum():.0f} of {n}")


if __name__ == "__main__":
    main()
