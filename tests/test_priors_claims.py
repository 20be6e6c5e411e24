"""Priors claim no more than the evidence, also where a part of it is left out."""

import math
from dataclasses import replace

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
from responder_model.errors import EvidenceError, ResponderModelError
from responder_model.evidence import combine, declarations_for, packaged_evidence
from responder_model.features import expit
from responder_model.priors import (
    build_priors,
    implied_c_statistic,
    priors_from,
)
from responder_model.priors.build import C_STATISTIC_CAP
from responder_model.priors.discrimination import largest_shrinkage
from responder_model.schema import dictionary

# ------------------------------------------------------------------ predictive check


@pytest.mark.parametrize(("mean", "sd"), [(-0.32, 0.94), (0.5, 2.0), (-1.7, 0.35)])
def test_implied_c_statistic_matches_simulated_patients(mean, sd):
    rng = np.random.default_rng(11)
    probability = expit(rng.normal(mean, sd, 400_000))
    event = rng.random(probability.size) < probability
    order = np.argsort(np.argsort(probability))
    n1, n0 = event.sum(), (~event).sum()
    c = (order[event].sum() - n1 * (n1 - 1) / 2) / (n1 * n0)
    assert implied_c_statistic(mean, sd**2) == pytest.approx(c, abs=0.004)


def test_implied_c_statistic_of_marginal_effects_is_as_the_review_found():
    # LP SD 0.94 at 42 %: "c = 0.73 with zero patients".
    assert implied_c_statistic(-0.32, 0.94**2) == pytest.approx(0.73, abs=0.005)


@given(st.floats(-3, 3), st.floats(0.01, 3), st.floats(0.01, 3))
def test_implied_c_statistic_rises_with_the_spread(mean, first, second):
    low, high = sorted((first, second))
    assert 0.5 <= implied_c_statistic(mean, low) <= implied_c_statistic(mean, high) < 1


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_prior_means_claim_no_more_than_the_cap_without_relief(decision, moment):
    priors = build_priors(decision, moment)
    assert priors.capped_c_statistic <= C_STATISTIC_CAP
    names, covariance = model_columns(decision, moment)
    b = means(priors)
    expected = implied_c_statistic(priors.anchor[0], b @ covariance @ b)
    assert priors.implied_c_statistic == pytest.approx(expected)


@pytest.mark.parametrize("group", packaged_evidence().overlap_groups)
def test_the_cap_holds_whatever_is_excluded(group):
    for decision, moment in TARGETS:
        priors = build_priors(decision, moment, exclude_evidence=[group])
        assert priors.capped_c_statistic <= C_STATISTIC_CAP


def bolder(factor, decision="rtms_response"):
    """Declarations whose judgement means are multiplied."""
    declared = declarations_for(decision)
    rows = tuple(
        replace(row, mean=row.mean * (factor if row.status == "judgement" else 1.0))
        for row in declared.priors
    )
    return replace(declared, priors=rows)


def test_judgement_means_shrink_until_the_cap_holds():
    bold = priors_from(bolder(3.0), "screening")
    plain = build_priors("rtms_response", "screening")
    assert 0 < bold.shrinkage < 1
    assert bold.implied_c_statistic <= C_STATISTIC_CAP < bold.implied_c_statistic_before
    step = 0.01 / bold.shrinkage
    names, covariance = model_columns("rtms_response", "screening")
    judged = np.array([r.status == "judgement" for r in bold.columns.values()])
    next_step = np.where(judged, means(bold) * (1 + step), means(bold))
    level = bold.anchor[0]
    assert implied_c_statistic(level, next_step @ covariance @ next_step) > 0.68
    # both made conditional by nearly the same factor, and some more of the bold one
    ratio = bold.level_scale / plain.level_scale
    for name, row in plain.columns.items():
        factor = 3.0 * bold.shrinkage if row.status == "judgement" else 1.0
        expected = row.mean * factor * ratio
        assert bold.columns[name].mean == pytest.approx(expected, rel=0.03)
        assert bold.columns[name].sd == row.sd


@pytest.mark.parametrize("moment", SESSIONS)
def test_session_models_shrink_as_screening_does_and_keep_their_relief(moment):
    bold = replace(
        bolder(3.0),
        priors=tuple(
            replace(row, mean=1.0) if row.column == "relief_so_far" else row
            for row in bolder(3.0).priors
        ),
    )
    session = priors_from(bold, moment)
    assert session.shrinkage == priors_from(bold, "screening").shrinkage < 1
    assert as_declared("relief_so_far", session)[0] == pytest.approx(1.0)
    assert session.capped_c_statistic <= C_STATISTIC_CAP < session.implied_c_statistic


def test_implant_model_shrinks_all_but_relief():
    bold = priors_from(bolder(8.0, "emcs_success"), "implantation")
    plain = build_priors("emcs_success")
    assert bold.shrinkage < 1
    assert bold.columns["sham_relief"].mean == pytest.approx(-0.6)
    shrunk, whole = (as_declared("age", priors)[0] for priors in (bold, plain))
    assert shrunk == pytest.approx(whole * 8 * bold.shrinkage)
    for name in IMPLANT_BLOCK:
        left, before = (as_declared(name, priors)[2] for priors in (bold, plain))
        assert left == pytest.approx(before, rel=0.02)


def test_largest_shrinkage_is_zero_when_evidence_alone_exceeds_the_cap():
    def claimed(factor):
        return implied_c_statistic(0.0, 2.0**2 + (0.5 * factor) ** 2)

    assert largest_shrinkage(claimed, cap=0.68) == 0.0


def test_largest_shrinkage_is_one_when_the_cap_already_holds():
    def claimed(factor):
        return implied_c_statistic(0.4, 0.1**2 + (0.2 * factor) ** 2)

    assert largest_shrinkage(claimed, cap=0.68) == 1.0


# ------------------------------------------------------------------ excluded evidence


def test_excluded_prior_is_rebuilt_from_what_remains():
    evidence = packaged_evidence()
    rows = evidence.on_contrast(
        "emcs_success", "facial_vs_central", without=["henssen_2018"]
    )
    expected = combine(rows)
    priors = build_priors("emcs_success", exclude_evidence=["henssen_2018"])
    row = priors.columns["aetiology=trigeminal_neuropathy"]
    mean, sd, _ = as_declared("aetiology=trigeminal_neuropathy", priors)
    assert mean == pytest.approx(0.35)
    assert mean < expected.predicted
    assert sd == pytest.approx(expected.predicted_sd)
    assert row.rows == (
        "fontaine_2009_trigeminal",
        "two_centre_2024_trigeminal",
        "hamani_2021_aetiology",
    )
    assert "rebuilt" in row.note


def test_rebuilt_prior_follows_weaker_evidence():
    groups = ["mo_2019"]
    row = build_priors("emcs_success", exclude_evidence=groups).columns["pain_duration"]
    assert row.rows == ("fagundes_2010_duration", "lefaucheur_2011_duration")
    assert row.mean == 0.0
    assert row.sd > 0.25 * 0.4


@pytest.mark.parametrize("group", ["fagundes_pereyra_2010", "henssen_2018"])
def test_rebuilt_prior_claims_no_more_than_declared(group):
    # Without the null finding, 7 of 10 against 0 of 8 would stand alone at 3.6.
    row = build_priors("emcs_success", exclude_evidence=[group]).columns[
        "lesion_type=central"
    ]
    assert row.mean == 0.0
    assert row.sd > 0.70 * 0.4


def test_prior_without_any_number_left_keeps_its_size_and_loses_its_sign():
    priors = build_priors(
        "rtms_response", "screening", exclude_evidence=["saint_etienne"]
    )
    row = priors.columns["aetiology=ischaemic_vs_haemorrhagic"]
    # of the SD only a part holds for all columns at once; the size is as published
    assert (row.mean, row.sd) == (0.0, pytest.approx(math.hypot(0.70, 0.55 * 0.4)))
    assert row.status == "judgement"
    assert row.rows == ()


def test_saint_etienne_leaves_the_central_effect_to_the_null_finding():
    priors = build_priors(
        "rtms_response", "screening", exclude_evidence=["saint_etienne"]
    )
    row = priors.columns["lesion_type=central"]
    assert row.mean == 0.0
    assert row.rows == ("lefaucheur_2011_origin",)
    assert row.sd > 0.40 * 0.4


@pytest.mark.parametrize("decision", dictionary().decisions)
def test_judgement_stands_as_long_as_one_of_its_rows_does(decision):
    evidence = packaged_evidence()
    rows = packaged_evidence().rows
    for group in ("lefaucheur_2011", "mori_2021", "mo_2019"):
        moment = dictionary().decisions[decision].moments[0]
        plain = build_priors(decision, moment)
        left = build_priors(decision, moment, exclude_evidence=[group])
        for name, row in plain.columns.items():
            kept = tuple(n for n in row.rows if rows[n].overlap_group != group)
            if row.status == "judgement" and kept and kept != row.rows:
                before = as_declared(name, plain)[:2]
                found = as_declared(name, left)[:2]
                assert found == pytest.approx(before)
                numbers = any(evidence.rows[n].has_number for n in row.rows)
                assert left.columns[name].rows == (kept if numbers else row.rows)


def test_rate_of_spaced_sessions_is_not_rebuilt_from_daily_ones():
    """42 % must not become 65 % because a centre's own evidence is excluded."""
    rows = packaged_evidence().on_contrast("rtms_response", "response_30")
    assert {row.protocol for row in rows} == {"spaced", "daily", "weekly"}
    for moment in ("screening", *SESSIONS):
        priors = build_priors(
            "rtms_response", moment, exclude_evidence=["saint_etienne"]
        )
        assert priors.anchor == (0.0, pytest.approx(math.hypot(0.32, 0.75)))
        assert any("all rates of spaced sessions" in note for note in priors.notes)


def test_anchor_is_rebuilt_and_never_narrower():
    emcs = build_priors("emcs_success", exclude_evidence=["lefaucheur_2011"])
    assert emcs.anchor[0] < -0.10
    assert emcs.anchor[1] == 0.5


def test_excluding_the_test_leaves_its_information_to_the_other_forms():
    names, _ = model_columns("emcs_success", "implantation")
    priors = build_priors("emcs_success", exclude_evidence=["saint_etienne"])
    plain = build_priors("emcs_success").columns["relief_test"]
    row = priors.columns["relief_test"]
    assert row.rows == ("lefaucheur_2011_relief",)
    assert row.sd > plain.sd
    at = [names.index(name) for name in IMPLANT_BLOCK]
    # its own number, from another centre, keeps the sign on which all sources agree
    alone = [as_declared(name, priors)[2] for name in IMPLANT_BLOCK]
    np.testing.assert_allclose(alone, [1.38, 1.6, 2.5], rtol=0.05)
    assert (means(priors)[at] >= 0.0).all()


def test_excluding_every_form_leaves_no_direction():
    groups = ["saint_etienne", "lefaucheur_2011"]
    priors = build_priors("emcs_success", exclude_evidence=groups)
    assert [priors.columns[name].mean for name in IMPLANT_BLOCK] == [0.0, 0.0, 0.0]
    assert priors.excluded == ("lefaucheur_2011", "saint_etienne")


def test_no_prior_rests_on_an_excluded_number():
    evidence = packaged_evidence()
    for group in ("saint_etienne", "lefaucheur_2011", "mo_2019"):
        for decision, moment in TARGETS:
            priors = build_priors(decision, moment, exclude_evidence=[group])
            basis = {name for row in priors.columns.values() for name in row.rows}
            numbers = [evidence.rows[n] for n in basis if evidence.rows[n].has_number]
            assert group not in {row.overlap_group for row in numbers}


def test_exclusion_of_gaps_is_said():
    priors = build_priors(
        "rtms_response", "screening", exclude_evidence=["saint_etienne"]
    )
    assert any("quesada_2020_relief" in note for note in priors.notes)


def test_exclusion_that_touches_nothing_changes_nothing():
    plain = build_priors("rtms_response", "screening")
    other = build_priors("rtms_response", "screening", exclude_evidence=["sachs_2014"])
    assert other.columns == plain.columns
    assert other.anchor == plain.anchor


def test_unknown_group_is_refused_with_the_known_ones():
    with pytest.raises(EvidenceError, match="overlap groups, got 'lyon'.*nuti_2005"):
        build_priors("emcs_success", exclude_evidence=["lyon"])


def test_unknown_target_is_refused():
    with pytest.raises(ResponderModelError, match="moment of rtms_response must be"):
        build_priors("rtms_response")
