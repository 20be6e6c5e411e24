"""Monitoring: whether the probabilities of a model in use still hold, at any look."""

from __future__ import annotations

from responder_model.monitoring.following import DUE_DAYS, follow, monitor
from responder_model.monitoring.process import (
    ALARM,
    Evidence,
    Series,
    beyond_own_uncertainty,
    early_warning,
    evidence_of_change,
)
from responder_model.monitoring.reading import Followed, read_followed
from responder_model.monitoring.result import Monitoring, Month

__all__ = [
    "ALARM",
    "DUE_DAYS",
    "Evidence",
    "Followed",
    "Monitoring",
    "Month",
    "Series",
    "beyond_own_uncertainty",
    "early_warning",
    "evidence_of_change",
    "follow",
    "monitor",
    "read_followed",
]
