"""From screening to an implant: the average, its interval, and what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from in_words import said, told
from responder_model.artifact import digest_of, read_manifest, save_model
from responder_model.cli.app import app
from responder_model.cli.pathway import pathway_lines
from responder_model.errors import InvalidPatientError, ResponderModelError
from responder_model.features import expit, logit
from responder_model.labels import decision_label
from responder_model.model import LinearPart
from responder_model.model.example import example_model
from responder_model.model.parts import ApparentPerformance
from responder_model.pathways import pathway
from responder_model.pathways.success import quasi_normal, success_curve
from responder_model.schema import dictionary
from responder_model.sheets import pathway_sheet
from responder_model.simulation import (
    draw_truth,
    simulate_cohort,
    true_probabilities,
)
from responder_model.simulation.relief import relief_distribution

PATIENT = {
    "age": 47,
    "aetiology": "trigeminal_neuropathy",
    "pain_duration": 90,
    "motor_deficit": "none",
    "pain_intensity": 6,
}
RELIEFS = np.arange(-100, 101)


def relief_probabilities(model, prediction):
    """P(relief = r) by hand: log-odds linear in relief between fitted cut-offs."""
    served = logit(np.array([prediction.probabilities[c] for c in (10, 30, 50)]))
    g10, g20, g30, g50 = model.priors.gaps
    at_20 = served[0] + (served[1] - served[0]) * g10 / (g10 + g20)
    at_70 = served[2] - g50 * (served[0] - served[2]) / (g10 + g20 + g30)
    cuts = [10, 20, 30, 50, 70]
    log_odds = [served[0], at_20, served[1], served[2], at_70]
    slope = (log_odds[0] - log_odds[-1]) / 60
    above = {-101: 1.0, 100: 0.0}
    for r in range(-100, 100):
        if r < 10:
            value = log_odds[0] + slope * (10 - r)
        elif r > 70:
            value = log_odds[-1] - slope * (r - 70)
        else:
            value = np.interp(r, cuts, log_odds)
        above[r] = 1 / (1 + np.exp(-value))
    return np.array([above[r - 1] - above[r] for r in RELIEFS])


def success_probabilities(model, patient, cut=40):
    return np.array(
        [
            model.predict({**patient, "relief_test": r}).probabilities[cut]
            for r in RELIEFS
        ]
    )


def test_pathway_says_which_two_models_gave_it(tmp_path):
    released = pathway(PATIENT).to_dict()
    test = rm.published_model("rtms_response", "screening")
    implant = rm.published_model("emcs_success")
    assert released["screening_model_digest"] == digest_of(test)
    assert released["response"]["model_digest"] == digest_of(test)
    assert released["implant_model_digest"] == digest_of(implant)
    renamed = replace(implant, name="of this centre")
    own = pathway(PATIENT, implant_model=renamed)
    assert own.implant_model_digest is None
    folder = save_model(renamed, tmp_path / "own")
    saved = pathway(PATIENT, implant_model=renamed)
    assert saved.implant_model_digest == read_manifest(folder).digest


def test_probability_averages_the_implant_model_over_relief():
    found = pathway(PATIENT)
    implant = rm.published_model("emcs_success")
    response = rm.published_model("rtms_response", "screening")
    mass = relief_probabilities(response, response.predict(PATIENT))
    assert mass.sum() == pytest.approx(1.0, abs=1e-12)
    for cut, probability in found.probabilities.items():
        expected = mass @ success_probabilities(implant, PATIENT, cut)
        assert probability == pytest.approx(expected, abs=1e-12)


def test_it_is_not_a_product_of_two_probabilities():
    found = pathway(PATIENT)
    response = found.response.probability
    assert found.probability > response * found.responders.success + 0.02
    typical = rm.published_model("emcs_success").predict({**PATIENT, "relief_test": 40})
    assert abs(found.probability - response * typical.probability) > 0.05


def test_classes_of_relief_make_up_the_whole():
    found = pathway(PATIENT)
    for rows in (found.classes, (found.non_responders, found.responders)):
        assert sum(row.probability for row in rows) == pytest.approx(1.0, abs=1e-12)
        average = sum(row.probability * row.success for row in rows)
        assert average == pytest.approx(found.probability, abs=1e-12)
    bounds = [(row.above, row.at_most) for row in found.classes]
    assert bounds == [(None, 10), (10, 30), (30, 50), (50, None)]
    success = [row.success for row in found.classes]
    assert success == sorted(success)


def test_class_probabilities_are_those_of_the_response_model():
    found = pathway(PATIENT)
    assert found.responders.probability == pytest.approx(found.response.probability)
    above = found.response.probabilities
    expected = [1 - above[10], above[10] - above[30], above[30] - above[50], above[50]]
    shares = [row.probability for row in found.classes]
    np.testing.assert_allclose(shares, expected, atol=1e-12)


def test_interval_of_response_is_that_of_the_response_model():
    found = pathway(PATIENT)
    np.testing.assert_allclose(
        found.responders.interval, found.response.interval, atol=0.01
    )


def test_intervals_hold_what_they_are_about():
    found = pathway(PATIENT)
    assert found.interval[0] < found.probability < found.interval[1]
    for row in (*found.classes, found.responders, found.non_responders):
        assert row.interval[0] <= row.probability <= row.interval[1]
        assert row.success_interval[0] <= row.success <= row.success_interval[1]


def test_interval_matches_plain_monte_carlo_draws_of_both_posteriors():
    """Draws of the implant's coefficients, and of level and gaps of relief."""
    rng = np.random.default_rng(1)
    n = 4000
    response = rm.published_model("rtms_response", "screening")
    implant = rm.published_model("emcs_success")
    predicted = response.predict(PATIENT)
    se = (
        logit(np.array(predicted.interval[1])) - predicted.linear_predictor
    ) / 1.959964
    served = logit(np.array([predicted.probabilities[c] for c in (10, 30, 50)]))
    g = np.array(response.priors.gaps)
    scale = (served[0] - served[2]) / g[:3].sum()
    # the model's own gaps, shrunk as its probabilities are, times log-normal noise
    first = (served[0] - served[1]) * g[:2] / g[:2].sum()
    gaps = np.concatenate([first, [served[1] - served[2], scale * g[3]]])
    drawn = gaps * np.exp(response.priors.gap_sd * rng.standard_normal((n, 4)))
    main = served[1] + se * rng.standard_normal((n, 1))
    knots = np.hstack(
        [main + drawn[:, 1:2] + drawn[:, :1], main + drawn[:, 1:2], main]
        + [main - drawn[:, 2:3], main - drawn[:, 2:3] - drawn[:, 3:4]]
    )
    slope = (knots[:, 0] - knots[:, -1]) / 60
    grid, cuts = np.arange(-100, 100), [10, 20, 30, 50, 70]
    above = np.array([np.interp(grid, cuts, row) for row in knots])
    outside = np.clip(grid, 10, 70) - grid
    above = expit(above + slope[:, None] * outside)
    mass = -np.diff(np.pad(above, ((0, 0), (1, 1)), constant_values=((0, 0), (1, 0))))
    # success: draw (intercept, coefficients), discrepancy on top
    encoder, population = implant.encoder, implant.population
    raw = np.repeat(encoder.raw(PATIENT | {"lesion_type": "peripheral"}), 201, axis=0)
    raw[:, encoder.predictors.index("relief_test")] = RELIEFS
    filled, _ = population.impute(
        encoder.encode(raw), implant.main.coefficients[None], None
    )
    x = np.column_stack([np.ones(201), filled])
    noise = rng.multivariate_normal(
        np.zeros(x.shape[1]), implant.main.covariance, n, method="eigh"
    )
    noise_sd = np.sqrt(implant.discrepancy)
    chance = logit(success_probabilities(implant, PATIENT))
    chance = chance + noise @ x.T + noise_sd * rng.standard_normal((n, 1))
    draws = (mass * expit(chance)).sum(axis=1)
    found = pathway(PATIENT)
    # SE of an outer quantile of 4000 draws is below 0.01 here
    np.testing.assert_allclose(
        found.interval, np.quantile(draws, [0.025, 0.975]), atol=0.03
    )
    assert found.probability == pytest.approx(draws.mean(), abs=0.05)


def test_same_patient_same_numbers():
    assert pathway(PATIENT).to_dict() == pathway(dict(PATIENT)).to_dict()


def test_quasi_normal_numbers_are_spread_evenly():
    normal = quasi_normal(4096, 8)
    np.testing.assert_allclose(normal.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(normal.T @ normal / 4096, np.eye(8), atol=1e-12)
    # each number alone is normal: Kolmogorov distance far below that of random draws
    below = np.mean(normal[:, :, None] < [-1.959964, -1.0, 0.5, 1.959964], axis=0)
    expected = np.tile([0.025, 0.158655, 0.691462, 0.975], (8, 1))
    np.testing.assert_allclose(below, expected, atol=0.004)


def without_effects_of_the_test(model):
    """Implant model in which nothing known after the test has an effect."""
    later = [
        dictionary().fields[c.predictor].known_from == "implantation"
        for c in model.encoder.columns
    ]
    keep = np.where(later, 0.0, 1.0)
    with_intercept = np.concatenate([[1.0], keep])
    linear = tuple(
        LinearPart(
            cut_point=part.cut_point,
            intercept=part.intercept,
            coefficients=part.coefficients * keep,
            covariance=part.covariance * np.outer(with_intercept, with_intercept),
        )
        for part in model.linear
    )
    return replace(model, linear=linear)


def test_without_an_effect_of_relief_the_implant_model_answers_alone():
    implant = without_effects_of_the_test(rm.published_model("emcs_success"))
    found = pathway(PATIENT, implant_model=implant)
    alone = implant.predict(PATIENT)
    assert found.probability == pytest.approx(alone.probability, abs=1e-12)
    np.testing.assert_allclose(found.interval, alone.interval, atol=0.01)
    success = [row.success for row in found.classes]
    np.testing.assert_allclose(success, alone.probability, atol=1e-12)


def curve(patient, model=None):
    model = model or rm.published_model("emcs_success")
    return success_curve(
        model, patient, "relief_test", RELIEFS.astype(float), "screening"
    )


def test_what_is_known_only_after_the_test_does_not_widen_the_interval():
    complete = {**PATIENT, "lesion_type": "peripheral"}
    implant = rm.published_model("emcs_success")
    np.testing.assert_allclose(
        curve(complete).common_sd, np.sqrt(implant.discrepancy), rtol=1e-6
    )


@pytest.mark.parametrize("name", ["age", "aetiology", "pain_duration"])
def test_what_is_missing_today_widens_the_interval(name):
    complete = {**PATIENT, "lesion_type": "peripheral"}
    known = {k: v for k, v in complete.items() if k != name}
    if name == "aetiology":
        known.pop("lesion_type")
    assert (curve(known).common_sd > curve(complete).common_sd + 1e-4).all()
    found = pathway({k: v for k, v in PATIENT.items() if k != name})
    assert name in found.missing
    assert name not in pathway(PATIENT).missing


def test_nothing_known_only_after_the_test_is_called_missing():
    missing = pathway({}).missing
    assert {"age", "aetiology"} <= set(missing)
    assert not {"relief_test", "relief_days_test", "sham_relief"} & set(missing)


def test_relief_of_earlier_sessions_chooses_the_model_of_that_moment():
    assert pathway(PATIENT).moment == "screening"
    assert pathway({**PATIENT, "relief_1": None}).moment == "screening"
    found = pathway({**PATIENT, "relief_1": 20, "Soulagement après la séance 2": 35})
    assert found.moment == "session_2"
    model = rm.published_model("rtms_response", "session_2")
    patient = {**PATIENT, "relief_1": 20, "relief_2": 35}
    assert found.response.to_dict() == model.predict(patient).to_dict()


def test_more_relief_in_a_session_raises_both_steps():
    low, high = (pathway({**PATIENT, "relief_1": r}) for r in (-20, 70))
    assert high.response.probability > low.response.probability
    assert high.probability > low.probability


def test_relief_after_the_test_is_refused():
    with pytest.raises(InvalidPatientError, match="relief_test") as caught:
        pathway({**PATIENT, "relief_test": 50})
    rule = told(caught.value)["relief_test"]
    assert "known only after the 4-session test" in rule
    assert "the implant itself is asked about" in rule


def test_relief_of_a_later_session_than_the_model_is_refused():
    model = rm.published_model("rtms_response", "screening")
    with pytest.raises(InvalidPatientError, match="relief_1"):
        pathway({**PATIENT, "relief_1": 50}, screening_model=model)


def test_something_that_is_no_patient_is_refused():
    with pytest.raises(InvalidPatientError, match="patient"):
        pathway([1, 2])


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            {"screening_model": ("emcs_success", None)},
            "screening_model must be of Response to four .* got one of Success of",
        ),
        (
            {"implant_model": ("rtms_response", "screening")},
            "implant_model must read relief after a test",
        ),
    ],
)
def test_models_that_are_no_two_steps_are_refused(models, message):
    built = {name: rm.published_model(*target) for name, target in models.items()}
    with pytest.raises(ResponderModelError, match=message):
        pathway(PATIENT, **built)


@pytest.mark.parametrize("name", ["screening_model", "implant_model"])
def test_the_name_of_a_model_is_no_model(name):
    with pytest.raises(ResponderModelError, match=f"{name} must be a model, got str"):
        rm.pathway({"age": 54}, **{name: "models/centre"})


def test_the_part_of_non_responders_is_outside_and_the_whole_never_inside():
    found = pathway(PATIENT)
    assert found.non_responders.applicability == "outside"
    assert found.responders.applicability == "inside"
    likely = pathway({**PATIENT, "relief_1": 80, "relief_2": 80, "relief_3": 80})
    assert likely.response.probability > 0.6
    assert likely.applicability.level == "borderline"
    assert "rests on non-responders" in said(likely.applicability.reasons)[-1]


def test_a_likely_non_responder_is_borderline_as_the_average_weighs_that():
    found = pathway({**PATIENT, "relief_1": -30, "relief_2": -20})
    assert found.response.probability < 0.5
    assert found.applicability.level == "borderline"
    assert not any("do not rely on the probability" in m for m in said(found.messages))


def test_the_sentence_of_an_outsider_says_not_to_rely_on_it():
    inside = pathway(PATIENT).verdicts[1].text()
    assert inside.endswith("whatever the test shows.")
    found = pathway({"age": 100, "pain_duration": 1, "pain_intensity": 0})
    assert found.applicability.level == "outside"
    for note, lang in ((found.verdicts[1], "en"), (found.verdicts[1], "fr")):
        told = {"en": "do not rely on it", "fr": "ne pas s'y fier"}[lang]
        assert told in note.text(lang)


def test_no_reason_reads_as_a_forecast_of_this_patient():
    for patient in (PATIENT, {**PATIENT, "relief_1": 90}, {"age": 54}):
        reasons = pathway(patient).applicability.reasons
        for lang in ("en", "fr"):
            text = " ".join(said(reasons, lang))
            assert "will not respond" not in text
            assert "ne répondra pas" not in text


def test_responding_and_then_succeeding_is_a_part_of_the_average():
    found = pathway(PATIENT)
    step = found.responders
    assert found.joint == pytest.approx(step.probability * step.success, abs=1e-12)
    rest = found.non_responders
    failed = rest.probability * rest.success
    assert found.joint + failed == pytest.approx(found.probability, abs=1e-12)
    assert found.joint_interval[0] < found.joint < found.joint_interval[1]
    assert found.to_dict()["joint"] == found.joint


def test_sensitivity_line_halves_the_odds_of_non_responders_only():
    found = pathway(PATIENT)
    implant = rm.published_model("emcs_success")
    response = rm.published_model("rtms_response", "screening")
    mass = relief_probabilities(response, found.response)
    success = success_probabilities(implant, PATIENT)
    odds = success / (1 - success) / np.where(RELIEFS <= 30, 2, 1)
    assert found.halved_odds == pytest.approx(mass @ (odds / (1 + odds)), abs=1e-12)
    line = next(m for m in said(found.messages) if "half as large" in m)
    assert f"{found.halved_odds:.0%}".replace("%", " %") in line


def test_messages_say_how_little_the_second_step_rests_on():
    spoken = " ".join(said(pathway(PATIENT).messages))
    assert "12 implanted patients only (Pommier 2018)" in spoken
    assert "not the product of two probabilities" in spoken
    assert "most disabling symptom" in spoken
    assert "Research use only" in spoken
    assert spoken.count("Research use only") == 1


def test_messages_say_how_many_respond_under_sham_with_the_source():
    spoken = " ".join(said(pathway(PATIENT).messages))
    assert "by 11 of 27 patients (41 %; 22 % to 61 %; Malavera 2016)" in spoken


def test_help_of_the_command_lists_nothing_that_is_known_only_after_the_test():
    done = CliRunner().invoke(app, ["pathway", "--help"])
    assert "--relief-3" in done.output
    for late in ("--relief-test", "--sham-relief", "--rtms-responder"):
        assert late not in done.output


def test_messages_are_french_when_asked():
    spoken = " ".join(said(pathway(PATIENT).messages, "fr"))
    assert "12 patients implantés" in spoken
    assert "produit de deux" in spoken


def test_a_cohort_behind_the_second_step_is_counted():
    implant = example_model("emcs_success", None, provenance="cohort", n_patients=25)
    limits = replace(implant.limits, non_responders="enough")
    found = pathway(PATIENT, implant_model=replace(implant, limits=limits))
    spoken = " ".join(said(found.messages))
    assert (
        "rests on 25 implanted patients, 81 of them with success and 10 or more"
        in spoken
    )
    assert found.non_responders.applicability == "borderline"
    assert found.provenance == "cohort"


def test_one_simulated_model_makes_the_path_simulated():
    found = pathway(PATIENT, implant_model=example_model("emcs_success", None))
    assert found.provenance == "simulated"
    assert any("simulated patients" in message for message in said(found.messages))


def test_relief_only_outcome_needs_no_word_on_the_symptom():
    model = example_model(
        performance=ApparentPerformance(outcome_definition="relief_only")
    )
    spoken = " ".join(said(pathway(PATIENT, screening_model=model).messages))
    assert "most disabling symptom" not in spoken


def test_a_model_without_components_uses_its_served_cut_offs():
    model = example_model(components=())
    found = pathway(PATIENT, screening_model=model)
    assert found.responders.probability == pytest.approx(found.response.probability)
    assert found.interval[0] < found.probability < found.interval[1]


def test_one_served_cut_off_says_nothing_of_the_distribution():
    model = example_model(components=())
    model = replace(model, linear=(model.main,))
    with pytest.raises(ResponderModelError, match="two cut-offs or more"):
        pathway(PATIENT, screening_model=model)


def test_developed_models_on_both_steps_give_a_path():
    cohort = simulate_cohort(120, seed=4, n_implanted=40)
    response = rm.develop(cohort, "rtms_response", "screening")
    implant = rm.develop(cohort, "emcs_success")
    found = pathway(PATIENT, screening_model=response, implant_model=implant)
    assert found.provenance == "simulated"
    assert 0 < found.interval[0] < found.probability < found.interval[1] < 1
    assert found.responders.probability == pytest.approx(
        response.predict(PATIENT).probability
    )


def test_json_holds_plain_finite_values():
    text = json.dumps(pathway({}).to_dict(), allow_nan=False)
    read = json.loads(text)
    assert read["interval"][0] <= read["probability"] <= read["interval"][1]
    assert set(read["classes"][0]) >= {"above", "at_most", "success", "applicability"}


def true_success(cohort, response, implant):
    """Exact P(success | screening) when relief and success follow known truths."""
    values, mass = relief_distribution(cohort, response)
    repeated = cohort.loc[cohort.index.repeat(len(values))].reset_index(drop=True)
    repeated["relief_test"] = np.tile(values.astype(float), len(cohort))
    success = true_probabilities(repeated, implant, cut_points=[40])[40]
    return (mass * success.reshape(mass.shape)).sum(axis=1)


def test_interval_covers_the_true_average_when_the_evidence_is_right():
    """Simulated truths drawn from the evidence; published models, no cohort."""
    covered, error = [], []
    for seed in range(16):
        rng = np.random.default_rng([7, seed])
        response = draw_truth("rtms_response", "right", rng)
        implant = draw_truth("emcs_success", "right", rng)
        cohort = simulate_cohort(2, seed=seed, blank_share=0.0)
        truth = true_success(cohort, response, implant)
        screening = dictionary().predictors("rtms_response", "screening")
        for k, true in enumerate(truth):
            patient = {row.name: cohort[row.name].iloc[k] for row in screening}
            found = pathway(patient)
            covered.append(found.interval[0] <= true <= found.interval[1])
            error.append(found.probability - true)
    # 16 independent truths: SE of a coverage of 95 % is at most 5.5 points
    assert np.mean(covered) >= 0.95 - 2 * 0.055
    clusters = np.reshape(error, (16, 2)).mean(axis=1)
    assert abs(clusters.mean()) <= 3 * clusters.std(ddof=1) / np.sqrt(16)


def test_command_prints_the_numbers_of_the_package():
    done = CliRunner().invoke(
        app, ["pathway", "--age", "47", "--relief-1", "40", "--json"]
    )
    assert done.exit_code == 0
    expected = pathway({"age": 47, "relief_1": 40}).to_dict()
    assert json.loads(done.stdout) == json.loads(json.dumps(expected))


def test_command_prints_both_steps_and_the_classes(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    options = ["--age", "47", "--lang", "fr"]
    done = CliRunner().invoke(app, ["pathway", *options])
    assert done.exit_code == 0
    first, second = pathway({"age": 47}).verdicts
    text = " ".join(done.stdout.split())
    assert text.startswith(f"{first.text('fr')} {second.text('fr')}")
    assert "> 30 % :" not in done.stdout
    assert "> 10 à 30 %" in done.stdout
    assert "HORS DU DOMAINE" in done.stdout
    assert "Succès d'une stimulation" in done.stdout


def test_command_refuses_relief_after_the_test():
    patient = json.dumps({"relief_test": 50})
    done = CliRunner().invoke(app, ["pathway", "--input", "-"], input=patient)
    assert done.exit_code == 1
    assert "known only after the 4-session test" in done.stderr


def test_command_help_has_an_example(monkeypatch):
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    done = CliRunner().invoke(app, ["pathway", "--help"])
    assert "Example: responder-model pathway" in done.stdout


def test_each_model_of_a_path_stands_with_its_question():
    found = pathway({"age": 47})
    lines = list(pathway_lines(found, "fr"))
    sheet = pathway_sheet(found, {"age": 47}, date=date(2026, 3, 4), lang="fr")
    digests = (found.screening_model_digest, found.implant_model_digest)
    steps = (found.response.decision, found.decision)
    for decision, digest, line in zip(steps, digests, sheet.models, strict=True):
        question = decision_label(decision, "fr")
        assert digest[:12] in lines[lines.index(question) + 1]
        assert line.startswith(f"{question}. Modèle")
        assert digest[:12] in line
