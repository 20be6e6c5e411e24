"""Simulated cohorts with known truth; no row is, or stands for, a patient."""

from __future__ import annotations

from .export import write_french_export
from .generator import SELECTIONS, simulate_cohort
from .relief import true_probabilities
from .screening import blank_questionnaires
from .settings import generator_settings
from .truth import Truth, draw_truth, truth_kinds

__all__ = [
    "SELECTIONS",
    "Truth",
    "blank_questionnaires",
    "draw_truth",
    "generator_settings",
    "simulate_cohort",
    "true_probabilities",
    "truth_kinds",
    "write_french_export",
]
