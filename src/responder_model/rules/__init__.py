"""Rules over many patients: what stopping loses and saves, what data are worth."""

from __future__ import annotations

from responder_model.rules.result import (
    Amount,
    StoppingRule,
    StoppingRules,
    common_notes,
    common_verdicts,
)
from responder_model.rules.stopping import stopping_rule
from responder_model.rules.value import value_of_information
from responder_model.rules.worth import (
    InformationWorth,
    Sample,
    SlotWorth,
    ThresholdWorth,
)

__all__ = [
    "Amount",
    "InformationWorth",
    "Sample",
    "SlotWorth",
    "StoppingRule",
    "StoppingRules",
    "ThresholdWorth",
    "common_notes",
    "common_verdicts",
    "stopping_rule",
    "value_of_information",
]
