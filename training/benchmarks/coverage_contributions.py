"""Whether the uncertainty of single contributions means what it says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from responder_model.development import develop
from responder_model.model import Model
from responder_model.simulation import Truth, draw_truth, simulate_cohort

# Patients of each cohort whose contributions are judged.
N_PATIENTS = 40
SIGN_BINS = (0.5, 0.7, 0.9, 0.975, 1.0)


def contributions_table(
    truths: list[str], sizes: list[int], n_cohorts: int, n_jobs: int
) -> pd.DataFrame:
    """Coverage of true contributions by their 95 % range, and of their sign.

    Per truth and size: ``coverage`` with its Monte-Carlo error over cohorts, and for
    each class of ``same_sign`` its mean (``claimed``) and the share of contributions
    that truly have that sign (``right``).
    """
    jobs = [(t, n, k) for t in truths for n in sizes for k in range(n_cohorts)]
    parts = Parallel(n_jobs=n_jobs)(delayed(_one_cohort)(*job) for job in jobs)
    rows = pd.concat(parts, ignore_index=True)
    keys = ["truth", "size"]
    by_cohort = rows.groupby([*keys, "cohort"], sort=False)["covered"].mean()
    summary = by_cohort.groupby(keys, sort=False).agg(coverage="mean", se="sem")
    signs = rows[(rows["true"] != 0.0) & (rows["same_sign"] > 0.5)]
    for low, high in pairwise(SIGN_BINS):
        within = (signs["same_sign"] > low) & (signs["same_sign"] <= high)
        grouped = signs[within].groupby(keys, sort=False)
        summary[f"claimed {low:g}-{high:g}"] = grouped["same_sign"].mean()
        summary[f"right {low:g}-{high:g}"] = grouped["right_sign"].mean()
    return summary.reset_index()


def _one_cohort(kind: str, size: int, cohort: int) -> pd.DataFrame:
    seed = np.random.SeedSequence([31, size, cohort]).generate_state(3)
    truth = draw_truth("rtms_response", kind, np.random.default_rng(seed[0]))
    simulate = {"n_implanted": 0, "symptom_recorded": False, "non_completers": 0.0}
    development = simulate_cohort(size, int(seed[1]), truth=truth, **simulate)
    model = develop(development, "rtms_response", "screening")
    test = simulate_cohort(N_PATIENTS, int(seed[2]), truth=truth, blank_share=0.0)
    true = _true_contributions(model, truth, test)
    rows = []
    for k in range(len(test)):
        patient = {name: test[name].iloc[k] for name in model.encoder.predictors}
        found = model.predict(patient)
        for j, (name, value) in enumerate(found.contributions.items()):
            bounds = found.contribution_ranges[name]
            rows.append(
                {
                    "truth": kind,
                    "size": size,
                    "cohort": cohort,
                    "true": true[k, j],
                    "covered": bounds.lower <= true[k, j] <= bounds.upper,
                    "same_sign": bounds.same_sign,
                    "right_sign": np.sign(value) == np.sign(true[k, j]),
                }
            )
    return pd.DataFrame(rows)


def _true_contributions(model: Model, truth: Truth, test: pd.DataFrame) -> np.ndarray:
    """Log-odds that each predictor adds in truth, from the model's own average."""
    encoder = model.encoder
    names = [column.name for column in encoder.columns]
    slopes = np.zeros(len(names))
    main = truth.scale.latent.index(0.0)
    for name, slope in zip(truth.columns, truth.slopes[main], strict=True):
        slopes[names.index(name)] = slope
    deviation = encoder.encode(encoder.raw(test)) - model.population.mean
    owner = np.eye(len(encoder.predictors))[encoder.column_predictor]
    return (deviation * slopes) @ owner
