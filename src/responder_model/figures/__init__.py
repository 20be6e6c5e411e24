"""Figures for clinicians and reviewers; each ``plot_`` takes and returns an ``ax``."""
