"""What to ask next equals what asking would show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import kendalltau

import responder_model as rm
from responder_model.features import Array, expit
from responder_model.model import Model, Pool
from responder_model.model.example import example_model
from responder_model.model.limits import category_names
from responder_model.model.possible import Answers, answered, every_answer
from responder_model.patient import check_patient

Z_95 = 1.959964


def patients(model: Model, n: int, seed: int, given: float) -> Iterator[dict[str, Any]]:
    """Simulated patients of whom a share of what a model reads is known."""
    rng = np.random.default_rng(seed)
    cohort = rm.simulate_cohort(n_patients=n, seed=seed)
    used = [name for name in model.encoder.predictors if name in cohort]
    for _, row in cohort[used].iterrows():
        known = row.dropna().to_dict()
        kept = {name: v for name, v in known.items() if rng.random() < given}
        if "aetiology" not in kept:
            kept.pop("lesion_type", None)
        yield kept


def raw_of(model: Model, patient: dict[str, Any]) -> Array:
    cleaned = check_patient(patient, model.decision, model.moment)
    return model.encoder.raw(cleaned)


def answers_of(model: Model, raw: Array) -> list[Answers]:
    return every_answer(model, raw, model.scorer.evidence(raw))


@pytest.fixture(scope="module")
def pooled() -> Model:
    from responder_model.challenger import fit_trees

    rng = np.random.default_rng(0)
    encoder = example_model("rtms_response", "session_1").encoder
    raw = encoder.raw(rm.simulate_cohort(n_patients=60, seed=1))
    found = fit_trees(raw, (rng.random(60) < 0.5).astype(float), encoder, seed=0)
    pool = Pool(weight=0.4, offset=0.1, slope=0.8, trees=found.to_json())
    return example_model("rtms_response", "session_1", pool=pool)


def published(target: str) -> Model:
    decision, moment = target.split("@")
    return rm.published_model(decision, moment)


TARGETS = [
    "rtms_response@screening",
    "rtms_response@session_3",
    "emcs_success@implantation",
]


@pytest.mark.parametrize("target", [*TARGETS, "pooled", "developed"])
def test_answers_are_those_of_predict(target: str, pooled: Model) -> None:
    centre = None
    if target == "developed":
        cohort = rm.simulate_cohort(n_patients=130, seed=5, n_centres=2)
        model = rm.develop(cohort, "rtms_response", moment="session_1")
        centre = model.centre_names[0]
    else:
        model = pooled if target == "pooled" else published(target)
    own = model.position_of(centre)
    n_checked = 0
    for patient in patients(model, 6, seed=3, given=0.5):
        raw = raw_of(model, patient)
        evidence = model.scorer.evidence(raw, own)
        asked = every_answer(model, raw, evidence)
        log_odds, sd = answered(model, raw, evidence, asked)
        start = 0
        for answers in asked:
            row = model.encoder.fields[answers.asked.position]
            for k, value in enumerate(answers.raw.tolist()):
                at, start = start, start + 1
                if answers.share[k] == 0.0 or row.integer:
                    continue
                if row.kind != "number":
                    value = category_names(row)[int(value)]
                elif row.unit == {"en": "%", "fr": "%"}:
                    value = f"{value!r} %"  # 0.3 alone is asked about
                given = {**patient, row.name: value}
                if row.name == "aetiology":
                    given.pop("lesion_type", None)
                found = model.predict(given, centre=centre)
                assert log_odds[at] == pytest.approx(found.linear_predictor, abs=1e-8)
                assert sd[at] == pytest.approx(found.standard_error, abs=1e-8)
                n_checked += 1
    assert n_checked > 100


def simulated_narrowing(model: Model, raw: Array, n_draws: int) -> dict[str, float]:
    """Expected narrowing of each question, by asking patients one after another."""
    rows, owners = [raw[0]], [-1]
    normal = ndtri((np.arange(n_draws) + 0.5) / n_draws)
    encoder, population = model.encoder, model.population
    z = encoder.encode(raw)
    mean, _ = population.impute(z, model.scorer.coefficients)
    sd = np.sqrt(np.diag(population.open_covariance(z[0])))
    names = [column.name for column in encoder.columns]
    shares = {a.asked.position: a.share for a in answers_of(model, raw)}
    for k, share in shares.items():
        row = encoder.fields[k]
        if row.kind == "number":
            at = names.index(row.name)
            drawn = encoder.columns[at].decoded(mean[0, at] + sd[at] * normal)
            drawn = np.clip(drawn, row.minimum, row.maximum)
        else:
            counts = np.floor(share * n_draws + 0.5).astype(int)
            drawn = np.repeat(np.arange(len(share), dtype=float), counts)
        for value in drawn:
            other = raw[0].copy()
            other[k] = value
            rows.append(other)
            owners.append(k)
    scores = model.scorer.score(encoder.derive(np.array(rows)))
    width = scores.upper - scores.lower
    found = np.array(owners)
    return {
        encoder.predictors[k]: float(width[0] - width[found == k].mean())
        for k in shares
    }


def test_ranking_is_that_of_a_nested_simulation() -> None:
    agreement, gaps = [], []
    for target, n in zip(TARGETS, (80, 60, 60), strict=True):
        model = published(target)
        for patient in patients(model, n, seed=7, given=0.4):
            if "relief_test" not in patient:
                patient.pop("rtms_responder", None)
            ranked = {row.predictor: row.narrowing for row in model.questions(patient)}
            drawn = simulated_narrowing(model, raw_of(model, patient), 100)
            assert set(drawn) == set(ranked)
            # what nobody could see on a screen has no order: a tenth of a point
            seen = [name for name in ranked if abs(ranked[name]) > 1e-3]
            gaps += [abs(ranked[name] - drawn[name]) for name in ranked]
            if len(seen) > 2:
                pair = ([source[name] for name in seen] for source in (ranked, drawn))
                agreement.append(kendalltau(*pair).statistic)
    assert len(gaps) > 1000
    assert max(gaps) < 0.005
    assert np.mean(agreement) >= 0.9


def test_crossing_is_the_share_of_answers_beyond_the_threshold() -> None:
    model, n = published("rtms_response@session_2"), 4000
    encoder, population = model.encoder, model.population
    names = [column.name for column in encoder.columns]
    normal = ndtri((np.arange(n) + 0.5) / n)
    for patient in ({"relief_1": 10}, {"relief_1": 60, "depression": 4}):
        raw = raw_of(model, patient)
        z = encoder.encode(raw)
        mean, _ = population.impute(z, model.scorer.coefficients)
        sd = np.sqrt(np.diag(population.open_covariance(z[0])))
        now = model.predict(patient).probability
        for threshold in (None, 0.3, 0.5, 0.6):
            cut = expit(model.baseline) if threshold is None else threshold
            found = model.questions(patient, threshold=threshold)
            chances = {row.predictor: row.crossing for row in found}
            for name in ("relief_2", "pain_duration", "anxiety"):
                k, at = encoder.predictors.index(name), names.index(name)
                row = encoder.fields[k]
                drawn = encoder.columns[at].decoded(mean[0, at] + sd[at] * normal)
                rows = np.repeat(raw, n, axis=0)
                rows[:, k] = np.clip(drawn, row.minimum, row.maximum)
                beyond = model.scorer.score(rows).probability > cut
                due = float((beyond != (now > cut)).mean())
                assert chances[name] == pytest.approx(due, abs=2 / n)


def test_what_follows_from_another_answer_is_not_asked() -> None:
    asked = [row.predictor for row in published(TARGETS[0]).questions({})]
    assert "aetiology" in asked
    assert "lesion_type" not in asked
    asked = [row.predictor for row in published(TARGETS[2]).questions({})]
    assert "relief_test" in asked
    assert "rtms_responder" not in asked


def test_nothing_is_asked_of_a_patient_who_is_known_in_full() -> None:
    model = example_model("emcs_success", "implantation")
    patient = {
        "age": 57,
        "aetiology": "amputation",
        "pain_duration": 50,
        "motor_deficit": "none",
        "relief_test": 55,
        "relief_days_test": 5,
        "relief_maintenance": 40,
        "sham_relief": 10,
        "single_session_responder": True,
        "active_minus_sham_responder": True,
    }
    assert model.questions(patient) == ()
    assert len(model.questions({**patient, "age": None})) == 1


def test_a_cause_that_contradicts_the_lesion_type_is_no_answer() -> None:
    model = published(TARGETS[0])
    raw = raw_of(model, {"lesion_type": "peripheral"})
    position = model.encoder.predictors.index("aetiology")
    answers = next(a for a in answers_of(model, raw) if a.asked.position == position)
    row = model.encoder.fields[position]
    for name, share in zip(row.category_names, answers.share, strict=True):
        lesion_type = rm.dictionary().derived_categories("lesion_type")[name]
        assert (share > 0.0) == (lesion_type == "peripheral")
    assert answers.share.sum() == pytest.approx(1.0)


def test_shares_without_anything_known_are_those_of_the_reference() -> None:
    model = published(TARGETS[0])
    for answers in answers_of(model, raw_of(model, {})):
        if answers.asked.usual is not None:
            np.testing.assert_allclose(answers.share, answers.asked.usual, atol=1e-9)


def test_a_bounded_relief_is_asked_within_its_bounds() -> None:
    model = published(TARGETS[2])
    for told, within in ((True, (30, 100)), (False, (-100, 30))):
        raw = raw_of(model, {"rtms_responder": told})
        answers = answers_of(model, raw)
        relief = next(
            a
            for a in answers
            if model.encoder.predictors[a.asked.position] == "relief_test"
        )
        assert relief.raw.min() >= within[0] - 1e-9
        assert relief.raw.max() <= within[1] + 1e-9
        # the model fills in the mean of the truncated normal, 100 % no bound
        filled = model.scorer.evidence(raw).deviation[0] + model.population.mean
        column = int(relief.asked.settled[0])
        assert relief.share @ relief.z[:, 0] == pytest.approx(filled[column], abs=0.02)


def test_questions_are_refused_like_predictions() -> None:
    model = published(TARGETS[0])
    with pytest.raises(rm.InvalidPatientError):
        model.questions({"age": 180})
    with pytest.raises(rm.ResponderModelError, match="threshold"):
        model.questions({"age": 57}, threshold=2.0)


@pytest.mark.parametrize(
    "target", ["rtms_response@session_1", "rtms_response@session_2", *TARGETS[1:]]
)
def test_more_relief_never_lowers_the_probability(target: str) -> None:
    model, rng = published(target), np.random.default_rng(0)
    reliefs = [
        n
        for n in ("relief_1", "relief_2", "relief_3", "relief_test")
        if n in model.encoder.predictors
    ]
    for patient in patients(model, 40, seed=9, given=0.7):
        patient.pop("rtms_responder", None)
        base = {**patient, **{n: float(10 * rng.integers(-2, 6)) for n in reliefs}}
        low = model.predict(base).probability
        for name in reliefs:
            high = model.predict({**base, name: base[name] + 35.0}).probability
            assert high >= low - 1e-12
