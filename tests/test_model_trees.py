"""Trees as tables say what XGBoost says."""

from __future__ import annotations

import numpy as np
import pytest

import responder_model as rm
from responder_model.challenger import Trees, fit_trees
from responder_model.features import Array, Encoder
from responder_model.model.trees import TableTrees, read_trees


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.for_decision("rtms_response", "session_2")


@pytest.fixture(scope="module")
def trees(encoder: Encoder) -> Trees:
    cohort = rm.simulate_cohort(n_patients=400, seed=3)
    outcome = (cohort["relief_test"].fillna(0) > 30).to_numpy(dtype=float)
    return fit_trees(encoder.raw(cohort), outcome, encoder, seed=0)


@pytest.fixture(scope="module")
def raw(encoder: Encoder) -> Array:
    values = encoder.raw(rm.simulate_cohort(n_patients=2000, seed=5))
    values[np.random.default_rng(0).random(values.shape) < 0.2] = np.nan
    return values


def test_tables_match_xgboost_margin_and_treeshap(
    encoder: Encoder, trees: Trees, raw: Array
) -> None:
    tables = read_trees(trees.to_json(), encoder)
    assert isinstance(tables, TableTrees)
    np.testing.assert_allclose(tables.margin(raw), trees.margin(raw), atol=1e-5)
    np.testing.assert_allclose(
        tables.contributions(raw), trees.contributions(raw), atol=1e-5
    )


def test_trees_use_categories_and_missing_values(
    encoder: Encoder, trees: Trees
) -> None:
    tables = read_trees(trees.to_json(), encoder)
    assert isinstance(tables, TableTrees)
    assert tables.on_categories.any()
    assert tables.default.any()
    assert not tables.default.all()


def test_one_patient_and_many_give_the_same(
    encoder: Encoder, trees: Trees, raw: Array
) -> None:
    tables = read_trees(trees.to_json(), encoder)
    many = tables.contributions(raw[:100])
    one = np.concatenate([tables.contributions(raw[i : i + 1]) for i in range(100)])
    np.testing.assert_allclose(one, many, rtol=0, atol=1e-14)


def test_values_on_a_threshold_go_the_way_that_xgboost_sends_them(
    encoder: Encoder, trees: Trees
) -> None:
    tables = read_trees(trees.to_json(), encoder)
    assert isinstance(tables, TableTrees)
    rows = []
    for t, k in np.argwhere(~tables.on_categories):
        row = np.full(len(encoder.predictors), np.nan)
        row[tables.predictor[t, k]] = tables.threshold[t, k]
        rows.append(row)
    edges = np.array(rows)
    for position, row in enumerate(encoder.fields):
        if row.kind == "category":
            edges[:, position] = np.nan
    np.testing.assert_allclose(tables.margin(edges), trees.margin(edges), atol=1e-5)


def test_deeper_trees_are_left_to_xgboost(
    encoder: Encoder, raw: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    from responder_model import challenger

    monkeypatch.setitem(challenger.PARAMETERS, "max_depth", 3)
    # an outcome that no two decisions can tell
    outcome = (np.nan_to_num(raw[:400]).sum(axis=1) % 20 > 10).astype(float)
    deep = fit_trees(raw[:400], outcome, encoder, seed=0)
    found = read_trees(deep.to_json(), encoder)
    assert isinstance(found, Trees)
    np.testing.assert_array_equal(found.margin(raw), deep.margin(raw))
