"""Models combined without patients, beside development on all patients together.

python training/benchmarks/combining.py [--cohorts N] [--minutes M] [--seed S]
    [--cell NAME ...] [--out FILE]

Each study simulates one cohort of every cell and judges models in patients whose true
probability is known: mean excess log loss as a ratio to what the cell names (pooled:
developed on all patients with the centre's name left out), its standard error, and
coverage of the 95 % interval, beside the bar. Alike centres share one truth; the three
kinds of truth take turns from study to study. ``everything``: models that hide no small
cells; ``folders``: model folders; ``shared``: files of ``share``. ``alike``: as
``combine --alike``. "seconds" is processor time, a ratio as well. After M minutes no
other study is begun; the table is written after each.
"""

import argparse
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import responder_model as rm
from known_truth.scores import excess_log_loss
from responder_model.combining import combine, share
from responder_model.combining.contribution import contribution_of
from responder_model.simulation import draw_truth, simulate_cohort
from responder_model.simulation.relief import true_probabilities
from responder_model.simulation.settings import generator_settings
from stamp import stamped

SETTINGS = rm.Settings(
    decision="rtms_response", moment="screening", challenger=False, centres="ignored"
)
WHOLE = replace(SETTINGS, small_cells=0, stays_here=True)
NAMED = replace(SETTINGS, centres="named")
TREES = replace(SETTINGS, challenger=True)
TRUTHS = ("right", "wrong", "null")
TESTED = 1000
N_NEW, OF_EACH = 8, 300

# Cell, judged model, patients, against, most that the ratio may be, least coverage.
BARS = [
    *[
        (f"alike {truth}, {size}", model, "all", "pooled", bar, None)
        for truth in TRUTHS
        for size, shared in (("5 x 200", 1.05), ("20 x 40", 1.20))
        for model, bar in (
            ("everything, alike", 1.03),
            ("everything", None),
            ("shared, alike", shared),
            ("first centre alone", None),
        )
    ],
    ("20 centres of 40", "combine", "seconds", "develop", 20.0, None),
    ("20 centres of 40", "combine, alike", "seconds", "develop", 1.5, None),
    ("interactions, 5 x 200", "folders, alike", "all", "pooled with trees", 1.10, None),
    ("eMCS, 5 x 25", "everything, alike", "all", "pooled", 1.15, None),
    ("eMCS, 5 x 25", "folders, alike", "all", "pooled", None, None),
    ("different, 5 x 200", "pooled", "new", "pooled", None, None),
    ("different, 5 x 200", "folders", "new", "pooled", 1.00, 0.92),
    ("different, 5 x 200", "folders", "new", "with centres", 1.10, None),
    ("different, 5 x 200", "pooled", "own", "pooled", None, None),
    ("different, 5 x 200", "for the first", "own", "pooled", 0.60, 0.93),
    ("different, 5 x 200", "for the first", "own", "first centre alone", 0.75, None),
]


def drawn(n, rng, truth, *, blank_share):
    implanted = truth.decision == "emcs_success"
    name = "implant_truth" if implanted else "truth"
    return simulate_cohort(
        n,
        int(rng.integers(2**31)),
        **{name: truth},
        n_implanted=n if implanted else 0,
        selection="any",
        symptom_recorded=False,
        blank_share=blank_share,
        non_completers=0.0,
    )


def patients(n, rng, truth):
    found = drawn(n, rng, truth, blank_share=0.05)
    return found.drop(columns=list(generator_settings().not_recorded))


def tested(n, rng, truth):
    found = drawn(n, rng, truth, blank_share=0.0)
    chance = true_probabilities(found, truth, cut_points=[30])[30]
    dropped = [*generator_settings().not_recorded, "relief_test", "rtms_responder"]
    return found.drop(columns=dropped), chance


def judge(model, sets):
    loss, covered = [], []
    for known, chance in sets:
        told = model.predict_cohort(known)
        loss.append(excess_log_loss(chance, told.probability.to_numpy()))
        covered.append(((told.lower <= chance) & (chance <= told.upper)).mean())
    return 1000.0 * np.mean(loss), np.mean(covered)


def parts(cohort, n_centres):
    """Patients of each centre; none has an identifier, as between hospitals."""
    size = len(cohort) // n_centres
    whole = cohort.assign(patient_id=None)
    for c in range(n_centres):
        part = whole.iloc[c * size : (c + 1) * size].reset_index(drop=True)
        part.attrs = dict(cohort.attrs)
        yield part


def timed(made):
    start = time.process_time()
    found = made()
    return found, time.process_time() - start


def alike(rng, truth_name, n_centres, size):
    truth = draw_truth("rtms_response", truth_name, rng)
    cohort = patients(n_centres * size, rng, truth).assign(patient_id=None)
    cohorts = list(parts(cohort, n_centres))
    developed, develop_s = timed(
        lambda: [rm.develop(one, settings=WHOLE) for one in cohorts]
    )
    whole = [contribution_of(one) for one in developed]
    shared = [share(one, "rtms_response", "screening") for one in cohorts]
    models = {
        "pooled": rm.develop(cohort, settings=SETTINGS),
        "first centre alone": developed[0],
        "shared, alike": combine(shared, alike=True).model,
    }
    seconds = {}
    for way, together in (("", False), (", alike", True)):
        found, spent = timed(lambda a=together: combine(whole, alike=a).model)
        models["everything" + way], seconds["combine" + way] = found, spent
    sets = [tested(TESTED, rng, truth)]
    cell = f"alike {truth_name}, {n_centres} x {size}"
    for name, model in models.items():
        yield (cell, name, "all"), judge(model, sets)
    if n_centres == 20:
        seconds["develop"] = develop_s / n_centres
        for way, spent in seconds.items():
            yield ("20 centres of 40", way, "seconds"), (spent, np.nan)


def interactions(rng):
    truth = draw_truth("rtms_response", "interactions", rng)
    cohort = patients(1000, rng, truth).assign(patient_id=None)
    models = {
        "pooled with trees": rm.develop(cohort, settings=TREES),
        "folders, alike": combine(
            [rm.develop(one, settings=SETTINGS) for one in parts(cohort, 5)], alike=True
        ).model,
    }
    sets = [tested(TESTED, rng, truth)]
    for name, model in models.items():
        yield ("interactions, 5 x 200", name, "all"), judge(model, sets)


def implanted(rng):
    truth = draw_truth("emcs_success", "right", rng)
    gone = list(generator_settings().not_recorded)
    cohort = drawn(125, rng, truth, blank_share=0.05).drop(columns=gone)
    cohort = cohort.assign(patient_id=None)
    new = drawn(TESTED, rng, truth, blank_share=0.0)
    chance = true_probabilities(new, truth, cut_points=[40])[40]
    known = new.drop(columns=[*gone, "emcs_relief", "emcs_success"])
    settings, whole = (
        replace(one, decision="emcs_success", moment="implantation")
        for one in (SETTINGS, WHOLE)
    )
    cohorts = list(parts(cohort, 5))
    kinds = {
        "everything, alike": [
            contribution_of(rm.develop(one, settings=whole)) for one in cohorts
        ],
        "folders, alike": [rm.develop(one, settings=settings) for one in cohorts],
    }
    models = {"pooled": rm.develop(cohort, settings=settings)}
    models |= {name: combine(kind, alike=True).model for name, kind in kinds.items()}
    for name, model in models.items():
        yield ("eMCS, 5 x 25", name, "all"), judge(model, [(known, chance)])


def different(rng):
    truth = draw_truth("rtms_response", "right", rng)

    def centre():
        moved = 0.15 * rng.normal(size=truth.slopes.shape[1])
        return replace(
            truth,
            mean=truth.mean + 0.5 * rng.normal(),
            slopes=truth.slopes + np.where(truth.slopes != 0, moved, 0.0),
        )

    truths = [centre() for _ in range(5)]
    cohorts = [patients(200, rng, one).assign(patient_id=None) for one in truths]
    named = [one.assign(centre=f"c{c}") for c, one in enumerate(cohorts)]
    whole = pd.concat(named, ignore_index=True)
    folders = [rm.develop(one, settings=SETTINGS) for one in cohorts]
    models = {
        "pooled": rm.develop(whole.drop(columns="centre"), settings=SETTINGS),
        "with centres": rm.develop(whole, settings=NAMED),
        "first centre alone": folders[0],
        "folders": combine(folders).model,
        "for the first": combine(folders, for_member=0).model,
    }
    sets = {
        "new": [tested(OF_EACH, rng, centre()) for _ in range(N_NEW)],
        "own": [tested(TESTED, rng, truths[0])],
    }
    for (name, model), (who, some) in product(models.items(), sets.items()):
        yield ("different, 5 x 200", name, who), judge(model, some)


def against(rng):
    """Four centres of one truth and one whose slopes are turned round."""
    truth = draw_truth("rtms_response", "right", rng)
    odd = replace(truth, slopes=-truth.slopes)
    same = [rm.develop(patients(60, rng, truth), settings=SETTINGS) for _ in range(5)]
    turned = rm.develop(patients(60, rng, odd), settings=SETTINGS)
    flags = [one.contradicts for one in combine([*same[1:], turned]).members]
    false = [one.contradicts for one in combine(same).members]
    yield ("contradicts, 5 x 60", "turned", "found"), (flags[-1], np.nan)
    yield ("contradicts, 5 x 60", "others", "found"), (sum(flags[:-1]), np.nan)
    yield ("contradicts, 5 x 60", "all alike", "found"), (sum(false), np.nan)


def cells(number):
    truth = TRUTHS[number % len(TRUTHS)]
    return {
        "alike 5 x 200": lambda rng: alike(rng, truth, 5, 200),
        "alike 20 x 40": lambda rng: alike(rng, truth, 20, 40),
        "different": different,
        "interactions": interactions,
        "eMCS": implanted,
        "contradicts": against,
    }


def chosen(names, number):
    """Cells of a study; centres that contradict are looked for in every third."""
    for place, (name, cell) in enumerate(cells(number).items()):
        if (not names or name in names) and (number % 3 == 0 or name != "contradicts"):
            yield place, cell


def summary(rows):
    """One row a bar: ratio of means, its standard error, coverage."""
    for cell, model, who, other, bar, least in BARS:
        if (cell, model, who, "x") not in rows:
            continue
        pair = rows[[(cell, model, who, "x"), (cell, other, who, "x")]].dropna()
        x, base = pair.iloc[:, 0], pair.iloc[:, -1]
        ratio = x.mean() / base.mean()
        error = (x - ratio * base).std() / np.sqrt(len(pair)) / base.mean()
        cover = rows[cell, model, who, "cover"].mean()
        met = (bar is None or ratio <= bar) and (least is None or cover >= least)
        yield {
            "cell": cell,
            "n_cohorts": len(pair),
            "model": model,
            "patients": who,
            "x": round(x.mean(), 2),
            "against": other,
            "ratio": round(ratio, 3),
            "se": round(error, 3),
            "bar": bar,
            "coverage": round(cover, 3),
            "least_coverage": least,
            "met": None if bar is None else met,
        }
    for cell, model, who, kind in rows.columns:
        if who == "found" and kind == "x":
            found = rows[cell, model, who, kind].dropna().astype(float)
            counts = {"n_cohorts": len(found), "model": model, "x": found.sum()}
            yield {"cell": cell, "patients": "centres named", **counts}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=60)
    parser.add_argument("--minutes", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=61)
    parser.add_argument("--cell", nargs="+", choices=list(cells(0)))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    end = time.monotonic() + 60.0 * args.minutes
    rows, table = [], pd.DataFrame()
    for number in range(args.cohorts):
        row = {}
        for place, cell in chosen(args.cell, number):
            if time.monotonic() > end:
                break
            rng = np.random.default_rng([args.seed, place, number])
            for key, (x, cover) in cell(rng):
                row[(*key, "x")], row[(*key, "cover")] = x, cover
        if row:
            rows.append(row)
            table = stamped(pd.DataFrame(summary(pd.DataFrame(rows))))
            if args.out:
                table.to_csv(args.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
