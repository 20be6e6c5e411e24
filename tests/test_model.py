"""Prediction for one patient: numbers, sums, order, words."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import responder_model as rm
from in_words import said, told
from responder_model.errors import InvalidPatientError, ResponderModelError
from responder_model.features import Encoder, Population
from responder_model.features.columns import Column
from responder_model.model import Limits, LinearPart, Model
from responder_model.model.example import example_model
from responder_model.model.limits import NumberLimits
from responder_model.sample_size import sample_size_verdict
from responder_model.schema import Field, dictionary

TARGETS = [f"{d}@{m}" for d, m in dictionary().targets()]
PROPERTY = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def two_predictor_model(**changes: Any) -> Model:
    """Age (mean 50, SD 10) and opioid (mean 0.4), with slopes -0.5 and 0.3."""
    encoder = Encoder(
        decision="rtms_response",
        moment="screening",
        predictors=("age", "opioid"),
        columns=(
            Column(name="age", predictor="age", centre=50.0, scale=10.0),
            Column(name="opioid", predictor="opioid", centre=0.4),
        ),
        derived=("age", "opioid"),
        projection=np.eye(2),
    )
    slopes = np.array([-0.5, 0.3])
    parts = {
        "decision": "rtms_response",
        "moment": "screening",
        "provenance": "cohort",
        "name": "two predictors",
        "encoder": encoder,
        "population": Population(
            mean=np.array([0.2, -0.1]), covariance=np.diag([1.0, 0.24]), n_patients=50
        ),
        "limits": Limits(
            numbers={"age": NumberLimits(usual=(25, 80), widest=(20, 90))},
            seen={"opioid": {"no": "enough", "yes": "enough"}},
            usual_distance=6.0,
            widest_distance=9.0,
        ),
        "linear": tuple(
            LinearPart(
                cut_point=cut,
                intercept=intercept,
                coefficients=slopes,
                covariance=np.diag([0.04, 0.09, 0.01]),
            )
            for cut, intercept in ((10, 0.9), (30, -0.2), (50, -1.1))
        ),
        "mean_variance": 0.25,
        "discrepancy": 0.02,
        "n_patients": 50,
        "n_events": 21,
    }
    return Model(**{**parts, **changes})


def test_predict_matches_a_prediction_computed_by_hand() -> None:
    prediction = two_predictor_model().predict({"age": 70, "opioid": True})
    kappa = 1.0 / math.sqrt(1.0 + math.pi * 0.25 / 8.0)
    # z = (2.0, 0.6), mean (0.2, -0.1): z - mean = (1.8, 0.7)
    baseline = kappa * (-0.2 - 0.5 * 0.2 + 0.3 * -0.1)
    log_odds = baseline + kappa * (-0.5 * 1.8) + kappa * (0.3 * 0.7)
    variance = 0.04 + 0.09 * 2.0**2 + 0.01 * 0.6**2 + 0.02
    half = 1.959964 * math.sqrt(variance)
    assert prediction.probability == pytest.approx(1 / (1 + math.exp(-log_odds)))
    assert prediction.interval == pytest.approx(
        tuple(1 / (1 + math.exp(-(log_odds + s * half))) for s in (-1, 1))
    )
    assert prediction.contributions == pytest.approx(
        {"age": kappa * -0.9, "opioid": kappa * 0.21}
    )
    assert prediction.baseline == pytest.approx(baseline)


def test_contribution_range_is_that_of_the_posterior() -> None:
    prediction = two_predictor_model().predict({"age": 70, "opioid": True})
    kappa = 1.0 / math.sqrt(1.0 + math.pi * 0.25 / 8.0)
    # age moves by 1.8 SD with slope -0.5 (SD 0.3)
    found = prediction.contribution_ranges["age"]
    assert found.lower == pytest.approx(kappa * 1.8 * (-0.5 - 1.959964 * 0.3))
    assert found.upper == pytest.approx(kappa * 1.8 * (-0.5 + 1.959964 * 0.3))
    assert found.same_sign == pytest.approx(
        0.5 * (1 + math.erf(0.5 / 0.3 / math.sqrt(2)))
    )


def test_missing_predictor_matches_a_prediction_computed_by_hand() -> None:
    prediction = two_predictor_model().predict({"age": 70})
    # uncorrelated, so opioid takes its mean; its variance carries the 0.1 % ridge
    s = 0.3**2 * 0.24 * 1.001
    kappa = 1.0 / math.sqrt(1.0 + math.pi * 0.25 / 8.0)
    kappa_i = 1.0 / math.sqrt(1.0 + math.pi * (0.25 + s) / 8.0)
    log_odds = kappa * -0.33 + kappa_i * -0.9
    # the coefficient of what is missing is uncertain too: variance 0.01
    variance = 0.04 + 0.09 * 2.0**2 + 0.01 * 0.1**2 + 0.02 + s + 0.01 * 0.24 * 1.001
    lower = 1 / (1 + math.exp(-(log_odds - 1.959964 * math.sqrt(variance))))
    assert prediction.linear_predictor == pytest.approx(log_odds, abs=1e-12)
    assert prediction.interval[0] == pytest.approx(lower, abs=1e-12)
    assert prediction.contributions["opioid"] == pytest.approx(0.0, abs=1e-12)
    assert prediction.missing == ("opioid",)


def test_range_of_a_missing_predictor_holds_what_its_value_might_do() -> None:
    found = two_predictor_model().predict({"age": 70}).contribution_ranges["opioid"]
    s = 0.3**2 * 0.24 * 1.001
    kappa_i = 1.0 / math.sqrt(1.0 + math.pi * (0.25 + s) / 8.0)
    s += 0.01 * 0.24 * 1.001
    assert found.upper == pytest.approx(kappa_i * 1.959964 * math.sqrt(s))
    assert found.same_sign == pytest.approx(0.5)


def test_crossing_cut_offs_are_clamped_against_the_main_one() -> None:
    linear = two_predictor_model().linear
    steep = LinearPart(
        cut_point=50,
        intercept=-0.1,
        coefficients=np.array([1.0, 0.3]),
        covariance=linear[2].covariance,
    )
    model = two_predictor_model(linear=(*linear[:2], steep))
    prediction = model.predict({"age": 70, "opioid": True})
    assert prediction.probabilities[50] == prediction.probabilities[30]
    assert prediction.probabilities[10] > prediction.probabilities[30]
    assert prediction.probabilities[30] == prediction.probability


def value_strategy(row: Field) -> st.SearchStrategy[Any]:
    """Any value that a field allows, or nothing."""
    if row.kind == "number":
        assert row.minimum is not None
        assert row.maximum is not None
        known: st.SearchStrategy[Any] = st.floats(row.minimum, row.maximum)
        if row.unit and row.unit["en"] == "%":  # below 1 it may be a fraction
            known = known.filter(lambda percent: percent == 0 or abs(percent) >= 1)
        if row.integer:
            known = st.integers(int(row.minimum), int(row.maximum))
    elif row.kind == "boolean":
        known = st.booleans()
    else:
        known = st.sampled_from(row.category_names)
    return st.none() | known


def patients(decision: str, moment: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any patient of a decision model; what follows from another value is left out."""
    rows = dictionary().predictors(decision, moment)
    anything = st.fixed_dictionaries(
        {row.name: value_strategy(row) for row in rows if not row.derived_from}
    )
    indicators = {row.name: row.indicates for row in rows if row.indicates}

    def without_repeats(patient: dict[str, Any]) -> dict[str, Any]:
        return {
            name: None if patient.get(indicators.get(name)) is not None else value
            for name, value in patient.items()
        }

    return anything.map(without_repeats)


@pytest.mark.parametrize("target", TARGETS)
def test_any_patient_gets_a_coherent_prediction(target: str) -> None:
    decision, moment = target.split("@")
    model = rm.published_model(decision, moment)

    @PROPERTY
    @given(patient=patients(decision, moment))
    def check(patient: dict[str, Any]) -> None:
        prediction = model.predict(patient)
        lower, upper = prediction.interval
        assert 0 <= lower <= prediction.probability <= upper <= 1
        falling = list(prediction.probabilities.values())
        assert falling == sorted(falling, reverse=True)
        assert prediction.probabilities[prediction.cut_point] == prediction.probability
        total = prediction.baseline + sum(prediction.contributions.values())
        assert total == pytest.approx(prediction.linear_predictor, abs=1e-9)
        assert prediction.baseline == model.baseline
        assert prediction.applicability.level in ("inside", "borderline", "outside")
        expected = prediction.applicability.level != "inside"
        assert bool(said(prediction.applicability.reasons)) == expected
        for name, found in prediction.contribution_ranges.items():
            assert found.lower <= prediction.contributions[name] <= found.upper
            assert 0.5 <= found.same_sign <= 1.0

    check()


def test_published_models_rise_with_relief() -> None:
    for target, names in (
        ("rtms_response@session_2", ["relief_1", "relief_2"]),
        ("emcs_success@implantation", ["relief_test"]),
    ):
        model = rm.published_model(*target.split("@"))
        for name in names:
            found = [
                model.predict({"age": 56, name: value}).probability
                for value in range(-100, 101, 25)
            ]
            assert found == sorted(found)


def test_session_model_without_relief_stays_near_screening() -> None:
    screening = rm.published_model("rtms_response", "screening")
    for moment in ("session_1", "session_2", "session_3"):
        model = rm.published_model("rtms_response", moment)
        for patient in (
            {"age": 30, "aetiology": "ischaemic_stroke", "pain_site": "upper_limb"},
            {"age": 80, "aetiology": "amputation", "depression": 18},
            {},
        ):
            without = model.predict(patient).probability
            assert without == pytest.approx(
                screening.predict(patient).probability, abs=0.05
            )


def test_intervals_are_wider_on_average_when_predictors_are_missing() -> None:
    model = rm.published_model("rtms_response", "session_3")
    cohort = rm.simulate_cohort(n_patients=300, seed=4)
    raw = model.encoder.raw(cohort)
    gaps = raw.copy()
    gaps[np.random.default_rng(0).random(raw.shape) < 0.4] = np.nan
    full, sparse = (model.scorer.score(x).standard_error.mean() for x in (raw, gaps))
    assert sparse > full


def test_edges_of_the_dictionary_give_finite_answers_and_warnings() -> None:
    model = rm.published_model("rtms_response", "session_3")
    edge = {
        "age": 18.0,
        "pain_intensity": 10,
        "relief_1": -100,
        "relief_2": -100,
        "relief_3": -100,
        "pain_duration": 840,
    }
    prediction = model.predict(edge)
    assert math.isfinite(prediction.linear_predictor)
    assert prediction.applicability.level == "outside"
    assert any(
        "Relief after session 3" in r for r in said(prediction.applicability.reasons)
    )
    nothing = model.predict({})
    assert nothing.applicability.level == "borderline"
    assert "no predictor was given" in said(nothing.applicability.reasons)[0]
    assert len(nothing.missing) == len(model.encoder.predictors)


def test_predict_refuses_a_value_that_is_known_later() -> None:
    model = rm.published_model("rtms_response", "session_1")
    with pytest.raises(InvalidPatientError, match="relief_2") as caught:
        model.predict({"age": 180, "relief_2": 30})
    assert set(told(caught.value)) == {"age", "relief_2"}


def test_to_dict_is_what_json_prints() -> None:
    prediction = example_model().predict({"age": 54, "aetiology": "amputation"})
    printed = json.loads(json.dumps(prediction.to_dict(), allow_nan=False))
    assert printed == prediction.to_dict()
    assert set(printed) == {*prediction.__dataclass_fields__, "points", "verdict"}
    assert set(printed["probabilities"]) == {"10", "30", "50"}
    assert list(printed["contributions"]) == list(example_model().encoder.predictors)


def test_every_prediction_says_what_it_is_not() -> None:
    published = rm.published_model("rtms_response", "screening").predict({"age": 56})
    assert published.provenance == "published"
    assert said(published.messages)[0] == "Research use only: not a medical device."
    assert any("c-statistic of 0." in message for message in said(published.messages))
    assert any("placebo included" in message for message in said(published.messages))
    assert any(message.startswith("Not given") for message in said(published.messages))


def test_simulated_model_says_that_it_is_for_no_patient() -> None:
    english = example_model().predict({"age": 54})
    assert "Developed on simulated patients: not for any patient." in said(
        english.messages
    )
    assert any(
        "patients simulés" in message for message in said(english.messages, "fr")
    )


def test_insufficient_sample_size_is_said() -> None:
    model = two_predictor_model(sample_size=sample_size_verdict(50, 21, 12))
    messages = said(model.predict({"age": 50}).messages)
    assert any("smaller than the sample-size criteria" in m for m in messages)
    assert any("50 patients, 21 of them" in m for m in messages)


def test_negative_relief_slope_is_said() -> None:
    model = example_model("rtms_response", "session_2")
    columns = [column.name for column in model.encoder.columns]
    for slope, expected in ((-0.2, True), (0.2, False)):
        part = model.main
        slopes = part.coefficients.copy()
        slopes[columns.index("relief_1")] = slope
        slopes[columns.index("relief_2")] = slope / 4
        changed = LinearPart(
            cut_point=part.cut_point,
            intercept=part.intercept,
            coefficients=slopes,
            covariance=part.covariance,
        )
        linear = (model.linear[0], changed, model.linear[2])
        messages = (
            example_model("rtms_response", "session_2", linear=linear)
            .predict({"age": 54})
            .messages
        )
        assert any("more relief so far lowers" in m for m in said(messages)) == expected


def test_model_refuses_served_cut_offs_without_the_main_one() -> None:
    linear = two_predictor_model().linear
    with pytest.raises(ResponderModelError, match="served cut-offs must rise"):
        two_predictor_model(linear=(linear[0], linear[2]))
    with pytest.raises(ResponderModelError, match="served cut-offs must rise"):
        two_predictor_model(linear=linear[::-1])


def test_model_refuses_unknown_provenance() -> None:
    with pytest.raises(ResponderModelError, match="provenance must be one of"):
        two_predictor_model(provenance="real")


def test_model_refuses_an_encoder_of_another_moment() -> None:
    with pytest.raises(ResponderModelError, match="encoder must be of the model's"):
        two_predictor_model(moment="session_1")


def test_model_survives_pickling_between_processes() -> None:
    model = example_model()
    before = model.predict({"age": 54})
    assert pickle.loads(pickle.dumps(model)).predict({"age": 54}) == before


def test_what_a_pattern_leaves_open_is_the_same_for_whoever_comes_first():
    first, second = {"age": 40, "depression": 3}, {"age": 71, "depression": 19}
    alone = replace(rm.published_model("rtms_response", "screening"))
    after = replace(alone)
    after.predict(first)
    due, found = alone.predict(second), after.predict(second)
    assert (found.standard_error, found.width_shares) == (
        due.standard_error,
        due.width_shares,
    )
    assert found.contribution_ranges == due.contribution_ranges
    # another pattern leaves something else open
    fewer = after.predict({"age": 71})
    assert fewer.width_shares["not_given"] > found.width_shares["not_given"]
