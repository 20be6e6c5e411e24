"""What a cohort is good for: its outcomes, and which models it can develop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.schema import dictionary
from responder_model.words import Note
from .outcomes import MIN_PATIENTS, binary_outcome, outcome_levels


@dataclass(frozen=True, kw_only=True)
class OutcomeCount:
    """How often the outcome of a decision is known.

    Parameters
    ----------
    decision : str
        Name of the decision.
    n_known : int
        Patients of whose outcome anything is known.
    n_events, n_non_events : int
        Patients above the main cut-off and not above; those of whom only part is known
        may be neither.
    """

    decision: str
    n_known: int
    n_events: int
    n_non_events: int


@dataclass(frozen=True, kw_only=True)
class Feasible:
    """Whether a cohort can develop one model.

    Parameters
    ----------
    decision, moment : str
        The model.
    recorded, absent : tuple of str
        Its predictors that some patient of known outcome has, and those that nobody
        has, for which the published evidence stands.
    lacks : tuple of Note
        What the cohort lacks; empty where the model can be developed.
    """

    decision: str
    moment: str
    recorded: tuple[str, ...]
    absent: tuple[str, ...]
    lacks: tuple[Note, ...]

    @property
    def target(self) -> str:
        """The model as commands name it."""
        return f"{self.decision}@{self.moment}"


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a cohort is good for."""

    outcomes: tuple[OutcomeCount, ...]
    models: tuple[Feasible, ...]


def survey(cohort: pd.DataFrame) -> Survey:
    """Say what a cohort knows of each outcome, and which models it can develop.

    A model needs a known outcome of ten patients, with both answers, and of what it
    knows and the model before does not, at least one predictor: a model after session 2
    without relief of session 2 would be the one after session 1.

    Parameters
    ----------
    cohort : DataFrame
        Typed columns, as ``check_cohort`` or ``inspect_file`` gives them.

    Examples
    --------
    >>> from responder_model.cohort import check_cohort
    >>> cohort = check_cohort(pd.DataFrame({
    ...     "age": range(40, 60), "relief_1": range(20), "relief_test": range(20, 40)}))
    >>> found = survey(cohort)
    >>> found.outcomes[0].n_known, found.outcomes[0].n_events
    (20, 9)
    >>> [model.target for model in found.models if not model.lacks]
    ['rtms_response@screening', 'rtms_response@session_1']
    >>> found.models[2].lacks[0].text()
    'nobody has Relief after session 2, Days of relief after session 2'
    """
    decisions = dictionary().decisions
    known = {name: _known(cohort, name) for name in decisions}
    counts = {name: _count(cohort, name, known[name]) for name in decisions}
    return Survey(
        outcomes=tuple(counts.values()),
        models=tuple(
            _feasible(cohort[known[decision]], counts[decision], moment)
            for decision, moment in dictionary().targets()
        ),
    )


def _known(cohort: pd.DataFrame, decision: str) -> NDArray[np.bool_]:
    """Patients of whose outcome anything is known, who are those to learn from."""
    levels = outcome_levels(cohort, decision)
    n_cuts = len(dictionary().decisions[decision].cut_points)
    return np.asarray((levels.upper - levels.lower) < n_cuts)


def _count(
    cohort: pd.DataFrame, decision: str, known: NDArray[np.bool_]
) -> OutcomeCount:
    outcome = binary_outcome(outcome_levels(cohort, decision), decision)
    return OutcomeCount(
        decision=decision,
        n_known=int(known.sum()),
        n_events=int((outcome[known] == 1.0).sum()),
        n_non_events=int((outcome[known] == 0.0).sum()),
    )


def _feasible(known: pd.DataFrame, count: OutcomeCount, moment: str) -> Feasible:
    predictors = [f.name for f in dictionary().predictors(count.decision, moment)]
    recorded = [n for n in predictors if n in known and known[n].notna().any()]
    lacks = (*_outcome_lacks(count), *_predictors_lack(count, moment, set(recorded)))
    return Feasible(
        decision=count.decision,
        moment=moment,
        recorded=tuple(recorded),
        absent=tuple(name for name in predictors if name not in recorded),
        lacks=lacks,
    )


def _outcome_lacks(count: OutcomeCount) -> Iterator[Note]:
    rules = dictionary().decisions[count.decision]
    names = {"outcome": rules.outcome, "binary": rules.binary_outcome}
    if not count.n_known:
        yield Note("cohort.lacks_outcome", **names)
    elif count.n_known < MIN_PATIENTS:
        yield Note("cohort.lacks_patients", n=count.n_known, least=MIN_PATIENTS)
    elif not (count.n_events and count.n_non_events):
        yield Note("cohort.lacks_class", binary=rules.binary_outcome)


def _predictors_lack(
    count: OutcomeCount, moment: str, recorded: set[str]
) -> Iterator[Note]:
    """What the model adds to the one before, where there is nothing of it."""
    if not count.n_known:
        return
    added = tuple(
        field.name
        for field in dictionary().predictors(count.decision, moment)
        if field.known_from == moment
    )
    if not recorded & set(added):
        yield Note("cohort.lacks_predictors", names=added)
