"""Two patients side by side: a difference, never an effect."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import responder_model as rm
from in_words import said, told
from responder_model.errors import InvalidPatientError


def test_compare_attributes_the_difference_and_never_calls_it_an_effect() -> None:
    model = rm.published_model("rtms_response", "screening")
    patient = {"age": 54, "aetiology": "ischaemic_stroke", "pain_intensity": 7}
    comparison = model.compare(patient, {"aetiology": "amputation"})
    moved = sum(comparison.contribution_differences.values())
    before, after = comparison.before, comparison.after
    assert moved == pytest.approx(after.linear_predictor - before.linear_predictor)
    assert comparison.difference == after.probability - before.probability
    assert "never the effect" in said(comparison.messages)[0]
    assert comparison.to_dict()["changes"] == {"aetiology": "amputation"}
    json.dumps(comparison.to_dict(), allow_nan=False)


def test_compare_can_take_a_value_away_and_reads_labels() -> None:
    model = rm.published_model("rtms_response", "screening")
    comparison = model.compare(
        {"Âge": 54, "depression": 12}, {"Dépression (HADS-D)": None}
    )
    assert "depression" in comparison.after.missing
    assert "age" not in comparison.after.missing
    assert comparison.changes == {"depression": None}


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({"age": np.int64(60)}, {"age": 60.0}),
        ({"age": Decimal("60.5")}, {"age": 60.5}),
        ({"age": float("nan")}, {"age": None}),
        ({"Étiologie": "AVC hémorragique"}, {"aetiology": "haemorrhagic_stroke"}),
        ({"opioid": "oui", "patient_id": "x"}, {"opioid": True}),
    ],
)
def test_compare_gives_changes_as_they_were_read(
    changes: dict[str, Any], read: dict[str, Any]
) -> None:
    model = rm.published_model("rtms_response", "screening")
    comparison = model.compare({"age": 54, "aetiology": "ischaemic_stroke"}, changes)
    assert comparison.changes == read
    json.dumps(comparison.to_dict(), allow_nan=False)


@pytest.mark.parametrize("changes", [{}, {"age": "54,0"}, {"patient_id": "x"}])
def test_compare_says_when_nothing_differs(changes: dict[str, Any]) -> None:
    model = rm.published_model("rtms_response", "screening")
    comparison = model.compare({"age": 54}, changes)
    assert comparison.changes == {}
    assert comparison.difference == 0.0
    assert "do not differ" in said(comparison.messages)[0]


def test_compare_refuses_a_change_that_is_given_twice() -> None:
    model = rm.published_model("rtms_response", "screening")
    with pytest.raises(InvalidPatientError, match="age") as caught:
        model.compare({"age": 54}, {"Âge": 60, "age": 70})
    assert told(caught.value) == {"age": "Age must be given once only."}


def test_compare_keeps_a_value_that_is_blank_under_another_name() -> None:
    model = rm.published_model("rtms_response", "screening")
    comparison = model.compare({"age": 54, "Âge": None}, {"depression": 12})
    assert "age" not in comparison.after.missing
