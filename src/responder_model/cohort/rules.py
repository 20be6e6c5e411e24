"""The rule by which a centre called patients responders, where it is another one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.errors import Question
from responder_model.schema import Decision, dictionary, exceeds, reaches
from responder_model.words import Note
from .asking import Numbers, Rows, question
from .mapping import Rule

# Fewest disagreements that may follow another cut-off; at the own one a single will do.
FEWEST_DISAGREEMENTS = 3


def ask_of_rule(
    decision: Decision,
    given: pd.Series,
    cohort: pd.DataFrame,
    disagreeing: NDArray[np.bool_],
    rows: Rows,
) -> Question | None:
    """Ask which other rule recorded answers follow, where some fit them all."""
    count = int(disagreeing.sum())
    relief = cohort[decision.outcome].to_numpy(dtype=np.float64, na_value=np.nan)
    fitting = []
    for rule in _other_rules(decision):
        own_cut = rule.at == decision.main_cut_point
        due = answers_by(rule, relief, cohort, decision)
        told = given.notna().to_numpy() & due.notna().to_numpy()
        fits = (given == due).to_numpy(dtype=bool, na_value=False)
        enough = count >= (1 if own_cut else FEWEST_DISAGREEMENTS)
        if enough and fits[told].all() and told[disagreeing].all():
            fitting.append(rule)
    if not fitting:
        return None
    name = decision.binary_outcome
    text = Note(
        "cohort.other_rule",
        n=count,
        field=name,
        outcome=decision.outcome,
        rule=tuple(f"{'>=' if r.inclusive else '>'} {r.at:g} %" for r in fitting),
        own=f"{decision.comparison} {decision.main_cut_point:g} %",
    )
    answers = tuple(
        f"rules.{name} = {{ at = {r.at:g}, inclusive = {str(r.inclusive).lower()} }}"
        for r in fitting
    )
    field = dictionary().fields[name]
    return question("rule", field, rows[disagreeing], text, answers)


def _other_rules(decision: Decision) -> Iterator[Rule]:
    own = (decision.main_cut_point, decision.comparison == ">=")
    cuts = sorted({*decision.cut_points, 40.0}, key=lambda cut: abs(cut - own[0]))
    for at in cuts:
        for inclusive in (True, False):
            if (at, inclusive) != own:
                yield Rule(at=at, inclusive=inclusive)


def answers_by(
    rule: Rule, relief: Numbers, cohort: pd.DataFrame, decision: Decision
) -> pd.Series:
    """Yes/no that a centre's own rule gives, NA where relief or symptom is unknown."""
    passed = (reaches if rule.inclusive else exceeds)(relief, rule.at)
    due = pd.Series(passed, index=cohort.index).astype("boolean").mask(np.isnan(relief))
    if decision.requires in cohort and cohort[decision.requires].notna().any():
        due = due & cohort[decision.requires].mask(np.isnan(relief))
    return due


def by_the_dictionary(rule: Rule, given: pd.Series, decision: Decision) -> pd.Series:
    """What recorded answers say by the dictionary's rule, NA where they do not tell."""
    own = (decision.main_cut_point, decision.comparison == ">")
    stricter = (rule.at, not rule.inclusive) >= own
    looser = (rule.at, not rule.inclusive) <= own
    said = given.copy()
    if not stricter:
        said = said.mask(given.fillna(value=False))
    if not looser:
        said = said.mask(~given.fillna(value=True))
    return said
