"""Two patients side by side: a difference, never an effect."""

from __future__ import annotations

import json

import pytest

import responder_model as rm


def test_compare_attributes_the_difference_and_never_calls_it_an_effect() -> None:
    model = rm.published_model("rtms_response", "screening")
    patient = {"age": 54, "aetiology": "ischaemic_stroke", "pain_intensity": 7}
    comparison = model.compare(patient, {"aetiology": "amputation"})
    moved = sum(comparison.contribution_differences.values())
    before, after = comparison.before, comparison.after
    assert moved == pytest.approx(after.linear_predictor - before.linear_predictor)
    assert comparison.difference == after.probability - before.probability
    assert "never the effect" in comparison.messages[0]
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
