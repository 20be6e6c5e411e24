"""Patients who come to a model that others have made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from responder_model.cohort import outcome_levels
from responder_model.disclosure import already_in
from responder_model.errors import DevelopmentError
from responder_model.model import Model
from responder_model.schema import dictionary
from responder_model.words import Note

if TYPE_CHECKING:
    import pandas as pd

# What is said of patients whose outcome is not known.
_LEFT_OUT = ("development.not_completed", "development.not_implanted")


def new_patients(
    model: Model,
    cohort: pd.DataFrame,
    *,
    count_again: bool = False,
    refusal: str = "refusal.none_new",
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Patients of a checked cohort who are not in a model, and what to say of it.

    ``refusal`` is what is said where all of them are.

    Raises
    ------
    DevelopmentError
        When all whose outcome is known are in the model already, or none is known.
    """
    observed = outcome_levels(cohort, model.decision).observed
    check_any_known(observed, model.decision)
    found = already_in(model.fingerprints, cohort)
    if found is None:
        told = model.fingerprints is None or count_again
        return cohort, () if told else (Note("development.other_key"),)
    again = int((found & observed).sum())
    if again == 0 or count_again:
        return cohort, ()
    n = int(observed.sum())
    if again == n:
        raise DevelopmentError(Note(refusal, model=model.name, n=n))
    kept = cohort[~found]
    kept.attrs = dict(cohort.attrs)
    return kept, (Note("development.already_in", again=again, n=n),)


def check_any_known(observed: NDArray[np.bool_], decision: str) -> None:
    """Refuse patients of whom no outcome is known."""
    if observed.any():
        return
    rules = dictionary().decisions[decision]
    names = {"outcome": rules.outcome, "binary": rules.binary_outcome}
    raise DevelopmentError(Note("refusal.no_outcome", decision=decision, **names))


def notes_of_update(model: Model, told: tuple[Note, ...]) -> tuple[Note, ...]:
    """Notes of an earlier model and of its update, each once; left out are added up."""
    updated_from = Note("development.updated_from", model=model.name)
    whole = (*model.notes, updated_from, *told)
    n = {
        code: sum(note.values["n"] for note in whole if note.code == code)
        for code in _LEFT_OUT
    }
    summed = (
        Note(note.code, n=n[note.code]) if note.code in n else note for note in whole
    )
    return tuple(dict.fromkeys(summed))
