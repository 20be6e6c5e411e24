"""Priors of the decision models: columns, declared values, sessions and their form."""

import json
import math
import pickle
import subprocess
import sys
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prior_values import (
    IMPLANT_BLOCK,
    SESSIONS,
    TARGETS,
    as_declared,
    means,
    model_columns,
)
from responder_model.artifact.kinds import read_as
from responder_model.evidence import declarations_for
from responder_model.features import Encoder, Population, expit
from responder_model.priors import (
    PriorSet,
    build_priors,
    conditional_effects,
    evidence_to_json,
    prior_table,
)
from responder_model.priors.conditional import same_signs
from responder_model.schema import dictionary

# ------------------------------------------------------------------ columns


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_every_model_column_has_a_prior_in_order(decision, moment):
    priors = build_priors(decision, moment)
    assert tuple(priors.columns) == Encoder.for_decision(decision, moment).derived
    assert all(row.sd > 0 for row in priors.columns.values())
    assert {row.status for row in priors.columns.values()} <= {"evidence", "judgement"}


@pytest.mark.parametrize("decision", dictionary().decisions)
def test_every_declared_column_exists_in_some_model(decision):
    declared = declarations_for(decision)
    found = {
        moment: Encoder.for_decision(decision, moment).derived
        for moment in dictionary().decisions[decision].moments
    }
    for row in declared.priors:
        moments = [row.moment] if row.moment else list(found)
        names = {name for moment in moments for name in found[moment]}
        assert any(fnmatchcase(name, row.column) for name in names), row.column
    everything = {name for names in found.values() for name in names}
    for block in declared.blocks:
        assert set(block.columns) <= everything


def test_contrasts_are_one_unit_apart():
    fields = dictionary().fields
    for field, name in (
        ("aetiology", "aetiology=ischaemic_vs_haemorrhagic"),
        ("pain_site", "pain_site=lower_vs_upper_limb"),
    ):
        contrast = next(c for c in fields[field].contrasts if c.name == name)
        weights = contrast.weights.values()
        assert max(weights) - min(weights) == 1.0


def test_undeclared_column_has_the_default_of_its_field():
    row = build_priors("rtms_response", "screening").columns["dn4"]
    expected = dictionary().fields["dn4"].default_prior_sd * 0.4
    assert (row.mean, row.sd) == (0.0, pytest.approx(expected))
    assert row.status == "judgement"


# Values in use, screening.
@pytest.mark.parametrize(
    ("column", "mean", "sd"),
    [
        ("lesion_type=central", 0.40, 0.40),
        ("aetiology=ischaemic_vs_haemorrhagic", 0.70, 0.55),
        ("aetiology=radiculopathy", 0.0, 0.30),
        ("pain_site=lower_vs_upper_limb", -0.50, 0.45),
        ("pain_site=face", 0.15, 0.45),
        ("lesion_site=brainstem", -0.40, 0.50),
        ("pain_intensity", -0.20, 0.25),
        ("pain_duration", -0.15, 0.25),
        ("severe_dysaesthesia", -0.30, 0.40),
        ("fatigue", 0.0, 0.25),
        ("motor_deficit=marked", 0.0, 0.15),
        ("age", 0.0, 0.20),
        ("sex=female", 0.0, 0.20),
        ("opioid", 0.0, 0.30),
        ("antiepileptic", 0.0, 0.30),
    ],
)
def test_rtms_priors_are_the_values_in_use(column, mean, sd):
    found = as_declared(column, build_priors("rtms_response", "screening"))
    assert found[:2] == (pytest.approx(mean), pytest.approx(sd))


@pytest.mark.parametrize(
    ("column", "mean", "sd"),
    [
        ("aetiology=trigeminal_neuropathy", 0.35, 0.50),
        ("aetiology=brachial_plexus_avulsion", -0.25, 0.40),
        ("lesion_type=central", 0.0, 0.70),
        ("aetiology=spinal_cord_injury", -0.25, 0.60),
        ("pain_duration", 0.10, 0.25),
        ("motor_deficit=marked", 0.0, 0.50),
        ("age", -0.15 * 1.3, 0.15 * 1.3),
        ("relief_days_test", 0.0, 0.30),
        ("relief_maintenance", 0.0, 0.30),
    ],
)
def test_emcs_priors_are_the_values_in_use(column, mean, sd):
    found = as_declared(column, build_priors("emcs_success"))
    assert found[:2] == (pytest.approx(mean), pytest.approx(sd))


def test_effect_declared_at_given_predictors_is_not_made_conditional_again():
    priors = build_priors("emcs_success")
    row = priors.columns["sham_relief"]
    assert (row.mean, row.sd) == (-0.60, pytest.approx(0.50 * priors.sd_factor))


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_levels_averaged_over_patients_are_the_published_ones(decision, moment):
    """By quadrature over the linear predictor, at every cut point."""
    priors, declared = build_priors(decision, moment), declarations_for(decision)
    mean, sd = (-0.32, 0.75) if decision == "rtms_response" else (-0.10, 0.50)
    assert priors.anchor == (pytest.approx(mean * priors.level_scale), sd)
    _, covariance = model_columns(decision, moment)
    b, s = means(priors), np.array([r.sd for r in priors.columns.values()])
    total = b @ covariance @ b + (s**2 * np.diag(covariance)).sum()
    assert priors.level_scale == pytest.approx(math.sqrt(1 + math.pi * total / 8))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    published = mean + levels(
        replace(priors, anchor=(0.0, 1.0), gaps=declared.published_gaps())
    )
    averaged = expit(levels(priors)[:, None] + math.sqrt(total) * nodes) @ weights
    np.testing.assert_allclose(averaged, expit(published), atol=0.02)


def test_rtms_and_emcs_differ_in_the_sign_of_pain_duration():
    rtms = build_priors("rtms_response", "screening").columns["pain_duration"]
    assert rtms.mean < 0 < build_priors("emcs_success").columns["pain_duration"].mean


# ------------------------------------------------------------------ conditional effects


def test_conditional_effects_of_the_questionnaires_are_as_published():
    u = np.array([-0.30, -0.30, -0.20, -0.20])
    correlation = np.full((4, 4), 0.55) + 0.45 * np.eye(4)
    b = conditional_effects(u, correlation)
    np.testing.assert_allclose(b, [-0.21, -0.21, 0.02, 0.02], atol=0.005)
    assert math.sqrt(u @ correlation @ u) == pytest.approx(0.82, abs=0.01)
    assert math.sqrt(b @ correlation @ b) == pytest.approx(0.34, abs=0.005)


@given(st.integers(0, 2**32 - 1))
def test_conditional_effects_give_the_marginal_ones_back(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(4, 6))
    covariance, u = A @ A.T + 0.1 * np.eye(4), rng.normal(size=4)
    b = conditional_effects(u, covariance)
    np.testing.assert_allclose(covariance @ b / np.diag(covariance), u, atol=1e-8)


def test_uncorrelated_predictors_keep_their_effects():
    u = np.array([0.3, -1.2])
    np.testing.assert_allclose(conditional_effects(u, np.diag([4.0, 0.2])), u)


def test_questionnaires_keep_their_marginal_effects_in_the_reference_population():
    priors = build_priors("rtms_response", "screening")
    assert priors.shrinkage == 1.0
    members = ["depression", "anxiety", "catastrophising", "magnification"]
    alone = [as_declared(name, priors)[2] for name in members]
    # catastrophising says nothing beyond its own subscale: it gets what that leaves
    assert priors.columns["catastrophising"].mean == 0.0
    np.testing.assert_allclose(np.delete(alone, 2), [-0.30, -0.30, -0.20], atol=2e-3)
    assert alone[2] == pytest.approx(-0.20, abs=0.01)


def test_no_member_of_a_block_turns_the_sign_of_its_published_effect():
    for decision, moment in TARGETS:
        declared = declarations_for(decision)
        priors = build_priors(decision, moment)
        for name in {n for block in declared.blocks for n in block.columns}:
            published = declared.find(name, moment).mean
            assert priors.columns[name].mean * published >= 0.0, name


@given(st.integers(0, 2**32 - 1))
def test_same_signs_keeps_what_conditioning_does_not_contradict(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(4, 6))
    covariance, u = A @ A.T + 0.1 * np.eye(4), rng.normal(size=4)
    b = same_signs(u, covariance)
    assert (b * u >= 0.0).all()
    kept = b != 0.0
    if kept.any():
        part = covariance[np.ix_(kept, kept)]
        np.testing.assert_allclose(part @ b[kept] / np.diag(part), u[kept], atol=1e-8)


def test_relief_before_the_implant_is_one_piece_of_information():
    names, covariance = model_columns("emcs_success", "implantation")
    priors = build_priors("emcs_success")
    at = [names.index(name) for name in IMPLANT_BLOCK]
    b = means(priors)[at]
    block = covariance[np.ix_(at, at)]
    alone = [as_declared(name, priors)[2] for name in IMPLANT_BLOCK]
    # a single session says nothing beyond the two: it gets what they leave, 1.72
    np.testing.assert_allclose(alone, [1.55, 1.6, 2.5], rtol=0.08)
    # Added up as if independent, the three would claim more than they hold together.
    marginal = np.array([1.55, 1.6, 2.5])
    assert b @ block @ b < 0.5 * (marginal @ block @ marginal)


# ------------------------------------------------------------------ sessions


@pytest.mark.parametrize(
    ("moment", "slope"), list(zip(SESSIONS, (0.8, 1.1, 1.3), strict=True))
)
def test_relief_so_far_has_the_declared_slope(moment, slope):
    priors = build_priors("rtms_response", moment)
    mean, sd, _ = as_declared("relief_so_far", priors)
    assert (mean, sd) == (pytest.approx(slope), pytest.approx(0.45))
    row = priors.columns["relief_so_far"]
    assert (row.status, row.firm) == ("judgement", True)


@pytest.mark.parametrize("moment", SESSIONS)
def test_trend_and_days_of_relief_are_centred_on_zero(moment):
    columns = build_priors("rtms_response", moment).columns
    for name in ("relief_trend", "relief_days_so_far"):
        if name in columns:
            assert (columns[name].mean, columns[name].firm) == (0.0, False)
            assert columns[name].sd == pytest.approx(0.30 * 0.4)


@pytest.mark.parametrize("moment", SESSIONS)
def test_averaging_over_unknown_relief_gives_the_screening_model_back(moment):
    """By quadrature over relief, for patients and cut points far apart."""
    screening = build_priors("rtms_response", "screening")
    session = build_priors("rtms_response", moment)
    names, covariance = model_columns("rtms_response", moment)
    before, _ = model_columns("rtms_response", "screening")
    z = np.random.default_rng(3).normal(size=(40, len(before)))
    shared = [names.index(name) for name in before]
    relief = np.setdiff1d(np.arange(len(names)), shared)
    b = means(session)
    s = math.sqrt(b[relief] @ covariance[np.ix_(relief, relief)] @ b[relief])
    assert s > 0.79
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    for shift_screening, shift_session in zip(
        levels(screening), levels(session), strict=True
    ):
        known = shift_screening + z @ means(screening)
        conditional = shift_session + z @ b[shared]
        averaged = expit(conditional[:, None] + s * nodes) @ weights
        np.testing.assert_allclose(averaged, expit(known), atol=0.012)


def levels(priors):
    """Log-odds at the reference means of passing each fitted cut point."""
    main = dictionary().decisions[priors.decision].main_index
    steps = np.concatenate([[0.0], -np.cumsum(priors.gaps)])
    return priors.anchor[0] + steps - steps[main]


def test_scored_without_relief_a_session_model_agrees_with_screening():
    """The way a prediction fills gaps: expectation, and kappa of what is unknown."""
    values = {"age": 48, "aetiology": "haemorrhagic_stroke", "pain_intensity": 8}
    found = []
    for moment in ("screening", *SESSIONS):
        encoder = Encoder.for_decision("rtms_response", moment)
        priors = build_priors("rtms_response", moment)
        beta = (means(priors) @ encoder.projection)[None]
        filled, extra = Population.reference(encoder).impute(
            encoder.encode(encoder.raw(values)), beta
        )
        kappa = 1 / np.sqrt(1 + np.pi * extra[0, 0] / 8)
        found.append(expit(kappa * (priors.anchor[0] + beta[0] @ filled[0])))
    np.testing.assert_allclose(found, found[0], atol=0.01)


@pytest.mark.parametrize("moment", SESSIONS)
def test_only_means_are_scaled_by_what_relief_explains(moment):
    screening = build_priors("rtms_response", "screening")
    session = build_priors("rtms_response", moment)
    ratio = session.level_scale / screening.level_scale
    assert session.anchor == (pytest.approx(screening.anchor[0] * ratio), 0.75)
    np.testing.assert_allclose(session.gaps, ratio * np.array(screening.gaps))
    assert session.gap_sd == screening.gap_sd == 0.35
    for name, row in screening.columns.items():
        # to first order the same factor: a predictor explains little of the whole
        mean = session.columns[name].mean
        assert mean == pytest.approx(row.mean * ratio, rel=0.04)
        assert session.columns[name].sd == row.sd


# ------------------------------------------------------------------ form


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_prior_set_survives_json_and_pickle(decision, moment):
    priors = build_priors(decision, moment)
    text = json.dumps(priors.to_json())
    assert read_as(json.loads(text), PriorSet, "priors") == priors
    assert pickle.loads(pickle.dumps(priors)) == priors


def test_priors_are_built_without_heavy_libraries():
    code = (
        "import sys; from responder_model.priors import build_priors\n"
        "from responder_model.schema import dictionary\n"
        "for target in dictionary().targets(): build_priors(*target)\n"
        "heavy = {'scipy', 'pandas', 'statsmodels', 'sklearn', 'xgboost'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------ printing


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_table_has_a_row_for_each_prior(decision, moment):
    priors = build_priors(decision, moment)
    table = prior_table(decision, moment)
    assert tuple(row.column for row in table) == tuple(priors.columns)
    for row in table:
        assert row.lower < row.odds_ratio < row.upper
        assert row.odds_ratio == pytest.approx(
            math.exp(priors.columns[row.column].mean)
        )


def test_table_puts_the_meta_analysis_beside_the_value_in_use():
    table = {row.column: row for row in prior_table("emcs_success")}
    row = table["aetiology=trigeminal_neuropathy"]
    assert (row.declared_mean, row.declared_sd) == (0.35, 0.50)
    assert row.pooled.effect == pytest.approx(0.65, abs=0.005)
    assert {source.id for source in row.sources} == {
        *row.pooled.rows,
        "rasche_2006_trigeminal",
    }


def test_evidence_as_json_is_plain_data():
    parts = evidence_to_json("rtms_response", "session_2")
    assert json.loads(json.dumps(parts)) == parts
    assert {row["decision"] for row in parts["evidence"]} == {"rtms_response"}
