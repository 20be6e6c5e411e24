"""Simulated cohorts with known truth; no row is, or stands for, a patient."""

from __future__ import annotations

from responder_model.simulation.export import write_french_export
from responder_model.simulation.generator import SELECTIONS, simulate_cohort
from responder_model.simulation.relief import true_probabilities
from responder_model.simulation.screening import blank_questionnaires
from responder_model.simulation.settings import generator_settings
from responder_model.simulation.truth import Truth, draw_truth, truth_kinds

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
