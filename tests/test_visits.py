"""One patient over the visits of the test."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app
from responder_model.features import expit
from responder_model.figures.visits import plot_course, spread
from responder_model.model.example import example_model

BEFORE = {"age": 54, "aetiology": "ischaemic_stroke", "depression": 12}


def run(*arguments):
    return CliRunner().invoke(app, ["course", *(str(part) for part in arguments)])


@pytest.mark.parametrize("n_sessions", [0, 1, 2, 3])
def test_each_visit_is_what_predict_says_of_what_was_known(n_sessions):
    reliefs = {"relief_1": 10, "relief_2": 0, "relief_3": 40}
    given = dict(list(reliefs.items())[:n_sessions])
    found = rm.course({**BEFORE, **given})
    moments = ["screening", "session_1", "session_2", "session_3"]
    assert [visit.moment for visit in found.visits] == moments[: n_sessions + 1]
    known = dict(BEFORE)
    before = None
    for visit in found.visits:
        known.update({n: v for n, v in given.items() if n[-1] == visit.moment[-1]})
        due = rm.published_model("rtms_response", visit.moment).predict(known)
        assert visit.prediction == due
        if before is not None:
            assert visit.change == due.probability - before
        before = due.probability
    assert (found.ahead is None) == (n_sessions == 3)
    assert found.now == found.visits[-1].prediction


def test_a_session_of_which_nothing_is_known_is_no_visit():
    found = rm.course({"relief_1": 20, "relief_3": 10})
    moments = [visit.moment for visit in found.visits]
    assert moments == ["screening", "session_1", "session_3"]
    assert found.visits[1].given == {"relief_1": 20.0}
    assert found.visits[0].given == {}


def test_what_the_next_session_may_bring_is_what_predict_would_say():
    for given in ({}, {"relief_1": 0}, {"relief_1": 60, "relief_2": 70}):
        found = rm.course({**BEFORE, **given})
        ahead = found.ahead
        model = rm.published_model("rtms_response", ahead.moment)
        for row in ahead.possible:
            patient = {**BEFORE, **given, ahead.predictor: f"{row.relief:g} %"}
            due = model.predict(patient)
            assert row.probability == pytest.approx(due.probability, abs=1e-12)
            assert row.interval == pytest.approx(due.interval, abs=1e-12)
        reliefs = [row.relief for row in ahead.possible]
        chances = [row.probability for row in ahead.possible]
        assert reliefs == sorted(reliefs)
        assert chances == sorted(chances)


@pytest.mark.parametrize("threshold", [None, 0.3, 0.55])
def test_chances_of_the_next_session_are_those_of_a_simulation(threshold):
    for given in ({}, {"relief_1": 0}, {"relief_1": 60, "relief_2": 70}):
        patient = {**BEFORE, **given}
        found = rm.course(patient, threshold=threshold)
        ahead = found.ahead
        model = rm.published_model("rtms_response", ahead.moment)
        encoder, population = model.encoder, model.population
        raw = encoder.raw(patient)
        z = encoder.encode(raw)
        at = [column.name for column in encoder.columns].index(ahead.predictor)
        mean = population.impute(z, model.scorer.coefficients)[0][0, at]
        sd = np.sqrt(population.open_covariance(z[0])[at, at])
        n = 20_000
        drawn = norm.ppf((np.arange(n) + 0.5) / n, mean, sd)
        rows = np.repeat(raw, n, axis=0)
        relief = encoder.columns[at].decoded(drawn).clip(-100, 100)
        rows[:, encoder.predictors.index(ahead.predictor)] = relief
        cut = float(expit(np.array(model.baseline))) if threshold is None else threshold
        above = float((model.scorer.score(rows).probability > cut).mean())
        assert ahead.threshold == pytest.approx(cut, abs=1e-9)
        assert ahead.chance_above == pytest.approx(above, abs=2 / n)
        for row in ahead.possible:
            assert (relief <= row.relief).mean() == pytest.approx(row.at_most, abs=0.02)
        now = found.now
        side = now.probability > (now.verdict.average if threshold is None else cut)
        assert ahead.crossing == pytest.approx(1 - above if side else above, abs=2 / n)


def test_own_models_answer_their_visits_and_that_is_said():
    own = example_model("rtms_response", "session_1")
    found = rm.course({"age": 54, "relief_1": 20}, models=[own])
    first, second = (visit.prediction for visit in found.visits)
    assert (first.provenance, second.provenance) == ("published", "simulated")
    assert "course.models" in [message.code for message in found.messages]
    rate = rm.course({"age": 54}, local_rate=(40, 100)).now
    assert rate.width_shares["centre"] < first.width_shares["centre"]


def test_a_course_is_that_of_the_centre_where_a_model_tells_centres_apart():
    cohort = rm.simulate_cohort(n_patients=120, seed=5, n_centres=2)
    own = rm.develop(cohort, "rtms_response", moment="session_1")
    name = own.centre_names[0]
    patient = {"age": 54, "relief_1": 20}
    found = rm.course(patient, models=[own], centre=name)
    assert found.now == own.predict(patient, centre=name)
    assert found.now != own.predict(patient)
    before = rm.course({"age": 54}, models=[own], centre=name).ahead
    row = before.possible[0]
    due = own.predict({"age": 54, "relief_1": f"{row.relief:g} %"}, centre=name)
    assert row.probability == pytest.approx(due.probability, abs=1e-12)
    level = float(expit(np.array(own.baseline_in(name))))
    assert before.threshold == pytest.approx(level)


def test_models_that_do_not_belong_to_visits_are_refused():
    wrong = rm.published_model("emcs_success")
    with pytest.raises(rm.ResponderModelError, match="must be of rtms_response"):
        rm.course({"age": 54}, models=[wrong])
    twice = [rm.published_model("rtms_response", "session_1")] * 2
    with pytest.raises(rm.ResponderModelError, match="one a moment"):
        rm.course({"age": 54}, models=twice)
    with pytest.raises(rm.ResponderModelError, match="threshold"):
        rm.course({"age": 54}, threshold=30)
    with pytest.raises(rm.InvalidPatientError):
        rm.course({"age": 54, "relief_test": 50})
    with pytest.raises(rm.InvalidPatientError):
        rm.course([54])


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_course_prints_one_table_and_what_may_come(lang, tmp_path):
    given = ("--age", 54, "--relief-1", 10, "--relief-2", 0, "--lang", lang)
    done = run(*given, "--figure", tmp_path / "course.png")
    assert done.exit_code == 0, done.output
    found = rm.course({"age": 54, "relief_1": 10, "relief_2": 0})
    first = found.now.verdict.note.text(lang)
    assert " ".join(done.stdout.split()).startswith(first)
    assert {"en": "1: 10 %", "fr": "1 : 10 %"}[lang] in done.stdout
    assert done.stdout.count("┏") == 2
    assert (tmp_path / "course.png").read_bytes().startswith(b"\x89PNG")
    plain = json.loads(run(*given, "--json").stdout)
    assert plain == json.loads(json.dumps(found.to_dict(lang)))


def test_changes_agree_with_the_figures_beside_them():
    table = run("--age", 54, "--relief-1", 10, "--relief-2", 0, "--lang", "en").stdout
    rows = [line.split("│") for line in table.split("└")[0].splitlines() if "│" in line]
    shown = [(int(r[3]), r[5].strip()) for r in rows if r[3].strip()]
    assert len(shown) == 3
    for (before, _), (now, change) in zip(shown[:-1], shown[1:], strict=True):
        assert int(change) == now - before


def test_course_has_no_option_for_what_is_known_later():
    text = run("--help").stdout
    assert "--relief-3" in text
    assert "--relief-test" not in text
    assert "--relief-maintenance" not in text


@pytest.mark.parametrize("given", [{}, {"relief_1": 95, "relief_2": 90}])
def test_labels_of_the_picture_do_not_overlap(given):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 7), layout="constrained")
    ax = plot_course(rm.course(given), ax=figure.add_subplot(), lang="fr")
    figure.draw_without_rendering()
    said = [text for text in ax.texts if text.get_text().isdigit()]
    lines = [ax.transData.transform_path(line.get_path()) for line in ax.lines]
    assert len(said) == 1 + len(given)
    for box in (text.get_window_extent() for text in said):
        assert not any(line.intersects_bbox(box, filled=False) for line in lines)
    boxes = [text.get_window_extent() for text in ax.texts if text not in said]
    boxes.sort(key=lambda box: box.y0)
    assert all(a.y1 <= b.y0 + 1 for a, b in zip(boxes, boxes[1:], strict=False))
    assert all(box.x1 <= figure.bbox.x1 for box in boxes)


def test_spread_keeps_the_order_and_the_room():
    rng = np.random.default_rng(0)
    for _ in range(50):
        heights = sorted(rng.random(3).tolist())
        gaps = np.diff(spread(heights, 0.035))
        assert gaps.min() > 0.02
