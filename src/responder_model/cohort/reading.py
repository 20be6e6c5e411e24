"""Read a cohort from a file as centres export it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.errors import InvalidCohortError, Problem, system_reason
from responder_model.formats import open_file, unreadable
from responder_model.words import Note
from .checking import (
    NO_PATIENTS,
    Inspection,
    inspect_columns,
    inspect_rows,
    label_cohort,
    repeated_rows,
)
from .headings import NO_COLUMNS
from .mapping import NOTHING, CohortMap


def read_cohort(
    path: str | PathLike[str],
    *,
    overlap_groups: Iterable[str] = (),
    how: CohortMap = NOTHING,
) -> pd.DataFrame:
    """Read a cohort from a file, or refuse it with every problem at once.

    The kind of file is told by its content: text separated by ``;``, ``,`` or tabs
    (in the letters of any machine; decimal point or comma), XLSX and ODS (the first
    visible sheet that fits), Parquet, SPSS (.sav, .zsav), Stata (.dta), SAS (.xpt,
    .sas7bdat) or R (.rds, .RData with one data frame). Columns are named by field,
    label or synonym, in English or French. Where a file gives codes labels, the labels
    are read, never the codes; what it declares missing is missing. Blanks, NA, ND and
    words for them are missing. Empty lines are skipped.

    Parameters
    ----------
    path : path-like
        The file.
    overlap_groups : iterable of str, optional
        Overlap groups of the evidence that these patients are part of: that evidence
        must then be left out of development.
    how : CohortMap, optional
        Answers to what the file leaves open (``cohort.read_map``).

    Returns
    -------
    DataFrame
        As ``check_cohort`` returns it; ``attrs["name"]`` is the file's name without
        its ending, ``attrs["notices"]`` tells what was left out.

    Raises
    ------
    InvalidCohortError
        With one problem per offending cell and every open question; the header is row
        1. Whatever the file holds, no other exception is raised.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "centre.csv"
    ...     export = {"âge": [54, 61.5], "Relief after the test": [40, None]}
    ...     pd.DataFrame(export).to_csv(path, sep=";", decimal=",", index=False)
    ...     cohort = read_cohort(path)
    >>> cohort["age"].tolist(), cohort["relief_test"].tolist()
    ([54.0, 61.5], [40.0, nan])
    """
    path = Path(path)
    whole, _ = inspect_file(path, how)
    if whole.problems or whole.questions:
        raise InvalidCohortError(whole.problems, whole.notices, whole.questions)
    label_cohort(
        whole.cohort,
        name=path.stem,
        notices=whole.notices,
        overlap_groups=overlap_groups,
        mapping=how.record,
    )
    return whole.cohort


def inspect_file(
    path: str | PathLike[str], how: CohortMap = NOTHING
) -> tuple[Inspection, NDArray[np.int64]]:
    """Read what can be read of a file, with its problems and each patient's row.

    Raises
    ------
    InvalidCohortError
        When the file cannot be read as a table at all, or names no known column.
    """
    try:
        return _inspect(path, how)
    except OSError as error:  # of the disk
        raise unreadable(system_reason(error)) from None


def _inspect(
    path: str | PathLike[str], how: CohortMap
) -> tuple[Inspection, NDArray[np.int64]]:
    source = open_file(path, **how.of_file)
    parts, rows, left_out = [], [], []
    for table in source.tables():
        left_out += [_left_out(line) for line in table.left_out]
        part = inspect_columns(table.cells, table.rows, how)
        problems = (*table.problems, *part.problems)
        if NO_COLUMNS in problems:
            raise InvalidCohortError((NO_COLUMNS,), part.notices)
        parts.append(replace(part, problems=problems))
        rows.append(table.rows)
    whole = inspect_rows(parts, np.concatenate(rows), how=how, asked=True)
    whole = replace(
        whole,
        notices=(*source.notices, *left_out, *whole.notices),
        sheet=source.sheet,
        n_left_out=len(left_out),
    )
    again = repeated_rows(whole.cohort)
    if again:
        told = Note("cohort.identical_rows", n=again)
        whole = replace(whole, notices=(*whole.notices, told))
    if not len(whole.cohort) and not whole.problems:
        whole = replace(whole, problems=(NO_PATIENTS,))
    return whole, np.concatenate(rows)


def _left_out(line: Problem) -> Note:
    key = "remark" if line.rule == "formats.no_remark" else "totals"
    return Note(f"formats.{key}", row=line.row, found=line.found)
