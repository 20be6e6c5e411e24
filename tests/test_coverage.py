"""Intervals: what missing values add, and coverage on simulated cohorts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import responder_model as rm
from known_truth.cells import Cell, simulate_task
from responder_model.features import Population
from responder_model.model.batch import score_raw
from responder_model.model.example import example_model
from responder_model.schema import dictionary

N_COHORTS = 5
BLANK_SHARE = 0.3


def random_raw(model, n, rng):
    """Complete raw predictors whose base columns follow the model's population."""
    cohort = rm.simulate_cohort(n, int(rng.integers(2**31)), blank_share=0.0)
    return model.encoder.raw(cohort)


# ---------------------------------------------------------------- what gaps add


@pytest.mark.parametrize("name", ["age", "pain_duration", "depression"])
def test_a_missing_number_widens_by_what_its_value_would_on_average(name):
    """Law of total variance, the missing value drawn given the observed ones."""
    model = example_model(seed=4, discrepancy=0.0)
    rng = np.random.default_rng(1)
    raw = random_raw(model, 1, rng)
    position = model.encoder.predictors.index(name)
    column = [c.name for c in model.encoder.columns].index(name)
    gap = raw.copy()
    gap[0, position] = np.nan
    z = model.encoder.encode(gap)
    covariance = model.population.open_covariance(z[0])
    filled, _ = model.population.impute(z, np.eye(len(model.encoder.columns)))
    drawn = np.repeat(filled, 100_000, axis=0)
    sd = np.sqrt(covariance[column, column])
    drawn[:, column] += sd * rng.standard_normal(len(drawn))
    x = np.column_stack([np.ones(len(drawn)), drawn])
    part = model.main
    within = np.einsum("ij,jk,ik->i", x, part.covariance, x)
    between = drawn @ part.coefficients
    expected = within.mean() + between.var()
    found = score_raw(model, gap).standard_error[0] ** 2
    # Monte-Carlo error of a variance from 100 000 draws: 0.5 %
    assert found == pytest.approx(expected, rel=0.02)


def test_open_variance_is_zero_for_the_complete_and_grows_with_gaps():
    population = Population.reference(example_model().encoder)
    size = len(population.mean)
    root = np.random.default_rng(0).normal(size=(size, size))
    z = np.zeros((4, size))
    z[1, :2] = z[2, :8] = z[3] = np.nan
    added = population.open_variance(z, root @ root.T)
    assert added[0] == 0.0
    assert (np.diff(added) > 0.0).all()


def test_a_contribution_whose_coefficient_is_unknown_has_a_range_when_missing():
    """The published mean of fatigue is 0, its SD is not."""
    model = rm.published_model("rtms_response", "screening")
    bounds = model.predict({"age": 54}).contribution_ranges["fatigue"]
    assert bounds.lower < -0.2
    assert bounds.upper > 0.2
    assert bounds.same_sign == 0.5


# ---------------------------------------------------------------- coverage


@cache
def interval_scores(truth, size):
    """Coverage, width and width with gaps, of each of a few cohorts."""
    rows = []
    for cohort in range(N_COHORTS):
        cell = Cell(
            decision="rtms_response",
            truth=truth,
            size=size,
            test_size=400,
            base_seed=77,
        )
        task = simulate_task(cell, cohort)
        model = rm.develop(task.development, task.decision, task.moment)
        complete = model.encoder.raw(task.test)
        rng = np.random.default_rng(cohort)
        gaps = np.where(rng.random(complete.shape) < BLANK_SHARE, np.nan, complete)
        row = []
        for raw in (complete, gaps):
            scores = score_raw(model, raw)
            assert (scores.lower <= scores.probability).all()
            assert (scores.probability <= scores.upper).all()
            inside = scores.lower <= task.true_probability
            inside &= task.true_probability <= scores.upper
            row += [inside.mean(), (scores.upper - scores.lower).mean()]
        rows.append(row)
    return np.array(rows)


def lowest_mean(target, values):
    """Bound of a mean over cohorts that a true mean of ``target`` stays above.

    Three Monte-Carlo errors; the SD between cohorts is at least 3 points.
    """
    sd = max(float(values.std(ddof=1)), 0.03)
    return target - 3.0 * sd / np.sqrt(len(values))


@pytest.mark.parametrize(
    ("truth", "size", "target"),
    [
        ("right", 50, 0.93),
        ("wrong", 50, 0.92),
        ("null", 50, 0.92),
        ("interactions", 50, 0.90),
        ("right", 193, 0.93),
    ],
)
def test_interval_covers_the_true_probability(truth, size, target):
    coverage, _, with_gaps, _ = interval_scores(truth, size).T
    assert coverage.mean() >= lowest_mean(target, coverage)
    assert with_gaps.mean() >= lowest_mean(target, with_gaps)


@pytest.mark.parametrize("truth", ["right", "wrong", "null", "interactions"])
def test_missing_values_widen_the_interval_on_average(truth):
    _, width, _, with_gaps = interval_scores(truth, 50).T
    assert with_gaps.mean() > width.mean()


def test_published_interval_covers_truths_drawn_from_the_evidence():
    """No cohort at all: one slope vector a truth, three patients each."""
    model = rm.published_model("rtms_response", "screening")
    covered = []
    for cohort in range(30):
        cell = Cell(decision="rtms_response", truth="right", size=12, test_size=3)
        task = simulate_task(cell, cohort)
        scores = score_raw(model, model.encoder.raw(task.test))
        inside = scores.lower <= task.true_probability
        covered.append((inside & (task.true_probability <= scores.upper)).mean())
    # 30 independent truths: SE of a coverage of 95 % is below 4 points
    assert np.mean(covered) >= 0.95 - 3 * 0.04


def test_every_predictor_missing_is_the_widest_interval_of_a_patient():
    model = rm.published_model("rtms_response", "screening")
    rows = dictionary().predictors("rtms_response", "screening")
    patient = {"age": 56, "aetiology": "spinal_cord_injury", "pain_intensity": 6}
    widths = []
    for known in range(len(patient) + 1):
        part = dict(list(patient.items())[:known])
        scores = score_raw(model, model.encoder.raw(part))
        widths.append(float(scores.standard_error[0]))
    assert widths == sorted(widths, reverse=True)
    assert len(rows) > len(patient)
