"""What an update changes for patients, said and refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app
from responder_model.development import effect_of_update
from responder_model.simulation import simulate_cohort

SETTINGS = rm.Settings(
    decision="rtms_response", moment="screening", challenger=False, centres="ignored"
)


@pytest.fixture(scope="module")
def cohorts():
    drawn = (
        simulate_cohort(n, seed, n_implanted=0, symptom_recorded=False)
        for n, seed in ((90, 1), (60, 2))
    )
    return [
        one.assign(patient_id=[f"{k}-{row}" for row in range(len(one))])
        for k, one in enumerate(drawn)
    ]


@pytest.fixture(scope="module")
def pair(cohorts):
    old = rm.develop(cohorts[0], settings=SETTINGS)
    return old, rm.update(old, cohorts[1])


def test_effect_is_the_change_of_probability_in_the_patients(cohorts, pair):
    found = effect_of_update(*pair, cohorts[1])
    before, after = (m.predict_cohort(cohorts[1])["probability"] for m in pair)
    change = (after - before).to_numpy()
    assert found.n_compared == len(cohorts[1])
    assert found.n_new == pair[1].n_patients - pair[0].n_patients
    assert found.parent == pair[1].parent
    assert found.mean == pytest.approx(change.mean())
    assert found.mean_absolute == pytest.approx(np.abs(change).mean())
    assert abs(found.largest) == pytest.approx(np.abs(change).max())
    assert found.expected_gain > 0.0


def test_effect_tells_groups_of_enough_patients_the_most_changed_first(cohorts, pair):
    found = effect_of_update(*pair, cohorts[1])
    before, after = (m.predict_cohort(cohorts[1])["probability"] for m in pair)
    change = (after - before).to_numpy()
    assert 0 < len(found.groups) <= 5
    sizes = [abs(one.change) for one in found.groups]
    assert sizes == sorted(sizes, reverse=True)
    for one in found.groups:
        values = cohorts[1][one.predictor]
        chosen = {
            "is": lambda v, x: v == x,
            "below": lambda v, x: v < x,
            "from": lambda v, x: v >= x,
        }[one.side](values, one.value)
        held = chosen.fillna(value=False).to_numpy(dtype=bool)
        assert one.n == held.sum() >= 5
        assert one.change == pytest.approx(change[held].mean())


def test_patients_of_the_earlier_model_are_not_compared_again(cohorts, pair):
    both = effect_of_update(*pair, cohorts[1], count_again=True)
    assert both.n_compared == len(cohorts[1])
    with pytest.raises(
        rm.ResponderModelError, match="must hold patients who are not in"
    ):
        rm.update(pair[0], cohorts[0])
    with pytest.raises(
        rm.ResponderModelError, match="must hold patients who are not in"
    ):
        rm.update(pair[1], cohorts[1])


def test_a_model_that_is_no_update_of_the_other_is_refused(cohorts, pair):
    with pytest.raises(rm.ResponderModelError, match="must be the update of"):
        effect_of_update(pair[1], pair[0], cohorts[1])


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_command_says_what_changed_for_whom(cohorts, pair, tmp_path, lang):
    rm.save_model(pair[0], tmp_path / "old")
    cohorts[1].to_csv(tmp_path / "new.csv", index=False)
    place = [str(tmp_path / "old"), str(tmp_path / "new.csv"), "--no-track"]
    words = ["update", *place, "--out", str(tmp_path / "newer"), "--lang", lang]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    said = {
        "en": ("probability changes by", "Earlier model: ", "if the newer model is"),
        "fr": ("la probabilité change de", "Modèle précédent : ", "si le nouveau"),
    }[lang]
    assert all(one in done.stdout for one in said), done.stdout
    again = CliRunner().invoke(app, [*words, "--json"])
    assert again.exit_code == 0, again.output
    found = json.loads(again.stdout)["update"]
    assert found["parent"] == pair[1].parent
    assert found["groups"][0]["n"] >= 5
