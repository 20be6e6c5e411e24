"""Reports that a reviewer signs: one HTML file and Markdown, in two languages.

Names are loaded when they are asked for: a page takes its environment alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .examination import examine
    from .report import Report, build_report, report_output, write_report
    from .statements import read_statements
    from .study import Role, Study

_MODULES = {
    "Report": "report",
    "Role": "study",
    "Study": "study",
    "build_report": "report",
    "examine": "examination",
    "read_statements": "statements",
    "report_output": "report",
    "write_report": "report",
}

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


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        module = import_module(f"responder_model.reporting.{_MODULES[name]}")
        return getattr(module, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
