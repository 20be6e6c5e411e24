"""Reports on a model alone: checklists, statements, and what its patients taught."""

import re
from dataclasses import replace

import numpy as np
import pytest

from reported import (
    SETTINGS,
    Page,
    cohort,
    model,
    other,
    published,
)
from responder_model.artifact import read_manifest, save_model
from responder_model.development import develop, published_model, update
from responder_model.errors import ResponderModelError
from responder_model.features import expit
from responder_model.model.learnt import (
    effective_parameters,
    expected_slope,
    learnt_by,
    planned,
)
from responder_model.reporting import (
    build_report,
    examine,
    read_statements,
)
from responder_model.reporting.checklists import (
    answer_keys,
    probast,
    tally,
    tripod,
)
from responder_model.reporting.texts import read_texts
from responder_model.reporting.values import logged_values
from responder_model.simulation import simulate_cohort
from responder_model.words import Note, read_words

# ---------------------------------------------------------------- checklists


@pytest.mark.parametrize("name", ["tripod", "probast"])
def test_checklist_has_both_languages_and_the_same_gaps(name):
    for item in read_texts(name)["items"]:
        assert set(item["title"]) == {"en", "fr"}
        for answer in item.get("answers", ()):
            gaps = [
                sorted(re.findall(r"{([a-z0-9_.]+)}", answer[k])) for k in ("en", "fr")
            ]
            assert gaps[0] == gaps[1], item["number"]
            assert answer_keys(answer), item["number"]


def test_report_texts_have_both_languages():
    for key, text in read_words("report").items():
        assert set(text) == {"en", "fr"}, key
        gaps = [set(re.findall(r"{\w+}", text[lang])) for lang in ("en", "fr")]
        assert gaps[0] == gaps[1], key


def test_nothing_is_invented_without_a_run():
    assert {item.status for item in tripod({}, "en")} == {"blank"}
    assert {item.status for item in probast({}, "en")} == {"blank"}


def test_published_model_answers_what_it_can_without_a_cohort(published):
    values = logged_values(published, ())
    found = {(i.part, i.number): i for i in probast(values, "en")}
    moment, size = (found["development_2", "2.4"], found["development_4", "4.1"])
    assert moment.judgement == "yes"
    assert str(values["model.n_predictors"].value) in moment.answers[0].text
    assert size.judgement == "no"
    assert "sample_size.n_required" in size.answers[0].keys


def test_measures_are_named_where_few_patients_have_no_decision_curve(published):
    study = examine(published, simulate_cohort(n_patients=40, seed=2), n_resamples=5)
    (item,) = [
        item
        for item in tripod(logged_values(published, (study,)), "en")
        if item.number == "12e"
    ]
    assert any("no decision curve with so few" in a.text for a in item.answers)


# ---------------------------------------------------------------- authors' statements


def test_statement_fills_a_blank_as_the_authors_own_words(published):
    stated = {"17": "Committee A | approval <b>1</b>."}
    items = tripod(logged_values(published, (), statements=stated), "en")
    assert {item.number: item.status for item in items}["17"] == "stated"
    assert tally(items).stated == ("17",)
    report = build_report(published, statements=stated)
    assert "The authors state: Committee A | approval &lt;b&gt;1&lt;/b&gt;." in (
        report.html
    )
    assert report.values["authors.17"] == stated["17"]


def test_statements_are_read_from_toml(tmp_path):
    path = tmp_path / "statements.toml"
    path.write_text('17 = "Committee A."\n18a = "None."\n', encoding="utf-8")
    assert read_statements(path) == {"17": "Committee A.", "18a": "None."}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('99 = "x"', "99 is no number"),
        ("17 = 5", "17 must be text"),
        ('17 = " "', "17 must be text"),
        ("17 = ", "must be a TOML file"),
    ],
)
def test_wrong_statements_are_refused(tmp_path, text, reason):
    path = tmp_path / "statements.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ResponderModelError, match=reason):
        read_statements(path)


def test_updated_model_is_said_to_be_updated(published, cohort):
    newer = update(published, cohort)
    items = {item.number: item for item in tripod(logged_values(newer, ()), "en")}
    assert items["24"].status == "filled"
    assert "brought up to date" in items["12f"].answers[0].text


# ---------------------------------------------------------------- models without cohort


@pytest.mark.parametrize(
    ("decision", "moment"),
    [
        ("rtms_response", "screening"),
        ("rtms_response", "session_2"),
        ("emcs_success", "implantation"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_published_models_are_reported_without_a_cohort(decision, moment, lang):
    report = build_report(published_model(decision, moment), lang=lang)
    assert "SIMUL" not in report.html
    assert report.values["model.provenance"] == "published"
    assert "model.n_patients" not in report.values


def test_tripod_fills_at_least_18_items_without_a_cohort(model, published):
    for found in (model, published):
        counted = tally(tripod(logged_values(found, ()), "en"))
        assert len(counted.filled) + len(counted.partly) >= 18


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_no_weight_after_patients_without_patients(published, model, lang):
    after = read_words("report")["after"][lang]
    assert after not in Page(build_report(published, lang=lang).html).words
    assert after in Page(build_report(model, lang=lang).html).words


def test_report_says_how_many_coefficients_the_patients_taught(model, published):
    words = Page(build_report(model).html).text
    assert f"Of the {len(model.encoder.derived)} coefficients of this one" in words
    assert f"slope is expected at {expected_slope(model)[0]:.2f} (" in words
    assert "the patients taught about" not in Page(build_report(published).html).text


def test_effective_parameters_grow_with_the_patients_and_stay_below_them():
    found = []
    for n in (40, 160):
        fitted = develop(simulate_cohort(n, 7), settings=SETTINGS)
        columns = len(fitted.encoder.derived)
        found.append(effective_parameters(fitted))
        assert 0.0 < found[-1] < min(n, columns)
    assert found[0] < found[1]
    nothing = published_model("rtms_response", "screening")
    assert effective_parameters(nothing) == pytest.approx(0.0)


def test_an_update_counts_what_all_patients_taught_since_the_evidence(model):
    published = published_model("rtms_response", "screening")
    updated = update(published, simulate_cohort(39, 11))
    developed = develop(simulate_cohort(39, 11), settings=SETTINGS)
    # below 40 patients an update of the published model is a development
    assert effective_parameters(updated) == pytest.approx(
        effective_parameters(developed), rel=0.02
    )
    again = update(updated, simulate_cohort(60, 12))
    assert effective_parameters(again) > effective_parameters(updated)
    words = Page(build_report(again).html).text
    assert f"the {again.n_patients} patients taught about" in words


def test_levels_of_centres_are_no_coefficients_that_patients_taught():
    cohort = simulate_cohort(120, 5)
    cohort["centre"] = np.where(np.arange(120) % 2, "A", "B")
    apart, one = (
        develop(cohort, settings=replace(SETTINGS, centres=how))
        for how in ("named", "ignored")
    )
    assert effective_parameters(apart) == pytest.approx(
        effective_parameters(one), abs=0.5
    )


def test_planned_is_near_what_developments_of_as_many_learn():
    plan = planned(published_model("rtms_response", "screening"), 190)
    found = learnt_by(develop(simulate_cohort(211, 3), settings=SETTINGS))
    assert plan.coefficients == pytest.approx(found.coefficients, rel=0.35)
    assert np.ptp(plan.interval) == pytest.approx(np.ptp(found.interval), abs=0.1)
    assert plan.slope[0] == pytest.approx(1.0, abs=0.05)


def test_expected_slope_is_that_of_draws_from_the_posterior():
    """Logistic regression of drawn truths on what is served, 200 draws.

    The mean within 4 SE (0.02 more: the normal curve is not the logistic one).
    """
    model = develop(simulate_cohort(160, 7), settings=SETTINGS)
    model = replace(model, discrepancy=0.0)
    rng = np.random.default_rng(3)
    population, part = model.population, model.main
    z = rng.multivariate_normal(population.mean, population.covariance, 1_000)
    centre = part.intercept + part.coefficients @ population.mean
    kappa = 1.0 / np.sqrt(1.0 + np.pi * model.mean_variance / 8.0)
    served = kappa * (centre + (z - population.mean) @ part.coefficients)
    theta = rng.multivariate_normal(
        np.r_[part.intercept, part.coefficients], part.covariance, 200
    )
    truth = expit(theta[:, 0] + z @ theta[:, 1:].T)
    slopes = [_slope(served, p) for p in truth.T]
    slope, low, high = expected_slope(model)
    assert abs(np.mean(slopes) - slope) < 0.02 + 4 * np.std(slopes) / np.sqrt(200)
    inside = np.mean((low < np.array(slopes)) & (np.array(slopes) < high))
    assert inside > 0.95 - 4 * np.sqrt(0.05 * 0.95 / 200)


def _slope(served, truth):
    """Calibration slope where the true probabilities are known."""
    design, beta = np.column_stack([np.ones_like(served), served]), np.zeros(2)
    for _ in range(20):
        p = expit(design @ beta)
        information = design.T @ (design * (p * (1.0 - p))[:, None])
        beta += np.linalg.solve(information, design.T @ (truth - p))
    return beta[1]


def test_component_with_sds_doubled_is_said_in_words(published):
    pages = [build_report(published, lang=lang).html for lang in ("en", "fr")]
    assert "as published, SDs doubled" in pages[0]
    assert "telle que publiée, écarts-types doublés" in pages[1]


def test_developed_model_without_cohort_shows_apparent_performance_as_such(model):
    page = Page(build_report(model).html).text
    assert "Only the apparent performance was logged" in page


def test_updated_model_shows_apparent_performance_of_the_last_update(model, other):
    page = Page(build_report(update(model, other)).html).text
    assert "Apparent performance in the patients of the last update" in page
    assert "Give the development cohort" not in page


def test_apparent_measure_without_a_value_says_why(model):
    reason = Note("performance.none_expected")
    failed = replace(model.performance, not_measured={"calibration_slope": reason})
    page = build_report(replace(model, performance=failed), lang="fr").markdown
    assert "Sans valeur : Pente de calibration. Raison : la probabilité" in page


def test_notes_do_not_give_small_counts_away(model):
    noted = replace(model, notes=(Note("development.not_completed", n=4),))
    page = Page(build_report(noted).html).text
    assert "outcome not known: < 10 patients" in page


def test_model_folder_digest_is_reported(model, tmp_path):
    folder = save_model(model, tmp_path / "model")
    digest = read_manifest(folder).digest
    report = build_report(model)
    assert digest in report.html
    assert report.values["model.digest"] == digest
