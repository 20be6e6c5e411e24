"""Many patients at once: the same numbers as one by one, in a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from responder_model.errors import InvalidCohortError, ResponderModelError
from responder_model.model.batch import CHUNK, score_raw
from responder_model.model.example import example_model


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rm.simulate_cohort(n_patients=120, seed=7)


def values_of(
    cohort: pd.DataFrame, names: tuple[str, ...], i: int
) -> dict[str, object]:
    return {
        name: None if pd.isna(cohort[name].iloc[i]) else cohort[name].iloc[i]
        for name in names
    }


@pytest.mark.parametrize(
    ("decision", "moment"),
    [("rtms_response", "screening"), ("rtms_response", "session_3")],
)
def test_predict_cohort_matches_predict_for_every_patient(
    cohort: pd.DataFrame, decision: str, moment: str
) -> None:
    model = rm.published_model(decision, moment)
    table = model.predict_cohort(cohort)
    contributions = model.contributions_cohort(cohort)
    for i in range(len(cohort)):
        one = model.predict(values_of(cohort, model.encoder.predictors, i))
        row = table.iloc[i]
        assert row["probability"] == pytest.approx(one.probability, abs=1e-12)
        assert (row["lower"], row["upper"]) == pytest.approx(one.interval, abs=1e-12)
        for cut, probability in one.probabilities.items():
            assert row[f"probability_{cut}"] == pytest.approx(probability, abs=1e-12)
        assert row["applicability"] == one.applicability.level
        assert tuple(row["missing"].split()) == one.missing
        assert contributions.iloc[i].to_dict() == pytest.approx(
            one.contributions, abs=1e-12
        )


def test_table_is_labelled_simulated_and_keeps_the_index(cohort: pd.DataFrame) -> None:
    shuffled = cohort.sample(frac=1.0, random_state=0)
    table = rm.published_model("rtms_response", "screening").predict_cohort(shuffled)
    assert table.index.equals(shuffled.index)
    assert table.attrs["provenance"] == "simulated"
    assert set(table["provenance"]) == {"simulated"}


def test_simulated_rows_are_found_without_attributes(cohort: pd.DataFrame) -> None:
    plain = pd.DataFrame({name: cohort[name] for name in cohort})
    assert plain.attrs == {}
    table = rm.published_model("rtms_response", "screening").predict_cohort(plain)
    assert table.attrs["provenance"] == "simulated"


def test_later_columns_are_left_unused_and_listed(cohort: pd.DataFrame) -> None:
    model = rm.published_model("rtms_response", "session_1")
    table = model.predict_cohort(cohort)
    assert "relief_2" in table.attrs["unused_columns"]
    assert "relief_1" not in table.attrs["unused_columns"]
    blind = cohort.drop(columns=["relief_2", "relief_3", "relief_test"])
    assert model.predict_cohort(blind)["probability"].equals(table["probability"])


def test_hand_made_frame_is_read_as_a_file() -> None:
    frame = pd.DataFrame(
        {
            "Âge": ["54,5", "71"],
            "aetiology": ["AVC ischémique", None],
            "opioid": ["oui", "non"],
        }
    )
    model = rm.published_model("rtms_response", "screening")
    table = model.predict_cohort(frame)
    one = model.predict({"age": 54.5, "aetiology": "ischaemic_stroke", "opioid": True})
    assert table["probability"].iloc[0] == pytest.approx(one.probability, abs=1e-12)
    assert set(table["provenance"]) == {"published"}


def test_implausible_frame_is_refused_with_every_problem(cohort: pd.DataFrame) -> None:
    wrong = cohort.copy()
    wrong.loc[wrong.index[[3, 5]], "age"] = [180.0, 7.0]
    with pytest.raises(InvalidCohortError, match="Age must be between 18 and 100") as e:
        example_model().predict_cohort(wrong)
    assert len(e.value.problems) == 2


def test_half_a_point_of_a_whole_number_is_refused_as_by_predict(
    cohort: pd.DataFrame,
) -> None:
    wrong = cohort.copy()
    wrong.loc[wrong.index[3], "dn4"] = 3.5
    with pytest.raises(InvalidCohortError, match="DN4 score .* must be a whole") as e:
        example_model().predict_cohort(wrong)
    assert len(e.value.problems) == 1


@pytest.mark.parametrize("other", [None, {"age": [54]}, [54], pd.Series([54.0])])
def test_cohort_that_is_no_table_is_refused(other: Any) -> None:
    with pytest.raises(InvalidCohortError, match="cohort must be a pandas DataFrame"):
        example_model().predict_cohort(other)


@pytest.mark.parametrize("n_jobs", [0, -1, "2", None])
def test_number_of_threads_is_checked(cohort: pd.DataFrame, n_jobs: Any) -> None:
    with pytest.raises(ResponderModelError, match="n_jobs must be a whole number"):
        example_model().predict_cohort(cohort, n_jobs=n_jobs)


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_chunks_and_threads_do_not_change_the_numbers(
    n_jobs: int, cohort: pd.DataFrame
) -> None:
    model = example_model("rtms_response", "session_2")
    raw = np.tile(model.encoder.raw(cohort), (2 * CHUNK // len(cohort) + 2, 1))
    alone = score_raw(model, raw, n_jobs=1)
    shared = score_raw(model, raw, n_jobs=n_jobs)
    assert len(alone.linear_predictor) == len(raw) > 2 * CHUNK
    np.testing.assert_array_equal(shared.linear_predictor, alone.linear_predictor)
    np.testing.assert_array_equal(shared.contributions, alone.contributions)
    np.testing.assert_array_equal(shared.levels, alone.levels)
    start = score_raw(model, raw[: len(cohort)])
    np.testing.assert_allclose(
        alone.standard_error[: len(cohort)], start.standard_error, rtol=1e-12
    )


def test_empty_cohort_gives_an_empty_table(cohort: pd.DataFrame) -> None:
    table = example_model().predict_cohort(cohort.iloc[:0])
    assert len(table) == 0
    assert "probability_30" in table


def test_order_of_rows_and_columns_does_not_matter(cohort: pd.DataFrame) -> None:
    model = example_model()
    table = model.predict_cohort(cohort)
    turned = cohort[list(cohort.columns)[::-1]].iloc[::-1]
    again = model.predict_cohort(turned).iloc[::-1]
    np.testing.assert_allclose(again["probability"], table["probability"], rtol=1e-12)
