"""One page to keep: an answer on one sheet of A4, as PDF and HTML, in two languages."""

from __future__ import annotations

from responder_model.sheets.course import course_sheet
from responder_model.sheets.html import render_html
from responder_model.sheets.monitoring import monitoring_sheet
from responder_model.sheets.patients import (
    implant_sheet,
    pathway_sheet,
    prediction_sheet,
)
from responder_model.sheets.pdf import render_pdf
from responder_model.sheets.rules import stopping_sheet
from responder_model.sheets.sheet import Sheet

__all__ = [
    "Sheet",
    "course_sheet",
    "implant_sheet",
    "monitoring_sheet",
    "pathway_sheet",
    "prediction_sheet",
    "render_html",
    "render_pdf",
    "stopping_sheet",
]
