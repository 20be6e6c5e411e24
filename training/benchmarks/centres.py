r"""Centres with levels and slopes of their own: against an earlier build.

    RESPONDER_MODEL_BEFORE=../before python training/benchmarks/centres.py \
        --n-cohorts 40

Truths are those of ``accuracy.py``. Each centre adds N(0, SD²) to the level, and
N(0, SD²) to each slope of the truth. Scored against their true probability are new
patients of the centres that were developed on (``own``: told to the model) and those of
centres that nobody saw (``new``). Writes ``reports/benchmarks/centres.csv``; cells that
are not run again stay in it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from before import develop_before
from known_truth.scores import score_predictions
from responder_model.development import develop
from responder_model.schema import dictionary
from responder_model.settings import Settings
from responder_model.simulation.generator import simulate_cohort
from responder_model.simulation.relief import true_probabilities
from responder_model.simulation.settings import generator_settings
from responder_model.simulation.truth import Truth, draw_truth
from stamp import stamped

OUT = Path("reports/benchmarks/centres.csv")
OURS = "responder_model"
DECISION, MOMENT = "rtms_response", "screening"
# Centres, patients in each, SD of levels, SD of slopes.
CELLS = (
    (5, 40, 0.5, 0.0),
    (8, 100, 0.5, 0.0),
    (20, 100, 0.5, 0.0),
    (8, 100, 0.75, 0.2),
    (8, 50, 0.0, 0.0),
)
_TEST_PATIENTS = 4000
_NEW_CENTRES = 40
_SCORES = ("excess_log_loss", "coverage", "width")
_KEYS = ["truth", "centres", "patients", "sd", "slopes", "where"]


def simulate(
    truths: list[Truth], n_each: int, rng: np.random.Generator, name: str
) -> tuple[pd.DataFrame, np.ndarray]:
    """Patients of several centres, and their true probabilities."""
    cohorts, chances = [], []
    main = dictionary().decisions[DECISION].main_cut_point
    for k, truth in enumerate(truths):
        cohort = simulate_cohort(
            n_each,
            int(rng.integers(2**31)),
            truth=truth,
            n_implanted=0,
            symptom_recorded=False,
            blank_share=0.0,
            non_completers=0.0,
        ).drop(columns=["patient_id", *generator_settings().not_recorded])
        cohort["centre"] = f"{name} {k + 1}"
        cohorts.append(cohort)
        chances.append(true_probabilities(cohort, truth, cut_points=[main])[main])
    joined = pd.concat(cohorts, ignore_index=True)
    joined.attrs = dict(cohorts[0].attrs)
    return joined, np.concatenate(chances)


def move(truth: Truth, level: float, slopes: float, rng: np.random.Generator) -> Truth:
    """Truth in one more centre."""
    moved = slopes * rng.standard_normal(truth.slopes.shape[1])
    return replace(
        truth,
        mean=truth.mean + level * float(rng.standard_normal()),
        slopes=truth.slopes + np.where(truth.slopes != 0.0, moved, 0.0),
    )


def run_cell(cell: tuple, cohort: int, kind: str, seed: int) -> list[dict]:
    n_centres, n_each, level, slopes = cell
    rng = np.random.default_rng([seed, n_centres, n_each, round(100 * slopes), cohort])
    truth = draw_truth(DECISION, kind, rng)
    own = [move(truth, level, slopes, rng) for _ in range(n_centres)]
    new = [move(truth, level, slopes, rng) for _ in range(_NEW_CENTRES)]
    development, _ = simulate(own, n_each, rng, "centre")
    decision = dictionary().decisions[DECISION]
    outcomes = [decision.outcome, decision.binary_outcome]
    settings = Settings(decision=DECISION, moment=MOMENT)
    model = develop(development, settings=settings)
    ignoring = develop(development, settings=replace(settings, centres="ignored"))
    rows = []
    for where, truths in (("own", own), ("new", new)):
        name = "centre" if where == "own" else "new"
        test, chance = simulate(truths, _TEST_PATIENTS // len(truths), rng, name)
        test = test.drop(columns=outcomes)
        now = model.predict_cohort(test, centre=list(test["centre"]))
        then = develop_before(DECISION, MOMENT, development, test)
        ignored = ignoring.predict_cohort(test)
        scored = {OURS: now, "ignored": ignored, "before": then}
        for method, table in scored.items():
            found = score_predictions(
                chance,
                *(table[c].to_numpy(float) for c in ("probability", "lower", "upper")),
            )
            rows.append(
                {
                    "centres": n_centres,
                    "patients": n_each,
                    "sd": level,
                    "slopes": slopes,
                }
                | {"truth": kind, "cohort": cohort, "where": where, "method": method}
                | {name: getattr(found, name) for name in _SCORES}
            )
    return rows


def summary(results: pd.DataFrame) -> pd.DataFrame:
    """Means over cohorts, and the ratio of x to the build before with its SE."""
    wide = results.pivot_table(
        index=[*_KEYS, "cohort"], columns="method", values=[*_SCORES]
    )
    rows = []
    for key, part in wide.groupby(level=_KEYS):
        row = dict(zip(_KEYS, key, strict=True)) | {"n": len(part)}
        x = 1000.0 * part["excess_log_loss"]
        for rival in ("before", "ignored"):
            ratio = x[OURS].mean() / x[rival].mean()
            error = (x[OURS] - ratio * x[rival]).std() / x[rival].mean()
            row[f"to_{rival}"] = ratio
            row[f"to_{rival}_se"] = error / np.sqrt(len(part))
        for method in (OURS, "ignored", "before"):
            name = "" if method == OURS else f"_{method}"
            row[f"x{name}"] = x[method].mean()
            row[f"coverage{name}"] = part["coverage"][method].mean()
            row[f"width{name}"] = part["width"][method].mean()
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-cohorts", type=int, default=40)
    parser.add_argument("--cells", default="01234", help="positions in CELLS")
    parser.add_argument("--truth", default="right")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    for position in map(int, args.cells):
        rows = []
        for cohort in range(args.n_cohorts):
            rows += run_cell(CELLS[position], cohort, args.truth, args.seed)
        found = stamped(summary(pd.DataFrame(rows)))
        print(found.round(3).to_string(index=False), flush=True)
        write(found, args.out)


def write(found: pd.DataFrame, path: Path) -> None:
    """Write the table with these cells in place of what it held of them."""
    if path.exists():
        earlier = pd.read_csv(path)
        found = pd.concat([earlier, found]).drop_duplicates(_KEYS, keep="last")
    path.parent.mkdir(parents=True, exist_ok=True)
    found.to_csv(path, index=False, float_format="%.5g")


if __name__ == "__main__":
    main()
