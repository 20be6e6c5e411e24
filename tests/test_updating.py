"""Updates: what they keep, and what order, seed and conflict do."""

from dataclasses import replace

import numpy as np
import pytest

from responder_model.artifact import digest_of, load_model, save_model
from responder_model.artifact.trees import check_trees
from responder_model.challenger import Trees
from responder_model.development import develop, published_model, update
from responder_model.development.updating import earlier_of
from responder_model.errors import DevelopmentError
from responder_model.model.batch import raw_cohort
from responder_model.model.trees import join_pools, read_trees
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort
from responder_model.simulation.truth import draw_truth

LINEAR = Settings(decision="rtms_response", moment="screening", challenger=False)
POOLED = replace(LINEAR, challenger=True)


def part(cohort, rows):
    found = cohort.iloc[rows].reset_index(drop=True)
    found.attrs = dict(cohort.attrs)
    return found


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(260, 3, non_completers=0.0, n_centres=3)


@pytest.fixture(scope="module")
def model(cohort):
    return develop(part(cohort, slice(0, 220)), settings=POOLED)


def test_permuted_rows_give_the_same_folder(cohort):
    order = np.random.default_rng(0).permutation(len(cohort))
    assert digest_of(develop(cohort, settings=POOLED)) == digest_of(
        develop(part(cohort, order), settings=POOLED)
    )


def test_permuted_rows_give_the_same_update(cohort, model):
    new = part(cohort, slice(220, 260))
    turned = part(cohort, slice(259, 219, -1))
    assert digest_of(update(model, new)) == digest_of(update(model, turned))


def test_update_keeps_the_trees_of_more_patients(cohort, model):
    newer = update(model, part(cohort, slice(220, 260)))
    assert newer.pool.trees == model.pool.trees
    share = model.n_patients / newer.n_patients
    assert newer.pool.weight == pytest.approx(share * model.pool.weight)


@pytest.fixture(scope="module")
def two():
    """Two cohorts of one truth that is no sum of effects, and a model of each."""
    truth = draw_truth("rtms_response", "interactions", np.random.default_rng(5))
    cohorts = [
        simulate_cohort(193, seed, truth=truth, non_completers=0.0) for seed in (6, 7)
    ]
    return cohorts, [develop(cohort, settings=POOLED) for cohort in cohorts]


def test_two_orders_of_two_cohorts_agree(two):
    cohorts, models = two
    ab, ba = update(models[0], cohorts[1]), update(models[1], cohorts[0])
    one, other = (m.predict_cohort(cohorts[0]) for m in (ab, ba))
    assert np.abs(one.probability - other.probability).max() <= 0.01
    width = [np.mean(found.upper - found.lower) for found in (one, other)]
    assert width[0] == pytest.approx(width[1], abs=0.01)
    # trees of both stand side by side, each with what it earned beside its own cohort
    weights = [model.pool.weight for model in models]
    assert ab.pool.weight == pytest.approx(np.mean(weights), abs=0.01)


def test_joint_pool_adds_what_its_pools_add(two):
    cohorts, models = two
    shares = [replace(m.pool, weight=m.pool.weight / 2.0) for m in models]
    joined, encoder = join_pools(shares), models[0].encoder
    check_trees(joined.trees, encoder)
    raw = raw_cohort(encoder, cohorts[0])
    for read in (read_trees, Trees.from_json):
        apart = [
            p.weight * (p.offset + p.slope * read(p.trees, encoder).margin(raw))
            for p in shares
        ]
        margin = joined.offset + joined.slope * read(joined.trees, encoder).margin(raw)
        np.testing.assert_allclose(joined.weight * margin, sum(apart), atol=1e-5)


@pytest.mark.parametrize(("first", "then"), [(60, 39), (193, 193), (150, 1)])
def test_update_is_like_developing_on_both(first, then):
    """Without trees, and with all categories learned: what few had is left out.

    From 100 patients on effects may bend, in an update only if in its model.
    """
    alone = replace(LINEAR, small_cells=0, stays_here=True)
    cohort = simulate_cohort(first + then, 11, non_completers=0.0)
    model = develop(part(cohort, slice(0, first)), settings=alone)
    newer = update(model, part(cohort, slice(first, None)))
    joint = develop(cohort, settings=alone)
    gap = newer.predict_cohort(cohort).probability
    gap = gap - joint.predict_cohort(cohort).probability
    assert np.abs(gap).max() <= 0.02


@pytest.mark.parametrize("seed", [1, 3])
def test_development_is_an_update_of_the_published_model(seed):
    """Seed 3 has so few responders that its patients move the level alone.

    A column that a few decide is filled in two ways, which are one at its mean.
    """
    cohort, others = simulate_cohort(25, seed), simulate_cohort(200, 100 + seed)
    developed = develop(cohort, settings=LINEAR)
    updated = update(published_model("rtms_response", "screening"), cohort)
    for name in ("probability", "lower", "upper"):
        gap = developed.predict_cohort(others)[name]
        gap = gap - updated.predict_cohort(others)[name]
        assert np.abs(gap).max() <= 1e-4


def test_new_patients_as_expected_do_not_widen_intervals(tmp_path):
    """One cohort's ratio of widths has an SD of 0.006 around 1; 1.03 was the fault."""
    ratios = []
    for seed in (4, 5, 6):
        truth = draw_truth("rtms_response", "right", np.random.default_rng(seed))
        cohort = simulate_cohort(412, seed, truth=truth, non_completers=0.0)
        model = develop(part(cohort, slice(0, 400)), settings=LINEAR)
        save_model(model, tmp_path / f"{seed}")
        newer = update(load_model(tmp_path / f"{seed}"), part(cohort, slice(400, None)))
        widths = [m.predict_cohort(cohort) for m in (model, newer)]
        widths = [np.mean(found.upper - found.lower) for found in widths]
        ratios.append(widths[1] / widths[0])
        now, before = newer.missed.interactions, model.missed.interactions
        assert now.information >= before.information
    assert np.mean(ratios) <= 1.01


@pytest.mark.parametrize("n", [1, 7])
def test_update_takes_few_patients_of_one_class(cohort, model, n):
    new = part(cohort, slice(220, 260))
    new = part(new, np.flatnonzero(~new["rtms_responder"].astype(bool))[:n])
    assert update(model, new).n_patients == model.n_patients + n


def test_update_says_that_patients_conflict_with_the_model(tmp_path):
    """Effects twice as large as those of 400 patients, with the other sign."""
    truth = draw_truth("rtms_response", "right", np.random.default_rng(4))
    reversed_ = replace(truth, slopes=-2.0 * truth.slopes)
    first, same, other = (
        simulate_cohort(n, seed, truth=one, non_completers=0.0)
        for n, seed, one in ((400, 1, truth), (150, 2, truth), (150, 3, reversed_))
    )
    model = develop(first, settings=LINEAR)
    said = "development.conflict"
    assert not any(note.code == said for note in update(model, same).notes)
    newer = update(model, other)
    (note,) = [note for note in newer.notes if note.code == said]
    assert note.values["p"] == newer.performance.prior_conflict_p_value
    half = update(model, other, power=0.5)
    save_model(half, tmp_path / "half")
    kept = load_model(tmp_path / "half")
    assert kept.settings.power == 0.5
    # whoever has given a power is not told to give one
    (note,) = [note for note in kept.notes if note.code.startswith(said)]
    assert note.code == "development.conflict_still"
    assert "counts for less here" in note.text("en")
    # the less the earlier patients count, the nearer to the new ones alone
    alone = develop(other, settings=LINEAR)
    far, near = (
        np.abs(
            m.predict_cohort(other).probability
            - alone.predict_cohort(other).probability
        )
        for m in (newer, half)
    )
    assert near.mean() < far.mean()


def test_earlier_of_a_power_keeps_means_and_widens(model):
    whole, half = earlier_of(model), earlier_of(model, 0.5)
    pairs = [(whole.components, half.components)]
    pairs += [(whole.at_cuts[cut], half.at_cuts[cut]) for cut in whole.at_cuts]
    for ones, others in pairs:
        for one, other in zip(ones, others, strict=True):
            np.testing.assert_array_equal(one.mean, other.mean)
            np.testing.assert_allclose(other.sd, np.sqrt(2.0) * one.sd)
        assert sum(one.weight for one in others) == pytest.approx(1.0)
    assert half.missed == whole.missed.times(0.5)


@pytest.mark.parametrize("power", [0.0, -0.5, 1.5, True])
def test_update_refuses_a_power_that_is_none(cohort, model, power):
    with pytest.raises(DevelopmentError, match="power must be a number above 0"):
        update(model, part(cohort, slice(220, 260)), power=power)


def test_rounding_in_a_direction_without_variance_moves_no_population():
    """All categories of one predictor are singular; a file rounds that to 1e-14."""
    population = published_model("rtms_response", moment="screening").population
    size = len(population.mean)
    kept = np.setdiff1d(np.arange(size), [0, size - 1])
    square = np.ix_(kept, kept)
    found = replace(
        population,
        mean=population.mean[kept],
        covariance=population.covariance[square] + 0.01 * np.eye(len(kept)),
    )
    exact = found.extended(population, kept).covariance
    for seed in range(5):
        noise = 1e-14 * np.random.default_rng(seed).normal(size=(size, size))
        rounded = replace(
            population, covariance=population.covariance + noise + noise.T
        )
        again = found.extended(rounded, kept).covariance
        np.testing.assert_allclose(again, exact, atol=1e-9)
