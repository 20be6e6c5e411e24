"""What the published models claim, checked on draws from the mixture behind them.

python training/benchmarks/one_belief.py [--draws N] [--seed S] [--cohorts N]

Truths are drawn from the mixture of priors (component, slopes, level); patients are
simulated ones. For each published model, without and with a local rate of 100 tested:
the c-statistic of the truths, slope and coverage of the model's predictions over all
truths, and the width of its intervals. Then how far two fixed patients move, on
average, when ten patients drawn from the published model have been seen.
"""

import argparse

import numpy as np
import pandas as pd

from responder_model.cohort import outcome_levels
from responder_model.development import build_procedure, published_model
from responder_model.development.procedure import raw_cohort
from responder_model.development.published import claimed_c_statistics, prior_draws
from responder_model.features import Encoder, expit
from responder_model.model import Model
from responder_model.model.scores import Z_95
from responder_model.schema import dictionary
from responder_model.simulation import simulate_cohort

PATIENTS = 1000
TESTED = 100
# Of truths, so that the slope has a Monte-Carlo error.
BATCHES = 10
# A patient for whom much speaks, and one against whom much does.
TWO = (
    {
        "age": 45,
        "sex": "female",
        "aetiology": "ischaemic_stroke",
        "lesion_site": "thalamus",
        "pain_site": "upper_limb",
        "pain_duration": 12,
        "pain_intensity": 4,
        "depression": 3,
        "anxiety": 3,
        "severe_dysaesthesia": False,
    },
    {
        "age": 65,
        "sex": "male",
        "aetiology": "haemorrhagic_stroke",
        "lesion_site": "brainstem",
        "pain_site": "lower_limb",
        "pain_duration": 120,
        "pain_intensity": 9,
        "depression": 14,
        "anxiety": 14,
        "severe_dysaesthesia": True,
    },
)


def filled(model: Model, patients: pd.DataFrame) -> np.ndarray:
    """Base columns of patients, as if what they lack had been recorded as expected."""
    encoder = model.encoder
    raw = raw_cohort(encoder, patients)
    z, _ = model.population.impute(
        encoder.encode(raw), model.main.coefficients[None], encoder.interval(raw)
    )
    return z


def slope_of(log_odds: np.ndarray, truth: np.ndarray) -> float:
    """Logistic recalibration slope of predictions on mean true probabilities."""
    X, b = np.column_stack([np.ones_like(log_odds), log_odds]), np.array([0.0, 1.0])
    for _ in range(50):
        p = expit(X @ b)
        information = (X * (p * (1.0 - p))[:, None]).T @ X
        b = b + np.linalg.solve(information, X.T @ (truth - p))
    return float(b[1])


def check(model: Model, patients, n: int, seed: int) -> dict[str, float]:
    """C of the truths; slope, coverage and width of the model's predictions."""
    encoder, kappa = model.encoder, model.scorer.kappa
    z = filled(model, patients)
    X = z @ encoder.projection.T
    log_odds = kappa * (model.main.intercept + z @ model.main.coefficients)
    variance = model.scorer.posterior_variance(z - model.population.mean)
    half = Z_95 * np.sqrt(variance + model.discrepancy)
    lower, upper = expit(log_odds - half), expit(log_odds + half)
    truths = prior_draws(model, n, seed=seed)
    shares, covered = [], []
    for batch in np.array_split(truths, BATCHES):
        p = expit(batch[:, :1] + batch[:, 1:] @ X.T)
        shares.append(p.mean(axis=0))
        covered += ((lower <= p) & (p <= upper)).mean(axis=1).tolist()
    c = claimed_c_statistics(model, n, seed=seed)
    slopes = [slope_of(log_odds, share) for share in shares]
    return {
        "c_median": float(np.median(c)),
        "c_95": float(np.quantile(c, 0.95)),
        "slope": slope_of(log_odds, np.mean(shares, axis=0)),
        "slope_se": float(np.std(slopes, ddof=1) / np.sqrt(BATCHES)),
        "coverage": float(np.mean(covered)),
        "coverage_se": float(np.std(covered) / np.sqrt(n)),
        "width": float((upper - lower).mean()),
    }


def moved(n_cohorts: int, seed: int) -> np.ndarray:
    """Mean change of two patients after ten drawn from the model, and its size."""
    model = published_model("rtms_response", "screening")
    before = np.array([model.predict(patient).probability for patient in TWO])
    changes = []
    for k in range(n_cohorts):
        cohort = complete(simulate_cohort(10, seed + k))
        served = model.score_cohort(cohort).served
        rng = np.random.default_rng(seed + k)
        log_odds = rng.logistic(size=(10, 1))
        cuts = np.array(model.served_cut_points)
        level = (expit(served) > expit(log_odds)).sum(axis=1)
        cohort["relief_test"] = np.array([0.0, *(cuts + 5.0)])[level]
        cohort["symptom_improved"] = True
        procedure = build_procedure("rtms_response", "screening", challenger=False)
        procedure.set_params(small_cells=0)
        levels = outcome_levels(cohort, "rtms_response")
        if len(set((cohort["relief_test"] > 30).tolist())) < 2:
            continue
        procedure.fit(cohort, levels)
        raw = np.vstack([procedure.encoder_.raw(patient) for patient in TWO])
        after = expit(procedure.linear_predictor_raw(raw))
        changes.append(after - before)
    return np.array([np.mean(changes, axis=0), np.mean(np.abs(changes), axis=0)])


def complete(cohort):
    """Keep the columns of screening, as a cohort without outcomes."""
    names = Encoder.for_decision("rtms_response", "screening").predictors
    return cohort[[name for name in names if name in cohort]].copy()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument("--cohorts", type=int, default=60)
    given = parser.parse_args()
    cohort = simulate_cohort(PATIENTS, given.seed)
    for decision, moment in dictionary().targets():
        names = Encoder.for_decision(decision, moment).predictors
        patients = cohort[[name for name in names if name in cohort]]
        for rate in (None, (40, TESTED)):
            model = published_model(decision, moment, local_rate=rate)
            found = check(model, patients, given.draws, given.seed)
            text = " ".join(f"{key} {value:.3f}" for key, value in found.items())
            print(f"{decision}@{moment} {rate or 'no local rate'}: {text}", flush=True)
    mean, size = moved(given.cohorts, given.seed).round(3).tolist()
    print(f"two patients after ten others: {mean} on average, {size} in size")


if __name__ == "__main__":
    main()
