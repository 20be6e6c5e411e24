"""Cohorts: read from files or frames, checked, typed, and their outcome as levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .checking import Inspection, check_cohort, inspect_cohort, repeated_rows
from .mapping import NOTHING, CohortMap, Rule, map_from, read_map
from .outcomes import OutcomeLevels, binary_outcome, outcome_levels
from .reading import inspect_file, read_cohort
from .survey import Survey, survey

if TYPE_CHECKING:
    from .writing import write_cohort, write_template

__all__ = [
    "NOTHING",
    "CohortMap",
    "Rule",
    "map_from",
    "read_map",
    "Inspection",
    "OutcomeLevels",
    "Survey",
    "binary_outcome",
    "check_cohort",
    "inspect_cohort",
    "inspect_file",
    "outcome_levels",
    "read_cohort",
    "repeated_rows",
    "survey",
    "write_cohort",
    "write_template",
]


def __getattr__(name: str) -> Any:
    """Load what writes, and its libraries, for those who write."""
    if name not in ("write_cohort", "write_template"):
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from responder_model.cohort import writing

    return getattr(writing, name)
