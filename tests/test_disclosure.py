"""The rule of small cells: what a model may hold of its patients."""

import json

import numpy as np
import pandas as pd
import pytest

from disclosed import RTMS, SETTINGS, patients
from responder_model.artifact import (
    load_model,
    save_model,
)
from responder_model.challenger import Trees, fit_trees
from responder_model.development import develop, published_model
from responder_model.disclosure import (
    columns_left_out,
    merge_levels,
)
from responder_model.disclosure.contrasts import _numbers_differ_in_few
from responder_model.errors import DevelopmentError
from responder_model.features import Encoder, Population, is_curve
from responder_model.model.disclosed import describe_disclosure
from responder_model.settings import Settings


def small_encoder():
    return Encoder.for_decision("emcs_success", "implantation")


def design(n=60, seed=0):
    encoder = small_encoder()
    z = np.full((n, len(encoder.columns)), 0.0)
    z += np.random.default_rng(seed).normal(size=z.shape)
    for k, column in enumerate(encoder.columns):
        if column.weights:
            z[:, k] = 0.0
    return encoder, z


def positions(encoder, *names):
    all_names = [column.name for column in encoder.columns]
    return [all_names.index(name) for name in names]


def test_columns_left_out_are_those_of_fewer_than_k():
    encoder, z = design()
    four, five = positions(encoder, "motor_deficit=mild", "motor_deficit=marked")
    z[:4, four] = z[10:15, five] = 1.0
    left_out = columns_left_out(z, encoder, 5)
    assert left_out[four]
    assert not left_out[five]


def test_columns_left_out_hold_numbers_that_few_have():
    encoder, z = design()
    (number,) = positions(encoder, "sham_relief")
    z[4:, number] = np.nan
    assert columns_left_out(z, encoder, 5)[number]
    z[:, number] = np.random.default_rng(1).normal(size=60)
    assert not columns_left_out(z, encoder, 5)[number]


def test_columns_left_out_hold_one_of_two_that_differ_in_few():
    encoder, z = design()
    one, other = positions(encoder, "motor_deficit=marked", "aetiology=amputation")
    z[:20, one] = z[:22, other] = 1.0
    left_out = columns_left_out(z, encoder, 5)
    assert left_out[[one, other]].tolist() == [True, False]
    z[:, other] = 1.0 - z[:, other]
    assert columns_left_out(z, encoder, 5)[[one, other]].sum() == 1


def test_columns_left_out_hold_what_the_other_categories_tell():
    encoder, z = design()
    names = "motor_deficit=none", "motor_deficit=mild", "motor_deficit=marked"
    none, mild, marked = positions(encoder, *names)
    z[:30, none] = z[30:58, mild] = z[58:, marked] = 1.0
    left_out = columns_left_out(z, encoder, 5)
    # whoever has neither of the first two is one of two patients
    assert left_out[marked]
    assert left_out[[none, mild]].any()


def test_columns_left_out_count_a_copied_patient_once():
    encoder, z = design()
    (k,) = positions(encoder, "motor_deficit=marked")
    z[:6, k] = 1.0
    groups = np.r_[[0] * 6, np.arange(1, 55)]
    assert not columns_left_out(z, encoder, 5)[k]
    assert columns_left_out(z, encoder, 5, groups)[k]


def test_columns_left_out_leave_fewer_columns_than_patients():
    encoder, z = design(n=12)
    assert (~columns_left_out(z, encoder, 5)).sum() <= 7
    assert not columns_left_out(z, encoder, 0).any()


@pytest.mark.parametrize("seed", range(20))
def test_merged_levels_leave_k_patients_of_each_outcome(seed):
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 6, rng.integers(12, 60))
    upper = np.minimum(level + rng.integers(0, 2, len(level)), 5)
    merged = merge_levels(level, upper, n_cuts=5, main=2, k=5)
    used = ~merged.left_out
    assert (merged.lower <= level).all()
    assert (merged.upper >= upper).all()
    pairs = list(zip(merged.lower[used], merged.upper[used], strict=True))
    few = {pair for pair in pairs if pairs.count(pair) < 5}
    # yes and no are never merged: fewer of one than five is the caller's to judge
    assert few <= {(0, 2), (3, 5)}
    assert ((merged.lower > 2) == (level > 2)).all()
    assert ((merged.upper <= 2) == (upper <= 2)).all()


def test_nothing_but_the_level_is_learned_of_few_events():
    cohort = patients(RTMS, 60, 2)
    events = cohort.index[cohort["rtms_responder"].astype(bool)]
    few = cohort.drop(index=events[3:])
    model = develop(few, settings=SETTINGS[RTMS])
    assert set(model.disclosure.contrasts_left_out) == {
        column.name for column in model.encoder.columns
    }
    prior = published_model(*RTMS)
    bends = np.array([is_curve(name) for name in model.encoder.derived])
    coefficients = model.components[0].mean[5:]
    np.testing.assert_allclose(
        coefficients[~bends], prior.components[0].mean[5:], atol=1e-9
    )
    np.testing.assert_allclose(coefficients[bends], 0.0, atol=1e-9)


def test_columns_left_out_hold_a_number_that_copies_another_in_all_but_one():
    encoder, z = design()
    one, other = positions(encoder, "relief_maintenance", "relief_test")
    first, second = encoder.columns[one], encoder.columns[other]
    value = np.round(np.random.default_rng(2).normal(size=60) * 20)
    z[:, one] = (value - first.centre) / first.scale
    z[:, other] = (np.r_[90.0, value[1:]] - second.centre) / second.scale
    assert columns_left_out(z, encoder, 5)[[one, other]].sum() == 1
    z[:, other] = (value - second.centre) / second.scale
    assert not columns_left_out(z, encoder, 5)[[one, other]].any()


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("seed", range(6))
def test_numbers_whose_sum_is_the_same_in_all_but_few_are_found(seed, sign):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 9, (90, 4)).astype(float)
    differing = rng.integers(3, 7)
    numbers[:, 3] = 5.0 - sign * numbers[:, 1]
    numbers[rng.choice(90, differing, replace=False), 3] += 0.5
    known = np.ones((90, 4), dtype=bool)
    # they need not be known together of most, nor of the first
    known[rng.random((90, 4)) < 0.1 * seed] = False
    both = known[:, [1, 3]].all(axis=1)
    parted = (numbers[both, 3] + sign * numbers[both, 1] != 5.0).sum()
    found = _numbers_differ_in_few(np.where(known, numbers, np.nan), 5)
    assert found[1, 3] == found[3, 1] == (0 < parted < 5 < both.sum())
    assert found.sum() == 2 * found[1, 3]


def test_columns_left_out_hold_a_number_that_one_patient_dominates():
    encoder, z = design()
    (number,) = positions(encoder, "sham_relief")
    z[:, number] = 0.0
    z[:6, number] = [0.1, 0.1, 0.2, 0.2, 0.3, 4.0]
    assert columns_left_out(z, encoder, 5)[number]
    z[6:20, number] = 2.0
    assert not columns_left_out(z, encoder, 5)[number]


def test_a_patient_entered_five_times_is_one():
    cohort = patients(RTMS, 60, 0).drop(columns="patient_id")
    alone = cohort["aetiology"].value_counts()
    (row,) = cohort.index[cohort["aetiology"] == alone.index[alone == 1][0]]
    copied = pd.concat([cohort, *[cohort.loc[[row]]] * 4], ignore_index=True)
    model = develop(copied, settings=SETTINGS[RTMS])
    name = f"aetiology={cohort.loc[row, 'aetiology']}"
    assert name in model.disclosure.contrasts_left_out


def test_population_of_a_column_left_out_knows_nothing_of_it():
    encoder = Encoder.for_decision(*RTMS)
    cohort = patients(RTMS, 60, 3)
    z = encoder.encode(encoder.raw(cohort))
    left_out = columns_left_out(z, encoder, 5)
    assert left_out.any()
    found = Population.estimate(z, encoder, left_out=left_out)
    other = z.copy()
    other[:, left_out] = np.random.default_rng(0).normal(size=other[:, left_out].shape)
    again = Population.estimate(other, encoder, left_out=left_out)
    np.testing.assert_array_equal(found.mean, again.mean)
    np.testing.assert_array_equal(found.covariance, again.covariance)
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-9


def test_a_session_that_few_recorded_leaves_the_mean_of_the_others():
    cohort = patients(("rtms_response", "session_2"), 60, 3)
    cohort.loc[3:, "relief_2"] = np.nan
    settings = Settings(decision="rtms_response", moment="session_2", challenger=False)
    model = develop(cohort, settings=settings)
    assert "relief_2" in model.disclosure.contrasts_left_out
    never = develop(cohort.assign(relief_2=np.nan), settings=settings)
    np.testing.assert_allclose(
        model.main.coefficients, never.main.coefficients, atol=0.02
    )


def test_trees_have_no_leaf_and_no_category_of_few():
    cohort = patients(RTMS, 200, 6)
    encoder = Encoder.for_decision(*RTMS)
    raw = encoder.raw(cohort)
    outcome = cohort["rtms_responder"].to_numpy(dtype=float)
    trees = fit_trees(raw, outcome, encoder, seed=0, small_cells=5)
    document = json.loads(trees.to_json())
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        # a patient weighs at most a quarter
        assert min(tree["sum_hessian"]) * 4.0 >= 5.0 - 1e-4
    position = encoder.predictors.index("aetiology")
    counts = np.bincount(raw[:, position].astype(int), minlength=16)
    rare = np.flatnonzero(counts < 5)
    assert rare.size
    missing, given = raw[:1].repeat(len(rare), 0), raw[:1].repeat(len(rare), 0)
    missing[:, position], given[:, position] = np.nan, rare
    np.testing.assert_array_equal(trees.margin(given), trees.margin(missing))
    # what is stored sends them there by itself
    stored = Trees.from_json(trees.to_json(), encoder)
    np.testing.assert_array_equal(stored.margin(given), trees.margin(given))
    np.testing.assert_array_equal(stored.margin(raw), trees.margin(raw))


def test_limits_are_nobodys_extreme():
    for seed in range(6):
        cohort = patients(RTMS, 60, seed)
        model = develop(cohort, settings=SETTINGS[RTMS])
        for name, row in model.limits.numbers.items():
            field = model.encoder.fields[model.encoder.predictors.index(name)]
            values = cohort[name].dropna()
            for bounds in (row.usual, row.widest):
                assert bounds[0] != values.min() or bounds[0] == field.minimum
                assert bounds[1] != values.max() or bounds[1] == field.maximum


def test_settings_refuse_no_rule_in_a_model_that_may_leave():
    with pytest.raises(DevelopmentError, match="--stays-here"):
        Settings(decision="rtms_response", moment="screening", small_cells=0)
    with pytest.raises(DevelopmentError, match="from 3 to 50"):
        Settings(decision="emcs_success", small_cells=2)


def test_disclosure_is_kept_and_said_in_both_languages(tmp_path):
    cohort = patients(RTMS, 60, 0)
    model = load_model(
        save_model(develop(cohort, settings=SETTINGS[RTMS]), tmp_path / "m")
    )
    assert model.disclosure.k == 5
    assert model.disclosure.n == 60
    assert model.disclosure.contrasts_left_out
    notes = describe_disclosure(model)
    english, french = (" ".join(n.text(lang) for n in notes) for lang in ("en", "fr"))
    assert f"{model.disclosure.parameters} numbers learned from 60 patients" in english
    assert f"{model.disclosure.parameters} nombres appris de 60 patients" in french
    card = (tmp_path / "m" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "What it tells of its patients" in card
