"""What a model reads of a table: its columns, found by name before any row is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from responder_model.cohort.asking import TWO_FIELDS
from responder_model.cohort.checking import inspect_columns
from responder_model.cohort.headings import match_headings
from responder_model.cohort.mapping import NOTHING, CohortMap
from responder_model.errors import InvalidCohortError, Problem, Question
from responder_model.features import Encoder
from responder_model.model.batch import unused_columns
from responder_model.schema import dictionary
from responder_model.words import Note


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a table that a model reads.

    Parameters
    ----------
    names, positions : tuple
        As the header writes them, and their places in it.
    recorded : tuple of str
        Fields that the table has a column for, though a part of it may hold none.
    unused : tuple of str
        Predictors that the table has and the model does not use: known only later
        than its moment, or of another decision.
    notices : tuple of str
        Unknown columns, with the nearest known name.
    encoder : Encoder
        Of the model.
    how : CohortMap
        How the table is to be read.
    questions : tuple of Question
        Of predictors that no column is for sure.
    """

    names: tuple[str, ...]
    positions: tuple[int, ...]
    recorded: tuple[str, ...]
    unused: tuple[str, ...]
    notices: tuple[Note, ...]
    encoder: Encoder
    how: CohortMap = NOTHING
    questions: tuple[Question, ...] = ()

    def check_open(self, asked: Iterable[Question] = ()) -> None:
        """Refuse a table that leaves open what its headings mean, or more.

        Raises
        ------
        InvalidCohortError
            With every open question.
        """
        questions = (*self.questions, *asked)
        if questions:
            raise InvalidCohortError((), self.notices, questions)


def choose_columns(
    encoder: Encoder, header: Sequence[str], how: CohortMap = NOTHING
) -> Columns:
    """Choose what a model reads of a table with this header.

    Columns that the model does not use are not read: what stands in them cannot refuse
    a patient.

    Raises
    ------
    InvalidCohortError
        When the header names no predictor of the model, or one twice.
    """
    empty = pd.DataFrame({k: pd.Series(dtype=object) for k in range(len(header))})
    empty.columns = pd.Index(list(header))
    found = inspect_columns(empty, np.empty(0, dtype=np.int64), how)
    read = _read_fields(encoder)
    if found.problems:
        raise InvalidCohortError(found.problems, found.notices)
    places = _places(header, how)
    if not any(name in places for name in encoder.predictors):
        raise InvalidCohortError((_no_predictor(encoder),), found.notices)
    used = {name: place for name, place in places.items() if name in read}
    return Columns(
        names=tuple(header[place] for place in used.values()),
        positions=tuple(used.values()),
        recorded=tuple(used),
        unused=tuple(n for n in unused_columns(encoder, found.cohort) if n not in used),
        notices=found.notices,
        encoder=encoder,
        how=how,
        questions=tuple(
            q for q in found.questions if q.field in read or q.code == TWO_FIELDS
        ),
    )


def _places(header: Sequence[str], how: CohortMap) -> dict[str, int]:
    headings, _, _ = match_headings(header, how)
    return {heading.field.name: place for place, heading in headings.items()}


def _no_predictor(encoder: Encoder) -> Problem:
    target = {"decision": encoder.decision, "moment": encoder.moment}
    return Problem(field="table", allowed=Note("cohort.a_predictor", **target))


def _read_fields(encoder: Encoder) -> set[str]:
    """Predictors, what they follow from, the identifier and the provenance."""
    read = set(encoder.predictors)
    for decision in dictionary().decisions.values():
        if decision.binary_outcome in encoder.predictors:
            read |= {decision.outcome, *filter(None, [decision.requires])}
    for field in dictionary().fields.values():
        if field.role in ("identifier", "provenance"):
            read.add(field.name)
    return read
