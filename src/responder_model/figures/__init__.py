"""Figures for clinicians and reviewers; each ``plot_`` takes and returns an ``ax``."""

__all__ = [
    "coefficients",
    "cohort",
    "explanations",
    "forest",
    "monitoring",
    "ranges",
    "response",
    "rules",
    "scorecard",
    "stability",
    "validation",
    "visits",
]
