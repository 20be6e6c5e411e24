"""Where a model applies: few of its own are outside, nearly all planted extremes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import responder_model as rm
from in_words import said
from responder_model.features import Array, Encoder, Population
from responder_model.model.applicability import Checks, compile_checks
from responder_model.model.example import example_model
from responder_model.model.limits import (
    Limits,
    reference_limits,
)
from responder_model.model.observed import describe_limits
from responder_model.schema import dictionary

N_NEW = 4000


def fill(encoder: Encoder, population: Population, raw: Array) -> Array:
    none = np.zeros((1, len(encoder.columns)))
    return population.impute(encoder.encode(raw), none, encoder.interval(raw))[0]


@cache
def developed(moment: str, n: int, seed: int) -> tuple[Encoder, Population, Limits]:
    encoder = Encoder.for_decision("rtms_response", moment)
    raw = encoder.raw(rm.simulate_cohort(n_patients=n, seed=seed))
    population = Population.estimate(encoder.encode(raw), encoder)
    filled = fill(encoder, population, raw)
    return encoder, population, describe_limits(encoder, raw, filled, population)


@cache
def new_patients(moment: str) -> Array:
    encoder = Encoder.for_decision("rtms_response", moment)
    return encoder.raw(rm.simulate_cohort(n_patients=N_NEW, seed=99))


def levels(moment: str, n: int, seed: int, raw: Array) -> Array:
    encoder, population, limits = developed(moment, n, seed)
    checks = compile_checks(encoder, limits, population)
    deviation = fill(encoder, population, raw) - population.mean
    return checks.levels(raw, deviation).max(axis=1)


@pytest.mark.parametrize("moment", ["screening", "session_3"])
@pytest.mark.parametrize("n", [50, 213, 1000])
def test_at_most_5_percent_of_the_development_cohort_is_outside(
    moment: str, n: int
) -> None:
    raw = Encoder.for_decision("rtms_response", moment).raw(
        rm.simulate_cohort(n_patients=n, seed=2)
    )
    assert (levels(moment, n, 2, raw) == 2).mean() <= 0.05


@pytest.mark.parametrize("moment", ["screening", "session_3"])
@pytest.mark.parametrize("n", [213, 1000])
def test_at_most_5_percent_of_new_patients_of_the_population_are_outside(
    moment: str, n: int
) -> None:
    found = [(levels(moment, n, s, new_patients(moment)) == 2).mean() for s in (2, 3)]
    assert np.mean(found) <= 0.05


def test_at_most_5_percent_of_simulated_patients_are_outside_the_published() -> None:
    for moment in ("screening", "session_3"):
        model = rm.published_model("rtms_response", moment)
        scores = model.scorer.score(new_patients(moment))
        assert (scores.levels == 2).mean() <= 0.05


@pytest.mark.parametrize("n", [213, 1000])
def test_at_least_95_percent_of_planted_extremes_are_outside(n: int) -> None:
    moment = "session_3"
    encoder, population, limits = developed(moment, n, 2)
    rng = np.random.default_rng(5)
    raw = new_patients(moment)[:1000].copy()
    rare = [
        (encoder.predictors.index(name), list(row).index(value))
        for name, row in limits.seen.items()
        for value, how in row.items()
        if how == "none" and name == "aetiology"
    ]
    for i in range(len(raw)):
        _plant(encoder, raw[i], rng, rare)
    assert (levels(moment, n, 2, raw) == 2).mean() >= 0.95


def _plant(
    encoder: Encoder, row: Array, rng: np.random.Generator, rare: list[tuple[int, int]]
) -> None:
    """One implausible thing: a far value, an unseen category, or a contradiction."""
    at = encoder.predictors.index
    kind = rng.integers(0, 3 if rare else 2)
    if kind == 0:
        # more than 4 reference SDs from the mean, within what the dictionary allows
        name, value = [
            ("pain_duration", 1.0),
            ("relief_1", -100.0),
            ("relief_3", -100.0),
            ("pain_intensity", 0.0),
            ("dn4", 0.0),
        ][rng.integers(0, 5)]
        row[at(name)] = value
    elif kind == 1:
        low, high = [
            ({"depression": 0, "anxiety": 21}, {"fatigue": 10, "catastrophising": 0}),
            ({"relief_1": 95}, {"relief_2": -60}),
            ({"relief_2": -60}, {"relief_3": 95}),
        ][rng.integers(0, 3)]
        for name, value in {**low, **high}.items():
            row[at(name)] = value
    else:
        position, code = rare[rng.integers(0, len(rare))]
        row[position] = code


def test_categories_common_apart_and_never_together_are_outside() -> None:
    encoder, population, limits = developed("screening", 1000, 2)
    pair = ("aetiology", "trigeminal_neuropathy", "pain_site", "lower_limb")
    assert pair in limits.never_together
    model = example_model(population=population, limits=limits)
    prediction = model.predict(
        {"age": 56, "aetiology": "trigeminal_neuropathy", "pain_site": "lower_limb"}
    )
    assert prediction.applicability.level == "outside"
    assert any(
        "never seen together" in r for r in said(prediction.applicability.reasons)
    )


def test_unseen_category_is_outside_and_rare_one_borderline() -> None:
    limits = example_model().limits
    seen = dict(limits.seen)
    seen["aetiology"] = {
        **seen["aetiology"],
        "amputation": "none",
        "syringomyelia": "few",
    }
    model = example_model(limits=Limits.from_json({**limits.to_json(), "seen": seen}))
    unseen = model.predict({"aetiology": "amputation"}).applicability
    rare = model.predict({"aetiology": "syringomyelia"}).applicability
    assert (unseen.level, rare.level) == ("outside", "borderline")
    reason = "Aetiology: amputation: nobody in the model's population had it"
    assert said(unseen.reasons) == [reason]
    assert "rare dans la population" in said(rare.reasons, "fr")[0]


def test_predictor_that_was_never_recorded_is_borderline() -> None:
    limits = example_model().limits.to_json()
    del limits["numbers"]["fatigue"]
    model = example_model(limits=Limits.from_json(limits))
    found = model.predict({"age": 56, "fatigue": 5}).applicability
    assert found.level == "borderline"
    assert "not recorded where the model was developed" in said(found.reasons)[0]
    assert model.predict({"age": 56}).applicability.level == "inside"


def emcs_limits(n_non_responders: int) -> tuple[Limits, Population]:
    """Limits of an implanted cohort with so many non-responders to the test."""
    encoder = Encoder.for_decision("emcs_success")
    rng = np.random.default_rng(0)
    n = 60
    raw = np.full((n, len(encoder.predictors)), np.nan)
    raw[:, encoder.predictors.index("age")] = rng.normal(56, 12, n)
    relief = rng.uniform(31, 90, n)
    relief[:n_non_responders] = rng.uniform(-20, 30, n_non_responders)
    raw[:, encoder.predictors.index("relief_test")] = relief
    population = Population.estimate(encoder.encode(raw), encoder)
    filled = fill(encoder, population, raw)
    return describe_limits(encoder, raw, filled, population), population


@pytest.mark.parametrize(
    ("n_non_responders", "level"), [(9, "outside"), (10, "borderline")]
)
def test_emcs_non_responder_is_borderline_from_ten_on(
    n_non_responders: int, level: str
) -> None:
    limits, population = emcs_limits(n_non_responders)
    model = example_model("emcs_success", None, limits=limits, population=population)
    patient = {"age": 56, "relief_test": 25}
    assert model.predict(patient).applicability.level == level
    assert model.predict({"age": 56, "relief_test": 55}).applicability.level == "inside"


def test_limits_hold_no_value_of_a_patient() -> None:
    encoder, population, limits = developed("screening", 213, 2)
    cohort = rm.simulate_cohort(n_patients=213, seed=2)
    for name, row in limits.numbers.items():
        observed = cohort[name].dropna()
        field = dictionary().fields[name]
        for bound in (*row.usual, *row.widest):
            edge = bound in (field.minimum, field.maximum)
            # bounds are whole steps, values of the simulated cohort mostly are not
            assert edge or round(bound * 10) == pytest.approx(bound * 10)
        assert row.widest[0] <= observed.quantile(0.01)
        assert row.widest[1] >= observed.quantile(0.99)


def test_limits_survive_json() -> None:
    for encoder, population, limits in (developed("session_3", 213, 2),):
        del encoder, population
        assert Limits.from_json(limits.to_json()) == limits


def test_reference_limits_need_no_patient() -> None:
    encoder = Encoder.for_decision("emcs_success")
    population = Population.reference(encoder)
    limits = reference_limits(encoder, population)
    assert limits.non_responders == "few"
    assert set(limits.numbers) | set(limits.seen) == set(encoder.predictors)


def test_constant_and_tiny_cohorts_have_limits() -> None:
    encoder = Encoder.for_decision("rtms_response", "screening")
    raw = np.full((12, len(encoder.predictors)), np.nan)
    raw[:, 0] = 54.0
    # its logarithm differs from the mean of twelve in the last digit
    raw[:, encoder.predictors.index("pain_duration")] = 60.0
    raw[:1, encoder.predictors.index("fatigue")] = 5.0
    population = Population.estimate(encoder.encode(raw), encoder)
    filled = fill(encoder, population, raw)
    limits = describe_limits(encoder, raw, filled, population, small_cells=0)
    assert limits.numbers["age"].widest[0] < 54 < limits.numbers["age"].widest[1]
    assert "fatigue" in limits.numbers
    assert "fatigue" not in describe_limits(encoder, raw, filled, population).numbers
    assert "depression" not in limits.numbers
    assert "sex" not in limits.seen


@pytest.mark.parametrize("moment", ["session_1", "session_2", "session_3"])
def test_a_session_without_any_relief_is_borderline(moment: str) -> None:
    model = rm.published_model("rtms_response", moment)
    found = model.predict({"aetiology": "ischaemic_stroke"}).applicability
    assert found.level == "borderline"
    assert [reason.code for reason in found.reasons] == ["model.no_relief"]
    known = model.predict({"aetiology": "ischaemic_stroke", "relief_1": 0})
    assert known.applicability.level == "inside"
    days = model.predict({"aetiology": "ischaemic_stroke", "relief_days_1": 4})
    assert days.applicability.level == "borderline"


def test_levels_are_the_same_for_one_and_for_many() -> None:
    model = rm.published_model("rtms_response", "session_3")
    raw = new_patients("session_3")[:200]
    many = model.scorer.score(raw).levels
    one = [int(model.scorer.score(raw[i : i + 1]).levels[0]) for i in range(len(raw))]
    assert many.tolist() == one


def test_checks_compile_to_one_column_each() -> None:
    model: Any = example_model()
    checks: Checks = model.scorer.checks
    raw = new_patients("screening")[:3]
    found = checks.levels(raw, np.zeros((3, len(model.encoder.columns))))
    assert found.shape == (3, len(model.encoder.predictors) + 3)
