"""One page to keep: an answer on one sheet of A4, as PDF and HTML, in two languages."""

from __future__ import annotations

from .course import course_sheet
from .html import render_html
from .monitoring import monitoring_sheet
from .patients import implant_sheet, pathway_sheet, prediction_sheet
from .pdf import render_pdf
from .rules import stopping_sheet
from .sheet import Sheet

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
