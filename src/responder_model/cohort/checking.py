"""Check a cohort at the door: every problem at once, then typed columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.errors import InvalidCohortError, Problem, Question
from responder_model.formats import quoted
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import (
    PSEUDONYM,
    choices,
    heading_of_file,
    names_person,
    normalise,
    show,
)
from responder_model.words import Note
from .asking import ask_of_codes, ask_of_words
from .columns import distinct_values
from .following import fill_binary_outcome, fill_derived_category, repeated
from .headings import likely_questions, match_headings, sham_arms
from .mapping import NOTHING, Code, CohortMap
from .preparing import check_identifiers, read_by_map, with_named_sites
from .questions import ask_of_values
from .warning import warnings_of

Rows = NDArray[np.int64]
# A heading and the field that is read from it, None where none is.
Column = tuple[str, str | None]

# Odd, with its bits mixed: spreads the digests of rows over all numbers.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# Known values from which two identical rows are hardly two patients.
FEWEST_VALUES = 5
NO_PATIENTS = Problem(field="table", allowed=Note("cohort.has_patients"))
NO_TABLE = Problem(field="table", allowed=Note("cohort.is_frame"))
NAMES_IN_PARTS = Problem(field="table", allowed=Note("cohort.simple_names"))


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A table read by the dictionary, with what is wrong in it."""

    cohort: pd.DataFrame  # typed; refused cells are missing
    problems: tuple[Problem, ...]
    notices: tuple[Note, ...]
    questions: tuple[Question, ...] = ()
    columns: tuple[Column, ...] = ()  # as in the file, which field is read from each
    sheet: str | None = None  # of a workbook
    n_left_out: int = 0  # lines that are no patients
    codes_met: frozenset[Code] = frozenset()  # missing codes that stand in the file


def check_cohort(frame: pd.DataFrame, *, how: CohortMap = NOTHING) -> pd.DataFrame:
    """Return a hand-made table as a cohort, or refuse it with every problem at once.

    Parameters
    ----------
    frame : DataFrame
        One row per patient; columns are named by field, label or synonym, in any order.
        Yes/no, True/False, 1/0, English and French labels, numbers as text: all are
        read as in a file. Checking a cohort again changes nothing.
    how : CohortMap, optional
        Answers to what the table leaves open.

    Returns
    -------
    DataFrame
        Known columns in dictionary order: float64, nullable boolean, category with all
        categories of the dictionary, text. ``lesion_type``, ``rtms_responder`` and
        ``emcs_success`` are filled where they follow from other values.
        ``attrs``: provenance ("simulated" if any row is, else "cohort"), notices,
        overlap_groups and name; mapping, where answers were given.

    Raises
    ------
    InvalidCohortError
        With one problem per offending cell, and with every open question; rows are
        counted as in a file whose header is line 1, so that the first patient is row 2.

    Examples
    --------
    >>> frame = pd.DataFrame({"Age": ["54,5", "ND"], "aetiology": ["amputation", None]})
    >>> check_cohort(frame)["lesion_type"].tolist()
    ['peripheral', nan]
    """
    whole = _inspect(frame, 2, how)
    problems = whole.problems if len(whole.cohort) else (*whole.problems, NO_PATIENTS)
    if problems or whole.questions:
        raise InvalidCohortError(problems, whole.notices, whole.questions)
    return whole.cohort


def check_table(frame: pd.DataFrame) -> None:
    """Refuse what is no table, and one whose columns have names of several parts.

    Such names (a pandas MultiIndex) would be taken for unknown columns, one by one.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InvalidCohortError((NO_TABLE,))
    if isinstance(frame.columns, pd.MultiIndex):
        raise InvalidCohortError((NAMES_IN_PARTS,))


def inspect_cohort(
    frame: pd.DataFrame, first_row: int = 2
) -> tuple[pd.DataFrame, tuple[Problem, ...], tuple[Note, ...]]:
    """Return a table as a cohort, its problems and its notices, without refusing it.

    What the table leaves open is no part of it: ``check_cohort`` asks.

    Parameters
    ----------
    frame : DataFrame
        As for ``check_cohort``; it may be one part of a longer file.
    first_row : int, optional
        Row number of its first patient, by which problems name rows.

    Examples
    --------
    >>> cohort, problems, notices = inspect_cohort(pd.DataFrame({"age": [54, 180]}))
    >>> problems[0].row, problems[0].found, problems[0].allowed.text()
    (3, '180', 'between 18 and 100 years')
    >>> cohort["age"].tolist()
    [54.0, nan]
    """
    whole = _inspect(frame, first_row, NOTHING)
    return whole.cohort, whole.problems, whole.notices


def _inspect(frame: pd.DataFrame, first_row: int, how: CohortMap) -> Inspection:
    check_table(frame)
    rows = np.arange(first_row, first_row + len(frame), dtype=np.int64)
    part = inspect_columns(frame, rows, how)
    # a labelled table has been checked, and what it left open was answered
    asked = "provenance" not in frame.attrs
    whole = inspect_rows([part], rows, how=how, asked=asked)
    cohort = whole.cohort.set_axis(frame.index, axis="index")
    notices = _merged((*frame.attrs.get("notices", ()), *whole.notices))
    label_cohort(
        cohort,
        name=frame.attrs.get("name", "cohort"),
        notices=notices,
        overlap_groups=frame.attrs.get("overlap_groups", ()),
        provenance=frame.attrs.get("provenance"),
        mapping=frame.attrs.get("mapping", how.record),
    )
    return replace(whole, cohort=cohort, notices=notices)


def label_cohort(
    cohort: pd.DataFrame,
    *,
    name: str,
    notices: Iterable[Note],
    overlap_groups: Iterable[str],
    provenance: str | None = None,
    mapping: Mapping[str, Any] | None = None,
) -> None:
    """Write into ``attrs`` where a cohort comes from; simulated is contagious."""
    simulated = provenance == "simulated" or has_simulated_row(cohort)
    cohort.attrs = {
        "provenance": "simulated" if simulated else "cohort",
        "notices": tuple(notices),
        "overlap_groups": tuple(overlap_groups),
        "name": name,
    }
    if mapping:
        cohort.attrs["mapping"] = mapping


def has_simulated_row(cohort: pd.DataFrame) -> bool:
    """Whether any row says, in English or French, that it is simulated."""
    return any(
        "simul" in normalise(show(word))
        for field in dictionary().fields.values()
        if field.role == "provenance" and field.name in cohort
        for word in cohort[field.name].dropna().unique()
    )


def repeated_rows(cohort: pd.DataFrame) -> int:
    """Count rows that are identical to an earlier one, identifiers aside.

    Rows with fewer than five known values are not counted: rows of a published table
    are alike by nature.

    Examples
    --------
    >>> row = {"age": 54, "pain_intensity": 7, "depression": 9, "fatigue": 4, "dn4": 6}
    >>> repeated_rows(check_cohort(pd.DataFrame([row, row, {**row, "age": 55}])))
    1
    """
    check_table(cohort)
    roles = {name: dictionary().fields[name].role for name in cohort.columns}
    columns = [name for name, role in roles.items() if role != "identifier"]
    told = [n for n in columns if roles[n] == "predictor" and not _is_derived(n)]
    enough = cohort[told].notna().sum(axis=1) >= FEWEST_VALUES
    # rows of the same digest are few: only they are compared
    digests = _row_digests(cohort[columns])
    alike = pd.Series(digests, index=cohort.index).duplicated(keep=False)
    return int(cohort.loc[enough & alike, columns].duplicated().sum())


def _row_digests(cohort: pd.DataFrame) -> NDArray[np.uint64]:
    """A number for each row, the same for equal rows."""
    digests = np.zeros(len(cohort), dtype=np.uint64)
    for name in cohort.columns:
        cells = cohort[name]
        if isinstance(cells.dtype, pd.CategoricalDtype):
            numbers = cells.cat.codes.to_numpy(dtype=np.int64).view(np.uint64)
        elif cells.dtype.kind in "fb":
            # -0.0 is 0.0, and every NaN the same
            known = cells.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0
            numbers = np.where(np.isnan(known), np.nan, known).view(np.uint64)
        else:
            numbers = pd.factorize(cells)[0].astype(np.int64).view(np.uint64)
        digests = digests * _MULTIPLIER + (numbers ^ (numbers >> np.uint64(29)))
    return digests


def _is_derived(name: str) -> bool:
    return dictionary().fields[name].derived_from is not None


def inspect_columns(
    frame: pd.DataFrame, rows: Rows, how: CohortMap = NOTHING
) -> Inspection:
    """Read each column by its field; one offending cell is one problem."""
    names = [str(name) for name in frame.columns]
    headings, problems, notices = match_headings(names, how)
    columns, questions = {}, likely_questions(names, headings, how)
    questions += sham_arms(frame, headings, rows, how)
    met: set[Code] = set()
    for position, heading in headings.items():
        field, cells = heading.field, frame.iloc[:, position]
        read = read_by_map(heading, cells, rows, how)
        if how.missing_codes and field.kind != "text":
            met |= how.codes_met(distinct_values(cells)[1])
        columns[field.name] = read.values
        questions += read.questions
        if field.role == "identifier":
            problems += check_identifiers(read.values, rows)
        for place in np.flatnonzero(read.refused):
            found = cells.iloc[place]
            problem = _problem(field, found, int(rows[place]))
            named = heading_of_file(heading, names[position])
            problems.append(replace(problem, heading=named))
    cohort = pd.DataFrame(columns, index=frame.index)
    cohort, contradictory, told = with_named_sites(cohort, frame, headings, rows)
    problems += contradictory
    return Inspection(
        cohort=cohort,
        problems=tuple(problems),
        notices=_merged((*notices, *told)),
        questions=tuple(questions),
        columns=tuple(
            (name, headings[place].field.name if place in headings else None)
            for place, name in enumerate(names)
        ),
        codes_met=frozenset(met),
    )


def _problem(field: Field, cell: Any, row: int) -> Problem:
    """Refusal of a cell; what may be a person's name is not shown."""
    if field.role == "identifier" and names_person(str(getattr(cell, "shown", cell))):
        return Problem(row=row, field=field.name, allowed=PSEUDONYM)
    # of a labelled code the label is the word
    word = getattr(cell, "label", cell)
    return Problem(
        row=row,
        field=field.name,
        found=quoted(cell),
        allowed=field.rule,
        choices=choices(field, word),
    )


def inspect_rows(
    parts: Sequence[Inspection],
    rows: Rows,
    *,
    recorded: Collection[str] = (),
    how: CohortMap = NOTHING,
    asked: bool = False,
) -> Inspection:
    """Join the parts of a table; fill and check what follows from other columns.

    ``recorded`` names columns that the whole table records where these are not all of
    its rows. What is open is asked with ``asked`` only: it takes the whole table.
    """
    frames = [part.cohort for part in parts]
    cohort = pd.concat(frames, ignore_index=True)
    # A repeated column is found in each part, and is one problem.
    problems = list(dict.fromkeys(p for part in parts for p in part.problems))
    questions: list[Question] = []
    if asked:
        questions = _ask(cohort, parts, problems, rows, how)
    for field in dictionary().fields.values():
        if field.derived_from in cohort:
            problems += fill_derived_category(cohort, field, rows)
        if field.role == "identifier" and field.name in cohort:
            problems += repeated(cohort[field.name], rows)
    for decision in dictionary().decisions.values():
        if decision.outcome in cohort:
            found, question = fill_binary_outcome(
                cohort, decision, rows, recorded, how, asked=asked
            )
            problems += found
            questions += [question] if question else []
    order = [name for name in dictionary().fields if name in cohort]
    return Inspection(
        cohort=cohort[order],
        problems=_sorted(problems),
        notices=_merged(
            (
                *(notice for part in parts for notice in part.notices),
                *(warnings_of(cohort, rows) if asked else ()),
                *(_codes_unmet(parts, how) if asked else ()),
                *(_empty_rows(cohort[order], problems, rows) if asked else ()),
            )
        ),
        questions=tuple(questions),
        columns=parts[0].columns if parts else (),
    )


def _ask(
    cohort: pd.DataFrame,
    parts: Sequence[Inspection],
    problems: list[Problem],
    rows: Rows,
    how: CohortMap,
) -> list[Question]:
    """What is open in a table before anything is filled in it."""
    merged: dict[tuple[str, tuple[str, ...]], Question] = {}
    for question in (question for part in parts for question in part.questions):
        same = merged.setdefault((question.code, question.answers), question)
        both = tuple(sorted({*same.rows, *question.rows}))
        merged[question.code, question.answers] = replace(same, rows=both)
    of_values = ask_of_values(cohort, problems, rows, how)
    of_words = [*ask_of_words(problems), *ask_of_codes(problems)]
    return [*merged.values(), *of_words, *of_values]


def _codes_unmet(parts: Sequence[Inspection], how: CohortMap) -> Iterator[Note]:
    """Missing codes that stand nowhere: another one may have been meant."""
    met = {code for part in parts for code in part.codes_met}
    for code in how.missing_codes:
        if code not in met:
            text = code if isinstance(code, str) else f"{code:g}"
            yield Note("cohort.code_unmet", code=text)


def _empty_rows(
    cohort: pd.DataFrame, problems: Iterable[Problem], rows: Rows
) -> Iterator[Note]:
    """Rows that count as patients though nothing that is read stands in them."""
    empty = np.arange(len(cohort))
    for _, cells in cohort.items():
        empty = empty[cells.iloc[empty].isna().to_numpy()]
    n_empty = len({*rows[empty].tolist()} - {problem.row for problem in problems})
    if n_empty:
        yield Note("cohort.empty_rows", n=n_empty)


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems as one reads a file: by row, then in dictionary order."""
    place = {name: number for number, name in enumerate(dictionary().fields)}
    return tuple(
        sorted(problems, key=lambda p: (p.row or 0, place.get(p.field, -1), p.rule))
    )


def _merged(notices: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(dict.fromkeys(notices))
