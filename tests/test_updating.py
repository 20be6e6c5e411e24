"""Updates: what they keep, and what order, seed and conflict do."""

from dataclasses import replace

import numpy as np
import pytest

from responder_model.artifact import digest_of, load_model, save_model
from responder_model.development import develop, update
from responder_model.development.updating import posterior_of
from responder_model.errors import DevelopmentError
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort

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


def test_update_takes_the_trees_of_as_many_new_patients(cohort, model):
    others = simulate_cohort(240, 8, non_completers=0.0)
    newer = update(model, others)
    assert newer.pool.trees != model.pool.trees


def test_update_says_that_patients_conflict_with_the_model(tmp_path):
    """Effects twice as large as those of 400 patients, with the other sign."""
    from responder_model.simulation.truth import draw_truth

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
    assert load_model(tmp_path / "half").settings.power == 0.5
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


def test_posterior_of_a_power_keeps_means_and_widens(model):
    whole, half = posterior_of(model), posterior_of(model, 0.5)
    for one, other in zip(whole, half, strict=True):
        np.testing.assert_array_equal(one.mean, other.mean)
        np.testing.assert_allclose(other.sd, np.sqrt(2.0) * one.sd)
    assert sum(one.weight for one in half) == pytest.approx(1.0)


@pytest.mark.parametrize("power", [0.0, -0.5, 1.5, True])
def test_update_refuses_a_power_that_is_none(cohort, model, power):
    with pytest.raises(DevelopmentError, match="power must be a number above 0"):
        update(model, part(cohort, slice(220, 260)), power=power)
