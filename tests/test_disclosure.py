"""No patient can be read off a model folder, and none is counted twice."""

import json
import multiprocessing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from in_words import said
from reading_off import (
    from_components,
    from_population,
    from_served,
    outcomes_read,
    singled_out,
)
from responder_model.artifact import (
    digest_of,
    load_model,
    new_signing_key,
    release_model,
    save_model,
    sign_model,
)
from responder_model.challenger import Trees, fit_trees
from responder_model.cohort import outcome_levels
from responder_model.development import develop, published_model, update
from responder_model.disclosure import (
    Disclosure,
    already_in,
    columns_left_out,
    fingerprints_of,
    merge_levels,
)
from responder_model.disclosure.contrasts import _numbers_differ_in_few
from responder_model.disclosure.fingerprints import centre_folder, centre_key
from responder_model.errors import DevelopmentError, DisclosureError
from responder_model.features import Encoder, Population
from responder_model.model.disclosed import describe_disclosure
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort
from responder_model.validation import validate_by_subgroup, validate_externally
from responder_model.words import Note

RTMS = ("rtms_response", "screening")
EMCS = ("emcs_success", "implantation")
SETTINGS = {
    target: Settings(decision=target[0], moment=target[1], challenger=False)
    for target in (RTMS, EMCS)
}


def patients(target, n, seed):
    """Complete patients with a known outcome."""
    ask = 12 * n if target == EMCS else n
    cohort = simulate_cohort(ask, seed, non_completers=0.0, blank_share=0.0)
    known = outcome_levels(cohort, target[0]).observed
    found = cohort[known].iloc[:n].reset_index(drop=True)
    found.attrs = dict(cohort.attrs)
    return found


def records_of(model, cohort):
    z = model.encoder.encode(model.encoder.raw(cohort))
    no_direction = np.zeros((1, z.shape[1]))
    filled = model.population.impute(z, no_direction)[0]
    names = [level.name for level in model.centres]
    own = cohort["centre"].to_numpy()[:, None] == np.array(names, dtype=object)
    return np.hstack([filled, own.reshape(len(z), len(names))])


@pytest.fixture
def centre(tmp_path, monkeypatch):
    """A centre of its own, which has released nothing yet."""
    monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(tmp_path / "centre"))
    return tmp_path / "centre"


# ---------------------------------------------------------------- the attack


@pytest.mark.parametrize("target", [RTMS, EMCS], ids=lambda t: t[0])
@pytest.mark.parametrize("n", [25, 40, 60, 120, 200])
def test_no_record_and_no_outcome_can_be_read_off(target, n):
    check_attack(target, n, n // 5 % 20)


@pytest.mark.long
@pytest.mark.parametrize("target", [RTMS, EMCS], ids=lambda t: t[0])
@pytest.mark.parametrize("n", [25, 40, 60, 120, 200])
def test_no_record_and_no_outcome_can_be_read_off_twenty_cohorts(target, n):
    for seed in range(20):
        check_attack(target, n, seed)


def check_attack(target, n, seed):
    cohort = patients(target, n, seed)
    model = develop(cohort, settings=SETTINGS[target])
    records = records_of(model, cohort)
    for read in (from_population, from_components, from_served):
        assert singled_out(model, read(model), records) == set(), read.__name__
    lower = outcome_levels(cohort, target[0]).lower
    assert outcomes_read(model, records, lower) == 0


@pytest.mark.parametrize("sizes", [(60, 40, 20), (50, 45, 6, 5), (30, 12, 3, 2)])
def test_no_record_can_be_read_off_a_model_of_several_centres(sizes):
    cohort = patients(RTMS, sum(sizes), 3)
    cohort["centre"] = np.repeat([f"centre {k}" for k in range(len(sizes))], sizes)
    model = develop(cohort, settings=SETTINGS[RTMS])
    assert len(model.centres) >= 2
    records = records_of(model, cohort)
    for read in (from_population, from_components, from_served):
        assert singled_out(model, read(model), records) == set(), read.__name__


def test_the_attack_finds_patients_where_no_rule_was_followed():
    """The attack can fail: without the rule it reads patients and outcomes off."""
    cohort = patients(RTMS, 60, 0)
    free = Settings(
        decision="rtms_response", challenger=False, moment="screening",
        small_cells=0, stays_here=True,
    )  # fmt: skip
    model = develop(cohort, settings=free)
    records = records_of(model, cohort)
    assert singled_out(model, from_population(model), records)
    assert singled_out(model, from_components(model), records)
    assert outcomes_read(model, records, outcome_levels(cohort, RTMS[0]).lower)


@pytest.mark.parametrize("n", [5, 8, 30])
def test_no_new_patient_can_be_read_off_an_update(n):
    cohort = patients(RTMS, 90 + n, 4)
    older = develop(cohort.iloc[:90], settings=SETTINGS[RTMS])
    newer = update(older, cohort.iloc[90:])
    records = records_of(newer, cohort)
    candidates = from_components(newer, older)
    assert singled_out(newer, candidates, records) == set()
    n_old, n_new = older.population.n_patients, newer.population.n_patients
    row = (n_new * newer.population.mean - n_old * older.population.mean)[None]
    assert singled_out(newer, row, records) == set()


# ---------------------------------------------------------------- the rule


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
    np.testing.assert_allclose(
        model.components[0].mean[5:], prior.components[0].mean[5:], atol=1e-9
    )


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


# ---------------------------------------------------------------- counted once


def test_update_refuses_the_models_own_cohort():
    cohort = patients(RTMS, 60, 1)
    model = develop(cohort, settings=SETTINGS[RTMS])
    shuffled = cohort.sample(frac=1.0, random_state=0)
    shuffled.attrs = dict(cohort.attrs)
    for again in (cohort, shuffled, cohort.drop(columns="patient_id")):
        with pytest.raises(DevelopmentError, match="60 of 60 who are"):
            update(model, again)


def test_update_counts_a_cumulative_export_once():
    cohort = patients(RTMS, 80, 1)
    model = develop(cohort.iloc[:50], settings=SETTINGS[RTMS])
    newer = update(model, cohort)
    assert newer.n_patients == 80
    assert Note("development.already_in", again=50, n=80) in newer.notes
    once = update(model, cohort.iloc[50:])
    np.testing.assert_array_equal(newer.main.coefficients, once.main.coefficients)
    # the export of the next year, and the same file a second time
    with pytest.raises(DevelopmentError, match="80 of 80 who are"):
        update(newer, cohort)


def test_update_counts_again_when_asked():
    cohort = patients(RTMS, 60, 1)
    model = develop(cohort, settings=SETTINGS[RTMS])
    assert update(model, cohort, count_again=True).n_patients == 120


def test_a_corrected_outcome_leaves_a_patient_the_same():
    cohort = patients(RTMS, 60, 1)
    model = develop(cohort, settings=SETTINGS[RTMS])
    changed = cohort.drop(columns="rtms_responder")
    # a year later, too
    changed["age"] = (changed["age"] + 1).clip(upper=100)
    changed["relief_test"] = 100.0 - changed["relief_test"].abs()
    with pytest.raises(DevelopmentError, match="60 of 60 who are"):
        update(model, changed)


def test_validate_externally_leaves_out_who_is_in_the_model():
    cohort = patients(RTMS, 120, 2)
    model = develop(cohort.iloc[:60], settings=SETTINGS[RTMS])
    found = validate_externally(model, cohort, n_resamples=5)
    assert found.n_patients == 60
    assert str(found.notes[0]).startswith("60 of these 120 patients were in the model")
    with pytest.raises(DevelopmentError, match="30 of 30 who are"):
        validate_externally(model, cohort.iloc[:30])
    table = validate_by_subgroup(model, cohort, by=["sex"], small_cell=1)
    assert table["n_patients"].astype(int).sum() == 60


def test_already_in_cannot_be_told_with_another_key(tmp_path, monkeypatch):
    cohort = patients(RTMS, 60, 1)
    model = develop(cohort, settings=SETTINGS[RTMS])
    monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(tmp_path))
    assert already_in(model.fingerprints, cohort) is None
    newer = update(model, cohort)
    assert any("another centre's key" in note for note in said(newer.notes))


def test_fingerprints_are_of_values_not_of_types_or_order(centre):
    cohort = patients(RTMS, 40, 1)
    known = fingerprints_of(cohort)
    other = cohort[cohort.columns[::-1]].astype({"age": object})
    assert fingerprints_of(other.iloc[::-1]) == known
    later = cohort.assign(relief_1=np.nan)
    assert fingerprints_of(later).patients == known.patients


def test_fingerprints_tell_nothing_without_the_key(centre, monkeypatch, tmp_path):
    """Whoever knows a patient whole cannot confirm it: another key, other numbers."""
    cohort = patients(RTMS, 40, 1)
    known = set(fingerprints_of(cohort).patients)
    monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(tmp_path / "reader"))
    assert not known & set(fingerprints_of(cohort).patients)
    assert all(len(one) == 16 for one in known)


def test_of_patients_who_are_alike_as_many_are_known_as_there_were(centre):
    cohort = patients(RTMS, 40, 1)
    twice = pd.concat([cohort, cohort.iloc[:1]], ignore_index=True)
    known = fingerprints_of(cohort)
    assert already_in(known, twice).tolist() == [True] * 40 + [False]


def test_centre_key_is_made_once_by_many_at_once(centre):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.starmap(centre_key, [()] * 8)
    assert len(set(keys)) == 1
    assert (centre / "fingerprint.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in centre_folder().iterdir()] == ["fingerprint.key"]


def test_a_centre_folder_that_cannot_be_written_costs_fingerprints_only(
    tmp_path, monkeypatch
):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(blocked))
    model = develop(patients(RTMS, 40, 1), settings=SETTINGS[RTMS])
    assert model.fingerprints is None


@pytest.mark.parametrize("n", [1, 3])
def test_update_takes_few_patients_of_one_class(n):
    cohort = patients(RTMS, 80, 3)
    model = develop(cohort.iloc[:60], settings=SETTINGS[RTMS])
    rest = cohort.iloc[60:]
    few = rest[rest["rtms_responder"].astype(bool)].iloc[:n]
    newer = update(model, few)
    assert newer.n_patients == 60 + n
    assert newer.n_events == model.n_events + n
    shift = newer.main.intercept - model.main.intercept
    assert 0.0 < shift < 0.6
    change = np.abs(newer.main.coefficients - model.main.coefficients)
    assert change.max() < 0.1
    assert newer.performance.apparent == {}
    before, after = (
        m.predict({"age": 54, "aetiology": "ischaemic_stroke"}) for m in (model, newer)
    )
    assert before.probability < after.probability < before.probability + 0.15


# ---------------------------------------------------------------- leaving the centre


def both(rest, n):
    """The first patients with both outcomes among them."""
    yes = rest["rtms_responder"].astype(bool)
    found = pd.concat([rest[yes].iloc[: n // 2], rest[~yes].iloc[: n - n // 2]])
    found.attrs = dict(rest.attrs)
    return found


def test_release_refuses_few_new_patients_until_enough_have_gathered(centre):
    cohort = patients(RTMS, 90, 3)
    model = develop(cohort.iloc[:60], settings=SETTINGS[RTMS])
    release_model(model)
    rest = cohort.iloc[60:]
    three = update(model, both(rest, 3))
    assert not three.disclosure.may_leave
    with pytest.raises(DisclosureError, match="by at least 5 patients .* got 3"):
        release_model(three)
    six = update(three, both(rest.drop(index=both(rest, 3).index), 3))
    assert six.disclosure.n_since_release == 6
    release_model(six)
    yes = update(model, rest[rest["rtms_responder"].astype(bool)])
    with pytest.raises(DisclosureError, match="with both outcomes among them"):
        release_model(yes)


@pytest.mark.parametrize("more", [1, 6, 20])
def test_release_refuses_a_sibling(centre, more):
    """Developed again on more patients: the difference follows no rule."""
    cohort = patients(RTMS, 80, 3)
    first = develop(cohort.iloc[:60], settings=SETTINGS[RTMS])
    release_model(first)
    release_model(first)
    later = cohort.iloc[: 60 + more]
    with pytest.raises(DisclosureError, match=f"0 gone and {more} added"):
        release_model(develop(later, settings=SETTINGS[RTMS]))
    other_moment = develop(later, "rtms_response", "session_1", name="x")
    with pytest.raises(DisclosureError, match=f"0 gone and {more} added"):
        release_model(other_moment)
    release_model(develop(cohort.iloc[60:], settings=SETTINGS[RTMS]))


def test_release_refuses_the_same_patients_with_another_value(centre):
    cohort = patients(RTMS, 60, 3)
    release_model(develop(cohort, settings=SETTINGS[RTMS]))
    changed = cohort.copy()
    changed.loc[0, "relief_1"] = changed.loc[0, "relief_1"] / 2 + 1
    with pytest.raises(DisclosureError, match="0 gone and 0 added"):
        release_model(develop(changed, settings=SETTINGS[RTMS]))
    # all that one holds is in the other: two moments of one cohort
    release_model(develop(cohort, "rtms_response", "session_1", name="later"))


def test_release_refuses_a_second_update_of_one_model(centre):
    cohort = patients(RTMS, 90, 3)
    model = develop(cohort.iloc[:60], settings=SETTINGS[RTMS])
    for one in (model, update(model, cohort.iloc[60:80])):
        release_model(one)
    with pytest.raises(DisclosureError, match="Update that model"):
        release_model(update(model, cohort.iloc[70:]))
    # of two in its way the newest is named: the older cannot be updated again
    newest = update(model, cohort.iloc[60:80])
    with pytest.raises(DisclosureError, match=digest_of(newest)[:12]):
        release_model(develop(cohort.iloc[:70], settings=SETTINGS[RTMS]))


def test_an_update_may_leave_beside_a_twin_of_the_model_that_it_updates(centre):
    cohort = patients(RTMS, 110, 3)
    twin = develop(cohort.iloc[:60], settings=SETTINGS[RTMS])
    model = develop(cohort.iloc[:60], "rtms_response", "session_1", name="later")
    for one in (twin, model, update(model, cohort.iloc[60:90])):
        release_model(one)
    # other patients are added here, and some of those there
    release_model(update(twin, cohort.iloc[90:]))
    with pytest.raises(DisclosureError, match="in common"):
        release_model(update(twin, cohort.iloc[85:105]))


def test_release_refuses_a_list_that_is_damaged(centre):
    cohort = patients(RTMS, 60, 3)
    release_model(develop(cohort, settings=SETTINGS[RTMS]))
    ledger = centre / "released.jsonl"
    whole = ledger.read_bytes()
    model = develop(patients(RTMS, 60, 8), settings=SETTINGS[RTMS])
    for data in (whole[:-1], whole + b"{}\n", whole + b"no json\n", b"\xff\n"):
        ledger.write_bytes(data)
        with pytest.raises(DisclosureError, match="must list the models"):
            release_model(model)
    ledger.write_bytes(whole)
    release_model(model)


def test_release_refuses_a_model_without_fingerprints(centre):
    model = develop(patients(RTMS, 60, 3), settings=SETTINGS[RTMS])
    with pytest.raises(DisclosureError, match="fingerprints"):
        release_model(replace(model, fingerprints=None))


def test_sign_model_refuses_a_model_that_stays_here(centre, tmp_path):
    cohort = patients(RTMS, 60, 3)
    folder = tmp_path / "m"
    model = develop(cohort, *RTMS, small_cells=0, stays_here=True)
    save_model(model, folder)
    with pytest.raises(DisclosureError, match="without --stays-here"):
        sign_model(folder, new_signing_key()[0])
    assert not (folder / "signature.json").exists()
    newer = update(model, patients(RTMS, 30, 9))
    assert newer.disclosure.stays_here


def test_a_published_model_may_leave(centre):
    release_model(published_model(*RTMS))


def test_updates_are_known_by_digest_not_by_name(tmp_path):
    one, other = (
        develop(patients(RTMS, 60, seed), settings=SETTINGS[RTMS], name="export")
        for seed in (1, 2)
    )
    newer = update(one, patients(RTMS, 30, 3))
    assert newer.parent == digest_of(one) != digest_of(other)
    loaded = load_model(save_model(one, tmp_path / "m"))
    assert loaded.digest == digest_of(one)


def test_disclosure_of_updates_adds_up():
    first = Disclosure(
        k=5, n=60, n_since_release=60, events_since_release=20, parameters=30,
        contrasts_left_out=("a", "b"),
    )  # fmt: skip
    second = Disclosure(
        k=5, n=3, n_since_release=3, events_since_release=1, parameters=5,
        contrasts_left_out=("a", "c"),
    )  # fmt: skip
    both = second.updated(first, "one")
    assert (both.n, both.n_since_release) == (63, 3)
    assert both.contrasts_left_out == ("a",)
    assert both.parameters == 31
    third = second.updated(both, "two")
    assert (third.n_since_release, third.ancestors) == (6, ("one", "two"))
    assert third.may_leave
