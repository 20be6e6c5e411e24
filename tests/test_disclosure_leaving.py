"""A patient is learned from once, and what leaves a centre adds up to no patient."""

import multiprocessing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from disclosed import RTMS, SETTINGS, both, patients
from in_words import said
from responder_model.artifact import (
    digest_of,
    load_model,
    new_signing_key,
    release_model,
    save_model,
    sign_model,
)
from responder_model.development import develop, published_model, update
from responder_model.disclosure import (
    Disclosure,
    already_in,
    fingerprints_of,
)
from responder_model.disclosure.fingerprints import centre_folder, centre_key
from responder_model.errors import DevelopmentError, DisclosureError
from responder_model.validation import validate_by_subgroup, validate_externally
from responder_model.words import Note


@pytest.fixture
def centre(tmp_path, monkeypatch):
    """A centre of its own, which has released nothing yet."""
    monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(tmp_path / "centre"))
    return tmp_path / "centre"


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
