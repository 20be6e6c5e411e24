"""The evidence-informed estimator by its properties."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.utils.estimator_checks import check_estimator

from ordinal import GAPS, simulate
from responder_model.cumulative_logit import EvidenceCumulativeLogit
from responder_model.cumulative_logit.components import robust_priors
from responder_model.cumulative_logit.fitting import fit_components
from responder_model.cumulative_logit.likelihood import (
    Observations,
    derivatives,
    intercept_jacobian,
    intercepts,
)
from responder_model.cumulative_logit.mixture import collapse_at, weigh
from responder_model.cumulative_logit.served import monotone


def mixture_of(observations, *, at_prior_means=False):
    """Components of a mixture in three columns."""
    evidence = (np.array([0.8, 0.0, -0.3]), np.array([0.5, 0.3, 0.2]))
    priors = robust_priors(
        *evidence, 3, anchor=(-0.3, 0.75), gaps=np.array(GAPS), gap_sd=0.35
    )
    starts = np.array([prior.mean for prior in priors])
    return fit_components(observations, priors, starts if at_prior_means else None)


def assert_same_fit(one, other):
    for a, b in zip(one, other, strict=True):
        sd = np.sqrt(np.diag(b.covariance))
        # the last Newton step leaves the square of a decrement of 1e-4
        assert_allclose((a.mean - b.mean) / sd, 0.0, atol=2e-4)
        assert_allclose(
            a.covariance / np.outer(sd, sd), b.covariance / np.outer(sd, sd), atol=2e-3
        )
        assert a.log_evidence == pytest.approx(b.log_evidence, abs=1e-3)


def test_components_do_not_depend_on_where_they_start():
    design, level = simulate(120, np.array([0.9, 0.2, 0.0]), 7)
    observations = Observations(
        design=design, lower=level, upper=level, n_cuts=5, main=2
    )
    at_prior_means = mixture_of(observations, at_prior_means=True)
    assert_same_fit(mixture_of(observations), at_prior_means)


def test_copies_of_a_patient_count_as_often_as_they_are():
    design, level = simulate(80, np.array([0.9, 0.2, 0.0]), 8)
    often = np.random.default_rng(8).integers(1, 4, 80)
    rows = np.repeat(np.arange(80), often)
    once = Observations(design=design, lower=level, upper=level, n_cuts=5, main=2)
    copied = once.rows(rows)
    merged = copied.merged()
    assert_allclose(merged.count, often)
    point = np.full((2, 8), 0.1)
    for a, b in zip(
        derivatives(copied, point), derivatives(merged, point), strict=True
    ):
        assert_allclose(a, b, rtol=1e-12, atol=1e-11)
    apart = copied.rows(np.random.default_rng(9).permutation(len(rows)))
    assert_same_fit(mixture_of(copied), mixture_of(apart))


def test_collapse_of_each_cut_point_matches_draws():
    design, level = simulate(100, np.array([0.9, 0.2, 0.0]), 9)
    observations = Observations(
        design=design, lower=level, upper=level, n_cuts=5, main=2
    )
    parts = weigh(mixture_of(observations))
    found = collapse_at(parts, range(5), 5, 2)
    rng, draws = np.random.default_rng(9), []
    for part in parts:
        n = round(100_000 * part.weight)
        moved = rng.multivariate_normal(np.zeros(8), part.covariance, n)
        # cut points as linear in the parameters as a Gaussian takes them
        cuts = intercepts(part.mean[None], 5, 2) + (
            moved[:, :5] @ intercept_jacobian(part.mean[None], 5, 2)[0].T
        )
        draws.append(np.hstack([cuts, part.mean[5:] + moved[:, 5:]]))
    draws = np.vstack(draws)
    for cut, one in found.items():
        at_cut = draws[:, [cut, 5, 6, 7]]
        sd = at_cut.std(axis=0)
        mean = np.append(one.intercept, one.coefficients)
        # five standard errors of 100 000 draws
        assert_allclose((mean - at_cut.mean(axis=0)) / sd, 0.0, atol=0.016)
        correlation = one.covariance / np.outer(sd, sd)
        assert_allclose(correlation, np.corrcoef(at_cut.T), atol=0.023)


def test_derivatives_match_finite_differences():
    rng = np.random.default_rng(3)
    lower = rng.integers(0, 6, 40)
    observations = Observations(
        design=rng.normal(size=(40, 3)),
        lower=lower,
        upper=np.minimum(5, lower + rng.integers(0, 3, 40)),
        n_cuts=5,
        main=2,
    )
    point = np.concatenate([[0.1], rng.normal(size=7) * 0.3])
    _, gradient, information = derivatives(observations, point[None])
    steps = 1e-5 * np.eye(8)
    slope = [
        (derivatives(observations, (point + s)[None])[0][0]
         - derivatives(observations, (point - s)[None])[0][0]) / 2e-5
        for s in steps
    ]  # fmt: skip
    bend = [
        (derivatives(observations, (point - s)[None])[1][0]
         - derivatives(observations, (point + s)[None])[1][0]) / 2e-5
        for s in steps
    ]  # fmt: skip
    np.testing.assert_allclose(gradient[0], slope, rtol=0, atol=1e-7)
    np.testing.assert_allclose(information[0], bend, rtol=0, atol=1e-6)


def test_unknown_outcome_adds_nothing():
    design, level = simulate(30, np.array([0.5]), 4)
    parameters = np.array([[0.2, 0.0, 0.1, 0.2, -0.1, 0.4]])
    known = Observations(design=design, lower=level, upper=level, n_cuts=5, main=2)
    extra = Observations(
        design=np.vstack([design, [[3.0]]]),
        lower=np.append(level, 0),
        upper=np.append(level, 5),
        n_cuts=5,
        main=2,
    )
    for a, b in zip(
        derivatives(known, parameters), derivatives(extra, parameters), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12)


# the checks know no order for their words
@pytest.mark.filterwarnings("ignore:y must have an order:UserWarning")
def test_estimator_passes_scikit_learn_checks():
    check_estimator(EvidenceCumulativeLogit(), on_skip=None)


@pytest.mark.parametrize("seed", range(5))
def test_cut_points_stay_in_order_with_empty_levels(seed):
    design, level = simulate(12, np.array([0.5, 0.2]), seed)
    level = np.where(level == 3, 5, level)
    priors = {"x0": (0.5, 0.3), "x1": (0.0, 0.3)}
    fitted = EvidenceCumulativeLogit(
        priors, anchor=(-0.3, 0.5), gaps=GAPS, levels=range(6), main_cut=2
    ).fit(design, level)
    assert (np.diff(fitted.intercepts_) < 0).all()
    assert (np.diff(fitted.predict_exceedance(design), axis=1) <= 0).all()


def test_without_data_on_a_column_its_coefficient_keeps_the_prior():
    design, level = simulate(80, np.array([0.6]), 6)
    design = np.column_stack([design, np.zeros(80)])
    priors = {"x0": (0.6, 0.3, 1.0, 0.0), "x1": (0.4, 0.25, 1.0, 0.0)}
    fitted = EvidenceCumulativeLogit(
        priors, anchor=(-0.3, 0.75), gaps=GAPS, main_cut=2, levels=range(6)
    ).fit(design, level)
    published = fitted.components_[0]
    assert published.mean[-1] == pytest.approx(0.4, abs=1e-9)
    assert published.covariance[-1, -1] == pytest.approx(0.25**2, rel=1e-9)


def test_probability_averages_over_the_uncertainty_of_each_row():
    rng = np.random.default_rng(8)
    design = rng.normal(size=(60, 3))
    outcome = (design[:, 0] + rng.logistic(size=60) > 0).astype(int)
    fitted = EvidenceCumulativeLogit().fit(design, outcome)
    far = np.array([[0.3, -8.0, 12.0]])
    served, scaled = fitted.served_[0], (far - fitted.centre_) / fitted.scale_
    mean, variance = served.linear_predictor(scaled), served.variance(scaled)
    draws = mean + np.sqrt(variance) * rng.standard_normal(200_000)
    expected = (1.0 / (1.0 + np.exp(-draws))).mean()
    # the approximation is good to a percentage point; Monte-Carlo error is 0.001
    assert fitted.predict_proba(far)[0, 1] == pytest.approx(expected, abs=0.015)
    unaveraged = 1.0 / (1.0 + np.exp(-mean[0]))
    assert abs(unaveraged - expected) > 0.05


def test_monotone_keeps_the_main_cut_point():
    probability = np.array([[0.4, 0.5, 0.6, 0.1]])
    np.testing.assert_allclose(monotone(probability, 1), [[0.5, 0.5, 0.5, 0.1]])


def test_interval_outcomes_lie_between_their_ends():
    design, level = simulate(150, np.array([0.8]), 11)
    settings = {"gaps": GAPS, "levels": range(6), "main_cut": 2}
    lower = np.where(level == 3, 1, level)
    exact = EvidenceCumulativeLogit(**settings).fit(design, level)
    censored = EvidenceCumulativeLogit(**settings).fit(design, lower, upper=level)
    pessimist = EvidenceCumulativeLogit(**settings).fit(design, lower)
    cut = 2
    assert pessimist.intercepts_[cut] < censored.intercepts_[cut]
    assert censored.intercepts_[cut] <= exact.intercepts_[cut] + 0.05


def test_places_that_were_checked_before_give_the_same_fit():
    design, level = simulate(120, np.array([0.9, 0.2, 0.0]), 4)
    priors = {"x0": (0.8, 0.5, 1.0, 0.0)}
    one = EvidenceCumulativeLogit(priors, levels=range(6), main_cut=2)
    other = EvidenceCumulativeLogit(priors, levels=range(6), main_cut=2)
    one.fit(design, level, upper=level)
    other.fit_places(design, level, level)
    assert np.array_equal(one.coef_, other.coef_)
    assert np.array_equal(one.predict_proba(design), other.predict_proba(design))


def test_fitted_estimator_holds_no_patient_row():
    design, level = simulate(40, np.array([0.5, -0.5]), 12)
    design = design + 1000.0
    fitted = EvidenceCumulativeLogit().fit(design, level)
    content = pickle.dumps(fitted)
    for row in design:
        for value in row:
            assert np.float64(value).tobytes() not in content


def test_a_column_that_nobody_has_keeps_its_prior_and_moves_no_other():
    slopes = np.array([0.8, -0.6])
    design, level = simulate(150, slopes, seed=8)
    wider = np.insert(design, 1, 0.0, axis=1)
    settings = {"anchor": (0.0, 1.0), "gaps": GAPS, "levels": range(6), "main_cut": 2}
    fits = []
    for X, means in ((design, slopes), (wider, [0.8, 0.3, -0.6])):
        priors = {f"x{k}": (m, 0.5, 1.0, 0.0) for k, m in enumerate(means)}
        fits.append(
            EvidenceCumulativeLogit(
                priors, components="published", cut_specific_from=1000, **settings
            ).fit(X, level)
        )
    narrow, wide = (fit.served_[2] for fit in fits)
    assert wide.coefficients[1] == 0.3
    assert wide.covariance[2, 2] == pytest.approx(0.25)
    kept = [0, 1, 3]
    assert_allclose(wide.coefficients[[0, 2]], narrow.coefficients, atol=1e-8)
    assert_allclose(wide.covariance[np.ix_(kept, kept)], narrow.covariance, atol=1e-8)
    evidence = [fit.components_[0].log_evidence for fit in fits]
    assert evidence[0] == pytest.approx(evidence[1])


def test_out_of_fold_comes_close_to_fitting_every_fold_again():
    slopes = np.array([0.8, -0.6, 0.4, 0.0])
    design, level = simulate(300, slopes, seed=5)
    priors = {f"x{k}": (m, 0.5, 1.0, 0.0) for k, m in enumerate(slopes / 2.0)}
    settings = {"anchor": (0.0, 1.0), "gaps": GAPS, "levels": range(6), "main_cut": 2}
    model = EvidenceCumulativeLogit(priors, **settings).fit(design, level)
    fold = np.arange(len(level)) % 5
    folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(5)]
    exact = np.empty(len(level))
    for inside, outside in folds:
        fresh = EvidenceCumulativeLogit(priors, **settings)
        fresh.fit(design[inside], level[inside])
        exact[outside] = fresh.linear_predictor(design[outside])
    moved = exact - model.linear_predictor(design)
    left = exact - model.out_of_fold(design, level, folds)
    # one step makes up nearly all of what leaving a fifth out moves
    assert np.sqrt((left**2).mean()) < 0.2 * np.sqrt((moved**2).mean())


def test_without_intervals_impossible_components_take_no_part():
    design, level = simulate(300, [1.2, -0.8, 0.5], 5)
    centre = np.arange(300) % 4
    level = np.clip(level + (centre == 0), 0, 5)
    X = np.column_stack([design, *(centre == k for k in range(4))]).astype(float)
    priors = {f"x{k}": (m, 0.2, 1.0, 0.0) for k, m in enumerate((0.7, -0.5, 0.3))}
    whole, lean = (
        EvidenceCumulativeLogit(
            priors, gaps=GAPS, main_cut=2, n_centres=4, with_intervals=wide
        ).fit(X, level)
        for wide in (True, False)
    )
    kept = {(p.prior.name, p.prior.centre_sd) for p in lean.components_}
    assert len(kept) < len(whole.components_)
    lost = sum(
        p.weight
        for p in whole.components_
        if (p.prior.name, p.prior.centre_sd) not in kept
    )
    assert lost < 1e-3
    assert_allclose(lean.coef_, whole.coef_, atol=1e-3)


def test_out_of_fold_leaves_each_patient_out():
    design, level = simulate(60, np.array([1.0]), 13)
    fitted = EvidenceCumulativeLogit(gaps=GAPS, main_cut=2, levels=range(6))
    fitted.fit(design, level)
    index = np.arange(60)
    folds = [(index[index % 5 != k], index[index % 5 == k]) for k in range(5)]
    left_out = fitted.out_of_fold(design, level, folds)
    flipped = level.copy()
    flipped[0] = 5 - flipped[0]
    again = fitted.out_of_fold(design, flipped, folds)
    assert again[0] == pytest.approx(left_out[0], abs=1e-6)
    assert abs(again[1] - left_out[1]) > 1e-4
