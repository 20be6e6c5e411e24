"""The implant model: non-responders, and responders without a recorded relief."""

from __future__ import annotations

import math
from typing import Any

import pytest

import responder_model as rm
from in_words import said


@pytest.mark.parametrize(
    "patient",
    [{"relief_test": 10}, {"rtms_responder": False}],
    ids=["by relief", "by yes/no"],
)
def test_emcs_non_responder_is_outside_with_halved_odds(
    patient: dict[str, Any],
) -> None:
    model = rm.published_model("emcs_success")
    prediction = model.predict({"age": 55, **patient})
    assert prediction.applicability.level == "outside"
    assert any("did not respond" in r for r in said(prediction.applicability.reasons))
    odds = math.exp(prediction.linear_predictor) / 2
    halved = f"{odds / (1 + odds):.0%}".replace("%", " %")
    assert any(
        f"would be {halved}." in message for message in said(prediction.messages)
    )


def test_lone_responder_counts_under_its_own_name() -> None:
    model = rm.published_model("emcs_success")
    yes = model.predict({"rtms_responder": True})
    assert yes.contributions["rtms_responder"] > 0
    assert yes.contributions["relief_test"] == 0
    assert "rtms_responder" not in yes.missing
    assert "relief_test" in yes.missing
    known = model.predict({"relief_test": 60})
    assert known.contributions["rtms_responder"] == 0
    assert "rtms_responder" not in known.missing
