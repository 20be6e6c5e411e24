"""What a development leaves to be said about the cohort that it used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from responder_model.cohort import repeated_rows
from responder_model.schema import dictionary

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.development.settings import Settings


def development_notes(
    cohort: pd.DataFrame, settings: Settings, known: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Columns and patients left out, predictors that taught nothing, repeated rows.

    Parameters
    ----------
    cohort : DataFrame
        Checked cohort.
    settings : Settings
        Of the development.
    known : ndarray of shape (n_patients,)
        Whose outcome is known.
    """
    notes = [*_left_unused(cohort, settings)]
    if mapping := cohort.attrs.get("mapping"):
        notes.append(f"Read with a mapping: {mapping}.")
    unknown = int((~known).sum())
    if unknown:
        notes.append(
            f"Left out, outcome not known: {unknown} patients "
            f"({_estimand(settings.decision)})."
        )
    if known.sum() >= settings.small_cells:
        notes += _uninformative(cohort[known], settings)
    again = repeated_rows(cohort)
    if again:
        notes.append(repeated_rows_note(again))
    return tuple(notes)


def _estimand(decision: str) -> str:
    """Whose outcome it is: of those who complete, or of those who were chosen."""
    words = dictionary()
    if words.moments[0].name in words.decisions[decision].moments:
        return "the estimand is response among those who complete"
    return "most were not implanted: the estimand is success among those who are"


def repeated_rows_note(n_rows: int) -> str:
    """Sentence on rows that are identical to an earlier one."""
    return (
        f"{n_rows} rows are identical to an earlier one in every column: make sure "
        "that no patient is entered twice."
    )


def _left_unused(cohort: pd.DataFrame, settings: Settings) -> Iterator[str]:
    words = dictionary()
    later = [
        name
        for name in cohort.columns
        if name in words.fields
        and words.fields[name].role == "predictor"
        and not words.is_known(name, settings.moment)
        and cohort[name].notna().any()
    ]
    if later:
        yield f"Left unused, known only after {settings.moment}: {', '.join(later)}."


def _uninformative(patients: pd.DataFrame, settings: Settings) -> Iterator[str]:
    """Predictors of which these patients say nothing: their prior stands."""
    names = settings.predictors or [
        row.name for row in dictionary().predictors(settings.decision, settings.moment)
    ]
    n_values = {
        name: patients[name].nunique() if name in patients else 0 for name in names
    }
    absent = [name for name, n in n_values.items() if n == 0]
    if absent:
        yield f"Recorded for nobody, so that the prior stands: {', '.join(absent)}."
    same = [name for name, n in n_values.items() if n == 1]
    if same:
        yield (
            "The same in every patient, so that nothing can be learnt of it: "
            f"{', '.join(same)}."
        )
