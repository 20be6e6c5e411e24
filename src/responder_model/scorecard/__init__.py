"""Write out a linear model: CSV to the last digit, points for a printed page."""

from __future__ import annotations

from responder_model.scorecard.card import Scorecard, Term, build_scorecard
from responder_model.scorecard.page import render_page
from responder_model.scorecard.points import PointsRow, PointsTable, build_points
from responder_model.scorecard.table import render_csv

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
