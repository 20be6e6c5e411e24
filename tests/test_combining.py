"""Models of centres that share no patient, combined."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import digest_of
from responder_model.cli.app import app
from responder_model.combining import combine
from responder_model.combining.product import (
    Gaussian,
    Likelihoods,
    mass,
    multiply,
)
from responder_model.simulation import draw_truth, simulate_cohort

SETTINGS = rm.Settings(
    decision="rtms_response", moment="screening", challenger=False, centres="ignored"
)
SIZES = (60, 80, 100)


def cohort(n, seed, truth):
    drawn = simulate_cohort(n, seed, truth=truth, n_implanted=0, symptom_recorded=False)
    return drawn.assign(patient_id=[f"{seed}-{k}" for k in range(len(drawn))])


@pytest.fixture(scope="module")
def truth():
    return draw_truth("rtms_response", "right", np.random.default_rng(5))


@pytest.fixture(scope="module")
def cohorts(truth):
    return [cohort(n, seed, truth) for seed, n in enumerate(SIZES, start=1)]


@pytest.fixture(scope="module")
def models(cohorts):
    return [
        rm.develop(one, settings=SETTINGS, name=f"centre {c}")
        for c, one in enumerate(cohorts)
    ]


@pytest.fixture(scope="module")
def new(truth):
    return cohort(300, 9, truth)


# ---------------------------------------------------------------- the product


# A, e and constant of three centres: exp(constant - A·x²/2 + e·x)
CENTRES = np.array([[4.0, 1.2, -0.5], [6.3, -1.3, 0.2], [2.0, 1.8, 0.4]])


@pytest.mark.parametrize("tau", [0.0, 0.4])
def test_product_is_the_integral_over_what_centres_share(tau):
    parts = Likelihoods(
        precision=CENTRES[:, 0].reshape(-1, 1, 1),
        vector=CENTRES[:, 1].reshape(-1, 1),
        constant=CENTRES[:, 2],
    ).apart(np.array([tau**2]))
    prior = Gaussian(precision=np.array([[1 / 0.64]]), vector=np.array([0.1 / 0.64]))
    found = multiply(prior, parts)
    x = np.linspace(-6.0, 6.0, 2401)
    step = x[1] - x[0]
    density = norm.pdf(x, 0.1, 0.8)
    for precision, vector, constant in CENTRES:

        def likelihood(at, a=precision, e=vector, c=constant):
            return np.exp(c - 0.5 * a * at**2 + e * at)

        if tau == 0.0:
            density = density * likelihood(x)
        else:
            weight = norm.pdf(x, 0.0, tau) * step
            density = density * (likelihood(x[:, None] + x) @ weight)
    whole = density.sum() * step
    assert found.log_weight == pytest.approx(np.log(whole), abs=1e-8)
    assert found.mean[0] == pytest.approx((density @ x) * step / whole, abs=1e-8)


def test_product_is_refused_where_it_is_no_distribution():
    with pytest.raises(rm.ResponderModelError, match="no distribution"):
        mass(np.array([[-1.0]]), np.array([0.0]))


# ---------------------------------------------------------------- models


def test_combined_is_as_if_developed_together(models, cohorts, new):
    whole = pd.concat(cohorts, ignore_index=True)
    together = rm.develop(whole, settings=SETTINGS)
    combined = combine(models, alike=True).model
    ours, theirs = (m.predict_cohort(new) for m in (combined, together))
    assert np.abs(ours.probability - theirs.probability).mean() < 0.03
    assert np.corrcoef(ours.probability, theirs.probability)[0, 1] > 0.98
    alone = models[0].predict_cohort(new)
    assert (ours.upper - ours.lower).mean() < (alone.upper - alone.lower).mean()
    assert combined.n_patients == together.n_patients
    assert combined.n_events == together.n_events


def test_combining_in_steps_is_combining_at_once(models, new):
    once = combine(models, alike=True).model
    pair = combine(models[:2], alike=True).model
    steps = combine([pair, models[2]], alike=True).model
    here, there = (m.predict_cohort(new) for m in (once, steps))
    for column in ("probability", "lower", "upper"):
        assert np.abs(here[column] - there[column]).max() < 1e-9


def test_order_of_centres_changes_nothing(models, new):
    here, there = (
        combine(some).model.predict_cohort(new).probability
        for some in (models, models[::-1])
    )
    assert np.abs(here - there).max() < 1e-9


def test_centres_that_may_differ_leave_a_new_one_less_sure(models, new):
    alike, apart = (combine(models, alike=a).model for a in (True, False))
    sure, unsure = (m.predict_cohort(new) for m in (alike, apart))
    assert (unsure.upper - unsure.lower).mean() > (sure.upper - sure.lower).mean()


def test_far_levels_are_found_and_kept_for_their_own_centre(truth, new):
    moved = [replace(truth, mean=truth.mean + shift) for shift in (-0.8, 0.0, 0.8)]
    models = [
        rm.develop(cohort(150, 20 + c, one), settings=SETTINGS, name=f"centre {c}")
        for c, one in enumerate(moved)
    ]
    found = combine(models)
    levels = [member.level for member in found.members]
    assert levels == sorted(levels)
    assert levels[2] - levels[0] > 0.8
    assert found.between.level[0] > 0.3
    assert found.between.i_squared > 0.5
    low, middle, high = (
        combine(models, for_member=c).model.predict_cohort(new).probability.mean()
        for c in range(3)
    )
    assert low < middle < high


def test_a_centre_whose_outcomes_are_swapped_is_named(truth, models):
    swapped = cohort(150, 31, truth)
    relief = swapped["relief_test"]
    swapped["relief_test"] = (60 - relief).clip(-100, 100)
    swapped["rtms_responder"] = None
    swapped = swapped.drop(
        columns=[
            c for c in swapped if str(c).startswith("relief_") and c != "relief_test"
        ]
    )
    odd = rm.develop(swapped, settings=SETTINGS, name="swapped")
    found = combine([*models, odd])
    assert [m.name for m in found.members if m.contradicts] == ["swapped"]
    notes = [str(note) for note in found.model.notes]
    assert any("Contradicts the others" in note and "swapped" in note for note in notes)


def test_a_combined_model_is_a_model_like_any_other(models, new, tmp_path):
    model = combine(models).model
    rm.save_model(model, tmp_path / "abc")
    read = rm.load_model(tmp_path / "abc")
    assert (read.predict_cohort(new) == model.predict_cohort(new)).all(axis=None)
    assert read.digest == digest_of(model)
    newer = rm.update(read, new)
    assert newer.n_patients > model.n_patients
    assert newer.parent == read.digest


def test_what_cannot_be_combined_is_refused_with_every_reason(models, cohorts):
    published = rm.published_model("rtms_response", moment="screening")
    updated = rm.update(models[0], cohorts[1])
    other = rm.develop(
        cohorts[0], settings=replace(SETTINGS, moment="session_1"), name="later"
    )
    apart = combine(models[:2]).model
    with pytest.raises(rm.ResponderModelError) as refused:
        combine([models[0], models[0], published, updated, other, apart])
    for lang, words in {
        "en": ("same model", "no patient", "was updated", "another question"),
        "fr": ("le même modèle", "aucun patient", "mis à jour", "une autre question"),
    }.items():
        text = refused.value.text(lang)
        assert all(word in text for word in words), text
    with pytest.raises(rm.ResponderModelError, match="combined already"):
        combine([apart, models[2]])
    with pytest.raises(rm.ResponderModelError, match="at least two"):
        combine(models[:1])
    with pytest.raises(rm.ResponderModelError, match="for_member"):
        combine(models, for_member=3)


def test_the_same_patients_twice_are_refused(cohorts):
    both = pd.concat(cohorts[:2], ignore_index=True)
    whole = rm.develop(both, settings=SETTINGS, name="both")
    part = rm.develop(cohorts[0], settings=SETTINGS, name="part")
    if whole.fingerprints is None:
        pytest.skip("no key can be kept here")
    with pytest.raises(rm.ResponderModelError, match="are in another"):
        combine([whole, part])


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_command_combines_folders(models, tmp_path, lang):
    folders = []
    for c, model in enumerate(models):
        folders.append(str(tmp_path / f"m{c}"))
        rm.save_model(model, folders[-1])
    out = tmp_path / "abc"
    words = ["combine", *folders, "--out", str(out), "--no-track"]
    done = CliRunner().invoke(app, [*words, "--lang", lang])
    assert done.exit_code == 0, done.output
    assert {"en": "SD between centres", "fr": "Écart-type entre centres"}[
        lang
    ] in done.stdout
    assert rm.load_model(out).n_patients == sum(m.n_patients for m in models)
    again = CliRunner().invoke(
        app, [*words, "--for", folders[1], "--overwrite", "--json"]
    )
    assert again.exit_code == 0, again.output
    found = json.loads(again.stdout)
    assert len(found["members"]) == 3
    other = CliRunner().invoke(
        app, [*words, "--for", str(tmp_path), "--overwrite", "--lang", lang]
    )
    assert other.exit_code == 1


def test_commands_and_code_of_the_page_run(tmp_path, monkeypatch):
    page = (Path(__file__).parents[1] / "docs" / "combining.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.toml").write_text(
        'decision = "rtms_response"\nmoment = "screening"\nchallenger = false\n'
    )
    lines = re.findall(r"^    responder-model (.*)$", page, re.MULTILINE)
    assert len(lines) == 8
    for line in lines:
        done = CliRunner().invoke(app, line.split())
        assert done.exit_code == 0, done.output
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(code, "combining.md", "exec"), {})
