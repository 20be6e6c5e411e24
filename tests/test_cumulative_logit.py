"""The evidence-informed estimator against other implementations and by properties."""

import csv
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.utils.estimator_checks import check_estimator
from statsmodels.miscmodels.ordinal_model import OrderedModel

from responder_model.cumulative_logit import EvidenceCumulativeLogit
from responder_model.cumulative_logit.components import is_published, robust_priors
from responder_model.cumulative_logit.conflict import column_p_values
from responder_model.cumulative_logit.discrepancy import (
    estimate_discrepancy,
    interaction_kernel,
)
from responder_model.cumulative_logit.earlier import Earlier
from responder_model.cumulative_logit.fitting import fit_components
from responder_model.cumulative_logit.likelihood import (
    Observations,
    derivatives,
    intercept_jacobian,
    intercepts,
)
from responder_model.cumulative_logit.mixture import collapse, collapse_at, weigh
from responder_model.cumulative_logit.served import monotone

REFERENCE = Path(__file__).parent / "reference"
CUTS = np.array([-1.3, -0.6, 0.0, 1.05, 2.2])
GAPS = tuple(np.diff(CUTS))


def reference_data():
    table = np.loadtxt(
        REFERENCE / "cumulative_logit_data.csv", delimiter=",", skiprows=1
    )
    return table[:, :3], table[:, 3].astype(int)


def reference_rows(source):
    with (REFERENCE / "cumulative_logit.csv").open() as lines:
        return [row for row in csv.DictReader(lines) if row["source"] == source]


def simulate(n, slopes, seed):
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(n, len(slopes)))
    latent = design @ slopes - 0.3 + rng.logistic(size=n)
    return design, np.searchsorted(CUTS, latent)


def flat(**settings):
    """An estimator whose priors say nothing."""
    priors = {f"x{k}": (0.0, 1e4, 1.0, 0.0) for k in range(3)}
    return EvidenceCumulativeLogit(
        priors, anchor=(0.0, 1e4), components="published", **settings
    )


def posterior_mode(estimator):
    return estimator.components_[0].mean


def test_flat_priors_match_polr():
    # tests/reference/cumulative_logit.R: MASS::polr
    design, level = reference_data()
    fitted = flat(gaps=GAPS, gap_sd=1e4, main_cut=2, cut_specific_from=10**6)
    fitted.fit(design, level)
    rows = reference_rows("polr")
    expected = {row["name"]: float(row["value"]) for row in rows}
    mode = posterior_mode(fitted)
    np.testing.assert_allclose(
        mode[5:], [expected[f"x{k}"] for k in range(3)], rtol=0, atol=2e-6
    )
    np.testing.assert_allclose(
        intercepts(mode[None], 5, 2)[0],
        [expected[f"cut{j}"] for j in range(5)],
        rtol=0,
        atol=2e-6,
    )
    errors = np.sqrt(np.diag(fitted.components_[0].covariance))[5:]
    np.testing.assert_allclose(
        errors, [float(row["se"]) for row in rows[:3]], rtol=1e-4
    )


def test_flat_priors_match_ordered_model():
    design, level = reference_data()
    fitted = flat(gaps=GAPS, gap_sd=1e4, main_cut=1, cut_specific_from=10**6)
    fitted.fit(design, level)
    peer = OrderedModel(level, design, distr="logit").fit(
        method="bfgs", disp=False, gtol=1e-9, maxiter=500
    )
    np.testing.assert_allclose(
        posterior_mode(fitted)[5:], peer.params[:3], rtol=0, atol=1e-6
    )


def test_binary_outcome_matches_lrm():
    # tests/reference/cumulative_logit.R: rms::lrm
    design, level = reference_data()
    fitted = flat().fit(design, (level > 2).astype(int))
    expected = [float(row["value"]) for row in reference_rows("lrm")]
    np.testing.assert_allclose(posterior_mode(fitted), expected, rtol=0, atol=1e-6)


def test_gaussian_priors_match_an_independent_optimiser():
    design, level = simulate(60, np.array([0.7, -0.4, 0.0]), 1)
    mean, sd = np.array([0.5, 0.1, -0.2]), np.array([0.3, 0.2, 0.5])
    priors = {f"x{k}": (mean[k], sd[k], 1.0, 0.0) for k in range(3)}
    fitted = EvidenceCumulativeLogit(
        priors,
        anchor=(-0.3, 0.75),
        gaps=GAPS,
        levels=range(6),
        main_cut=2,
        components="published",
    ).fit(design, level)

    def loss(parameters):
        # written with level probabilities and cut points, not with edges
        gaps = np.exp(parameters[1:5])
        upper = -parameters[0] + np.concatenate([[0.0], np.cumsum(gaps[2:])])
        lower = -parameters[0] - np.cumsum(gaps[1::-1])[::-1]
        cut = np.concatenate([[-np.inf], lower, upper, [np.inf]])
        below = expit(cut[None] - (design @ parameters[5:])[:, None])
        probability = np.diff(below, axis=1)[np.arange(len(level)), level]
        centre = np.concatenate([[-0.3], np.log(GAPS), mean])
        spread = np.concatenate([[0.75], np.full(4, 0.35), sd])
        penalty = 0.5 * (((parameters - centre) / spread) ** 2).sum()
        return penalty - np.log(probability).sum()

    start = np.concatenate([[-0.3], np.log(GAPS), mean])
    peer = minimize(loss, start, method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(posterior_mode(fitted), peer.x, rtol=0, atol=2e-5)


def test_evidence_and_moments_match_brute_force_integration():
    design, level = simulate(25, np.array([0.9]), 2)
    outcome = (level > 2).astype(int)
    a, b = np.meshgrid(np.linspace(-4, 4, 401), np.linspace(-3, 4, 401), indexing="ij")
    eta = a[..., None] + b[..., None] * design[:, 0]
    log_likelihoods = (outcome * eta - np.logaddexp(0, eta)).sum(-1)

    def integrate(mean, sd):
        log_prior = -0.5 * (((a + 0.3) / 0.75) ** 2 + ((b - mean) / sd) ** 2)
        log_prior -= np.log(2 * np.pi * 0.75 * sd)
        density = np.exp(log_likelihoods + log_prior)
        mass = density.sum()
        cell = (8 / 400) * (7 / 400)
        centre = (density * b).sum() / mass
        return np.log(mass * cell), centre, (density * (b - centre) ** 2).sum() / mass

    observations = Observations(
        design=design, lower=outcome, upper=outcome, n_cuts=1, main=0
    )
    priors = robust_priors(
        np.array([0.8]),
        np.array([0.5]),
        1,
        anchor=(-0.3, 0.75),
        gaps=np.empty(0),
        gap_sd=0.35,
    )
    for part in fit_components(observations, priors):
        exact, centre, variance = integrate(part.prior.mean[1], part.prior.sd[1])
        # the error of Laplace is of order 1 / n = 0.04
        assert part.log_evidence == pytest.approx(exact, abs=1.5 / 25)
        assert part.mean[1] == pytest.approx(centre, abs=0.05)
        assert part.covariance[1, 1] == pytest.approx(variance, rel=0.12)


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


def published_weight(fitted):
    parts = [(c.prior.name, c.weight) for c in fitted.components_]
    return sum(weight for name, weight in parts if is_published(name))


def test_effects_that_lie_at_their_published_means_disfavour_the_doubled_sds():
    slopes = np.array([1.0, -0.8, 0.6, 0.5, -0.7, 0.4])
    design, level = simulate(400, slopes, 3)
    priors = {f"x{k}": (m, 0.6, 1.0, 0.0) for k, m in enumerate(slopes)}
    fitted = EvidenceCumulativeLogit(priors, gaps=GAPS, main_cut=2).fit(design, level)
    published, doubled = fitted.components_[:2]
    assert published.prior.weight + doubled.prior.weight == pytest.approx(0.48)
    assert sum(c.prior.weight for c in fitted.components_) == pytest.approx(1.0)
    np.testing.assert_allclose(doubled.prior.sd[5:], published.prior.sd[5:] * 2)
    before = published.prior.weight / doubled.prior.weight
    assert published.weight / doubled.weight > 10 * before


def test_firm_columns_keep_a_positive_mean_in_every_component():
    design, level = simulate(60, np.array([1.0, -0.8]), 3)
    priors = {"x0": (1.2, 0.3, 1.0, 0.0), "x1": (-0.8, 0.3, 1.0, 0.0)}
    plain = EvidenceCumulativeLogit(priors, gaps=GAPS, main_cut=2).fit(design, level)
    firm = EvidenceCumulativeLogit(priors, gaps=GAPS, main_cut=2, firm=["x0"])
    firm.fit(design, level)
    for left, right in zip(plain.components_, firm.components_, strict=True):
        centred = not is_published(left.prior.name)
        assert right.prior.mean[5] == pytest.approx(0.9 if centred else 1.2)
        assert right.prior.sd[5] >= 0.3 - 1e-12
        np.testing.assert_array_equal(left.prior.mean[6:], right.prior.mean[6:])
        np.testing.assert_array_equal(left.prior.sd[6:], right.prior.sd[6:])


def test_firm_columns_must_be_columns_of_priors():
    design, level = simulate(60, np.array([1.0, -0.8]), 3)
    estimator = EvidenceCumulativeLogit({"x0": (1.0, 0.5)}, firm=["x1"])
    with pytest.raises(ValueError, match="firm must name columns of priors"):
        estimator.fit(design, level)


def test_published_weight_rises_with_right_and_falls_with_wrong_evidence():
    slopes = np.array([1.0, -0.8, 0.6])
    design, level = simulate(200, slopes, 7)
    weights = []
    for sign in (1, -1):
        priors = {f"x{k}": (sign * m, 0.2, 1.0, 0.0) for k, m in enumerate(slopes)}
        fitted = EvidenceCumulativeLogit(priors, gaps=GAPS, main_cut=2)
        weights.append(published_weight(fitted.fit(design, level)))
    assert weights[0] > 0.5 > 0.05 > weights[1]


def test_conflict_p_values_are_uniform_when_the_evidence_is_right():
    rng = np.random.default_rng(8)
    found = []
    for _ in range(150):
        slopes = rng.normal([0.4, -0.3], [0.4, 0.3])
        design = rng.normal(size=(80, 2))
        level = np.searchsorted(CUTS, design @ slopes - 0.3 + rng.logistic(size=80))
        priors = {"x0": (0.4, 0.4, 1.0, 0.0), "x1": (-0.3, 0.3, 1.0, 0.0)}
        fitted = EvidenceCumulativeLogit(
            priors, gaps=GAPS, main_cut=2, levels=range(6), components="published"
        )
        found.append(fitted.fit(design, level).prior_conflict()[0])
    # 150 uniforms: share below 0.1 has SE 0.024, mean has SE 0.024
    assert np.mean(np.array(found) < 0.1) == pytest.approx(0.1, abs=4 * 0.025)
    assert np.mean(found) == pytest.approx(0.5, abs=4 * 0.024)


def test_conflict_is_found_when_the_evidence_is_reversed():
    design, level = simulate(120, [-0.9, 0.0], 3)
    priors = {"x0": (0.5, 0.2, 1.0, 0.0), "x1": (0.0, 0.2, 1.0, 0.0)}
    fitted = EvidenceCumulativeLogit(priors, gaps=GAPS, main_cut=2).fit(design, level)
    overall, single = fitted.prior_conflict()
    assert overall < 0.001
    assert single["x0"] < 0.001
    assert single["x1"] > 0.05
    assert column_p_values(np.zeros(1), np.eye(1), ["b"])["b"] == 1.0


def test_conflict_p_value_needs_no_normal_score():
    """Twelve patients, of whom few respond: the size is exact there too."""
    rng = np.random.default_rng(4)
    priors = {"x0": (0.6, 0.5, 1.0, 0.0), "x1": (0.0, 0.5, 1.0, 0.0)}
    found = []
    for _ in range(200):
        slopes = rng.normal([0.6, 0.0], 0.5)
        design = rng.normal(size=(12, 2))
        anchor = rng.normal(-1.5, 0.5)
        yes = (design @ slopes + anchor + rng.logistic(size=12) > 0).astype(int)
        estimator = EvidenceCumulativeLogit(
            priors, anchor=(-1.5, 0.5), components="published", levels=[0, 1]
        )
        found.append(estimator.fit(design, yes).prior_conflict()[0])
    # 200 uniforms: SE 0.015 and 0.021
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=4 * 0.015)
    assert np.mean(found) == pytest.approx(0.5, abs=4 * 0.021)


def test_discrepancy_is_larger_under_interactions():
    def mean_estimate(strength):
        found = []
        for seed in range(12):
            rng = np.random.default_rng(seed)
            design = rng.normal(size=(500, 4))
            eta = design @ [0.5, -0.5, 0.3, 0.0]
            eta = eta + strength * design[:, 0] * design[:, 1]
            level = np.searchsorted(CUTS, eta + rng.logistic(size=500))
            fitted = EvidenceCumulativeLogit(gaps=GAPS, main_cut=2).fit(design, level)
            found.append(fitted.discrepancy_)
        return np.mean(found)

    assert mean_estimate(0.0) < 0.08 < 0.15 < mean_estimate(0.6)


def test_interaction_kernel_is_centred_with_mean_diagonal_one():
    design = np.random.default_rng(9).normal(size=(50, 5))
    kernel = interaction_kernel(design)
    np.testing.assert_allclose(kernel.mean(axis=0), 0.0, atol=1e-12)
    assert np.trace(kernel) / 50 == pytest.approx(1.0)


def test_discrepancy_uses_at_most_a_thousand_patients():
    design, level = simulate(2500, np.array([0.5, 0.1]), 10)
    observations = Observations(
        design=design, lower=level, upper=level, n_cuts=5, main=2
    )
    priors = robust_priors(
        None, None, 2, anchor=(0.0, 5.0), gaps=np.array(GAPS), gap_sd=0.35
    )
    parts = fit_components(observations, priors[:1])
    collapsed = collapse([type(parts[0])(**{**vars(parts[0]), "weight": 1.0})], 2, 5, 2)
    found = estimate_discrepancy(observations, parts[0], collapsed)
    thousand = observations.rows(np.linspace(0, 2499, 1000).astype(int))
    assert found == estimate_discrepancy(thousand, parts[0], collapsed)
    assert found.slopes.information == 0.0


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


def test_unknown_prior_column_is_refused():
    design, level = simulate(20, np.array([0.5]), 14)
    with pytest.raises(ValueError, match="priors must name columns of X, got age"):
        EvidenceCumulativeLogit({"age": (0.0, 1.0)}).fit(design, level)


def test_unknown_level_is_refused():
    design, level = simulate(20, np.array([0.5]), 15)
    with pytest.raises(ValueError, match="y must be one of the levels"):
        EvidenceCumulativeLogit(levels=[0, 1]).fit(design, level)


def test_levels_stand_in_the_order_in_which_they_are_given():
    design, level = simulate(150, np.array([0.8, -0.4]), 16)
    words = np.array(["none", "little", "some", "more", "much", "all"])
    by_word = EvidenceCumulativeLogit(levels=words.tolist()).fit(design, words[level])
    by_number = EvidenceCumulativeLogit(levels=range(6)).fit(design, level)
    assert_allclose(by_word.predict_proba(design), by_number.predict_proba(design))
    assert (by_word.predict(design) == words[by_number.predict(design)]).all()


WORDS = ["none", "mild", "moderate", "severe"]


def ordered_words(seed):
    rng = np.random.default_rng(seed)
    design = pd.DataFrame(rng.normal(size=(120, 2)), columns=["a", "b"])
    level = np.digitize(2 * design["a"] + rng.logistic(size=120), [-1, 0, 1])
    return design, level


@pytest.mark.parametrize("form", [pd.Categorical, pd.Series])
def test_ordered_categorical_keeps_its_order(form):
    design, level = ordered_words(1)
    outcome = form(pd.Categorical.from_codes(level, WORDS, ordered=True))
    by_word = EvidenceCumulativeLogit().fit(design, outcome)
    by_code = EvidenceCumulativeLogit().fit(design, level)
    assert by_word.classes_.tolist() == WORDS
    assert_allclose(by_word.coef_, by_code.coef_)
    words = np.array(WORDS)[by_code.predict(design)]
    assert (by_word.predict(design) == words).all()


def test_ordered_categorical_keeps_a_level_that_nobody_has():
    design, level = ordered_words(2)
    lacking = pd.Series(pd.Categorical.from_codes(level, WORDS, ordered=True))
    some = (level != 1) & (np.arange(120) < 90)
    fitted = EvidenceCumulativeLogit().fit(design[some], lacking[some])
    by_code = EvidenceCumulativeLogit(levels=range(4)).fit(design[some], level[some])
    assert fitted.predict_proba(design).shape == (120, 4)
    assert_allclose(fitted.coef_, by_code.coef_)


def test_levels_that_are_given_win_over_declared_ones():
    design, level = ordered_words(3)
    outcome = pd.Categorical.from_codes(level, WORDS, ordered=True)
    turned = EvidenceCumulativeLogit(levels=WORDS[::-1]).fit(design, outcome)
    assert turned.classes_.tolist() == WORDS[::-1]
    assert turned.coef_[0] < 0.0


def test_missing_outcome_of_an_ordered_categorical_is_refused():
    design, level = ordered_words(4)
    outcome = pd.Series(pd.Categorical.from_codes(level, WORDS, ordered=True))
    outcome[3] = None
    with pytest.raises(ValueError, match="NaN"):
        EvidenceCumulativeLogit().fit(design, outcome)


@pytest.mark.parametrize("ordered", ["array", "categorical"])
def test_words_without_an_order_are_warned_of(ordered):
    design, level = ordered_words(5)
    words = np.array(WORDS)[level]
    outcome = words if ordered == "array" else pd.Series(pd.Categorical(words))
    with pytest.warns(UserWarning, match="y must have an order, got 4 words.*`levels`"):
        EvidenceCumulativeLogit().fit(design, outcome)


def test_two_words_and_numbers_are_no_reason_to_warn():
    design, level = ordered_words(6)
    EvidenceCumulativeLogit().fit(design, np.where(level > 1, "yes", "no"))
    EvidenceCumulativeLogit().fit(design, level)


def test_main_cut_above_the_last_cut_point_is_refused():
    design, level = ordered_words(7)
    with pytest.raises(ValueError, match="main_cut must be a whole number from 0 to 2"):
        EvidenceCumulativeLogit(main_cut=3).fit(design, level)
    few = level < 2
    with pytest.raises(ValueError, match="give `levels` if y lacks one"):
        EvidenceCumulativeLogit(main_cut=1).fit(design[few], level[few])
    whole = EvidenceCumulativeLogit(main_cut=1, levels=range(4))
    assert whole.fit(design[few], level[few]).main_ == 1


def test_columns_with_names_in_parts_are_refused():
    design, level = ordered_words(8)
    parts = design.set_axis(pd.MultiIndex.from_product([["c"], design]), axis=1)
    with pytest.raises(ValueError, match="single name for each column"):
        EvidenceCumulativeLogit().fit(parts, level)
    fitted = EvidenceCumulativeLogit().fit(design, level)
    with pytest.raises(ValueError, match="single name for each column"):
        fitted.predict_proba(parts)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"levels": [0, 1, 1]}, "levels must differ"),
        ({"components": "all"}, "components must be one of robust, published, zero"),
        ({"components": "published"}, "priors must be given"),
        ({"priors": [(0.0, 1.0)]}, "priors must be None or map columns"),
        ({"priors": {"x0": (0.5, 0.0)}}, "priors must be .*sd and scale > 0"),
        ({"priors": {"x0": (np.nan, 1.0)}}, "priors must be"),
        ({"priors": {"x0": (0.5, 1.0, -2.0)}}, "priors must be"),
        ({"priors": {"x0": 0.5}}, "priors must be"),
        ({"anchor": (0.0, 0.0)}, "anchor must be"),
        ({"anchor": 0.0}, "anchor must be"),
        ({"gaps": [1.0]}, "gaps must be 0 numbers"),
        ({"gap_sd": 0.0}, "gap_sd must be a number above 0"),
        ({"main_cut": -1}, "main_cut must be a whole number from 0"),
        ({"served_cuts": [1]}, "served_cuts must be cut points from 0 to 0"),
        (
            {"earlier": Earlier(components=(), at_cuts={})},
            "earlier must hold at least one component",
        ),
    ],
)
def test_parameters_that_no_fit_can_start_from_are_refused(settings, message):
    design, level = simulate(30, np.array([0.5]), 17)
    with pytest.raises(ValueError, match=message):
        EvidenceCumulativeLogit(**settings).fit(design, (level > 2).astype(int))


@pytest.mark.parametrize("gaps", [[1.0, 0.0], [1.0, -1.0], [1.0, np.nan], [1.0], 1.0])
def test_gaps_must_be_positive_and_one_between_two_cut_points(gaps):
    design, level = simulate(60, np.array([0.5]), 18)
    with pytest.raises(ValueError, match="gaps must be 2 numbers above 0"):
        EvidenceCumulativeLogit(gaps=gaps).fit(design, np.minimum(level, 3))


@pytest.mark.parametrize("upper", [np.zeros(60, dtype=int), [1, 2]])
def test_upper_level_below_the_lower_or_of_others_is_refused(upper):
    design, level = simulate(60, np.array([0.5]), 19)
    with pytest.raises(ValueError, match="upper must be one level for each outcome"):
        EvidenceCumulativeLogit(levels=range(6)).fit(design, level, upper=upper)


def test_linear_predictor_of_no_cut_point_is_refused():
    design, level = simulate(60, np.array([0.5]), 20)
    fitted = EvidenceCumulativeLogit(levels=range(6)).fit(design, level)
    with pytest.raises(ValueError, match="cut must be from 0 to 4, got 5"):
        fitted.linear_predictor(design, cut=5)


def test_constant_of_many_digits_says_nothing_about_other_values():
    """Its SD is rounding error; a new value must not lie thousands of SDs away."""
    design, level = simulate(60, np.array([0.5]), 21)
    constant = np.full((60, 1), 123456.789)
    fitted = EvidenceCumulativeLogit().fit(np.hstack([design, constant]), level)
    moved = fitted.predict_proba(np.hstack([design, constant + 0.25]))
    expected = fitted.predict_proba(np.hstack([design, constant]))
    assert_allclose(moved, expected, atol=0.01)


def test_units_of_a_column_do_not_matter():
    design, level = simulate(80, np.array([0.8, -0.4]), 22)
    units = np.array([1e-14, 1e14])
    expected = EvidenceCumulativeLogit().fit(design, level).predict_proba(design)
    scaled = EvidenceCumulativeLogit().fit(design * units, level)
    assert_allclose(scaled.predict_proba(design * units), expected, atol=1e-9)
