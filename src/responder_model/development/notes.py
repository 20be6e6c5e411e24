"""What a development leaves to be said about the cohort that it used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from responder_model.cohort import repeated_rows
from responder_model.cohort.mapping import summary_of
from responder_model.schema import dictionary
from responder_model.words import Note

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.features import Encoder
    from responder_model.settings import Settings


def development_notes(
    cohort: pd.DataFrame,
    encoder: Encoder,
    settings: Settings,
    known: NDArray[np.bool_],
) -> tuple[Note, ...]:
    """Columns and patients left out, predictors that taught nothing, repeated rows.

    Parameters
    ----------
    cohort : DataFrame
        Checked cohort.
    encoder : Encoder
        Of the model.
    settings : Settings
        Of the development.
    known : ndarray of shape (n_patients,)
        Whose outcome is known.
    """
    notes = [*_left_unused(cohort, settings)]
    if mapping := cohort.attrs.get("mapping"):
        notes.append(Note("development.mapping", mapping=summary_of(mapping)))
    unknown = int((~known).sum())
    if unknown:
        notes.append(_left_out(settings.decision, unknown))
    if known.sum() >= settings.small_cells:
        notes += _uninformative(cohort[known], encoder)
    again = repeated_rows(cohort)
    if again:
        notes.append(Note("development.repeated_rows", n=again))
    return tuple(notes)


def _left_out(decision: str, n: int) -> Note:
    """Whose outcome it is: of those who complete, or of those who were chosen."""
    words = dictionary()
    if words.moments[0].name in words.decisions[decision].moments:
        return Note("development.not_completed", n=n)
    return Note("development.not_implanted", n=n)


def _left_unused(cohort: pd.DataFrame, settings: Settings) -> Iterator[Note]:
    words = dictionary()
    later = tuple(
        name
        for name in cohort.columns
        if name in words.fields
        and words.fields[name].role == "predictor"
        and not words.is_known(name, settings.moment)
        and cohort[name].notna().any()
    )
    if later:
        yield Note("development.left_unused", moment=settings.moment, fields=later)


def _uninformative(patients: pd.DataFrame, encoder: Encoder) -> Iterator[Note]:
    """Predictors of which these patients say nothing: their prior stands."""
    n_values = {
        name: patients[name].nunique() if name in patients else 0
        for name in encoder.predictors
    }
    absent = tuple(name for name, n in n_values.items() if n == 0)
    if absent:
        yield Note("development.recorded_for_nobody", fields=absent)
    same = tuple(name for name, n in n_values.items() if n == 1)
    if same:
        yield Note("development.same_in_all", fields=same)
