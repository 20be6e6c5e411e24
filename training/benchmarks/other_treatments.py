"""The estimator and its structural judgements on patients of other treatments.

    python training/benchmarks/other_treatments.py acupuncture FILE [--splits 30]
    python training/benchmarks/other_treatments.py back_pain FILE

FILE is public and stays where it is (nothing of it is committed or printed but
aggregates): `acupuncture`, the CSV of Vickers 2004, one line a patient with age, sex,
migraine, chronicity, group, pk1, pk2, pk5 (headache at start, 3 and 12 months);
`back_pain`, that of Ashar 2022, a line before and one after, with group, pain_avg,
promis_dep, promis_anxiety, pcs, age, gender, backpain_length. None of them had rTMS:
how early relief carries over and how questionnaires go together are structure, never an
effect of rTMS.
"""

from __future__ import annotations

import argparse
import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegressionCV

from responder_model.cumulative_logit.estimator import EvidenceCumulativeLogit
from responder_model.evidence import declarations_for
from responder_model.priors import build_priors
from responder_model.schema import dictionary

Array = NDArray[np.float64]

RESPONSE = 30.0
CUTS = (10.0, 20.0, 30.0, 50.0, 70.0)
SIZES = (50, 200)
EARLY = "relief_early"


@dataclass(frozen=True, kw_only=True)
class Patients:
    """Predictors at start, relief early where it was asked, and at the end, percent."""

    baseline: pd.DataFrame
    early: pd.Series | None
    final: pd.Series
    # Predictor here -> model column, or dictionary field, that it stands for.
    stands_for: dict[str, str]


def read_acupuncture(path: Path) -> Patients:
    """Read relief of headache at 3 and 12 months, both arms."""
    table = pd.read_csv(path)
    baseline = pd.DataFrame(
        {
            "age": table["age"],
            "female": table["sex"],
            "migraine": table["migraine"],
            "log_duration": np.log(table["chronicity"].clip(lower=1)),
            "intensity": table["pk1"],
            "treated": table["group"],
        }
    ).astype(float)
    stands_for = {
        "age": "age",
        "log_duration": "pain_duration",
        "intensity": "pain_intensity",
        EARLY: "relief_so_far",
    }
    return Patients(
        baseline=baseline,
        early=relief(table["pk1"], table["pk2"]),
        final=relief(table["pk1"], table["pk5"]),
        stands_for=stands_for,
    )


def read_back_pain(path: Path) -> Patients:
    """Read relief of back pain after one of three treatments; no early relief."""
    table = pd.read_csv(path)
    before = table[table["time"] == 1].set_index("id")
    after = table[table["time"] == 2].set_index("id")["pain_avg"]
    arms = pd.get_dummies(before["group"], prefix="arm", drop_first=True, dtype=float)
    baseline = pd.DataFrame(
        {
            "age": before["age"],
            "female": before["gender"] - 1,
            "log_duration": np.log(before["backpain_length"].clip(lower=0.25)),
            "intensity": before["pain_avg"],
            "depression": before["promis_dep"],
            "anxiety": before["promis_anxiety"],
            "catastrophising": before["pcs"],
        }
    ).astype(float)
    stands_for = {
        "age": "age",
        "log_duration": "pain_duration",
        "intensity": "pain_intensity",
        "depression": "depression",
        "anxiety": "anxiety",
        "catastrophising": "catastrophising",
    }
    return Patients(
        baseline=baseline.join(arms),
        early=None,
        final=relief(before["pain_avg"], after.reindex(before.index)),
        stands_for=stands_for,
    )


READERS = {"acupuncture": read_acupuncture, "back_pain": read_back_pain}


def relief(before: pd.Series, after: pd.Series) -> pd.Series:
    """Percent by which pain fell, from -100 to 100; missing without pain at start."""
    fall = 100.0 * (before - after) / before.where(before > 0.0)
    return fall.clip(-100.0, 100.0)


def correlation(first: pd.Series, second: pd.Series) -> dict[str, float]:
    """Pearson's r of patients who have both, with Fisher's 95 % interval."""
    both = pd.concat([first, second], axis=1).dropna()
    r, n = float(both.corr().iloc[0, 1]), len(both)
    half = 1.96 / math.sqrt(n - 3)
    low, high = (math.tanh(math.atanh(r) + side * half) for side in (-1, 1))
    return {"n": n, "r": r, "lower": low, "upper": high}


def slopes(patients: Patients) -> pd.DataFrame:
    """Log-odds of relief above 30 % per SD of each predictor alone, arms held fixed."""
    rows = []
    for name, column in patients.stands_for.items():
        value = patients.early if name == EARLY else patients.baseline[name]
        unit = RESPONSE if name == EARLY else float(value.std())
        arms = patients.baseline.filter(regex="^(treated|arm_)")
        design = pd.concat([value / unit, arms], axis=1)
        known = design.notna().all(axis=1) & patients.final.notna()
        outcome = (patients.final[known] > RESPONSE).astype(float)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = sm.Logit(outcome, sm.add_constant(design[known])).fit(disp=0)
        declared = declarations_for("rtms_response").find(
            column, "session_1" if name == EARLY else "screening"
        )
        rows.append(
            {
                "predictor": name,
                "n": int(known.sum()),
                "slope": float(fit.params.iloc[1]),
                "se": float(fit.bse.iloc[1]),
                "declared": None if declared is None else declared.mean,
                "declared_sd": None if declared is None else declared.sd,
            }
        )
    return pd.DataFrame(rows)


def correlations(patients: Patients) -> pd.DataFrame:
    """Measured correlations beside those that the dictionary declares."""
    rows = []
    if patients.early is not None:
        found = correlation(patients.early, patients.final)
        rows.append({"pair": "early and final relief", **found, "declared": None})
    for row in dictionary().correlations:
        if all(name in patients.baseline for name in row.fields):
            first, second = (patients.baseline[name] for name in row.fields)
            found = correlation(first, second)
            pair = " and ".join(row.fields)
            rows.append({"pair": pair, **found, "declared": row.value})
    return pd.DataFrame(rows)


def compare(patients: Patients, splits: int, seed: int) -> pd.DataFrame:
    """Log loss on the rest after learning from few, over random splits."""
    design = patients.baseline.fillna(patients.baseline.mean())
    if patients.early is not None:
        design = design.assign(**{EARLY: patients.early})
    known = design.notna().all(axis=1) & patients.final.notna()
    X, final = design[known].reset_index(drop=True), patients.final[known].to_numpy()
    rows = []
    for size in (size for size in SIZES if size < 0.8 * len(X)):
        for split in range(splits):
            order = np.random.default_rng([seed, size, split]).permutation(len(X))
            few, rest = order[:size], order[size:]
            losses = _losses(X.iloc[few], final[few], X.iloc[rest], final[rest])
            rows.append({"n": size, "split": split, **losses})
    table = pd.DataFrame(rows).set_index(["n", "split"])
    return table.sub(table["ridge"], axis=0).assign(ridge=table["ridge"])


def _losses(
    X: pd.DataFrame, final: Array, test: pd.DataFrame, answer: Array
) -> dict[str, float]:
    outcome = final > RESPONSE
    scale, centre = X.std().replace(0.0, 1.0), X.mean()
    standard, left = (X - centre) / scale, (test - centre) / scale
    ridge = LogisticRegressionCV(
        Cs=np.logspace(-4, 2, 13), cv=5, scoring="neg_log_loss", max_iter=2000
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ridge.fit(standard, outcome)
    found = {"ridge": ridge.predict_proba(left)[:, 1]}
    for name, priors in _priors(X).items():
        level = np.searchsorted(CUTS, final, side="left")
        model = EvidenceCumulativeLogit(
            priors,
            levels=range(len(CUTS) + 1),
            main_cut=CUTS.index(RESPONSE),
            firm=list(priors or ()),
        )
        above = model.fit(X, level).predict_exceedance(test)
        found[name] = above[:, CUTS.index(RESPONSE)]
    return {name: _log_loss(answer > RESPONSE, p) for name, p in found.items()}


def _priors(X: pd.DataFrame) -> dict[str, dict[str, tuple[float, ...]] | None]:
    """Without evidence, and with what is believed of early relief in rTMS."""
    methods: dict[str, dict[str, tuple[float, ...]] | None] = {"no evidence": None}
    if EARLY in X:
        row = build_priors("rtms_response", "session_1").columns["relief_so_far"]
        centre = float(X[EARLY].mean())
        methods["early relief believed"] = {EARLY: (row.mean, row.sd, RESPONSE, centre)}
    return methods


def _log_loss(outcome: NDArray[np.bool_], p: Array) -> float:
    p = np.clip(p, 1e-6, 1.0 - 1e-6)
    return float(-np.where(outcome, np.log(p), np.log1p(-p)).mean())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("layout", choices=READERS)
    parser.add_argument("file", type=Path)
    parser.add_argument("--splits", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    patients = READERS[given.layout](given.file)
    final = patients.final.dropna()
    print(
        f"{len(final)} patients, {(final > RESPONSE).mean():.0%} above 30 %, ", end=""
    )
    print(f"relief {final.mean():.0f} (SD {final.std():.0f})")
    for table in (correlations(patients), slopes(patients)):
        print("\n" + table.to_string(index=False, float_format="%.2f"))
    differences = compare(patients, given.splits, given.seed)
    summary = differences.groupby("n").agg(["mean", "sem"])
    print("\nlog loss of ridge, and differences to it (SE over overlapping splits)")
    print(summary.to_string(float_format="%.4f"))


if __name__ == "__main__":
    main()
