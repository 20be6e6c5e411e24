"""Implanted among tested: never accuracy from the implanted alone."""

import re

import numpy as np
import pandas as pd
import pytest

from responder_model.development import published_model
from responder_model.errors import DevelopmentError
from responder_model.reporting import build_report, examine
from responder_model.validation.verification import (
    ReliefClass,
    begg_greenes,
    verify,
)

MODEL = published_model("emcs_success")


def implant_cohort(n=4000, *, seed=0, hidden_factor=0.0):
    """Tested patients, of whom centres implant those with more relief more often.

    Success depends on response alone, 0.75 against 0.25, and on a factor that is not
    recorded when ``hidden_factor`` is above 0.
    """
    rng = np.random.default_rng(seed)
    relief = np.clip(np.round(rng.normal(30.0, 25.0, n)), -100, 100)
    responder = relief > 30.0
    factor = rng.normal(size=n)
    success = rng.random(n) < np.where(responder, 0.75, 0.25)
    if hidden_factor:
        p = 1.0 / (1.0 + np.exp(-(np.where(responder, 1.1, -1.1) + factor)))
        success = rng.random(n) < p
    chance = np.where(responder, 0.5, 0.1)
    chance = np.clip(chance * np.exp(hidden_factor * factor), 0.0, 1.0)
    implanted = rng.random(n) < chance
    emcs = np.where(success, 60.0, 10.0)
    frame = pd.DataFrame(
        {"relief_test": relief, "emcs_relief": np.where(implanted, emcs, np.nan)}
    )
    true_sensitivity = float(responder[success].mean())
    true_specificity = float((~responder)[~success].mean())
    return frame, true_sensitivity, true_specificity


def relief_class(*, responder, n_tested, n_implanted, n_successes):
    return ReliefClass(
        lower=30.0 if responder else None,
        upper=None if responder else 30.0,
        responder=responder,
        n_tested=n_tested,
        n_implanted=n_implanted,
        n_successes=n_successes,
    )


def test_begg_greenes_by_hand():
    found = begg_greenes(
        positive=relief_class(
            responder=True, n_tested=60, n_implanted=30, n_successes=24
        ),
        negative=relief_class(
            responder=False, n_tested=140, n_implanted=20, n_successes=5
        ),
    )
    # successes if all were implanted: 60 * 0.8 = 48 and 140 * 0.25 = 35
    assert found.sensitivity.value == pytest.approx(48 / 83)
    assert found.specificity.value == pytest.approx(105 / 117)
    assert found.positive_predictive_value.value == pytest.approx(0.8)
    assert found.negative_predictive_value.value == pytest.approx(0.75)
    # delta method on log(48/35)
    variance = 0.2 / (30 * 0.8) + 0.75 / (20 * 0.25) + 1 / 60 + 1 / 140
    half = 1.959964 * variance**0.5
    expected = 1 / (1 + np.exp(-(np.log(48 / 35) - half)))
    assert found.sensitivity.lower == pytest.approx(expected, abs=1e-6)


def test_begg_greenes_equals_the_table_when_everybody_is_implanted():
    found = begg_greenes(
        positive=relief_class(
            responder=True, n_tested=33, n_implanted=33, n_successes=26
        ),
        negative=relief_class(
            responder=False, n_tested=26, n_implanted=26, n_successes=10
        ),
    )
    assert found.sensitivity.value == pytest.approx(26 / 36)
    assert found.specificity.value == pytest.approx(16 / 23)


def test_correction_repairs_selection_on_relief():
    cohort, sensitivity, specificity = implant_cohort()
    accuracy = verify(MODEL, cohort).accuracy
    assert accuracy.sensitivity.lower < sensitivity < accuracy.sensitivity.upper
    assert accuracy.specificity.lower < specificity < accuracy.specificity.upper
    implanted = cohort.dropna()
    success = implanted["emcs_relief"] >= 40
    naive = float((implanted["relief_test"][~success] <= 30).mean())
    assert naive < specificity - 0.2


def test_correction_does_not_repair_selection_on_judgement():
    cohort, sensitivity, _ = implant_cohort(hidden_factor=1.0)
    found = verify(MODEL, cohort).accuracy.sensitivity
    assert not found.lower < sensitivity < found.upper


def test_cohort_of_implanted_patients_gives_no_accuracy():
    cohort, _, _ = implant_cohort()
    result = verify(MODEL, cohort.dropna())
    assert (result.accuracy, result.problem) == (None, "not_tested")


def test_few_implanted_non_responders_give_no_accuracy():
    cohort, _, _ = implant_cohort(120, seed=4)
    result = verify(MODEL, cohort)
    assert (result.accuracy, result.problem) == (None, "few")


def test_class_without_failure_gives_no_accuracy():
    cohort, _, _ = implant_cohort()
    cohort.loc[(cohort["relief_test"] > 30) & cohort["emcs_relief"].notna()] = [60, 60]
    assert verify(MODEL, cohort).problem == "few"


def test_relief_counts_without_the_symptom():
    cohort, _, _ = implant_cohort()
    whole = verify(MODEL, cohort)
    lowered = verify(MODEL, cohort.assign(symptom_improved=False))
    assert whole.classes == lowered.classes


def test_decision_without_a_test_is_refused():
    cohort, _, _ = implant_cohort(50)
    with pytest.raises(DevelopmentError, match="that a test precedes"):
        verify(published_model("rtms_response", "screening"), cohort)


@pytest.mark.parametrize(("lang", "word"), [("en", "Assumption"), ("fr", "Hypothèse")])
def test_report_gives_corrected_accuracy_with_its_assumption(lang, word):
    cohort, _, _ = implant_cohort()
    study = examine(MODEL, cohort, n_resamples=5)
    page = build_report(MODEL, [study], lang=lang).html
    assert "Begg–Greenes" in page
    assert word in page


def test_report_says_which_responder_is_meant():
    cohort, _, _ = implant_cohort(300)
    page = build_report(MODEL, [examine(MODEL, cohort, n_resamples=5)]).html
    page = page.replace("\N{NO-BREAK SPACE}", " ")
    assert "a relief of ≥ 40 % from the implant; not a responder to the test" in page


def test_report_of_a_small_centre_hides_who_was_implanted():
    cohort, _, _ = implant_cohort(120, seed=4)
    page = build_report(MODEL, [examine(MODEL, cohort, n_resamples=5)]).html
    assert "Begg–Greenes" not in page
    section = page.split('id="verification"')[1].split("</section>")[0]
    numbers = [int(n) for n in re.findall(r"<td[^>]*>(\d+)</td>", section)]
    assert numbers
    assert all(n == 0 or n >= 10 for n in numbers)
