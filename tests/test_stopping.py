"""Stopping rules: the figures against brute force, counts, words and refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import save_model
from responder_model.challenger import fit_trees
from responder_model.cli.app import app
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.features import Encoder, expit
from responder_model.figures.drawing import PAGE_WIDTH
from responder_model.figures.rules import plot_stopping
from responder_model.model import Pool
from responder_model.model.example import example_model
from responder_model.rules import Amount, common_notes
from responder_model.rules.rates import (
    N_DRAWS,
    relief_fields,
    served_score,
)
from responder_model.schema import dictionary
from responder_model.simulation import draw_truth, simulate_cohort

MOMENTS = ("session_1", "session_2", "session_3")


@pytest.fixture(scope="module")
def models():
    return {m: rm.published_model("rtms_response", moment=m) for m in MOMENTS}


@pytest.fixture(scope="module")
def found(models):
    return [rm.stopping_rule(model) for model in models.values()]


def root(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def simulated(model, n, rng, *, truth=None):
    """Mean relief, served log-odds and outcome of patients whom the model describes.

    ``truth`` is one draw of (a, b) for all of them; without it each has its own.
    """
    mean = model.population.mean
    z = mean + rng.standard_normal((n, len(mean))) @ root(model.population.covariance).T
    one = np.column_stack([np.ones(n), z])
    if truth is None:
        main = model.main
        spread = ((one @ root(main.covariance)) ** 2).sum(axis=1)
        log_odds = one @ np.r_[main.intercept, main.coefficients]
        log_odds += np.sqrt(spread) * rng.standard_normal(n)
    else:
        log_odds = one @ truth
    log_odds += np.sqrt(model.discrepancy) * rng.standard_normal(n)
    responded = rng.random(n) < expit(log_odds)
    columns = [model.encoder.columns[k] for k in range(len(mean))]
    names = relief_fields(model)
    raw = [
        c.centre + c.scale * z[:, k] for k, c in enumerate(columns) if c.name in names
    ]
    served = served_score(model)
    return np.mean(raw, axis=0), served.at + z @ served.along, responded


@pytest.mark.parametrize(
    ("moment", "n"),
    [
        ("session_2", 50_000),
        *(pytest.param(m, 1_000_000, marks=pytest.mark.long) for m in MOMENTS),
    ],
)
def test_stopping_rule_equals_so_many_simulated_patients(models, moment, n):
    model, rng = models[moment], np.random.default_rng(13)
    rules = rm.stopping_rule(model).rules
    stopped, lost = np.zeros(len(rules)), np.zeros(len(rules))
    chunk = 50_000
    for _ in range(n // chunk):
        relief, served, responded = simulated(model, chunk, rng)
        probability = expit(served)
        for k, rule in enumerate(rules):
            score = relief if rule.kind == "relief" else probability
            below = score < rule.threshold
            stopped[k] += below.sum()
            lost[k] += (below & responded).sum()
    for k, rule in enumerate(rules):
        p, q = stopped[k] / n, lost[k] / n
        # half of the patients' share is drawn here, the posterior there
        spread = (rule.lost.upper - rule.lost.lower) / 400
        # of what is said, which is never 0 where nobody was drawn
        bound = 4 * np.sqrt(rule.lost.value / 100 / n + spread**2 / N_DRAWS)
        share = rule.stopped.value / 100
        assert abs(share - p) < 4 * np.sqrt(share * (1 - share) / n)
        assert abs(rule.lost.value / 100 - q) < bound
        left = dictionary().decisions["rtms_response"].moments.index(moment)
        assert rule.saved.value == pytest.approx((4 - left) * rule.stopped.value)


def test_intervals_hold_95_of_100_groups_of_100_patients(models):
    model, rng = models["session_2"], np.random.default_rng(7)
    rule = next(r for r in rm.stopping_rule(model).rules if r.kind == "relief")
    factor, main = root(model.main.covariance), model.main
    truth = np.r_[main.intercept, main.coefficients]
    n = 3000
    counts = np.empty((n, 2))
    for k in range(n):
        drawn = truth + factor @ rng.standard_normal(len(truth))
        relief, _, responded = simulated(model, 100, rng, truth=drawn)
        below = relief < rule.threshold
        counts[k] = below.sum(), (below & responded).sum()
    slack = 4 * np.sqrt(0.025 * 0.975 / n)
    for column, amount in zip(counts.T, (rule.stopped, rule.lost), strict=True):
        assert (column < amount.lower).mean() <= 0.025 + slack
        assert (column <= amount.lower).mean() >= 0.025 - slack
        assert (column > amount.upper).mean() <= 0.025 + slack
        assert (column >= amount.upper).mean() >= 0.025 - slack


@pytest.mark.parametrize("moment", MOMENTS)
def test_served_score_is_what_predict_serves_of_a_patient_known_in_full(models, moment):
    model = models[moment]
    cohort = simulate_cohort(40, 3, blank_share=0.0, non_completers=0.0)
    score = served_score(model)
    z = model.encoder.encode(model.encoder.raw(cohort))
    complete = ~np.isnan(z).any(axis=1)
    assert complete.sum() > 5
    for row in np.flatnonzero(complete):
        values = cohort.iloc[row][list(model.encoder.predictors)].to_dict()
        served = model.predict(values).linear_predictor
        assert score.at + score.along @ z[row] == pytest.approx(served, abs=1e-9)


def test_more_is_stopped_and_lost_at_a_higher_threshold(found):
    for each in found:
        for kind in ("relief", "probability"):
            rules = [r for r in each.rules if r.kind == kind]
            for name in ("stopped", "lost", "saved"):
                values = [getattr(rule, name).value for rule in rules]
                assert values == sorted(values)
            assert all(r.lost.value < r.stopped.value for r in rules)


def test_no_rule_of_the_published_models_is_supported(found):
    for rules in found:
        assert rules.supported == ()
        assert rules.verdict.code == "rules.none_supported"
        assert rules.cost == pytest.approx(4 / rules.responders.value * 100)


def test_a_rule_is_supported_where_its_break_even_surely_exceeds_the_cost(models):
    found = rm.stopping_rule(models["session_1"], cost=4.0)
    assert found.verdict.code == "rules.supported"
    for rule in found.rules:
        enough = rule.stopped.value >= 5
        assert rule.supported == (enough and rule.break_even.lower > 4.0)


def test_counts_of_a_cohort_are_its_own(models):
    cohort = simulate_cohort(600, 5)
    found = rm.stopping_rule(models["session_2"], cohort)
    reliefs = cohort[["relief_1", "relief_2"]].astype(float).mean(axis=1, skipna=False)
    known = reliefs.notna() & cohort["rtms_responder"].notna()
    assert found.n_patients == known.sum()
    assert found.provenance == "simulated"
    n = found.n_patients
    for rule in found.rules:
        if rule.kind != "relief":
            continue
        below = known & (reliefs < rule.threshold)
        lost = below & cohort["rtms_responder"].fillna(value=False).astype(bool)
        # half a patient of the prior in each of four cells
        assert rule.stopped.value == pytest.approx(
            100 * (below.sum() + 1) / (n + 2), abs=0.2
        )
        assert rule.lost.value == pytest.approx(
            100 * (lost.sum() + 0.5) / (n + 2), abs=0.2
        )


def test_a_part_of_few_patients_is_not_shown(models):
    cohort = simulate_cohort(60, 1)
    found = rm.stopping_rule(models["session_3"], cohort)
    reliefs = cohort[["relief_1", "relief_2", "relief_3"]].astype(float)
    relief = reliefs.mean(axis=1, skipna=False).dropna()
    for rule in found.rules:
        if rule.kind == "relief":
            assert min((relief < rule.threshold).sum(), len(relief)) >= 10
    with pytest.raises(DevelopmentError, match="at least 20 patients"):
        rm.stopping_rule(models["session_3"], simulate_cohort(15, 1))


def test_patients_of_the_model_do_not_measure_its_probability():
    cohort = simulate_cohort(120, 2)
    settings = rm.Settings(
        decision="rtms_response", moment="session_1", challenger=False
    )
    model = rm.develop(cohort, settings=settings)
    found = rm.stopping_rule(model, cohort)
    assert {rule.kind for rule in found.rules} == {"relief"}
    assert "rules.own_patients" in [note.code for note in found.messages]


def test_a_rule_is_found_where_early_relief_decides():
    truth = draw_truth("rtms_response", "right", np.random.default_rng(0))
    cohort = simulate_cohort(4000, 9, truth=truth)
    cohort = cohort[cohort["rtms_responder"].notna()].copy()
    # relief of the first session is nearly that after the test
    cohort["relief_1"] = cohort["relief_test"]
    cohort.attrs["provenance"] = "simulated"
    found = rm.stopping_rule(
        rm.published_model("rtms_response", moment="session_1"), cohort
    )
    assert found.supported
    assert found.verdict.code == "rules.supported"


def test_stopping_rule_refuses_what_it_cannot_answer(models):
    with pytest.raises(ResponderModelError, match="after a session of the test"):
        rm.stopping_rule(rm.published_model("rtms_response", moment="screening"))
    with pytest.raises(ResponderModelError, match="after a session of the test"):
        rm.stopping_rule(rm.published_model("emcs_success"))
    with pytest.raises(ResponderModelError, match="above 0"):
        rm.stopping_rule(models["session_1"], cost=0.0)


def test_trees_are_said_to_take_no_part():
    cohort, encoder = (
        simulate_cohort(200, 1),
        Encoder.for_decision("rtms_response", "session_1"),
    )
    outcome = (cohort["relief_test"].fillna(0) > 30).to_numpy(dtype=float)
    trees = fit_trees(encoder.raw(cohort), outcome, encoder, seed=0)
    pool = Pool(weight=0.3, offset=0.1, slope=0.8, trees=trees.to_json())
    model = example_model(moment="session_1", pool=pool)
    assert "rules.without_trees" in codes(rm.stopping_rule(model))
    plain = example_model(moment="session_1")
    assert "rules.without_trees" not in codes(rm.stopping_rule(plain))


def codes(found):
    return [note.code for note in found.messages]


@pytest.mark.parametrize("size", [(8.0, 7.0), (PAGE_WIDTH, 3.7)])
def test_no_line_and_no_marker_runs_through_a_label_of_the_picture(found, size):
    figure = Figure(figsize=size, layout="constrained")
    ax = figure.add_subplot()
    plot_stopping(found, ax=ax)
    figure.draw_without_rendering()
    written = [text.get_text() for text in ax.texts]
    assert written == ["10 %", "40 %", "50 %"] * len(found)
    lines = [ax.transData.transform_path(line.get_path()) for line in ax.lines]
    boxes = [text.get_window_extent() for text in ax.texts]
    for k, box in enumerate(boxes):
        assert not any(line.intersects_bbox(box, filled=False) for line in lines)
        assert not any(box.overlaps(other) for other in boxes[:k])


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_command_prints_verdict_first_and_fits_80_columns(lang, tmp_path):
    figure = tmp_path / "frontier.png"
    arguments = ["stopping", "rtms_response@session_2", "--lang", lang]
    done = CliRunner().invoke(app, [*arguments, "--figure", str(figure)])
    assert done.exit_code == 0, done.output
    first = {"en": "After session 2, no", "fr": "Après la séance 2, aucune"}[lang]
    assert done.stdout.startswith(first)
    table = [line for line in done.stdout.splitlines() if line.startswith("│")]
    assert len(table) == 9
    assert max(map(len, table)) <= 80
    assert figure.read_bytes()[:4] == b"\x89PNG"


def test_command_counts_in_a_cohort_and_prints_json(tmp_path):
    path = tmp_path / "centre.csv"
    simulate_cohort(120, 4).to_csv(path, index=False)
    save_model(rm.published_model("rtms_response", moment="session_1"), tmp_path / "m")
    arguments = ["stopping", str(tmp_path / "m"), "--cohort", str(path), "--json"]
    done = CliRunner().invoke(app, [*arguments, "--cost", "12"])
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)
    assert found["cost"] == 12
    assert found["n_patients"] <= 120
    assert {"stopped", "lost", "saved", "break_even"} <= set(found["rules"][0])


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_an_end_of_an_interval_that_is_far_away_is_only_said_to_be(lang):
    far = Amount(value=12.0, lower=3.0, upper=586_656.0)
    to = {"en": "to over", "fr": "à plus de"}[lang]
    assert far.text(lang) == f"12 (3 {to} 1000)"


def test_common_notes_say_once_what_several_sessions_share(found):
    notes = common_notes(found)
    assert len({note.code for note in notes}) == len(notes)
    of = {note.code: note for note in notes}
    assert of["rules.expected_relief"].values["session"] == (1, 2, 3)
    assert of["rules.break_even"] == found[0].messages[1]
