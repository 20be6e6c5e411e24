"""Write out a linear model: CSV to the last digit, points for a printed page."""

from __future__ import annotations

from .card import Scorecard, Term, build_scorecard
from .page import render_page
from .points import PointsRow, PointsTable, build_points
from .table import render_csv

__all__ = [
    "PointsRow",
    "PointsTable",
    "Scorecard",
    "Term",
    "build_points",
    "build_scorecard",
    "render_csv",
    "render_page",
]
