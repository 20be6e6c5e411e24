"""Curves: what a straight line misses of a number is learned, and goes through all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from responder_model.artifact import digest_of
from responder_model.cohort import outcome_levels
from responder_model.combining import combine, share
from responder_model.combining.straight import straightened
from responder_model.development import build_procedure
from responder_model.development.shared import priors_for
from responder_model.disclosure import columns_left_out
from responder_model.features import Encoder, Population, expit, is_curve, logit
from responder_model.features.columns import KNOT, bend
from responder_model.figures.coefficients import column_label
from responder_model.model import Model
from responder_model.model.disclosed import describe_disclosure
from responder_model.rules.information import lessons_of
from responder_model.rules.rates import model_rates, patients_of, served_score
from responder_model.simulation import draw_truth, simulate_cohort
from responder_model.simulation.relief import true_probabilities

SETTINGS = rm.Settings(decision="rtms_response", moment="screening", challenger=False)
CURVED = Encoder.for_decision("rtms_response", "screening", curved=True)


def bent_cohort(n: int, seed: int, kind: str = "strongly_nonlinear") -> pd.DataFrame:
    truth = draw_truth("rtms_response", kind, np.random.default_rng(seed))
    return simulate_cohort(n, seed, truth=truth)


@pytest.fixture(scope="module")
def bent() -> Model:
    return rm.develop(bent_cohort(300, 1), settings=SETTINGS)


def curves(model: Model) -> list[str]:
    return [name for name in model.encoder.derived if is_curve(name)]


def test_bend_is_a_standardised_natural_spline_without_its_line() -> None:
    z = np.linspace(-10.0, 10.0, 200_001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi) * (z[1] - z[0])
    x = bend(z)
    moments = [(x * density).sum(), (x**2 * density).sum(), (x * z * density).sum()]
    np.testing.assert_allclose(moments, [0.0, 1.0, 0.0], atol=1e-6)
    second = np.gradient(np.gradient(x, z), z)
    # a cubic spline: the second derivative has no step; straight beyond the knots
    assert np.abs(np.diff(second[5:-5])).max() < 1e-3
    np.testing.assert_allclose(second[np.abs(z) > KNOT + 0.01][5:-5], 0.0, atol=1e-5)


def test_only_numbers_known_before_the_first_session_have_a_curve() -> None:
    encoder = Encoder.for_decision("rtms_response", "session_3", curved=True)
    names = {c.predictor for c in encoder.columns if c.is_curve}
    assert {"age", "pain_duration", "depression"} <= names
    assert not any("relief" in name for name in names)
    assert not any(map(is_curve, Encoder.for_decision("emcs_success").derived))


def test_a_missing_number_misses_its_curve_too() -> None:
    z = CURVED.encode(CURVED.raw({"pain_duration": 55}))[0]
    names = [column.name for column in CURVED.columns]
    at = {name: z[names.index(name)] for name in names}
    assert np.isnan(at["age"])
    assert np.isnan(at["age=curve"])
    assert at["pain_duration=curve"] == pytest.approx(bend(at["pain_duration"]))


def test_from_40_patients_on_effects_may_bend(bent: Model) -> None:
    few = rm.develop(bent_cohort(39, 2), settings=SETTINGS)
    assert few.n_patients < 40
    assert not curves(few)
    assert len(curves(bent)) == sum(c.is_curve for c in bent.encoder.columns) > 4
    assert not curves(rm.published_model("rtms_response", "screening"))


def test_the_shape_is_learned(bent: Model) -> None:
    # the middle of age is best, of depression worst
    age = [bent.predict({"age": x}).probability for x in (30, 56, 82)]
    depression = [bent.predict({"depression": x}).probability for x in (0, 7, 16)]
    assert age[1] > max(age[0], age[2]) + 0.05
    assert depression[1] < min(depression[0], depression[2]) - 0.05


def test_contributions_add_up_and_hold_the_curve(bent: Model) -> None:
    found = bent.predict(
        {"age": 56, "pain_intensity": 6, "aetiology": "ischaemic_stroke"}
    )
    whole = found.baseline + sum(found.contributions.values())
    assert whole == pytest.approx(found.linear_predictor, abs=1e-9)
    assert list(found.contributions) == list(bent.encoder.predictors)
    # the mean of age is not an average patient's age where its effect bends
    assert found.contributions["age"] > 0.1


def test_a_folder_holds_the_curves(bent: Model, tmp_path) -> None:
    rm.save_model(bent, tmp_path / "model")
    again = rm.load_model(tmp_path / "model")
    cohort = bent_cohort(50, 3)
    assert again.encoder.columns == bent.encoder.columns
    pd.testing.assert_frame_equal(
        again.predict_cohort(cohort), bent.predict_cohort(cohort)
    )


def test_curves_are_left_out_first_and_never_stay_without_their_number() -> None:
    rng = np.random.default_rng(0)
    names = [column.name for column in CURVED.columns]
    raw = CURVED.raw(bent_cohort(60, 4))
    z = CURVED.encode(raw)
    out = dict(zip(names, columns_left_out(z, CURVED, 5), strict=True))
    kept = [name for name in names if not out[name]]
    assert len(kept) <= 40
    some_line_out = [n for n in names if out[n] and not is_curve(n)]
    z[:, names.index("age")] = np.where(rng.random(60) < 0.05, 1.0, 0.0)
    out = dict(zip(names, columns_left_out(z, CURVED, 20), strict=True))
    assert out["age"]
    assert out["age=curve"]
    assert some_line_out  # those that few patients have, whatever the curves


def test_no_relief_gives_way_to_a_curve_and_later_models_hold_all_of_earlier() -> None:
    cohort = rm.simulate_cohort(n_patients=60, seed=0)
    left_out = []
    for moment in ("screening", "session_1", "session_3"):
        settings = replace(SETTINGS, moment=moment)
        found = rm.develop(cohort, settings=settings).disclosure
        left_out.append({n for n in found.contrasts_left_out if "relief" not in n})
        assert len(left_out[-1]) == len(found.contrasts_left_out)
    assert left_out[0] == left_out[1] == left_out[2]
    assert any(map(is_curve, left_out[0]))


def test_a_number_whose_curve_alone_is_left_out_is_not_said_to_be_left_out() -> None:
    cohort = rm.simulate_cohort(n_patients=60, seed=0)
    said = describe_disclosure(rm.develop(cohort, settings=SETTINGS))
    names = {
        note.code: {one.values["field"] for one in note.values["names"]}
        for note in said
        if "names" in note.values
    }
    assert "fatigue" in names["model.curves_left_out"]
    assert not names["model.curves_left_out"] & names["model.contrasts_left_out"]


@pytest.mark.parametrize("seed", [3, 7])
def test_a_curve_that_is_not_learned_widens_no_interval(seed: int) -> None:
    both = rm.simulate_cohort(n_patients=120, seed=seed)
    halves = [both.iloc[:60].copy(), both.iloc[60:].copy()]
    for half in halves:
        half.attrs = dict(both.attrs)
    model = rm.develop(halves[0], settings=SETTINGS)
    held = model.kept_priors().straight
    assert held
    at = [list(model.encoder.derived).index(name) for name in held]
    for part in model.components:
        assert (part.prior_sd[len(model.rules.cut_points) :][at] == 0.02).all()
    new = bent_cohort(300, 10)
    widths = [
        (found.upper - found.lower).mean()
        for found in (
            one.predict_cohort(new) for one in (model, rm.update(model, halves[1]))
        )
    ]
    assert widths[1] < widths[0]


def test_an_update_has_the_columns_of_its_model(bent: Model) -> None:
    few = rm.develop(bent_cohort(36, 5), settings=SETTINGS)
    more = bent_cohort(150, 6)
    straight = rm.update(few, more)
    assert not curves(straight)
    assert "development.straight" in [note.code for note in straight.notes]
    newer = rm.update(bent, bent_cohort(30, 7))
    assert curves(newer) == curves(bent)
    assert "development.straight" not in [note.code for note in newer.notes]


def test_order_of_two_cohorts_does_not_matter_to_curves() -> None:
    one, two = bent_cohort(193, 8), bent_cohort(193, 9)
    models = [rm.develop(cohort, settings=SETTINGS) for cohort in (one, two)]
    updated = [rm.update(models[0], two), rm.update(models[1], one)]
    patients = bent_cohort(300, 10)
    first, second = (m.predict_cohort(patients)["probability"] for m in updated)
    assert np.abs(first - second).max() < 0.02


def test_combined_effects_are_straight_as_if_none_had_bent(bent: Model) -> None:
    straight = straightened(bent)
    assert not curves(straight)
    assert straight.digest == digest_of(bent)
    procedure = build_procedure("rtms_response", "screening", challenger=False)
    procedure.set_params(priors=priors_for("rtms_response", "screening", ()))
    procedure.fit(
        bent_cohort(300, 1),
        outcome_levels(bent_cohort(300, 1), "rtms_response"),
    )
    lines = procedure.estimator_.components_
    assert [c.name for c in straight.components] == [c.prior.name for c in lines]
    found = np.array([c.mean for c in straight.components])
    expected = np.array([c.mean for c in lines])
    sd = np.sqrt([np.diag(c.covariance) for c in lines])
    # curves of SD 0.02 are not quite 0
    assert np.abs((found - expected) / sd).max() < 0.2
    other = rm.develop(bent_cohort(60, 11), settings=SETTINGS)
    combined = combine([bent, other]).model
    assert not curves(combined)
    assert any(note.code == "development.combined_straight" for note in combined.notes)


def test_share_holds_no_curve() -> None:
    assert not any(
        map(is_curve, share(bent_cohort(130, 12), "rtms_response", "screening").columns)
    )


def test_label_says_what_more_of_a_curve_means() -> None:
    assert column_label("age=curve", "rtms_response") == "Age, more at both ends"
    assert column_label("age=curve", "rtms_response", "fr").startswith("Âge, plus")


def test_reference_population_knows_no_relation_of_a_number_and_its_curve() -> None:
    covariance = Population.reference(CURVED).covariance
    names = [column.name for column in CURVED.columns]
    i, j = names.index("age"), names.index("age=curve")
    assert covariance[i, j] == 0.0
    assert covariance[j, j] == 1.0


def test_curves_more_than_halve_what_straight_lines_miss() -> None:
    # 12 cohorts of other seeds: ratio 0.31, SE 0.04
    lost = np.zeros((4, 2))
    for k in range(len(lost)):
        truth = draw_truth(
            "rtms_response", "strongly_nonlinear", np.random.default_rng(50 + k)
        )
        cohort, test = (
            simulate_cohort(n, 50 + k, truth=truth, blank_share=0.0)
            for n in (193, 1000)
        )
        p = true_probabilities(test, truth, cut_points=[30])[30]
        for way, priors in enumerate(
            (None, priors_for("rtms_response", "screening", ()))
        ):
            procedure = build_procedure("rtms_response", "screening", challenger=False)
            procedure.set_params(priors=priors)
            procedure.fit(cohort, outcome_levels(cohort, "rtms_response"))
            q = procedure.predict_proba(test)[:, 1]
            lost[k, way] = (
                p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
            ).mean()
    assert lost[:, 0].mean() < 0.5 * lost[:, 1].mean()


def test_rules_equal_brute_force_where_effects_bend(bent: Model) -> None:
    thresholds, n = [0.3, 0.4, 0.5, 0.6], 200_000
    score = served_score(bent)
    at = logit(np.array(thresholds)).tolist()
    found = list(model_rates(bent, score, at))
    # numbers are normal, and a curve is what its number makes it
    rng, population = np.random.default_rng(8), bent.population
    z = rng.multivariate_normal(population.mean, population.covariance, n)
    for k, name in enumerate(bent.encoder.derived):
        if is_curve(name):
            z[:, k] = bend(z[:, k - 1])
    one, main = np.column_stack([np.ones(n), z]), bent.main
    spread = np.einsum("np,pq,nq->n", one, main.covariance, one)
    log_odds = one @ np.r_[main.intercept, main.coefficients]
    log_odds += np.sqrt(spread + bent.discrepancy) * rng.standard_normal(n)
    responded = rng.random(n) < expit(log_odds)
    served = score.at + z @ score.along
    drawn = 1 / n + 1 / 8192
    for rates, threshold in zip(found, at, strict=True):
        below = served < threshold
        share, lost = below.mean(), (below & responded).mean()
        assert rates.apart[0] == pytest.approx(
            share, abs=4 * np.sqrt(share * (1 - share) * (1 / n + 1 / 32_768))
        )
        room = 4 * np.sqrt(lost * drawn + rates.lost.var() / len(rates.lost))
        assert rates.lost.mean() == pytest.approx(lost, abs=room)
        everybody = responded.mean()
        room = 4 * np.sqrt(everybody * drawn + rates.response.var() / 4000)
        assert rates.response.mean() == pytest.approx(everybody, abs=room)


def test_what_data_are_worth_is_asked_of_patients_whose_curves_are_their_numbers(
    bent: Model,
) -> None:
    z = patients_of(bent, 100)
    curved = [k for k, name in enumerate(bent.encoder.derived) if is_curve(name)]
    assert len(curved) > 3
    for k in curved:
        np.testing.assert_allclose(z[:, k], bend(z[:, k - 1]), atol=1e-12)
    records, _ = lessons_of(bent)
    due = bent.main.intercept + patients_of(bent, 2000) @ bent.main.coefficients
    np.testing.assert_allclose(records.centre, due)
