"""Simulated cohorts: reproducible, valid, labelled, and true to their settings."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from responder_model.cohort import check_cohort, outcome_levels, read_cohort
from responder_model.errors import ResponderModelError
from responder_model.features import expit
from responder_model.priors import build_priors
from responder_model.schema import dictionary
from responder_model.simulation import (
    blank_questionnaires,
    draw_truth,
    generator_settings,
    simulate_cohort,
    true_probabilities,
    truth_kinds,
    write_french_export,
)
from responder_model.simulation.settings import parse_settings
from responder_model.simulation.truth import slope_prior

# Patients of the distribution tests, and Monte-Carlo standard errors allowed.
N = 20_000
ERRORS = 4.5

COMPLETE = {"blank_share": 0.0, "non_completers": 0.0, "n_implanted": 0}


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(seed=3)


@pytest.fixture(scope="module")
def large():
    return simulate_cohort(N, seed=4, truth="null", **COMPLETE)


def rng(seed=0):
    return np.random.default_rng(seed)


# ---------------------------------------------------------------- form


def test_same_seed_gives_the_same_cohort(cohort):
    pd.testing.assert_frame_equal(simulate_cohort(seed=3), cohort)


def test_other_seed_gives_another_cohort(cohort):
    assert not simulate_cohort(seed=5)["age"].equals(cohort["age"])


def test_cohort_has_every_field_of_the_dictionary(cohort):
    assert list(cohort.columns) == list(dictionary().fields)


@pytest.mark.parametrize("seed", range(3))
def test_cohort_is_valid_and_unchanged_by_checking(seed):
    cohort = simulate_cohort(40, seed=seed, n_implanted=5, selection="any")
    pd.testing.assert_frame_equal(check_cohort(cohort), cohort)


def test_cohort_says_in_every_row_that_it_is_simulated(cohort):
    assert cohort.attrs["provenance"] == "simulated"
    assert cohort.attrs["name"] == "simulated cohort"
    assert set(cohort["provenance"]) == {"simulated"}


def test_patients_have_pseudonyms_of_their_own(cohort):
    assert cohort["patient_id"].is_unique


def test_centres_are_named_as_many_as_asked():
    assert simulate_cohort(60, n_centres=3)["centre"].nunique() == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_patients": 0}, "n_patients and n_centres must be 1 or more"),
        ({"n_centres": 0}, "n_patients and n_centres must be 1 or more"),
        ({"selection": "all"}, "selection must be one of any, relief, responders"),
        ({"truth": "nearly"}, "truth of rtms_response must be one of right"),
        ({"n_patients": 10, "n_implanted": 11}, "n_implanted must be at most"),
        ({"non_completers": 1.5}, "non_completers must lie between 0 and 1"),
        ({"blank_share": -0.1}, "blank_share must lie between 0 and 1"),
    ],
)
def test_simulate_cohort_refuses_what_it_cannot_do(arguments, message):
    with pytest.raises(ResponderModelError, match=message):
        simulate_cohort(**arguments)


def test_settings_of_another_format_are_refused():
    with pytest.raises(ResponderModelError, match="format_version must be 1"):
        parse_settings("format_version = 2")


# ---------------------------------------------------------------- clinical sense


def test_only_possible_lesion_and_pain_sites_occur(large):
    settings = generator_settings()
    for aetiology, rows in large.groupby("aetiology", observed=True):
        assert set(rows["lesion_site"]) <= set(settings.lesion_site[aetiology])
    face = large[large["aetiology"] == "trigeminal_neuropathy"]
    arm = large[large["lesion_site"] == "plexus"]
    assert set(face["pain_site"]) == {"face"}
    assert set(face["lesion_site"]) == {"trigeminal_nerve"}
    assert set(arm["pain_site"]) == {"upper_limb"}


def test_every_lesion_site_of_an_aetiology_has_its_pain_sites():
    settings = generator_settings()
    for aetiology, sites in settings.lesion_site.items():
        for site in sites:
            assert {aetiology, site} & set(settings.pain_site)


@pytest.mark.parametrize("name", ["aetiology", "lesion_site", "pain_site"])
def test_shares_of_categories_sum_to_one(name):
    settings = generator_settings()
    tables = {"aetiology": {"": settings.aetiology}}.get(name)
    for shares in (tables or getattr(settings, name)).values():
        assert sum(shares.values()) == pytest.approx(1.0)


def test_lesion_type_follows_from_aetiology(large):
    types = {c.name: c.lesion_type for c in dictionary().fields["aetiology"].categories}
    assert (large["lesion_type"] == large["aetiology"].map(types)).all()


def test_no_relief_lasts_no_days(large):
    for k in ("1", "2", "3", "test"):
        none = large[large[f"relief_{k}"] <= 0]
        assert (none[f"relief_days_{k}"] == 0).all()


def test_published_share_completes_and_is_implanted(cohort):
    assert cohort["relief_test"].notna().sum() == 193
    assert cohort["emcs_relief"].notna().sum() == 25


def test_non_completers_have_no_later_values(cohort):
    stopped = cohort[cohort["relief_test"].isna()]
    for name in ("rtms_sessions", "relief_days_test", "symptom_improved"):
        assert stopped[name].isna().all()
    gap = stopped["relief_2"].notna() & stopped["relief_1"].isna()
    assert not gap.any()


def test_implanted_have_follow_up_and_success_from_forty_percent(cohort):
    implanted = cohort[cohort["emcs_relief"].notna()]
    assert (implanted["emcs_success"] == (implanted["emcs_relief"] >= 40)).all()
    assert (implanted["emcs_follow_up"] >= 12).all()


def test_responders_only_are_implanted_when_asked():
    cohort = simulate_cohort(400, n_implanted=60, selection="responders")
    implanted = cohort[cohort["emcs_relief"].notna()]
    assert (implanted["relief_test"] > 30).all()


def test_implanted_have_more_relief_unless_chosen_at_random():
    means = {
        selection: simulate_cohort(2000, n_implanted=200, selection=selection).pipe(
            lambda c: c.loc[c["emcs_relief"].notna(), "relief_test"].mean()
        )
        for selection in ("any", "relief", "responders")
    }
    assert means["any"] + 10 < means["relief"] < means["responders"]


@pytest.mark.parametrize(
    ("recorded", "definition"), [(True, "composite"), (False, "relief_only")]
)
def test_symptom_decides_the_definition_of_the_outcome(recorded, definition):
    cohort = simulate_cohort(30, symptom_recorded=recorded)
    assert outcome_levels(cohort, "rtms_response").definition == definition


# ---------------------------------------------------------------- distributions


def test_categories_occur_as_often_as_set(large):
    settings = generator_settings()
    tables = {"aetiology": settings.aetiology, **settings.shares}
    for name, shares in tables.items():
        for category, share in shares.items():
            observed = (large[name] == category).mean()
            allowed = ERRORS * np.sqrt(share * (1 - share) / N)
            assert abs(observed - share) < allowed, (name, category)


def test_yes_no_values_occur_as_often_as_set(large):
    for name, share in generator_settings().proportions.items():
        allowed = ERRORS * np.sqrt(share * (1 - share) / N)
        assert abs(large[name].mean() - share) < allowed


def test_numbers_have_the_mean_and_sd_that_are_set(large):
    # limits cut a little off: less than 4 % of an SD, and of the SD itself
    for draw in generator_settings().numbers:
        values = large[draw.field].to_numpy(float)
        if draw.field == "pain_duration":
            values = np.log(values)
        assert abs(values.mean() - draw.mean) < (0.04 + ERRORS / np.sqrt(N)) * draw.sd
        assert values.std() == pytest.approx(draw.sd, rel=0.06)


def test_numbers_stay_within_their_limits(large):
    for draw in generator_settings().numbers:
        assert large[draw.field].between(draw.minimum, draw.maximum).all()


def test_median_pain_duration_is_55_months(large):
    assert large["pain_duration"].median() == pytest.approx(55, abs=2)


@pytest.mark.parametrize(
    ("one", "other", "correlation"),
    [
        ("depression", "anxiety", 0.6),
        ("depression", "catastrophising", 0.5),
        ("depression", "fatigue", 0.4),
        ("age", "depression", 0.0),
    ],
)
def test_questionnaires_correlate_as_set(large, one, other, correlation):
    assert large[one].corr(large[other]) == pytest.approx(correlation, abs=0.03)


def test_questionnaires_are_blank_as_often_as_set_and_as_a_whole(large):
    blanked = blank_questionnaires(large, 0.05, rng(), generator_settings())
    share = blanked["depression"].isna()
    assert share.mean() == pytest.approx(0.05, abs=ERRORS * 0.22 / np.sqrt(N))
    assert share.equals(blanked["anxiety"].isna())
    assert large["depression"].notna().all()


def test_outcome_proportion_is_42_percent(large):
    observed = (large["relief_test"] > 30).mean()
    assert observed == pytest.approx(0.4207, abs=ERRORS * 0.5 / np.sqrt(N))


def test_outcome_proportion_of_the_shifted_centre_is_68_percent():
    recipe = generator_settings().recipe("rtms_response", "shifted")
    assert expit(recipe.mean_linear_predictor) == pytest.approx(0.68, abs=0.001)


def test_relief_has_an_sd_of_about_30_points(large):
    assert 26 < large["relief_test"].std() < 34


@pytest.mark.parametrize("kind", ["null", "right", "interactions"])
def test_linear_predictor_has_the_mean_that_is_set(large, kind):
    truth = draw_truth("rtms_response", kind, rng(6))
    lp = truth.linear_predictor(large)[:, truth.scale.latent.index(0.0)]
    assert lp.mean() == pytest.approx(-0.32, abs=0.01 + ERRORS * lp.std() / np.sqrt(N))


@pytest.mark.parametrize(("k", "correlation"), [(1, 0.4), (2, 0.5), (3, 0.6)])
def test_session_relief_correlates_with_relief_of_the_test(large, k, correlation):
    observed = large[f"relief_{k}"].corr(large["relief_test"])
    assert observed == pytest.approx(correlation, abs=0.04)


def test_session_relief_rises_by_about_six_points(large):
    means = [large[f"relief_{k}"].mean() for k in (1, 2, 3)]
    np.testing.assert_allclose(np.diff(means), 6, atol=1)


def test_symptom_improves_more_often_with_more_relief(large):
    band = pd.cut(large["relief_test"], [-101, 10, 30, 50, 101])
    shares = large["symptom_improved"].astype(float).groupby(band, observed=True).mean()
    np.testing.assert_allclose(shares, [0.1, 0.3, 0.75, 0.97], atol=0.02)


# ---------------------------------------------------------------- truths


def test_every_kind_of_truth_can_be_drawn():
    for decision in dictionary().decisions:
        for kind in truth_kinds(decision):
            assert np.isfinite(draw_truth(decision, kind, rng()).slopes).all()


def prior_means(truth):
    columns = build_priors("rtms_response", "screening").columns
    matters = [name in truth.scale.columns for name in truth.columns]
    return np.array([columns[name].mean for name in truth.columns]) * matters


def test_wrong_truth_reverses_the_means_of_the_right_one():
    right = draw_truth("rtms_response", "right", rng(1)).slopes
    wrong = draw_truth("rtms_response", "wrong", rng(1))
    np.testing.assert_allclose(right - wrong.slopes, [2 * prior_means(wrong)] * 5)


def test_half_truth_halves_the_means():
    right = draw_truth("rtms_response", "right", rng(1)).slopes
    half = draw_truth("rtms_response", "half", rng(1))
    np.testing.assert_allclose(right - half.slopes, [0.5 * prior_means(half)] * 5)


def test_half_of_the_signs_are_wrong_when_asked():
    right = draw_truth("rtms_response", "right", rng(1)).slopes[0]
    truth = draw_truth("rtms_response", "half_signs_wrong", rng(1))
    changed = ~np.isclose(truth.slopes[0], right)
    expected = prior_means(truth) != 0
    assert changed.sum() == round(expected.sum() / 2)
    assert not (changed & ~expected).any()


def test_columns_without_evidence_do_not_matter_when_the_evidence_is_right():
    truth = draw_truth("rtms_response", "right", rng(1))
    slopes = dict(zip(truth.columns, truth.slopes[0], strict=True))
    assert slopes["dn4"] == slopes["motor_deficit=mild"] == 0
    assert slopes["aetiology=stroke"] != 0


def test_three_large_slopes_and_nothing_else():
    slopes = draw_truth("rtms_response", "three_large", rng(2)).slopes[0]
    assert sorted(np.abs(slopes[slopes != 0])) == [0.9, 0.9, 0.9]


def test_unexpected_large_slopes_lie_where_the_evidence_expects_nothing():
    truth = draw_truth("rtms_response", "unexpected_large", rng(2))
    large = np.abs(truth.slopes[0]) == 0.9
    assert large.sum() == 3
    assert (prior_means(truth)[large] == 0).all()


def test_intercept_is_off_by_the_set_shift():
    means = {draw_truth("rtms_response", "intercept", rng(k)).mean for k in range(20)}
    np.testing.assert_allclose(sorted(means), [-0.32 - 0.75, -0.32 + 0.75])


def test_interactions_add_what_is_set():
    cohort = simulate_cohort(2, seed=1, **COMPLETE)
    cohort["motor_deficit"] = "none"
    cohort["pain_intensity"] = 5.0
    young, old = cohort.assign(age=40.0), cohort.assign(age=60.0)
    truth = draw_truth("rtms_response", "interactions", rng())
    age = truth.slopes[0, truth.columns.index("age")]
    linear = age * (40 - 60) / dictionary().fields["age"].reference.sd
    gap = truth.linear_predictor(young) - truth.linear_predictor(old)
    np.testing.assert_allclose(gap, 1.2 + linear)


def test_bends_add_what_is_set():
    cohort = simulate_cohort(2, seed=1, **COMPLETE)
    truth = draw_truth("rtms_response", "strongly_nonlinear", rng())
    at = truth.columns.index("age")
    sd = dictionary().fields["age"].reference.sd
    middle = dictionary().fields["age"].reference.mean + sd * truth.centre[at]
    mid, one, far = (cohort.assign(age=middle + k * sd) for k in (0.0, 1.0, 2.5))
    near, beyond = (
        truth.linear_predictor(x) - truth.linear_predictor(mid) for x in (one, far)
    )
    np.testing.assert_allclose(near, truth.slopes[0, at] - 0.5)
    np.testing.assert_allclose(beyond, 2.5 * truth.slopes[0, at] - 0.5 * 4.0)


def test_implant_truth_without_relief_has_only_relief_right():
    right = draw_truth("emcs_success", "relief_only", rng(1))
    nonzero = [c for c, b in zip(right.columns, right.slopes[0], strict=True) if b != 0]
    assert nonzero == ["relief_test"]


@pytest.mark.parametrize("kind", truth_kinds("rtms_response"))
def test_slope_prior_is_what_slopes_are_drawn_from(kind):
    draws = [draw_truth("rtms_response", kind, rng(k)) for k in range(400)]
    main = draws[0].scale.latent.index(0.0)
    slopes = np.array([truth.slopes[main] for truth in draws])
    mean, sd = np.array(list(slope_prior("rtms_response", kind).values())).T
    error = sd / np.sqrt(len(draws)) + 1e-12
    np.testing.assert_array_less(np.abs(slopes.mean(axis=0) - mean), 6 * error)
    # over all columns: places of large slopes are drawn by predictor, not by column
    assert (slopes.std(axis=0) ** 2).sum() == pytest.approx((sd**2).sum(), rel=0.12)


def test_unknown_truth_is_refused_with_the_known_ones():
    with pytest.raises(ResponderModelError, match="must be one of right, half, wrong"):
        draw_truth("rtms_response", "better", rng())


# ---------------------------------------------------------------- true probabilities


def assert_calibrated(probability, outcome, n_groups=8):
    """Observed proportion within Monte-Carlo error of the mean probability."""
    group = pd.qcut(pd.Series(probability).rank(method="first"), n_groups, labels=False)
    for k in range(n_groups):
        rows = (group == k).to_numpy()
        p = probability[rows].mean()
        allowed = ERRORS * np.sqrt(p * (1 - p) / rows.sum()) + 1e-9
        assert abs(outcome[rows].mean() - p) < allowed


@pytest.mark.parametrize(
    "kind", ["right", "interactions", "non_proportional", "random_by_cut_off"]
)
def test_true_probability_is_calibrated_at_every_cut_off(kind):
    truth = draw_truth("rtms_response", kind, rng(7))
    cohort = simulate_cohort(N, seed=8, truth=truth, **COMPLETE)
    for cut, probability in true_probabilities(cohort, truth).items():
        assert_calibrated(probability, (cohort["relief_test"] > cut).to_numpy())


@pytest.mark.parametrize("moment", ["session_1", "session_2", "session_3"])
def test_true_probability_is_calibrated_after_sessions(moment):
    truth = draw_truth("rtms_response", "right", rng(7))
    cohort = simulate_cohort(8000, seed=9, truth=truth, **COMPLETE)
    probability = true_probabilities(cohort, truth, moment=moment)[30]
    assert_calibrated(probability, (cohort["relief_test"] > 30).to_numpy())


def test_true_probability_is_calibrated_for_the_composite_outcome():
    truth = draw_truth("rtms_response", "right", rng(7))
    cohort = simulate_cohort(N, seed=10, truth=truth, **COMPLETE)
    probability = true_probabilities(cohort, truth, symptom_recorded=True)[30]
    assert_calibrated(probability, cohort["rtms_responder"].to_numpy(bool))


@pytest.mark.parametrize("selection", ["any", "responders"])
def test_true_probability_is_calibrated_for_implants(selection):
    truth = draw_truth("emcs_success", "right", rng(7))
    arguments = COMPLETE | {"n_implanted": 6000, "selection": selection}
    cohort = simulate_cohort(N, seed=11, implant_truth=truth, **arguments)
    implanted = cohort[cohort["emcs_relief"].notna()].reset_index(drop=True)
    for cut, probability in true_probabilities(implanted, truth).items():
        assert_calibrated(probability, (implanted["emcs_relief"] >= cut).to_numpy())


def test_main_cut_off_stays_logistic_when_odds_are_not_proportional(large):
    truth = draw_truth("rtms_response", "non_proportional", rng(7))
    lp = truth.linear_predictor(large)[:, truth.scale.latent.index(0.0)]
    probability = true_probabilities(large, truth, cut_points=[30])[30]
    np.testing.assert_allclose(probability, expit(lp), atol=1e-12)


def test_true_probability_never_rises_with_the_cut_off(large):
    truth = draw_truth("rtms_response", "falling", rng(7))
    above = np.column_stack(list(true_probabilities(large, truth).values()))
    assert (np.diff(above, axis=1) <= 1e-12).all()


def test_relief_of_sessions_sharpens_the_true_probability(large):
    truth = draw_truth("rtms_response", "right", rng(7))
    head = large.head(2000)
    spread = [
        true_probabilities(head, truth, moment=moment)[30].std()
        for moment in ("screening", "session_1", "session_3")
    ]
    assert spread[0] < spread[1] < spread[2]


@pytest.mark.parametrize(("name", "moment"), [("age", None), ("relief_1", "session_1")])
def test_true_probability_refuses_missing_predictors(name, moment):
    cohort = simulate_cohort(5, **COMPLETE)
    cohort.loc[0, name] = np.nan
    truth = draw_truth("rtms_response", "right", rng())
    with pytest.raises(ResponderModelError, match="must be complete"):
        true_probabilities(cohort, truth, moment=moment)


# ---------------------------------------------------------------- the French export


def test_french_export_reads_back_without_loss(cohort, tmp_path):
    path = write_french_export(cohort, tmp_path / "export.csv")
    read = read_cohort(path)
    assert read.attrs["provenance"] == "simulated"
    pd.testing.assert_frame_equal(
        read.drop(columns="provenance"), cohort.drop(columns="provenance")
    )


def test_french_export_is_messy_as_real_ones_are(cohort, tmp_path):
    path = write_french_export(cohort, tmp_path / "export.csv")
    text = path.read_text(encoding="latin-1")
    for mark in (";oui;", ";non;", ";ND;", ";NA;", ";;", "AVC ischémique", "simulé"):
        assert mark in text
    assert "Intensité" in text or "INTENSITÉ" in text
    with pytest.raises(UnicodeDecodeError, match="utf-8"):
        path.read_text(encoding="utf-8")


def test_example_export_holds_213_simulated_patients():
    example = files("responder_model") / "data/examples/export_centre_simule.csv"
    cohort = read_cohort(str(example))
    assert len(cohort) == 213
    assert cohort.attrs["provenance"] == "simulated"
    assert cohort["emcs_relief"].notna().sum() == 25


def test_zero_share_moves_small_reliefs_to_zero_and_nothing_else():
    plain = simulate_cohort(2_000, 5)
    piled = simulate_cohort(2_000, 5, zero_share=0.8)
    pd.testing.assert_series_equal(plain["rtms_responder"], piled["rtms_responder"])
    small = (plain["relief_test"] <= 10) & (plain["relief_test"] != 0)
    pd.testing.assert_series_equal(
        plain["relief_test"][~small], piled["relief_test"][~small]
    )
    moved = piled["relief_test"][small] == 0
    assert abs(moved.mean() - 0.8) < ERRORS * np.sqrt(0.8 * 0.2 / small.sum())
    assert (piled["relief_days_test"][small][moved] == 0).all()
    with pytest.raises(
        ResponderModelError, match="zero_share must lie between 0 and 1"
    ):
        simulate_cohort(10, zero_share=1.5)
