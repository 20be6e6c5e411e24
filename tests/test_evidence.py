"""The published evidence: its rows, their conversion and combination."""

import csv
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from responder_model.errors import EvidenceError
from responder_model.evidence import (
    Distribution,
    EvidenceRow,
    combine,
    declarations_for,
    evidence_directory,
    load_evidence,
    published_gaps,
)
from responder_model.evidence.effects import (
    effect_from_correlation,
    effect_from_group,
    effect_from_interval,
    effect_from_two_groups,
    effect_of_null,
)
from responder_model.schema import dictionary

REFERENCE = Path(__file__).parent / "reference"


@pytest.fixture(scope="module")
def evidence():
    return load_evidence()


def reference_values():
    with (REFERENCE / "evidence.csv").open() as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def made(effect, se, *, name="a", group="", primary=True):
    return EvidenceRow(
        id=name,
        study="A",
        decision="rtms_response",
        contrast="c",
        status="seen",
        source="text",
        overlap_group=group or name,
        effect=effect,
        se=se,
        primary=primary,
    )


# ------------------------------------------------------------------ the rows


def test_packaged_evidence_loads_and_covers_both_decisions(evidence):
    assert len(evidence.rows) > 120
    assert {row.decision for row in evidence.rows.values()} == set(
        dictionary().decisions
    )


def test_no_packaged_row_is_recalled():
    for path in evidence_directory().rglob("*.toml"):
        assert "recalled" not in path.read_text(encoding="utf-8"), path.name


def test_recalled_studies_are_absent(evidence):
    studies = {(row.study, row.year) for row in evidence.rows.values()}
    absent = {("Katayama", 1998), ("Pommier", 2016), ("Lefaucheur", 2009)}
    assert not studies & absent


def test_dois_are_well_formed(evidence):
    dois = [row.doi for row in evidence.rows.values() if row.doi]
    assert len(set(dois)) >= 7
    assert all(re.fullmatch(r"10\.\d{4,9}/\S+", doi) for doi in dois)


def test_saint_etienne_cohorts_share_an_overlap_group(evidence):
    wanted = [("Thomas", 2025), ("Pommier", 2018), ("Quesada", 2018), ("Quesada", 2020)]
    groups = {
        row.overlap_group
        for row in evidence.rows.values()
        if (row.study, row.year) in wanted
    }
    assert groups == {"saint_etienne"}


def test_rows_of_one_study_share_an_overlap_group(evidence):
    groups = {}
    for row in evidence.rows.values():
        groups.setdefault((row.study, row.year), set()).add(row.overlap_group)
    assert {key: found for key, found in groups.items() if len(found) > 1} == {}


def test_no_number_form_is_lost(evidence):
    with_numbers = [row for row in evidence.rows.values() if row.has_number]
    assert len(with_numbers) > 50
    assert all(row.se > 0 for row in with_numbers)
    assert all(row.finding for row in evidence.rows.values() if not row.has_number)


# ------------------------------------------------------------------ conversions


@pytest.mark.parametrize(
    "name", [name for name, row in reference_values().items() if not row["tau_squared"]]
)
def test_effects_match_binomial_regression_by_statsmodels(name, evidence):
    expected = reference_values()[name]
    row = evidence.rows[name]
    np.testing.assert_allclose(row.effect, float(expected["effect"]), atol=1e-10)
    np.testing.assert_allclose(row.se, float(expected["se"]), rtol=1e-8)


# Derived numbers that the evidence page prints: log-odds and SE.
@pytest.mark.parametrize(
    ("name", "effect", "se"),
    [
        ("thomas_2025_response", -0.324, 0.146),
        ("thomas_2025_central", 0.708, 0.344),
        ("thomas_2025_ischaemic", 1.212, 0.549),
        ("quesada_2018_response_10", 1.156, 0.278),
        ("quesada_2018_response_30", 0.429, 0.243),
        ("quesada_2020_response", -0.111, 0.334),
        ("hodaj_2020_response", 0.773, 0.285),
        ("hodaj_2020_response_6_months", -0.105, 0.265),
        ("hodaj_2015_response", 0.981, 0.303),
        ("hodaj_2015_response_6_months", -0.405, 0.275),
        ("malavera_2016_response", 0.865, 0.421),
        ("malavera_2016_sham_response", -0.375, 0.392),
        ("malavera_2016_active", 1.240, 0.575),
        ("ohn_2012_response", 0.560, 0.443),
        ("kobayashi_2015_response", 0.452, 0.483),
        ("saitoh_2006_response", 0.0, 0.447),
        ("de_martino_2025_response", -0.140, 0.306),
        ("lefaucheur_2011_single", 1.782, 0.586),
        ("lefaucheur_2011_active_minus_sham", 4.177, 1.468),
        ("pommier_2018_four_sessions", 4.890, 2.095),
        ("fontaine_2009_trigeminal", 0.608, 0.373),
        ("rasche_2006_trigeminal", 0.288, 0.992),
        ("two_centre_2024_trigeminal", 3.01, 1.53),
        ("hamani_2021_aetiology", 1.897, 1.076),
        ("henssen_2018_central", 3.595, 1.593),
        ("henssen_2018_facial", -3.466, 1.600),
        ("mo_2019_duration", 0.435, 0.188),
        ("lefaucheur_2011_one_session_response", 0.238, 0.262),
        ("lefaucheur_2011_beyond_sham_response", -0.593, 0.272),
        ("matsumura_2013_ketamine", 1.06, 0.51),
        ("matsumura_2013_morphine", 1.12, 0.52),
        ("matsumura_2013_thiopental", 1.39, 0.55),
    ],
)
def test_rows_reproduce_the_derived_numbers(name, effect, se, evidence):
    row = evidence.rows[name]
    assert row.effect == pytest.approx(effect, abs=0.006)
    assert row.se == pytest.approx(se, abs=0.006)


def test_effect_from_interval_is_symmetric_under_inversion():
    effect, se = effect_from_interval(2.03, 1.04, 4.00)
    inverse, inverse_se = effect_from_interval(1 / 2.03, 1 / 4.00, 1 / 1.04)
    assert inverse == pytest.approx(-effect)
    assert inverse_se == pytest.approx(se)


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_two_groups_are_the_difference_of_their_log_odds(a, b, c, d):
    effect, se = effect_from_two_groups(a, a + b, c, c + d)
    swapped, swapped_se = effect_from_two_groups(c, c + d, a, a + b)
    assert effect == pytest.approx(-swapped, abs=1e-12)
    assert se == pytest.approx(swapped_se)
    if a and c:
        first, second = effect_from_group(a, a + b), effect_from_group(c, c + d)
        assert effect == pytest.approx(first[0] - second[0], abs=1e-9)
        assert se == pytest.approx(math.hypot(first[1], second[1]))


def test_null_finding_has_the_standard_error_of_a_logistic_regression():
    # Information n/4 per unit variance of the predictor at an even outcome.
    assert effect_of_null(59) == (0.0, pytest.approx(0.26037782))
    assert effect_of_null(100, 0.2) == (0.0, pytest.approx(0.5))


def test_correlation_becomes_the_slope_of_the_design():
    slope, se = effect_from_correlation(0.65, 12)
    assert slope == pytest.approx(
        0.65 / math.sqrt(1 - 0.65**2) * math.pi / math.sqrt(3)
    )
    z = math.atanh(0.65)
    step = 1e-5
    shifted, _ = effect_from_correlation(math.tanh(z + step), 12)
    assert se == pytest.approx((shifted - slope) / step / math.sqrt(9), rel=1e-4)


# ------------------------------------------------------------------ combination


@pytest.mark.parametrize(
    ("contrast", "decision"),
    [
        ("success", "emcs_success"),
        ("response_30", "rtms_response"),
        ("facial_vs_central", "emcs_success"),
    ],
)
def test_combine_matches_pools_of_the_reference_script(contrast, decision, evidence):
    pooled = combine(evidence.on_contrast(decision, contrast))
    expected = reference_values()[contrast]
    np.testing.assert_allclose(pooled.effect, float(expected["effect"]), atol=1e-9)
    np.testing.assert_allclose(pooled.se, float(expected["se"]), rtol=1e-8)
    np.testing.assert_allclose(
        pooled.tau_squared, float(expected["tau_squared"]), rtol=1e-7
    )


def test_pool_of_ten_series_of_implants_is_as_published(evidence):
    pooled = combine(evidence.on_contrast("emcs_success", "success"))
    assert pooled.n_studies == 10
    assert pooled.effect == pytest.approx(-0.100, abs=0.001)
    assert pooled.se == pytest.approx(0.164, abs=0.001)
    assert pooled.tau_squared == pytest.approx(0.084, abs=0.001)
    assert pooled.predicted_sd == pytest.approx(0.33, abs=0.005)


def test_facial_pool_is_as_published(evidence):
    pooled = combine(evidence.on_contrast("emcs_success", "facial_vs_central"))
    assert pooled.n_studies == 4
    assert pooled.effect == pytest.approx(0.65, abs=0.005)
    assert pooled.se == pytest.approx(0.98, abs=0.005)


def test_single_and_four_session_tests_pool_as_published(evidence):
    names = ("lefaucheur_2011_single", "pommier_2018_four_sessions")
    pooled = combine([evidence.rows[name] for name in names])
    assert pooled.effect == pytest.approx(2.69, abs=0.01)
    assert pooled.se == pytest.approx(1.41, abs=0.01)


def test_response_in_a_new_centre_spreads_as_the_anchor_says(evidence):
    pooled = combine(evidence.on_contrast("rtms_response", "response_30"))
    assert pooled.effect == pytest.approx(0.24, abs=0.01)
    assert pooled.predicted_sd == pytest.approx(0.65, abs=0.01)
    assert declarations_for("rtms_response").anchor.sd > pooled.predicted_sd


def test_central_effect_with_the_null_finding_supports_the_prior_in_use(evidence):
    pooled = combine(evidence.on_contrast("rtms_response", "central_vs_peripheral"))
    assert pooled.rows == ("thomas_2025_central", "lefaucheur_2011_origin")
    assert pooled.effect == pytest.approx(0.48, abs=0.02)
    spread = math.sqrt(pooled.se**2 + pooled.tau_squared)
    assert spread == pytest.approx(0.39, abs=0.02)


def test_null_findings_pull_a_pool_towards_zero(evidence):
    rows = evidence.on_contrast("emcs_success", "pain_duration")
    alone = combine([row for row in rows if row.id == "mo_2019_duration"])
    assert 0 < combine(rows).effect < alone.effect


def test_combine_uses_one_row_of_an_overlap_group(evidence):
    rows = evidence.on_contrast("rtms_response", "response_30")
    used = set(combine(rows).rows)
    assert "thomas_2025_response" in used
    assert not used & {"quesada_2018_response_30", "quesada_2020_response"}


def test_combine_refuses_two_primary_rows_of_a_group():
    rows = [made(0.2, 0.1, group="g"), made(0.4, 0.1, name="b", group="g")]
    with pytest.raises(EvidenceError, match="one primary row for each overlap group"):
        combine(rows)


@pytest.mark.parametrize(
    "rows",
    [[], [made(None, None)], [made(0.3, 0.1, primary=False)]],
    ids=["empty", "words only", "not primary"],
)
def test_combine_refuses_rows_without_numbers(rows):
    with pytest.raises(EvidenceError, match="at least one primary row with a number"):
        combine(rows)


def test_one_row_predicts_its_effect_with_between_study_spread():
    # Half-normal(0.5): E tau² = 0.25, once for the row's study, once for the new one.
    pooled = combine([made(0.7, 0.3)])
    assert (pooled.effect, pooled.se, pooled.tau_squared) == (
        0.7,
        pytest.approx(0.3),
        0,
    )
    assert pooled.predicted == pytest.approx(0.7)
    assert pooled.predicted_sd == pytest.approx(math.sqrt(0.3**2 + 2 * 0.25), rel=1e-3)


def test_prediction_from_two_rows_matches_integration_by_scipy():
    effects, variances = np.array([0.708, -0.2]), np.array([0.344, 0.558]) ** 2

    def density(tau):
        covariance = np.diag(variances + tau**2)
        # A flat prior of the mean, as a normal one with SD 1000.
        covariance = covariance + 1e6
        likelihood = stats.multivariate_normal(cov=covariance).pdf(effects)
        return likelihood * stats.halfnorm(scale=0.5).pdf(tau)

    def mean_given(tau):
        w = 1 / (variances + tau**2)
        return w @ effects / w.sum(), 1 / w.sum() + tau**2

    def moment(power):
        def integrand(tau):
            mean, variance = mean_given(tau)
            return density(tau) * (mean if power == 1 else variance + mean**2)

        return integrate.quad(integrand, 0, 6, limit=200)[0]

    total = integrate.quad(density, 0, 6, limit=200)[0]
    mean = moment(1) / total
    sd = math.sqrt(moment(2) / total - mean**2)
    pooled = combine([made(0.708, 0.344), made(-0.2, 0.558, name="b")])
    assert pooled.predicted == pytest.approx(mean, abs=1e-3)
    assert pooled.predicted_sd == pytest.approx(sd, abs=2e-3)


# an effect of 1e-160 overflows in the library behind
EFFECTS = st.floats(-3, 3).map(lambda effect: round(effect, 6))


@given(st.lists(st.tuples(EFFECTS, st.floats(0.1, 1.5)), min_size=1, max_size=6))
def test_prediction_is_never_surer_than_the_mean(pairs):
    rows = [made(e, se, name=f"r{k}") for k, (e, se) in enumerate(pairs)]
    pooled = combine(rows)
    assert pooled.predicted_sd >= pooled.se - 1e-9 or pooled.tau_squared > 0.25
    assert min(e for e, _ in pairs) - 1e-9 <= pooled.predicted
    assert pooled.predicted <= max(e for e, _ in pairs) + 1e-9


def test_agreeing_rows_combine_as_a_fixed_effect():
    # Cochran's Q below its expectation: tau² is 0, weights are 1 / v.
    pooled = combine([made(0.5, 0.5), made(0.6, 1.0, name="b")])
    assert pooled.tau_squared == 0.0
    assert pooled.effect == pytest.approx((0.5 * 4 + 0.6 * 1) / 5)
    assert pooled.se == pytest.approx(1 / math.sqrt(5))


def test_combination_turns_with_the_sign_of_the_effects(evidence):
    rows = evidence.on_contrast("emcs_success", "facial_vs_central")
    turned = [made(-row.effect, row.se, name=row.id) for row in rows if row.primary]
    assert combine(turned).effect == pytest.approx(-combine(rows).effect)
    assert combine(turned).predicted == pytest.approx(-combine(rows).predicted)


# ------------------------------------------------------------------ gaps


def test_rtms_gaps_lie_half_way_between_shape_and_counts():
    gaps = declarations_for("rtms_response").published_gaps()
    counted = math.log(54 / 17) - math.log(43 / 28)
    normal = -np.diff(stats.logistic.ppf(stats.norm(33.8, 30).sf((10, 20, 30))))
    assert sum(gaps[:2]) == pytest.approx((counted + normal.sum()) / 2, abs=1e-3)
    np.testing.assert_allclose(gaps, [0.46, 0.45, 1.08, 1.21], atol=0.006)


def test_emcs_gaps_follow_the_published_classes():
    gaps = declarations_for("emcs_success").published_gaps()
    np.testing.assert_allclose(gaps, [1.25, 0.57, 0.71, 1.56], atol=0.006)


def test_emcs_gaps_keep_the_published_classes():
    gaps = declarations_for("emcs_success").published_gaps()
    below_40, below_70 = 0.52, 0.10
    logit = stats.logistic.ppf
    assert sum(gaps[:2]) == pytest.approx(logit(0.87) - logit(below_40))
    assert sum(gaps[2:]) == pytest.approx(logit(below_40) - logit(below_70))


def test_gaps_of_a_normal_distribution_match_scipy():
    relief = Distribution(
        id="a", study="A", status="seen", source="", mean=21.0, sd=17.0
    )
    cuts = (5, 18, 44, 60)
    expected = -np.diff(stats.logistic.ppf(stats.norm(21, 17).sf(cuts)))
    np.testing.assert_allclose(published_gaps(relief, cuts), expected, rtol=1e-10)
