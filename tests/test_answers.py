"""The verdict on a patient, and where the width of the interval comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import responder_model as rm
from responder_model.features import expit
from responder_model.model import Model, Pool, Prediction, Verdict
from responder_model.model.example import example_model
from responder_model.model.prediction import WIDTH_SOURCES, Applicability
from responder_model.model.verdict import LEANS_FROM, whole_shares
from responder_model.words import LANGUAGES, read_words

TARGETS = [
    ("rtms_response", "screening"),
    ("rtms_response", "session_1"),
    ("rtms_response", "session_3"),
    ("emcs_success", "implantation"),
]


def simulated(model: Model, n: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Simulated patients with what a model may know of them."""
    cohort = rm.simulate_cohort(n_patients=n, seed=seed)
    used = [name for name in model.encoder.predictors if name in cohort]
    for _, row in cohort[used].iterrows():
        yield row.dropna().to_dict()


@pytest.fixture(scope="module")
def trees() -> Pool:
    from responder_model.challenger import fit_trees

    rng = np.random.default_rng(0)
    encoder = example_model("rtms_response", "session_1").encoder
    raw = encoder.raw(rm.simulate_cohort(n_patients=60, seed=1))
    found = fit_trees(raw, (rng.random(60) < 0.5).astype(float), encoder, seed=0)
    return Pool(weight=0.4, offset=0.1, slope=0.8, trees=found.to_json())


# ---------------------------------------------------------------- verdict


def in_hundred(probability: float) -> int:
    return round(100.0 * probability)


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_verdict_follows_the_written_rule(decision: str, moment: str) -> None:
    model, kinds = rm.published_model(decision, moment), set()
    for patient in simulated(model, 60):
        found = model.predict(patient)
        verdict = found.verdict
        low, high = map(in_hundred, found.interval)
        excluded = not low <= in_hundred(verdict.average) <= high
        sure = max(verdict.chance_above, 1.0 - verdict.chance_above) >= LEANS_FROM
        told = in_hundred(found.probability) != in_hundred(verdict.average)
        due = "tells_apart" if excluded else "does_not_tell_apart"
        if sure and told and not excluded:
            due = "leans"
        if found.applicability.level == "outside":
            due = "does_not_tell_apart"
        assert verdict.kind == due
        assert (verdict.side is None) == (due == "does_not_tell_apart")
        kinds.add(due)
    # of the patients simulated, not all are told apart
    assert "does_not_tell_apart" in kinds


def test_chance_above_is_that_of_the_posterior() -> None:
    model = rm.published_model("rtms_response", "session_2")
    found = model.predict({"relief_1": 60, "relief_2": 70})
    draws = np.random.default_rng(0).normal(
        found.linear_predictor, found.standard_error, 200_000
    )
    verdict = found.verdict_at(0.4)
    share = float((expit(draws) > 0.4).mean())
    # five Monte-Carlo standard errors
    assert abs(verdict.chance_above - share) < 5 * np.sqrt(0.25 / len(draws))


def moved(found: Prediction, log_odds: float, error: float) -> Prediction:
    """The same patient, had the model found this."""
    low, p, high = expit(log_odds + 1.96 * error * np.array([-1.0, 0.0, 1.0])).tolist()
    return replace(
        found,
        linear_predictor=log_odds,
        standard_error=error,
        probability=p,
        interval=(low, high),
    )


def states() -> Iterator[tuple[str, Prediction, float | None]]:
    """Every sentence of a verdict, by its key, with a prediction that gets it."""
    for target in (TARGETS[0], TARGETS[-1]):
        model = rm.published_model(*target)
        known = model.predict({"age": 57})
        base = known.baseline
        yield "does_not_tell_apart", moved(known, base + 0.1, 1.0), None
        yield "nothing_known", model.predict({}), None
        yield "leans_above", moved(known, base + 1.2, 1.0), None
        yield "leans_below", moved(known, base - 1.2, 1.0), None
        yield "leans_above_threshold", moved(known, base + 0.5, 1.0), 0.2
        yield "leans_below_threshold", moved(known, base, 1.0), 0.8
        yield "tells_apart_above", moved(known, base + 3.0, 1.0), None
        yield "tells_apart_below", moved(known, base - 6.0, 1.0), None
        away = replace(known, applicability=Applicability(level="outside"))
        yield "outside", moved(away, base + 3.0, 1.0), None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_state_is_one_sentence_that_names_outcome_horizon_and_average(
    lang: str,
) -> None:
    outcomes = {
        ("rtms_response", "en"): "more than 30 % relief two to four weeks after",
        ("rtms_response", "fr"): "plus de 30 % de soulagement deux à quatre semaines",
        (
            "emcs_success",
            "en",
        ): "at least 40 % relief when last seen, 12 months or more",
        (
            "emcs_success",
            "fr",
        ): "au moins 40 % de soulagement au dernier suivi, 12 mois",
    }
    seen = set()
    for key, found, threshold in states():
        verdict = found.verdict if threshold is None else found.verdict_at(threshold)
        assert verdict.note.code == f"answers.{key}"
        text = verdict.note.text(lang)
        assert outcomes[found.decision, lang] in text
        in_100 = "in 100" if lang == "en" else "sur 100"
        assert f"{in_hundred(verdict.average)} {in_100}" in text or key == (
            "nothing_known"
        )
        assert text.count(".") == 1
        assert text.endswith(".")
        assert not any(sign in text for sign in (">", "<", "≥", "{"))
        seen.add(key)
    said = {k for k in read_words("answers") if k.startswith(("leans", "tells"))}
    assert said <= seen


def test_sentence_of_the_verdict_in_full() -> None:
    model = rm.published_model("rtms_response", "screening")
    found = model.predict({"age": 57})
    text = moved(found, 0.08, 1.42).verdict.note.text()
    assert text == (
        "52 in 100 patients like this one report more than 30 % relief two to four "
        "weeks after session 4; for this patient the true figure may lie anywhere from "
        "6 to 95: this does not tell the patient apart from the average one (43 in "
        "100), so do not select on it."
    )


def test_verdict_of_a_simulated_model_says_so_first() -> None:
    text = example_model().predict({"age": 54}).verdict.note
    assert text.text("en").startswith("SIMULATED patients, for no real one: ")
    assert text.text("fr").startswith("Patients SIMULÉS, pour aucun patient réel : ")


def test_outcomes_in_words_agree_with_the_dictionary() -> None:
    words = read_words("answers")
    more = {">": ("more than", "plus de"), ">=": ("at least", "au moins")}
    for decision in rm.dictionary().decisions.values():
        for key in (f"outcome_{decision.name}", f"cut_{decision.name}"):
            for lang, said in zip(LANGUAGES, more[decision.comparison], strict=True):
                assert said in words[key][lang].lower()


@pytest.mark.parametrize("threshold", [0.0, 1.0, 30.0, float("nan")])
def test_verdict_at_refuses_what_is_no_probability(threshold: float) -> None:
    found = rm.published_model("rtms_response", "screening").predict({"age": 54})
    with pytest.raises(rm.ResponderModelError, match="threshold must be above 0"):
        found.verdict_at(threshold)


def test_verdict_travels_in_json() -> None:
    model = rm.published_model("rtms_response", "screening")
    found = model.predict({"age": 54})
    plain = json.loads(json.dumps(found.to_dict("fr", threshold=0.3)))
    verdict = found.verdict_at(0.3)
    assert isinstance(verdict, Verdict)
    assert plain["verdict"] == verdict.to_dict("fr")
    assert plain["verdict"]["note"]["text"] == verdict.note.text("fr")
    assert found.to_dict()["verdict"] == found.verdict.to_dict()


# ---------------------------------------------------------------- width


def by_hand(model: Model, patient: Mapping[str, Any]) -> dict[str, float]:
    """Parts of the variance by dense matrices, from the model's own values."""
    encoder, population = model.encoder, model.population
    z = encoder.encode(encoder.raw(patient))[0]
    S = population.open_covariance(z)
    away = model.scorer.evidence(encoder.raw(patient)).deviation[0]
    b, C = model.main.coefficients, model.main.covariance
    at = np.concatenate([[1.0], population.mean])
    level, slopes = at @ C @ at, away @ C[1:, 1:] @ away
    one = np.concatenate([[1.0], population.mean + away])
    told = one @ C @ one
    return {
        "centre": told * level / (level + slopes),
        "evidence": told * slopes / (level + slopes),
        "not_given": b @ S @ b + np.trace(C[1:, 1:] @ S),
        "missed": model.discrepancy,
    }


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_width_shares_are_those_of_the_variance(decision: str, moment: str) -> None:
    for model in (
        rm.published_model(decision, moment),
        example_model(decision, moment),
    ):
        for patient in simulated(model, 12, seed=4):
            # a yes/no that bounds a missing number narrows what was not given
            patient.pop("rtms_responder", None)
            due = by_hand(model, patient)
            total = sum(due.values())
            found = model.predict(patient)
            assert found.standard_error**2 == pytest.approx(total, rel=1e-9)
            assert tuple(found.width_shares) == WIDTH_SOURCES
            for name, share in found.width_shares.items():
                assert share == pytest.approx(due[name] / total, abs=1e-9)


def test_width_shares_add_up_with_trees_and_centres(trees: Pool) -> None:
    pooled = example_model("rtms_response", "session_1", pool=trees)
    cohort = rm.simulate_cohort(n_patients=90, seed=5, n_centres=2)
    grown = rm.develop(cohort, "rtms_response", moment="session_1")
    centres = [None, *grown.centre_names]
    assert len(centres) == 3
    for model, centre in [(pooled, None), *((grown, name) for name in centres)]:
        for patient in simulated(model, 8, seed=6):
            shares = model.predict(patient, centre=centre).width_shares
            assert sum(shares.values()) == pytest.approx(1.0, abs=1e-12)
            assert min(shares.values()) >= 0.0
            assert shares["missed"] > 0.0


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_average_interval_lies_within_that_of_the_patient(
    decision: str, moment: str
) -> None:
    model = rm.published_model(decision, moment)
    for patient in simulated(model, 20, seed=2):
        found = model.predict(patient)
        low, mean_low, p, mean_high, high = (
            found.interval[0],
            found.average_interval[0],
            found.probability,
            found.average_interval[1],
            found.interval[1],
        )
        assert low - 1e-12 <= mean_low < p < mean_high <= high + 1e-12
        if not found.missing:
            assert (mean_low, mean_high) == pytest.approx((low, high), abs=1e-12)


def test_average_interval_covers_the_average_of_patients_alike() -> None:
    model = rm.published_model("rtms_response", "session_3")
    encoder, rng = model.encoder, np.random.default_rng(0)
    part, n_draws, n_patients = model.main, 1000, 400
    patients: list[dict[str, Any]] = [
        {},
        {"aetiology": "ischaemic_stroke"},
        {"relief_1": 60, "relief_2": 60, "relief_3": 60},
        {"relief_3": 0, "pain_site": "face"},
    ]
    mean = np.concatenate([[part.intercept], part.coefficients])
    theta = rng.multivariate_normal(mean, part.covariance, n_draws)
    missed = rng.normal(0.0, np.sqrt(model.discrepancy), n_draws)
    for patient in patients:
        raw = encoder.raw(patient)
        expected = model.population.mean + model.scorer.evidence(raw).deviation[0]
        S = model.population.open_covariance(encoder.encode(raw)[0])
        z = rng.multivariate_normal(expected, S, n_patients, method="eigh")
        log_odds = theta[:, :1] + theta[:, 1:] @ z.T + missed[:, None]
        average = expit(log_odds).mean(axis=1)
        low, high = model.predict(patient).average_interval
        covered = ((low <= average) & (average <= high)).mean()
        # three Monte-Carlo standard errors of 1000 draws below 95 %
        assert covered >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / n_draws)


def test_shares_are_printed_as_whole_numbers_that_add_up() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        parts = rng.dirichlet([0.5] * 4)
        shares = dict(zip(WIDTH_SOURCES, parts.tolist(), strict=True))
        whole = whole_shares(shares)
        assert sum(whole.values()) == 100
        assert all(abs(whole[k] - 100 * shares[k]) < 1 for k in shares)
