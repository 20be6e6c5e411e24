"""The outcome of a decision as an interval of ordered levels.

A level counts the fitted cut points that an outcome passes. What is known of a patient
is an interval of levels: one level when relief is known, several when only yes/no is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.schema import Decision, dictionary
from .checking import check_table
from .following import implied_outcome

# Known outcomes below which no model is developed.
MIN_PATIENTS = 10

Definition = Literal["composite", "relief_only", "binary_only", "none"]


@dataclass(frozen=True, kw_only=True)
class OutcomeLevels:
    """Outcome of each patient as an interval of levels, and how it was defined."""

    lower: NDArray[np.int64]  # (n_patients,) lowest level that is possible
    upper: NDArray[np.int64]  # (n_patients,) highest level that is possible
    observed: NDArray[np.bool_]  # (n_patients,) False: nothing is known
    definition: Definition
    description: str  # the definition in words


def outcome_levels(cohort: pd.DataFrame, decision: str | Decision) -> OutcomeLevels:
    """Return the outcome of each patient as an interval of levels.

    Level 0 passes no fitted cut point, the highest level passes all. Relief that is
    known is one level; a lone yes/no is the levels on its side of the main cut-off.
    Where a decision requires improvement of the most disabling symptom and the cohort
    records it for anybody (definition "composite"):

    - relief above the main cut-off, symptom not improved: above the lowest cut-off and
      at most the main one;
    - relief above the main cut-off, symptom unknown: above the lowest cut-off and at
      most what relief says, unless the yes/no outcome tells;
    - relief at most the main cut-off: as relief says.

    A cohort that never records it has definition "relief_only". The relief is the raw
    one: it is not lowered by a symptom when it serves as a predictor.

    Parameters
    ----------
    cohort : DataFrame
        As ``read_cohort`` or ``check_cohort`` returns it.
    decision : str or Decision
        Name of the decision, by the installed dictionary; or the rules of a model.

    Returns
    -------
    OutcomeLevels
        Patients of whom nothing is known have the whole range and ``observed`` False.

    Examples
    --------
    >>> from responder_model.cohort import check_cohort
    >>> cohort = check_cohort(pd.DataFrame({
    ...     "relief_test": [25, 60, 60, None], "symptom_improved": [1, 1, 0, None],
    ...     "rtms_responder": [None, None, None, "yes"]}))
    >>> levels = outcome_levels(cohort, "rtms_response")
    >>> levels.lower.tolist(), levels.upper.tolist(), levels.definition
    ([2, 4, 1, 3], [2, 4, 2, 5], 'composite')
    """
    rules = _rules(decision)
    check_table(cohort)
    relief = _numbers(cohort, rules.outcome)
    known = ~np.isnan(relief)
    level = np.sum([rules.passes(relief, cut) for cut in rules.cut_points], axis=0)
    main, highest = rules.main_index, len(rules.cut_points)
    answer = _answers(cohort, rules)
    lower = np.where(known, level, np.where(answer == 1, main + 1, 0))
    upper = np.where(known, level, np.where(answer == 0, main, highest))
    if _is_composite(cohort, rules):
        short = known & (level > main) & (answer != 1)
        lower[short] = 1
        upper[short & (answer == 0)] = main
    definition = _definition(cohort, rules)
    return OutcomeLevels(
        lower=lower,
        upper=upper,
        observed=known | ~np.isnan(answer),
        definition=definition,
        description=_describe(definition, rules),
    )


def binary_outcome(
    levels: OutcomeLevels, decision: str | Decision
) -> NDArray[np.float64]:
    """Return the outcome at the main cut-off: 1 yes, 0 no, NaN where it is not known.

    Examples
    --------
    >>> from responder_model.cohort import check_cohort
    >>> cohort = check_cohort(pd.DataFrame({"emcs_relief": [40, 39, None]}))
    >>> binary_outcome(outcome_levels(cohort, "emcs_success"), "emcs_success").tolist()
    [1.0, 0.0, nan]
    """
    main = _rules(decision).main_index
    unknown = np.where(levels.upper <= main, 0.0, np.nan)
    return np.where(levels.lower > main, 1.0, unknown)


def _rules(decision: str | Decision) -> Decision:
    if isinstance(decision, Decision):
        return decision
    return dictionary().decisions[dictionary().check_decision(decision)]


def _numbers(cohort: pd.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in cohort:
        return np.full(len(cohort), np.nan)
    return cohort[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _answers(cohort: pd.DataFrame, rules: Decision) -> NDArray[np.float64]:
    """Return 1 yes, 0 no, NaN unknown: as recorded, else as it follows."""
    given = _numbers(cohort, rules.binary_outcome)
    if rules.outcome not in cohort:
        return given
    implied = implied_outcome(cohort, rules)
    follows = implied.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(given), follows, given)


def _is_composite(cohort: pd.DataFrame, rules: Decision) -> bool:
    return rules.requires in cohort and bool(cohort[rules.requires].notna().any())


def _definition(cohort: pd.DataFrame, rules: Decision) -> Definition:
    if not np.isnan(_numbers(cohort, rules.outcome)).all():
        return "composite" if _is_composite(cohort, rules) else "relief_only"
    answered = ~np.isnan(_numbers(cohort, rules.binary_outcome))
    return "binary_only" if answered.any() else "none"


def _describe(definition: Definition, rules: Decision) -> str:
    cut = f"{rules.outcome} {rules.comparison} {rules.main_cut_point:g} %"
    return {
        "composite": f"{cut} and {rules.requires}",
        "relief_only": cut,
        "binary_only": f"{rules.binary_outcome} as the centre recorded it",
        "none": "not recorded",
    }[definition]
