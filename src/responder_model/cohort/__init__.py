"""Cohorts: read from files or frames, checked, typed, and their outcome as levels."""

from responder_model.cohort.checking import (
    Inspection,
    check_cohort,
    inspect_cohort,
    repeated_rows,
)
from responder_model.cohort.mapping import NOTHING, CohortMap, Rule, map_from, read_map
from responder_model.cohort.outcomes import (
    OutcomeLevels,
    binary_outcome,
    outcome_levels,
)
from responder_model.cohort.reading import inspect_file, read_cohort
from responder_model.cohort.writing import write_cohort, write_template

__all__ = [
    "NOTHING",
    "CohortMap",
    "Rule",
    "map_from",
    "read_map",
    "Inspection",
    "OutcomeLevels",
    "binary_outcome",
    "check_cohort",
    "inspect_cohort",
    "inspect_file",
    "outcome_levels",
    "read_cohort",
    "repeated_rows",
    "write_cohort",
    "write_template",
]
