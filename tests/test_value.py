"""What data are worth: against nested simulation, in its limits, and as printed."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app
from responder_model.errors import ResponderModelError
from responder_model.features import expit
from responder_model.rules.information import (
    Lesson,
    expectation,
    gain_of_ranking,
    lessons_of,
    worth_of,
)
from responder_model.rules.rates import square_root

THRESHOLDS = (0.3, 0.4, 0.5)


@pytest.fixture(scope="module")
def model():
    return rm.published_model("rtms_response", moment="screening")


@pytest.fixture(scope="module")
def found(model):
    return rm.value_of_information(model, slots=20, candidates=60)


def nested(model, n, *, n_datasets, n_draws, n_patients, rng):
    """Worth after data were drawn, analysed by importance sampling and acted upon.

    Returns the mean and standard error of the gain by threshold, and the lesson of the
    very patients that were decided about.
    """
    mean, root_z = model.population.mean, square_root(model.population.covariance)
    root = square_root(model.main.covariance)
    centre = np.r_[model.main.intercept, model.main.coefficients]

    def patients(size):
        normal = rng.standard_normal((size, len(mean)))
        return np.column_stack([np.ones(size), mean + normal @ root_z.T])

    theta = centre + rng.standard_normal((n_draws, len(centre))) @ root.T
    decided = patients(n_patients)
    chance = expit(decided @ theta.T)
    gains = np.empty((n_datasets, len(THRESHOLDS)))
    odds = np.array(THRESHOLDS) / (1 - np.array(THRESHOLDS))

    def net(p):
        return np.maximum(0.0, p[:, None] * (1 + odds) - odds).mean(axis=0)

    for k in range(n_datasets):
        x = patients(n)
        truth = centre + root @ rng.standard_normal(len(centre))
        responded = rng.random(n) < expit(x @ truth)
        log_odds = x @ theta.T
        fit = -np.logaddexp(0.0, np.where(responded[:, None], -log_odds, log_odds))
        weight = np.exp(fit.sum(axis=0) - fit.sum(axis=0).max())
        gains[k] = net(chance @ (weight / weight.sum())) - net(chance.mean(axis=1))
    records, _ = lessons_of(model)
    # the same directions, for these patients
    whole = lesson_directions(model)
    lesson = Lesson(
        centre=decided @ centre,
        along=decided @ whole,
        information=records.information,
        discrepancy=0.0,
    )
    return gains.mean(axis=0), gains.std(axis=0) / math.sqrt(n_datasets), lesson


def lesson_directions(model):
    """Matrix that turns (1, z) of a patient into the directions of the lesson."""
    records, _ = lessons_of(model)
    from responder_model.rules.information import N_PATIENTS, standard_normal

    mean = model.population.mean
    normal = standard_normal(N_PATIENTS, len(mean))
    z = mean + normal @ square_root(model.population.covariance).T
    x = np.column_stack([np.ones(N_PATIENTS), z])
    return np.linalg.lstsq(x, records.along, rcond=None)[0]


def test_value_of_sample_information_equals_a_nested_simulation(model):
    assert model.discrepancy == pytest.approx(0.1)
    from dataclasses import replace

    plain = replace(model, discrepancy=0.0)
    mean, error, lesson = nested(
        plain,
        50,
        n_datasets=300,
        n_draws=4000,
        n_patients=150,
        rng=np.random.default_rng(5),
    )
    for k, threshold in enumerate(THRESHOLDS):
        gain = worth_of(lesson.after(50), threshold)
        gain -= worth_of(lesson.after(0), threshold)
        assert gain == pytest.approx(mean[k], abs=4 * error[k])
        assert gain > 0


def test_worth_today_is_that_of_a_million_decisions(model):
    records, _ = lessons_of(model)
    rng = np.random.default_rng(2)
    outlook = records.after(0)
    served, _ = expectation(outlook.centre, outlook.open)
    rows = rng.integers(len(served), size=1_000_000)
    log_odds = outlook.centre[rows] + outlook.open[rows] * rng.standard_normal(
        len(rows)
    )
    responded = rng.random(len(rows)) < expit(log_odds)
    for threshold in THRESHOLDS:
        treated = served[rows] >= threshold
        cost = threshold / (1 - threshold)
        net = treated * np.where(responded, 1.0, -cost)
        bound = 4 * net.std() / 1000
        assert worth_of(outlook, threshold) == pytest.approx(net.mean(), abs=bound)


def test_perfect_knowledge_decides_by_the_true_probability(model):
    records, _ = lessons_of(model)
    rng = np.random.default_rng(3)
    outlook = records.after(math.inf)
    rows = rng.integers(len(outlook.centre), size=400_000)
    normal = rng.standard_normal(len(rows))
    known = outlook.centre[rows] + outlook.learned[rows] * normal
    p, _ = expectation(known, outlook.open[rows])
    for threshold in THRESHOLDS:
        odds = threshold / (1 - threshold)
        net = np.maximum(0.0, p * (1 + odds) - odds)
        bound = 4 * net.std() / math.sqrt(len(rows))
        assert worth_of(outlook, threshold) == pytest.approx(net.mean(), abs=bound)


def test_more_patients_are_worth_more_and_never_more_than_perfect_knowledge(found):
    for row in found.rows:
        records = [sample.records for sample in row.samples]
        assert records == sorted(records)
        assert records[0] > 0
        assert records[-1] < row.perfect
        for sample in row.samples:
            assert 0 < sample.counts < sample.records


def test_nothing_is_learned_where_nothing_is_open(model):
    records, _ = lessons_of(model)
    known = Lesson(
        centre=records.centre,
        along=records.along * 0.0,
        information=records.information,
        discrepancy=0.0,
    )
    for n in (50, math.inf):
        gain = worth_of(known.after(n), 0.4) - worth_of(known.after(0), 0.4)
        assert gain == pytest.approx(0.0, abs=1e-9)


def test_slots_go_to_the_likeliest_as_a_simulation_has_it(model, found):
    records, _ = lessons_of(model)
    outlook = records.after(0)
    rng = np.random.default_rng(4)
    served, _ = expectation(outlook.centre, outlook.open)
    gains = []
    for _ in range(4000):
        rows = rng.integers(len(served), size=60)
        normal = rng.standard_normal(60)
        log_odds = outlook.centre[rows] + outlook.open[rows] * normal
        responded = rng.random(60) < expit(log_odds)
        best = np.argsort(served[rows])[-20:]
        gains.append(responded[best].sum() - 20 * responded.mean())
    # candidates are drawn here, and dealt out once there: both have an error
    bound = 4 * np.std(gains) / math.sqrt(4000) + 4 * 20 * served.std() / math.sqrt(660)
    assert found.slots.today == pytest.approx(np.mean(gains), abs=bound)
    assert found.slots.today > 0.5


def test_slots_gain_more_the_more_is_known_and_nothing_where_all_get_one(model, found):
    slots = found.slots
    gains = [sample.records for sample in slots.samples]
    assert gains == sorted(gains)
    assert gains[0] > 0
    assert gains[-1] < slots.perfect
    records, _ = lessons_of(model)
    assert gain_of_ranking(records, 0, slots=60, candidates=60) == pytest.approx(0.0)


def test_a_model_that_learned_from_many_has_less_to_learn(model):
    few = rm.develop(rm.simulate_cohort(60, 1), "rtms_response", "session_1")
    many = rm.develop(rm.simulate_cohort(900, 1), "rtms_response", "session_1")
    left = [
        rm.value_of_information(m, thresholds=[0.4]).rows[0].perfect
        for m in (few, many)
    ]
    # of many, effects may bend too: so much more is there to learn
    assert left[1] < 0.75 * left[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"thresholds": [0.5, 0.3]}, r"thresholds must rise .*, got 0\.5, 0\.3\."),
        ({"thresholds": [0.0]}, "thresholds must rise"),
        ({"thresholds": []}, "thresholds must rise"),
        ({"patients": [0]}, "whole numbers above 0"),
        ({"slots": 20}, "fewer than candidates"),
        ({"slots": 60, "candidates": 60}, "fewer than candidates"),
    ],
)
def test_what_cannot_be_answered_is_refused(model, arguments, message):
    with pytest.raises(ResponderModelError, match=message):
        rm.value_of_information(model, **arguments)


def test_it_takes_less_than_3_seconds(model):
    rm.value_of_information(model, thresholds=[0.4])
    start = time.process_time()
    rm.value_of_information(model, slots=20, candidates=60)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_command_prints_a_verdict_and_fits_80_columns(lang, tmp_path):
    picture = tmp_path / "worth.png"
    arguments = ["value", "rtms_response@screening", "--lang", lang]
    arguments += ["--figure", str(picture), "--slots", "20", "--candidates", "60"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    first = {"en": "Most is to be learned", "fr": "C'est au seuil"}[lang]
    assert done.stdout.startswith(first)
    table = [line for line in done.stdout.splitlines() if line.startswith("│")]
    assert len(table) == 3
    assert max(map(len, table)) <= 82
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_command_prints_json():
    arguments = ["value", "emcs_success@implantation", "--threshold", "0.4", "--json"]
    done = CliRunner().invoke(app, [*arguments, "--patients", "25"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    (row,) = found["rows"]
    assert row["threshold"] == 0.4
    assert [sample["n"] for sample in row["samples"]] == [25]
    assert found["slots"] is None
