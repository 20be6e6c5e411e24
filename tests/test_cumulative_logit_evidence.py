"""What the evidence-informed estimator makes of evidence that is right or wrong."""

import numpy as np
import pytest

from ordinal import CUTS, GAPS, simulate
from responder_model.cumulative_logit import EvidenceCumulativeLogit
from responder_model.cumulative_logit.components import is_published, robust_priors
from responder_model.cumulative_logit.conflict import column_p_values
from responder_model.cumulative_logit.discrepancy import (
    estimate_discrepancy,
    interaction_kernel,
)
from responder_model.cumulative_logit.fitting import fit_components
from responder_model.cumulative_logit.likelihood import (
    Observations,
)
from responder_model.cumulative_logit.mixture import collapse


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
    *same, weak, unknown = firm.components_
    assert sum(part.prior.weight for part in firm.components_) == pytest.approx(1.0)
    for left, right in zip(plain.components_, same, strict=True):
        centred = not is_published(left.prior.name)
        assert right.prior.mean[5] == pytest.approx(0.9 if centred else 1.2)
        assert right.prior.sd[5] >= 0.3 - 1e-12
        np.testing.assert_array_equal(left.prior.mean[6:], right.prior.mean[6:])
        np.testing.assert_array_equal(left.prior.sd[6:], right.prior.sd[6:])
    for part, sd in ((weak, 0.25), (unknown, np.hypot(0.3, 0.9 * 1.2))):
        assert not is_published(part.prior.name)
        assert part.prior.mean[5] == pytest.approx(0.1 * 1.2)
        assert part.prior.sd[5] == pytest.approx(sd)
        assert (part.prior.mean[6:] == 0.0).all()


def test_firm_columns_are_doubted_where_they_say_nothing_and_only_there():
    priors = {"x0": (1.2, 0.3, 1.0, 0.0), "x1": (-0.8, 0.3, 1.0, 0.0)}
    weights = []
    for slope in (0.0, 1.2):
        design, level = simulate(193, np.array([slope, 0.0]), 3)
        firm = EvidenceCumulativeLogit(priors, gaps=GAPS, main_cut=2, firm=["x0"])
        *_, weak, unknown = firm.fit(design, level).components_
        weights.append(weak.weight + unknown.weight)
    before = weak.prior.weight + unknown.prior.weight
    assert weights[0] > 5 * before
    assert weights[1] < before / 2


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
