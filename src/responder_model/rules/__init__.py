"""Rules over many patients: what stopping loses and saves, what data are worth."""

from __future__ import annotations

from .result import Amount, StoppingRule, StoppingRules, common_notes, common_verdicts
from .stopping import stopping_rule
from .value import value_of_information
from .worth import InformationWorth, Sample, SlotWorth, ThresholdWorth

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
