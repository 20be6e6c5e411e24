"""The evidence-informed estimator against other implementations."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from statsmodels.miscmodels.ordinal_model import OrderedModel

from ordinal import GAPS, simulate
from responder_model.cumulative_logit import EvidenceCumulativeLogit
from responder_model.cumulative_logit.components import robust_priors
from responder_model.cumulative_logit.fitting import fit_components
from responder_model.cumulative_logit.likelihood import (
    Observations,
    intercepts,
)

REFERENCE = Path(__file__).parent / "reference"


def reference_data():
    table = np.loadtxt(
        REFERENCE / "cumulative_logit_data.csv", delimiter=",", skiprows=1
    )
    return table[:, :3], table[:, 3].astype(int)


def reference_rows(source):
    with (REFERENCE / "cumulative_logit.csv").open() as lines:
        return [row for row in csv.DictReader(lines) if row["source"] == source]


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
