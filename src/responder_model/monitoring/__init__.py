"""Monitoring: whether the probabilities of a model in use still hold, at any look."""

from __future__ import annotations

from responder_model.monitoring.following import DUE_DAYS, follow, monitor
from responder_model.monitoring.inputs import Input, inputs_of
from responder_model.monitoring.mending import Mend
from responder_model.monitoring.process import (
    ALARM,
    Evidence,
    Series,
    beyond_own_uncertainty,
    early_warning,
    evidence_of_change,
)
from responder_model.monitoring.reading import Followed, read_followed
from responder_model.monitoring.result import Level, Monitoring, Month
from responder_model.monitoring.review import read_review
from responder_model.monitoring.together import Together, together

__all__ = [
    "ALARM",
    "DUE_DAYS",
    "Evidence",
    "Followed",
    "Input",
    "Level",
    "Mend",
    "Monitoring",
    "Month",
    "Series",
    "Together",
    "beyond_own_uncertainty",
    "early_warning",
    "evidence_of_change",
    "follow",
    "inputs_of",
    "monitor",
    "read_followed",
    "read_review",
    "together",
]
