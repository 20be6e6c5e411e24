"""What the reader of an external validation must know about its patients."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from responder_model.cohort import repeated_rows
from responder_model.development.from_cohort import check_overlap
from responder_model.errors import DevelopmentError
from responder_model.features import Array
from responder_model.model import Model
from responder_model.sample_size import validation_criteria
from responder_model.settings import Settings
from responder_model.words import Note

# Fewest patients of either outcome from which measures are worth printing.
MIN_RARER = 5


def external_notes(
    model: Model, outcome: Array, cohort: pd.DataFrame
) -> Iterator[Note]:
    """Say how few the patients are, who they may be, and what is not computed."""
    yield from _size_note(outcome)
    if _overlaps(model, cohort):
        yield Note("validation.in_evidence")
    if cohort.attrs.get("provenance") == "simulated":
        yield Note("validation.simulated")
    if model.decision == "emcs_success":
        yield Note("validation.implanted_only")
    again = repeated_rows(cohort)
    if again:
        yield Note("development.repeated_rows", n=again)


def _size_note(outcome: Array) -> Iterator[Note]:
    """Say that there are too few to judge, or fewer than Riley's criteria ask for."""
    n_patients, n_events = len(outcome), int(outcome.sum())
    rarer = min(n_events, n_patients - n_events)
    if rarer < MIN_RARER:
        yield Note("validation.too_few", n=rarer)
        return
    needed = validation_criteria(n_events / n_patients).n_required
    if n_patients < needed:
        yield Note("validation.wide_intervals", n=n_patients, needed=needed)


def _overlaps(model: Model, cohort: pd.DataFrame) -> bool:
    """Whether the cohort's patients may be in the evidence behind the model."""
    settings = Settings(
        decision=model.decision,
        moment=model.moment,
        exclude_evidence=model.excluded_evidence,
    )
    try:
        check_overlap(cohort, settings)
    except DevelopmentError:
        return True
    return False
