"""Outcomes as intervals of levels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_model.cohort import (
    OutcomeLevels,
    binary_outcome,
    check_cohort,
    outcome_levels,
)
from responder_model.errors import ResponderModelError
from responder_model.simulation import simulate_cohort


def _levels(decision: str, **columns: list[object]) -> OutcomeLevels:
    frame = pd.DataFrame({"age": 54, **columns})
    return outcome_levels(check_cohort(frame), decision)


def _intervals(levels: OutcomeLevels) -> list[tuple[int, int]]:
    return list(zip(levels.lower.tolist(), levels.upper.tolist(), strict=True))


def test_relief_alone_is_one_level_each() -> None:
    levels = _levels("rtms_response", relief_test=[-5, 10, 10.5, 30, 31, 50.1, 100])
    assert _intervals(levels) == [(i, i) for i in (0, 0, 1, 2, 3, 4, 5)]
    assert levels.definition == "relief_only"
    assert levels.description == "relief_test > 30 %"


def test_success_of_the_implant_counts_the_cut_off_itself() -> None:
    levels = _levels("emcs_success", emcs_relief=[9, 10, 30, 39.9, 40, 50, 70])
    assert _intervals(levels) == [(i, i) for i in (0, 1, 2, 2, 3, 4, 5)]
    outcome = binary_outcome(levels, "emcs_success")
    assert outcome.tolist() == [0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("relief", "improved", "interval", "outcome"),
    [
        (60, "yes", (4, 4), 1.0),
        (60, "no", (1, 2), 0.0),
        (60, None, (1, 4), np.nan),
        (25, "yes", (2, 2), 0.0),
        (25, "no", (2, 2), 0.0),
        (25, None, (2, 2), 0.0),
        (5, "no", (0, 0), 0.0),
        (None, "no", (0, 5), np.nan),
    ],
)
def test_symptom_is_part_of_the_outcome_when_the_centre_records_it(
    relief: float | None,
    improved: str | None,
    interval: tuple[int, int],
    outcome: float,
) -> None:
    levels = _levels(
        "rtms_response",
        relief_test=[relief, 80],
        symptom_improved=[improved, "yes"],
    )
    assert _intervals(levels)[0] == interval
    assert levels.definition == "composite"
    assert levels.description == "relief_test > 30 % and symptom_improved"
    found = binary_outcome(levels, "rtms_response")[0]
    np.testing.assert_equal(found, outcome)
    assert levels.observed[0] == (relief is not None)


def test_a_recorded_answer_stands_in_for_an_unknown_symptom() -> None:
    levels = _levels(
        "rtms_response",
        relief_test=[60, 60, 80],
        symptom_improved=[None, None, "yes"],
        rtms_responder=["yes", "no", None],
    )
    assert _intervals(levels) == [(4, 4), (1, 2), (5, 5)]


@pytest.mark.parametrize(
    ("decision", "name"),
    [("rtms_response", "rtms_responder"), ("emcs_success", "emcs_success")],
)
def test_a_lone_answer_is_the_levels_on_its_side(decision: str, name: str) -> None:
    levels = _levels(decision, **{name: ["yes", "no", None]})
    assert _intervals(levels) == [(3, 5), (0, 2), (0, 5)]
    assert levels.observed.tolist() == [True, True, False]
    assert levels.definition == "binary_only"
    assert name in levels.description
    np.testing.assert_equal(binary_outcome(levels, decision), [1.0, 0.0, np.nan])


def test_a_cohort_without_outcome_has_none() -> None:
    levels = _levels("emcs_success", relief_1=[10, 20])
    assert levels.definition == "none"
    assert not levels.observed.any()
    assert _intervals(levels) == [(0, 5), (0, 5)]


def test_outcome_of_an_unknown_decision_is_refused() -> None:
    cohort = simulate_cohort(n_patients=10, seed=0)
    with pytest.raises(ResponderModelError, match="decision must be one of"):
        outcome_levels(cohort, "weather")
    levels = outcome_levels(cohort, "rtms_response")
    with pytest.raises(ResponderModelError, match="decision must be one of"):
        binary_outcome(levels, "weather")


reliefs = st.one_of(st.none(), st.sampled_from([*range(0, 98), 100]))
answers = st.sampled_from([None, True, False])


@given(st.lists(st.tuples(reliefs, answers), min_size=1, max_size=8))
@settings(max_examples=80, derandomize=True, deadline=None)
def test_interval_holds_the_level_and_agrees_with_the_answer(
    rows: list[tuple[int | None, bool | None]],
) -> None:
    frame = pd.DataFrame(
        rows, columns=["relief_test", "symptom_improved"], dtype=object
    )
    cohort = check_cohort(frame)
    levels = outcome_levels(cohort, "rtms_response")
    assert (levels.lower >= 0).all()
    assert (levels.lower <= levels.upper).all()
    assert (levels.upper <= 5).all()
    outcome = binary_outcome(levels, "rtms_response")
    follows = cohort.get("rtms_responder")
    if follows is not None:
        expected = follows.to_numpy(dtype=float, na_value=np.nan)
        np.testing.assert_equal(outcome, expected)
