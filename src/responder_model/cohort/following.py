"""What follows from other columns: filled in where it is missing, refused elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.errors import Problem, Question
from responder_model.schema import Decision, Field, dictionary
from responder_model.words import Note
from .columns import category_dtype
from .mapping import CohortMap
from .rules import answers_by, ask_of_rule, by_the_dictionary

Rows = NDArray[np.int64]


def fill_derived_category(
    cohort: pd.DataFrame, field: Field, rows: Rows
) -> list[Problem]:
    """Fill a category that follows from another; refuse one that contradicts."""
    source = cohort[field.derived_from]
    derived = dictionary().derived_categories(field.name)
    due = source.map(derived, na_action="ignore").astype(category_dtype(field))
    problems = []
    if field.name in cohort:
        given = cohort[field.name]
        allowed = Note("cohort.follows", source=field.derived_from)
        problems = contradicting(given, due, rows, allowed)
        due = due.where(due.notna(), given)
    cohort[field.name] = due
    return problems


def repeated(identifiers: pd.Series, rows: Rows) -> list[Problem]:
    """Refuse identifiers that an earlier row has."""
    again = identifiers.duplicated() & identifiers.notna()
    return _cells(identifiers, again.to_numpy(), rows, Note("cohort.unique"))


def fill_binary_outcome(
    cohort: pd.DataFrame,
    decision: Decision,
    rows: Rows,
    recorded: Collection[str],
    how: CohortMap,
    *,
    asked: bool,
) -> tuple[list[Problem], Question | None]:
    """Fill yes/no from relief; refuse what contradicts, or ask for the rule behind."""
    due = implied_outcome(cohort, decision, recorded=recorded)
    name, rule = decision.binary_outcome, how.rules.get(decision.binary_outcome)
    problems: list[Problem] = []
    question = None
    if name in cohort:
        given, fitting = cohort[name], due
        if rule is not None:
            relief = cohort[decision.outcome].to_numpy(np.float64, na_value=np.nan)
            fitting = answers_by(rule, relief, cohort, decision)
        sources = tuple(
            n
            for n in (decision.outcome, decision.requires)
            if n in cohort and cohort[n].notna().any()
        )
        allowed = Note("cohort.consistent", sources=sources)
        problems = contradicting(given, fitting, rows, allowed)
        if problems and rule is None and asked:
            wrong = np.isin(rows, [problem.row or 0 for problem in problems])
            question = ask_of_rule(decision, given, cohort, wrong, rows)
        if rule is not None:
            given = by_the_dictionary(rule, given, decision)
        due = due.where(due.notna(), given)
    elif due.isna().all():
        return problems, None
    cohort[name] = due
    return problems, question


def implied_outcome(
    cohort: pd.DataFrame, decision: Decision, *, recorded: Collection[str] = ()
) -> pd.Series:
    """Return the yes/no outcome as relief and symptom imply it, NA where they do not.

    A symptom that the cohort never records is not asked for; one named in ``recorded``
    is, whatever these rows hold.
    """
    relief = cohort[decision.outcome]
    passed = decision.passes(relief.to_numpy(), decision.main_cut_point)
    due = pd.Series(passed, index=cohort.index).astype("boolean").mask(relief.isna())
    if decision.requires in cohort and (
        decision.requires in recorded or cohort[decision.requires].notna().any()
    ):
        # no relief and unknown symptom: no; relief and unknown symptom: unknown
        due = due & cohort[decision.requires].mask(relief.isna())
    return due


def contradicting(
    given: pd.Series, due: pd.Series, rows: Rows, allowed: Note
) -> list[Problem]:
    """Refuse what is given and not as another column says."""
    differs = (given != due) & given.notna() & due.notna()
    return _cells(given, differs.to_numpy(dtype=bool, na_value=False), rows, allowed)


def _cells(
    cells: pd.Series, refused: NDArray[np.bool_], rows: Rows, allowed: Note
) -> list[Problem]:
    return [
        Problem(
            row=int(rows[place]),
            field=str(cells.name),
            found=_value(str(cells.name), cells.iloc[place]),
            allowed=allowed,
        )
        for place in np.flatnonzero(refused)
    ]


def _value(name: str, value: Any) -> Note:
    """What is given, as the dictionary writes it."""
    plain = value.item() if isinstance(value, np.generic) else value
    return Note("patient.value", field=name, value=plain)
