"""Monitoring: whether the probabilities of a model in use still hold, at any look."""

from __future__ import annotations

from .following import DUE_DAYS, follow, monitor
from .inputs import Input, inputs_of
from .mending import Mend
from .process import (
    ALARM,
    Evidence,
    Series,
    beyond_own_uncertainty,
    early_warning,
    evidence_of_change,
)
from .reading import Followed, read_followed
from .result import Level, Monitoring, Month
from .review import read_review
from .together import Together, together

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
