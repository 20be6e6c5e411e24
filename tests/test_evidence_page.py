"""The evidence page: percentages first, both languages, every number traceable."""

import json
import math
import re
import tomllib
from importlib.resources import files

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app
from responder_model.development.published import claimed_c_statistics, prior_draws
from responder_model.evidence import packaged_evidence
from responder_model.features import expit
from responder_model.model.basis import bases
from responder_model.priors import build_priors
from responder_model.reporting.effects import effects_of
from responder_model.reporting.evidence_page import evidence_as_data, render_evidence
from responder_model.schema import dictionary
from responder_model.words import prose_in, read_words
from responder_model.words.numbers import format_percent

TARGETS = dictionary().targets()
SCREENING = ("rtms_response", "screening")


def effects(decision, moment):
    return {row.column: row for row in effects_of(rm.published_model(decision, moment))}


@pytest.fixture(scope="module")
def page():
    return render_evidence("rtms_response")


# ------------------------------------------------------------------ effects


def test_published_probabilities_are_those_of_the_combined_effect():
    row = effects(*SCREENING)["lesion_type=central"]
    odds = [math.log(p / (1 - p)) for p in row.published]
    assert odds[0] - odds[1] == pytest.approx(row.prior.pooled.effect)
    # around 42 %, published: 68 % of the reference population have a central lesion
    assert 0.68 * odds[0] + 0.32 * odds[1] == pytest.approx(-0.32)


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_believed_is_declared_and_alone_is_what_the_model_predicts(decision, moment):
    model = rm.published_model(decision, moment)
    for row in effects_of(model):
        believed = [math.log(p / (1 - p)) for p in row.believed]
        declared = row.prior.declared_mean
        assert np.sign(round(believed[0] - believed[1], 12)) == np.sign(declared)
        if declared and row.prior.pooled is not None:
            # never further than what was published, and of its sign
            shown = [math.log(p / (1 - p)) for p in row.published]
            assert (shown[0] - shown[1]) * declared >= 0.0
    patients = ({"lesion_type": "central"}, {"lesion_type": "peripheral"})
    expected = [model.predict(patient).probability for patient in patients]
    row = effects(decision, moment)["lesion_type=central"]
    assert list(row.alone) == pytest.approx(expected)


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_fixed_is_the_coefficient_that_is_served(decision, moment):
    model = rm.published_model(decision, moment)
    inverse = np.linalg.pinv(model.encoder.projection)
    served = dict(
        zip(model.encoder.derived, model.main.coefficients @ inverse, strict=True)
    )
    for name, step in (("lesion_type=central", 1.0), ("pain_duration", 2.0)):
        row = effects(decision, moment)[name]
        expected = model.scorer.kappa * served[name] * step
        # numbers are shown as whole months
        assert row.fixed_log_odds == pytest.approx(expected, rel=0.02, abs=1e-9)


def test_a_form_of_relief_says_more_alone_than_at_given_others():
    rows = effects("emcs_success", "implantation")
    for name in ("relief_test", "single_session_responder"):
        assert rows[name].alone_log_odds > 1.3
        assert rows[name].alone_log_odds > rows[name].fixed_log_odds >= 0.0


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_every_predictor_with_a_source_has_a_line(decision, moment):
    found = effects(decision, moment)
    priors = build_priors(decision, moment)
    for name, column in priors.columns.items():
        if column.rows:
            assert name in found
            assert set(found[name].studies)


# ------------------------------------------------------------------ the page


def test_page_begins_with_percentages_a_clinician_reads(page):
    head = page.split("## ")[0]
    row = effects(*SCREENING)["lesion_type=central"]
    pairs = (row.published, row.believed, row.alone, row.fixed)
    cells = [" / ".join(map(format_percent, pair)) for pair in pairs]
    line = next(x for x in head.splitlines() if x.startswith("| Lesion type"))
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "Lesion type: central",
        "central / peripheral",
        *cells,
        "published",
        "Thomas 2025; Lefaucheur 2011; Saitoh 2007; Thomas, thesis",
    ]
    assert "| judgement | Hodaj 2020 |" in head


def test_bare_decision_has_the_relief_of_its_sessions(page):
    for k in (1, 2, 3):
        assert f"Relief in the sessions, rtms_response@session_{k}:" in page
    assert page.count("| Mean relief so far, per 30 points |") == 3
    alone = render_evidence("rtms_response", "screening")
    assert "Relief in the sessions" not in alone


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_page_names_every_source_and_the_checks(decision, moment, lang):
    text = render_evidence(decision, moment, lang=lang)
    priors = build_priors(decision, moment)
    mark = "," if lang == "fr" else "."
    assert f"{priors.capped_c_statistic:.3f}".replace(".", mark) in text
    for row in packaged_evidence().rows.values():
        if row.decision == decision:
            assert row.citation in text
    for name in priors.columns:
        assert name in text
    for row in effects_of(rm.published_model(decision, moment), lang):
        assert row.label in text


def test_sources_stand_under_priors_of_their_own_columns_only(page):
    """A column with a source is not listed among those without."""
    blank = page.split("## Priors without any source")[1].split("## ")[0]
    for name, row in build_priors(*SCREENING).columns.items():
        assert (f"({name})" in blank) == (not row.rows and not row.mean), name


def test_page_says_what_blocks_share_and_that_trials_found_nothing(page):
    assert "one given alone speaks for the others too" in page
    assert "No clinical factor at all predicted the outcome in Quesada 2020" in page


def test_rates_are_shown_by_protocol(page):
    for words in ("spaced sessions: −0.32", "daily sessions: +0.80", "weekly sessions"):
        assert f"Published rates, {words}" in page


def test_page_leaves_excluded_rows_out():
    text = render_evidence("emcs_success", exclude_evidence=["lefaucheur_2011"])
    assert "Lefaucheur 2011, J Pain" not in text
    assert "Excluded overlap groups: lefaucheur_2011." in text


def test_every_sentence_has_both_languages_and_the_same_gaps():
    for key, sentence in read_words("evidence").items():
        gaps = [set(re.findall(r"\{(\w+)\}", sentence[lang])) for lang in ("en", "fr")]
        assert gaps[0] == gaps[1], key
        assert all(sentence[lang] for lang in ("en", "fr")), key


def test_evidence_as_data_is_plain_and_has_the_effects():
    parts = evidence_as_data("rtms_response", "session_2")
    assert json.loads(json.dumps(parts)) == parts
    row = next(r for r in parts["effects"] if r["column"] == "relief_so_far")
    assert row["published"] is None
    assert row["alone"][0] > row["alone"][1]


def test_command_prints_the_page_in_either_language():
    done = CliRunner().invoke(app, ["evidence", "emcs_success", "--lang", "fr"])
    assert done.exit_code == 0
    assert done.stdout.startswith("# Données publiées : emcs_success@implantation")


# ------------------------------------------------------------------ draws


def test_draws_have_the_moments_of_the_mixture():
    model = rm.published_model(*SCREENING)
    draws = prior_draws(model, 40_000, seed=4)
    mean = draws[:, 1:].mean(axis=0) @ model.encoder.projection
    sd = draws[:, 1:].std(axis=0).max()
    assert np.abs(mean - model.main.coefficients).max() < 5 * sd / math.sqrt(40_000)
    assert draws[:, 0].std() == pytest.approx(0.75, rel=0.03)


def test_claimed_c_statistic_is_that_of_patients_drawn_from_one_truth():
    """Of one truth, by counting pairs of patients."""
    model = rm.published_model(*SCREENING)
    draw = prior_draws(model, 5, seed=8)[3]
    rng = np.random.default_rng(2)
    projection = model.encoder.projection
    sigma = projection @ model.population.covariance @ projection.T
    spread = math.sqrt(draw[1:] @ sigma @ draw[1:])
    p = expit(draw[0] + spread * rng.normal(size=200_000))
    event = rng.random(p.size) < p
    order = np.argsort(np.argsort(p))
    n1, n0 = event.sum(), (~event).sum()
    c = (order[event].sum() - n1 * (n1 - 1) / 2) / (n1 * n0)
    found = claimed_c_statistics(model, 5, seed=8)[3]
    assert found == pytest.approx(c, abs=0.006)


# ------------------------------------------------------------------ reasons


def test_reasons_say_whether_they_are_published_or_opinion():
    model = rm.published_model(*SCREENING)
    patient = {"aetiology": "ischaemic_stroke", "depression": 12, "pain_intensity": 8}
    assert bases(model, model.check_patient(patient)) == {
        "aetiology": "evidence",
        "lesion_type": "evidence",
        "pain_intensity": "judgement",
        "depression": "judgement",
    }
    # one cause has a published effect size in the implant model, another a direction
    implant = rm.published_model("emcs_success")
    for cause, expected in (
        ("trigeminal_neuropathy", "evidence"),
        ("brachial_plexus_avulsion", "judgement"),
    ):
        known = implant.check_patient({"aetiology": cause})
        assert bases(implant, known)["aetiology"] == expected


def test_a_developed_model_is_no_opinion_of_ours():
    model = rm.develop(rm.simulate_cohort(60, 3), *SCREENING)
    assert bases(model, {"depression": 12}) == {}


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("opinion", "published")), ("fr", ("avis", "publié"))]
)
def test_patient_view_marks_what_is_opinion(lang, words):
    asked = ["predict", "rtms_response@screening", "--depression", "12"]
    asked += ["--aetiology", "ischaemic_stroke", "--lang", lang]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0
    for word in words:
        assert word in done.stdout


def prose(rows):
    """Findings, remarks, units and sources, in tables of tables too."""
    for name, value in rows.items():
        if isinstance(value, dict):
            yield from prose(value)
        elif isinstance(value, list):
            yield from prose({str(k): v for k, v in enumerate(value)})
        elif name in ("finding", "note", "unit", "source") and " " in value:
            yield value


def test_prose_of_the_evidence_stands_in_both_languages():
    folder = files("responder_model") / "data/evidence"
    tables = [
        tomllib.loads(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*.toml")
    ]
    found = {text for table in tables for text in prose(table)}
    assert len(found) > 200
    assert {text for text in found if prose_in(text, "fr") == text} == {">= 50 %"}
    compared = {row.contrast for row in packaged_evidence().rows.values()}
    assert compared <= set(read_words("contrast"))


def test_basis_of_a_relief_below_one_percent_is_not_read_as_a_fraction():
    model = rm.published_model("rtms_response", "session_1")
    known = model.check_patient({"relief_1": "0.45 %"})
    assert known["relief_1"] == 0.45
    assert bases(model, known) == {"relief_1": "judgement"}


def test_every_session_has_the_basis_of_the_mean_relief():
    model = rm.published_model("rtms_response", "session_3")
    given = {"relief_1": 0, "relief_2": 40, "relief_3": 70}
    assert bases(model, given) == dict.fromkeys(given, "judgement")
