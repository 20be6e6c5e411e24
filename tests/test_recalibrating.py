"""Updates that move the level, or level and strength, or begin anew."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import digest_of
from responder_model.cli.app import app
from responder_model.cohort import binary_outcome, outcome_levels
from responder_model.combining import combine
from responder_model.development import effect_of_update
from responder_model.development.recalibrating import SHIFTS
from responder_model.figures.coefficients import coefficient_table, plot_coefficients
from responder_model.performance import (
    calibration_in_the_large,
    calibration_slope,
    joint_calibration_intercept,
)
from responder_model.reporting import build_report
from responder_model.simulation import draw_truth, simulate_cohort
from responder_model.validation import validate_internally
from responder_model.words import Note

SETTINGS = rm.Settings(decision="rtms_response", moment="screening", centres="ignored")
METHODS = (*SHIFTS, "refit")


def cohort(n, seed, truth, **more):
    rest = {"n_implanted": 0, "symptom_recorded": False} | more
    return simulate_cohort(n, seed, truth=truth, **rest)


def outcome_of(patients):
    levels = outcome_levels(patients, "rtms_response")
    return binary_outcome(levels, "rtms_response")


@pytest.fixture(scope="module")
def truth():
    """No sum of effects, so that trees earn a share."""
    return draw_truth("rtms_response", "interactions", np.random.default_rng(5))


@pytest.fixture(scope="module")
def old(truth):
    model = rm.develop(cohort(260, 6, truth), settings=SETTINGS)
    assert model.pool is not None
    return model


@pytest.fixture(scope="module")
def new(truth):
    """Another level and half the strength."""
    moved = replace(truth, mean=truth.mean - 0.8, slopes=0.5 * truth.slopes)
    return cohort(120, 7, moved)


@pytest.fixture(scope="module")
def newer(old, new):
    return {method: rm.update(old, new, method=method) for method in METHODS}


def served(model, patients):
    known = ~np.isnan(outcome_of(patients))
    p = model.predict_cohort(patients[known])["probability"].to_numpy()
    return outcome_of(patients)[known], p


def note_of(model):
    codes = [f"development.{method}" for method in SHIFTS]
    (note,) = [note for note in model.notes if note.code in codes]
    return note


def test_in_the_large_moves_the_mean_to_the_observed(old, new, newer):
    y, before = served(old, new)
    _, after = served(newer["in_the_large"], new)
    assert abs(before.mean() - y.mean()) > 0.05
    assert after.mean() == pytest.approx(y.mean(), abs=1e-9)
    assert calibration_in_the_large(y, after) == pytest.approx(0.0, abs=1e-8)
    moved = np.log(after / (1.0 - after)) - np.log(before / (1.0 - before))
    # the same for all, but for what an unsure level flattens
    assert np.ptp(moved) < 0.05


def test_recalibration_has_intercept_0_and_slope_1(old, new, newer):
    y, before = served(old, new)
    _, after = served(newer["recalibration"], new)
    assert calibration_slope(y, before) < 0.8
    assert calibration_slope(y, after) == pytest.approx(1.0, abs=1e-8)
    assert joint_calibration_intercept(y, after) == pytest.approx(0.0, abs=1e-8)


def test_note_tells_the_line_that_a_validation_of_the_earlier_model_shows(
    old, new, newer
):
    y, before = served(old, new)
    large = note_of(newer["in_the_large"])
    assert large.values["a"] == pytest.approx(calibration_in_the_large(y, before))
    both = note_of(newer["recalibration"])
    assert both.values["a"] == pytest.approx(joint_calibration_intercept(y, before))
    assert both.values["b"] == pytest.approx(calibration_slope(y, before))
    assert both.values["b_low"] < both.values["b"] < both.values["b_high"]
    assert both.text("fr").startswith(f"Recalibré avec {len(y)} nouveaux")


def test_line_holds_for_patients_whom_it_was_not_fitted_to(old, newer, truth):
    """Served log-odds of others are a + b times the earlier, but for what widens."""
    others = cohort(200, 8, truth)
    before, after = (
        np.log(p / (1.0 - p))
        for p in (served(m, others)[1] for m in (old, newer["recalibration"]))
    )
    slope, offset = np.polyfit(before, after, 1)
    note = note_of(newer["recalibration"])
    assert slope == pytest.approx(note.values["b"], abs=0.02)
    assert offset == pytest.approx(note.values["a"], abs=0.02)
    # missing answers alone flatten otherwise
    assert np.abs(after - slope * before - offset).max() < 0.06


@pytest.mark.parametrize("method", SHIFTS)
def test_explanation_stays_exact_and_cut_offs_in_order(old, new, newer, method):
    model = newer[method]
    scores = model.score_cohort(new)
    gap = model.baseline + scores.contributions.sum(axis=1) - scores.linear_predictor
    assert np.abs(gap).max() < 1e-5
    assert (np.diff(scores.served, axis=1) <= 0.0).all()
    assert (scores.standard_error > 0.0).all()
    first = new.iloc[0]
    patient = {k: first[k] for k in model.encoder.predictors if k in new}
    prediction = model.predict({k: v for k, v in patient.items() if v == v})
    assert prediction.probability == pytest.approx(scores.probability[0])
    # each predictor keeps its share of what the patient differs by
    before = old.score_cohort(new).contributions
    shares = [
        c / np.abs(c).sum(axis=1, keepdims=True) for c in (before, scores.contributions)
    ]
    np.testing.assert_allclose(shares[0], shares[1], atol=0.02)


def test_intervals_hold_what_a_and_b_are_unsure_of(old, new, newer):
    """Without trees the variance is b² times the earlier's and that of the line."""
    plain = replace(old, pool=None)
    model = rm.update(plain, new, method="in_the_large")
    y, p = served(model, new)
    before, after = (m.score_cohort(new).standard_error ** 2 for m in (plain, model))
    kappa = float(model.scorer.kappa[-1])
    added = 1.0 / (p * (1.0 - p)).sum() / kappa**2
    np.testing.assert_allclose(after, before + added, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_folder_keeps_method_parent_and_numbers(old, newer, new, method, tmp_path):
    model = newer[method]
    rm.save_model(model, tmp_path / "newer")
    again = rm.load_model(tmp_path / "newer")
    assert again.settings.method == method
    assert again.parent == digest_of(old)
    np.testing.assert_array_equal(served(again, new)[1], served(model, new)[1])
    assert again.notes == model.notes


@pytest.mark.parametrize("method", SHIFTS)
def test_patients_count_once_and_an_update_starts_from_there(
    old, new, newer, method, truth
):
    model = newer[method]
    assert model.n_patients == old.n_patients + len(served(old, new)[0])
    assert model.disclosure.n == model.n_patients
    with pytest.raises(rm.ResponderModelError, match="patients who are not in"):
        rm.update(model, new, method=method)
    after = rm.update(model, cohort(40, 9, truth, non_completers=0.0))
    assert after.n_patients == model.n_patients + 40
    with pytest.raises(rm.ResponderModelError, match="may have changed"):
        combine([model, rm.develop(cohort(40, 10, truth), settings=SETTINGS)])
    with pytest.raises(rm.ResponderModelError, match="got a recalibration"):
        validate_internally(model, new, updated_from=old, n_resamples=2)


def test_refit_is_a_development_on_the_new_patients(old, new, newer):
    alone = rm.develop(new, settings=SETTINGS)
    model = newer["refit"]
    np.testing.assert_array_equal(served(model, new)[1], served(alone, new)[1])
    n = len(served(old, new)[0])
    assert model.n_patients == n
    found = effect_of_update(old, model, new)
    assert (found.n_before, found.n_new) == (old.n_patients, n)
    # it can be combined as one: nothing of another model's prior is in it
    assert combine([model, old]).model.n_patients == old.n_patients + n


def test_level_of_a_centre_moves_with_all(truth):
    several = cohort(150, 12, truth, n_centres=3)
    named = replace(SETTINGS, centres="named", challenger=False)
    model = rm.develop(several, settings=named)
    moved = replace(truth, mean=truth.mean + 0.7)
    new = cohort(90, 13, moved, n_centres=3)
    for method in SHIFTS:
        newer = rm.update(model, new, method=method)
        p = newer.predict_cohort(new, centre=new["centre"].tolist())["probability"]
        y = outcome_of(new)
        known = ~np.isnan(y)
        assert p[known].mean() == pytest.approx(y[known].mean(), abs=1e-8)
        scores = newer.score_cohort(new, centre=new["centre"].tolist())
        assert (scores.standard_error > 0.0).all()


def test_one_outcome_few_patients_and_reversed_ones_are_refused(old, new):
    new = new[~np.isnan(outcome_of(new))]
    y = outcome_of(new)

    def part(rows):
        found = new.iloc[rows].reset_index(drop=True)
        found.attrs = dict(new.attrs)
        return found

    no, yes = np.flatnonzero(y == 0.0), np.flatnonzero(y == 1.0)
    with pytest.raises(rm.ResponderModelError, match="got 0 yes and 6 no"):
        rm.update(old, part(no[:6]), method="in_the_large")
    few = part(np.r_[no[:8], yes[:4]])
    with pytest.raises(rm.ResponderModelError, match="at least 5 new patients"):
        rm.update(old, few, method="recalibration")
    assert rm.update(old, few, method="in_the_large").n_patients == old.n_patients + 12
    p = served(old, new)[1]
    order = np.argsort(-p[no]), np.argsort(p[yes])
    against = np.r_[no[order[0]][:15], yes[order[1]][:15]]
    with pytest.raises(rm.ResponderModelError, match="got complete separation"):
        rm.update(old, part(against), method="recalibration")
    against = np.r_[against, no[order[0]][-3:], yes[order[1]][-3:]]
    with pytest.raises(rm.ResponderModelError, match="calibration slope must be above"):
        rm.update(old, part(against), method="recalibration")
    with pytest.raises(rm.ResponderModelError, match="power must be 1 with method"):
        rm.update(old, new, method="in_the_large", power=0.5)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_command_recalibrates(old, new, tmp_path, lang):
    rm.save_model(replace(old, pool=None), tmp_path / "old")
    new.to_csv(tmp_path / "new.csv", index=False)
    n = len(served(old, new)[0])
    words = ["update", str(tmp_path / "old"), str(tmp_path / "new.csv"), "--no-track"]
    words += ["--out", str(tmp_path / "newer"), "--lang", lang]
    done = CliRunner().invoke(app, [*words, "--method", "recalibration"])
    assert done.exit_code == 0, done.output
    said = {"en": f"Recalibrated with {n}", "fr": f"Recalibré avec {n}"}[lang]
    assert said in done.stdout
    again = [*words, "--method", "refit", "--overwrite", "--json"]
    done = CliRunner().invoke(app, again)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["update"]["n_new"] == n


@pytest.mark.parametrize(
    ("lang", "said", "not_said"),
    [
        ("en", "in the earlier model", "published evidence (prior)"),
        ("fr", "dans le modèle précédent", "données publiées (a priori)"),
    ],
)
def test_report_of_an_update_shows_the_earlier_model_beside_the_newer(
    old, new, newer, lang, said, not_said
):
    models = {**newer, "bayes": rm.update(old, new)}
    for method, model in models.items():
        table = coefficient_table(model)
        ax = plot_coefficients(table, ax=Figure().add_subplot(), lang=lang)
        drawn = ax.get_legend_handles_labels()[1]
        assert (said in drawn, not_said in drawn) == (
            (method != "refit"),
            (method == "refit"),
        )
        if method != "refit":
            weights = np.array([part.weight for part in old.components])
            means = weights @ np.array([part.mean for part in old.components])
            found = [row.prior[0] for row in table.rows]
            np.testing.assert_allclose(found, means[-len(found) :], atol=1e-12)
    report = build_report(models["bayes"], [], lang=lang)
    page = report.html
    assert {"en": "Earlier model, new", "fr": "Modèle précédent, nouv"}[lang] in page


def test_patients_without_an_outcome_are_counted_once_in_an_update(old, new):
    """One number of both cohorts, where each had a line that did not say which."""

    def left_out(model):
        return [n for n in model.notes if n.code == "development.not_completed"]

    (before,) = left_out(old)
    came = int(new["relief_test"].isna().sum())
    both = Note("development.not_completed", n=before.values["n"] + came)
    assert came > 0
    assert left_out(rm.update(old, new)) == [both]
