"""Reports that a reviewer signs: one HTML file and Markdown, in two languages."""

from __future__ import annotations

from responder_model.reporting.examination import examine
from responder_model.reporting.report import (
    Report,
    build_report,
    report_output,
    write_report,
)
from responder_model.reporting.statements import read_statements
from responder_model.reporting.study import Role, Study

__all__ = [
    "Report",
    "Role",
    "Study",
    "build_report",
    "examine",
    "read_statements",
    "report_output",
    "write_report",
]
