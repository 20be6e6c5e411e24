"""An update for patients who may differ from the earlier ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import responder_model as rm
from responder_model.cumulative_logit.components import Prior
from responder_model.cumulative_logit.earlier import Earlier
from responder_model.cumulative_logit.fitting import fit_at_cuts, fit_mixture
from responder_model.cumulative_logit.likelihood import Observations
from responder_model.cumulative_logit.mixture import Component, weigh
from responder_model.development.changing import (
    GRID,
    merged,
    that_may_change,
    what_changed,
)
from responder_model.simulation import draw_truth, simulate_cohort
from responder_model.validation.resampling import procedure_of

SETTINGS = rm.Settings(
    decision="rtms_response", moment="screening", challenger=False, centres="ignored"
)


@pytest.fixture(scope="module")
def truth():
    return draw_truth("rtms_response", "right", np.random.default_rng(8))


def cohort(n, seed, truth):
    return simulate_cohort(n, seed, truth=truth, n_implanted=0, symptom_recorded=False)


@pytest.fixture(scope="module")
def old(truth):
    return rm.develop(cohort(193, 1, truth), settings=SETTINGS)


def share(model, kind):
    (note,) = [n for n in model.notes if n.code == "development.changed"]
    return note.values[kind]


def test_each_prior_is_tried_with_each_change():
    priors = [
        Prior(name=name, mean=np.ones(6), sd=np.ones(6), weight=w, centre_sd=0.3)
        for name, w in (("a", 0.6), ("b", 0.3999), ("c", 0.0001))
    ]
    bends = np.array([False, False, True])
    tried = that_may_change(priors, 2, bends)
    assert len(tried) == 2 * len(GRID)  # the negligible one is not tried
    assert sum(prior.weight for prior in tried) == pytest.approx(1.0)
    assert np.allclose(tried[0].spread, np.eye(6))
    most = tried[len(GRID) - 1].spread
    assert most[0, 0] == pytest.approx(1.0 + 1.0)
    assert most[1, 1] == 1.0  # gaps between cut-offs stay
    assert most[5, 5] == 1.0  # the level of a centre stays
    assert most[2, 2] == pytest.approx(1.0 + 0.35**2 + 0.6**2)
    assert most[2, 3] == most[2, 4] == pytest.approx(0.6**2)
    assert most[4, 4] == pytest.approx(1.0 + 0.6**2)  # a bend, with the strength alone


def test_priors_of_one_name_change_as_one():
    """Combining makes several of each: mixed as they are, by moments."""
    priors = [
        Prior(name=name, mean=np.full(3, m), sd=np.full(3, 0.5), weight=w)
        for name, m, w in (("a", 0.0, 0.2), ("b", 1.0, 0.5), ("a", 1.0, 0.3))
    ]
    tried = that_may_change(priors, 1, np.zeros(2, dtype=bool))
    assert len(tried) == 2 * len(GRID)
    first = tried[0]
    assert sum(p.weight for p in tried[: len(GRID)]) == pytest.approx(0.5)
    assert np.allclose(first.mean, 0.6)
    assert np.allclose(first.spread, 0.25 * np.eye(3) + 0.4 * 0.6)


def test_merged_components_keep_weight_evidence_and_moments():
    prior = Prior(name="one", mean=np.zeros(2), sd=np.ones(2), weight=1.0)
    tried = that_may_change([prior], 1, np.zeros(1, dtype=bool))
    rng = np.random.default_rng(0)
    fitted = [
        Component(
            prior=p,
            mean=rng.normal(size=2),
            covariance=p.spread,
            log_evidence=float(rng.normal()),
            weight=1.0 / len(tried),
        )
        for p in tried
    ]
    (one,) = merged(fitted)
    assert one.weight == pytest.approx(1.0)
    means = np.array([part.mean for part in fitted])
    assert np.allclose(one.mean, means.mean(axis=0))
    spread = np.mean([part.covariance for part in fitted], axis=0)
    assert np.allclose(one.covariance, spread + np.cov(means.T, bias=True))
    evidence = sum(p.prior.weight * np.exp(p.log_evidence) for p in fitted)
    assert one.log_evidence == pytest.approx(np.log(evidence))


def test_shares_are_the_evidence_of_each_change():
    # one number, level alone: evidence is N(y; 0, 1 + sd² + a²), here by quadrature
    y, sd = 2.0, 0.5
    prior = Prior(name="one", mean=np.zeros(1), sd=np.ones(1), weight=1.0)
    tried = that_may_change([prior], 1, np.zeros(0, dtype=bool))
    weights = []
    for prior in tried:
        spread = float(np.sqrt(prior.spread[0, 0]))
        evidence = quad(
            lambda x, s=spread: norm.pdf(y, x, sd) * norm.pdf(x, 0, s), -9, 9
        )
        weights.append(prior.weight * evidence[0])
    fitted = [
        Component(prior=p, mean=p.mean, covariance=p.spread, log_evidence=0.0, weight=w)
        for p, w in zip(tried, np.array(weights) / sum(weights), strict=True)
    ]
    found = what_changed(fitted)
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["nothing"] < 0.196  # less than before a far value was seen


def test_each_cut_point_believes_the_changes_that_all_levels_show():
    rng = np.random.default_rng(4)
    design = rng.normal(size=(40, 2))
    level = np.digitize(2.0 + design[:, 0] + rng.logistic(size=40), [0.0, 1.5])
    seen = Observations(design=design, lower=level, upper=level, n_cuts=2, main=0)
    straight = np.zeros(2, dtype=bool)

    def tried(n_cuts):
        size = n_cuts + 2
        priors = [
            Prior(name="a", mean=np.zeros(size), sd=np.full(size, 0.3), weight=0.7),
            Prior(name="b", mean=np.ones(size), sd=np.full(size, 0.2), weight=0.3),
        ]
        return that_may_change(priors, n_cuts, straight)

    earlier = Earlier(
        components=tried(2), at_cuts={0: tried(1), 1: tried(1)}, n_changes=len(GRID)
    )
    whole = fit_mixture(seen, earlier.components)
    at_cuts = fit_at_cuts(seen, [0, 1], whole, earlier)
    for parts in at_cuts.values():
        assert what_changed(parts) == pytest.approx(what_changed(whole))
        assert what_changed(weigh(parts)) != pytest.approx(
            what_changed(whole), abs=0.01
        )
        # within a change, as its own outcomes say
        likely = [p.prior.weight * np.exp(p.log_evidence) for p in parts[:: len(GRID)]]
        share = parts[0].weight / (parts[0].weight + parts[len(GRID)].weight)
        assert share == pytest.approx(likely[0] / sum(likely))


def test_another_level_is_found_and_taken(old, truth):
    for shift in (-1.2, 1.2):
        moved = replace(truth, mean=truth.mean + shift)
        new = cohort(120, 5, moved)
        auto, bayes = (rm.update(old, new, method=m) for m in ("auto", "bayes"))
        assert share(auto, "nothing") < 0.05
        told = cohort(300, 6, moved)
        before, sure, free = (
            m.predict_cohort(told).probability.mean() for m in (old, bayes, auto)
        )
        assert np.sign(free - before) == np.sign(shift)
        assert abs(free - before) > abs(sure - before)


def test_without_a_change_the_update_is_nearly_the_exact_one(old, truth):
    new, told = cohort(150, 7, truth), cohort(300, 9, truth)
    auto, bayes = (rm.update(old, new, method=m) for m in ("auto", "bayes"))
    here, there = (m.predict_cohort(told) for m in (auto, bayes))
    assert np.abs(here.probability - there.probability).mean() < 0.05
    assert (here.upper - here.lower).mean() > (there.upper - there.lower).mean()
    assert len(auto.components) <= len(bayes.components)
    again = rm.update(auto, cohort(40, 11, truth), method="auto")
    assert again.n_patients > auto.n_patients


def test_what_changed_is_said_in_both_languages_and_kept(old, truth, tmp_path):
    auto = rm.update(old, cohort(40, 12, truth), method="auto")
    rm.save_model(auto, tmp_path / "newer")
    notes = rm.load_model(tmp_path / "newer").notes
    (note,) = [n for n in notes if n.code == "development.changed"]
    assert note.text("en").startswith("What has changed since the earlier patients")
    assert note.text("fr").startswith("Ce qui a changé depuis")
    kinds = ("nothing", "rate", "strength", "single")
    assert sum(note.values[k] for k in kinds) == pytest.approx(1.0)


def test_internal_validation_repeats_the_update_that_was_made(old, truth):
    new = cohort(40, 12, truth)
    auto, bayes = (rm.update(old, new, method=m) for m in ("auto", "bayes"))
    n, more = (len(procedure_of(m, old).earlier.components) for m in (bayes, auto))
    likely = sum(part.weight > 1e-3 for part in old.components)
    assert (n, more) == (len(old.components), likely * len(GRID))


def test_unknown_method_is_refused(old, truth):
    with pytest.raises(rm.ResponderModelError, match="method must be one of"):
        rm.update(old, cohort(40, 12, truth), method="hope")
