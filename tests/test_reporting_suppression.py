"""Small counts are hidden, and cannot be worked out from what is shown."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_model.development import published_model
from responder_model.reporting import examine
from responder_model.reporting.suppression import (
    column_relations,
    row_relations,
    suppress,
)
from responder_model.reporting.table_one import Count, Spread, table_one
from responder_model.simulation import simulate_cohort

TOTAL = np.ones((1, 3))


def test_suppress_shows_zero_and_ten():
    assert not suppress(np.array([0, 10, 30]), TOTAL).any()


def test_suppress_hides_a_second_count_beside_a_small_one():
    assert suppress(np.array([4, 30, 60]), TOTAL).tolist() == [True, True, False]


def test_suppress_hides_more_while_the_hidden_ones_are_few_together():
    assert suppress(np.array([4, 5, 60]), TOTAL).all()


def test_suppress_leaves_a_sum_of_ten_hidden_alone():
    assert suppress(np.array([4, 6, 60]), TOTAL).tolist() == [True, True, False]


def test_suppress_counts_what_is_not_printed_as_hidden():
    silent = np.array([False, True, True])
    hidden = suppress(np.array([4, 30, 60]), TOTAL, silent=silent)
    assert hidden.tolist() == [True, True, True]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=5)
)
def test_no_hidden_count_below_ten_follows_from_what_is_shown(rows):
    # columns: yes, no, all; a reader knows column totals and yes + no = all
    counts = np.array([(yes, no, yes + no) for yes, no in rows])
    n = len(rows)
    relations = np.vstack([column_relations(n, 3), row_relations(n, (0, 1), 2, 3)])
    flat = counts.ravel()
    hidden = suppress(flat, relations)
    small = (flat > 0) & (flat < 10)
    assert hidden[small].all()
    if not hidden.any() or hidden.all():
        return
    unknown = relations[:, hidden]
    for position in np.flatnonzero(small[hidden]):
        unit = np.zeros(hidden.sum())
        unit[position] = 1.0
        rank = np.linalg.matrix_rank(unknown)
        assert np.linalg.matrix_rank(np.vstack([unknown, unit])) == rank + 1


# ---------------------------------------------------------------- Table 1


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(n_patients=120, seed=2)


@pytest.fixture(scope="module")
def table(cohort):
    return table_one(published_model("rtms_response", "screening"), cohort)


def counts_of(table, predictor):
    return {
        row.value: [cell.n for cell in row.cells]
        for row in table.rows
        if row.predictor == predictor and isinstance(row.cells[0], Count)
    }


def test_table_one_shows_no_count_from_1_to_9(table):
    cells = [cell for row in table.rows for cell in row.cells]
    shown = [c.n for c in cells if isinstance(c, Count) and c.n is not None]
    assert shown
    assert all(n == 0 or n >= 10 for n in shown)
    assert table.n_hidden > 0


def test_table_one_counts_are_those_of_the_cohort(cohort, table):
    known = cohort[cohort["rtms_responder"].notna()]
    shown = counts_of(table, "sex")
    for value, name in itertools.product(("female", "male"), ("known", "yes", "no")):
        part = {
            "known": known,
            "yes": known[known["rtms_responder"]],
            "no": known[~known["rtms_responder"]],
        }[name]
        n = shown[value][table.groups.index(name)]
        assert n in (None, int((part["sex"] == value).sum()))


def test_table_one_spread_is_mean_and_sd_or_median_and_quartiles(cohort, table):
    known = cohort[cohort["rtms_responder"].notna()]
    found = {row.predictor: row.cells[0] for row in table.rows if row.value is None}
    age = found["age"]
    assert isinstance(age, Spread)
    assert age.values == pytest.approx((known["age"].mean(), known["age"].std()))
    duration = found["pain_duration"]
    assert duration.kind == "median_quartiles"
    quartiles = known["pain_duration"].quantile([0.5, 0.25, 0.75])
    assert duration.values == pytest.approx(tuple(quartiles))


def test_lesion_type_gives_no_hidden_aetiology_away(cohort, table):
    aetiology = counts_of(table, "aetiology")
    lesion = counts_of(table, "lesion_type")
    central = simulated_categories("central")
    column = table.groups.index("known")
    hidden = [v for v in aetiology if v in central and aetiology[v][column] is None]
    if lesion["central"][column] is not None:
        assert len(hidden) != 1


def simulated_categories(lesion_type):
    from responder_model.schema import dictionary

    derived = dictionary().derived_categories("lesion_type")
    return {name for name, kind in derived.items() if kind == lesion_type}


@pytest.mark.parametrize("seed", [0, 5, 6])
def test_response_by_aetiology_tells_what_table_one_shows(seed):
    cohort = simulate_cohort(n_patients=213, seed=seed)
    study = examine(published_model("rtms_response", "screening"), cohort)
    assert study.response.field == "aetiology"
    shown = {
        row.value: [cell.n for cell in row.cells[:3]]
        for row in study.table.rows
        if row.predictor == "aetiology"
    }
    for row in study.response.rows:
        counts = [row.n_patients, row.n_events, row.n_patients - row.n_events]
        assert not any(0 < n < 10 for n in counts)
        if row.group is not None:
            assert counts == shown[row.group]


def test_means_give_no_hidden_count_of_missing_numbers_away(cohort):
    patients = cohort.copy()
    patients["fatigue"] = patients["fatigue"].fillna(5.0)
    known = patients["rtms_responder"].notna()
    responders = patients.index[known & patients["rtms_responder"].fillna(value=False)]
    patients.loc[responders[0], "fatigue"] = np.nan
    found = table_one(published_model("rtms_response", "screening"), patients)
    (row,) = [
        row
        for row in found.rows
        if (row.predictor, row.value) == ("fatigue", "missing")
    ]
    parts = [row.cells[found.groups.index(name)].n for name in ("known", "yes", "no")]
    assert parts == [None, None, None]


def test_group_of_fewer_than_ten_is_left_out(cohort):
    few = cohort[cohort["rtms_responder"].notna()].copy()
    few["relief_test"] = np.where(np.arange(len(few)) < 5, 60.0, 0.0)
    few = few.drop(columns=["rtms_responder", "symptom_improved"])
    table = table_one(published_model("rtms_response", "screening"), few)
    assert table.groups == ("known",)


def test_cohort_of_a_few_patients_has_no_table():
    few = pd.DataFrame({"age": [50.0] * 4, "relief_test": [60.0, 0.0, 60.0, 0.0]})
    table = table_one(published_model("rtms_response", "screening"), few)
    assert table.groups == ()
