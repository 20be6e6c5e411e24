"""Score one part of a file: cells in, an Arrow table of scores out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from responder_model.cohort import checking
from responder_model.cohort.questions import fractions
from responder_model.errors import Problem, Question
from responder_model.features import Array
from responder_model.formats import Table
from responder_model.model import Model
from responder_model.model.batch import recode, score_cohort, score_columns
from responder_model.schema import dictionary
from responder_model.words import plain, value_from
from .columns import Columns

# Columns of a part that its file needs and the result does not.
KEPT, IDENTITY = "kept", "identity"
ROW, BASELINE = "row", "baseline"
# What a file of scores says in every row besides them.
PROVENANCE, DIGEST, DATE = "provenance", "model_digest", "date"
_META = b"responder_model.part"


@dataclass(frozen=True, kw_only=True)
class ScoredPart:
    """Scores of one part of a file.

    Parameters
    ----------
    scores : pa.Table
        One row per patient: row number, identifier, scores, whether the patient is
        kept, and a number that stands for the identifier.
    problems : tuple of Problem
        Why rows are set aside.
    simulated : bool
        Whether a row says that it is simulated.
    """

    scores: pa.Table
    problems: tuple[Problem, ...]
    simulated: bool


def check_part(
    table: Table, columns: Columns
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Problem, ...]]:
    """Typed values, identifiers and problems of some rows of a table.

    Identifiers are not compared: an earlier row may stand in another part.
    """
    part = checking.inspect_columns(table.cells, table.rows, columns.how)
    identifiers = _identifiers(part.cohort)
    known = replace(part, cohort=part.cohort.drop(columns=list(identifiers)))
    whole = checking.inspect_rows(
        [known], table.rows, recorded=columns.recorded, how=columns.how
    )
    cohort, unknown = recode(columns.encoder, whole.cohort, table.rows)
    in_doubt = fractions(whole.cohort, table.rows, columns.how)
    problems = (*table.problems, *table.left_out, *whole.problems, *in_doubt, *unknown)
    in_order = tuple(sorted(problems, key=lambda problem: problem.row or 0))
    return cohort, identifiers, in_order


def open_questions(table: Table, columns: Columns) -> tuple[Question, ...]:
    """What the columns of a table leave open; a word is its row's own problem."""
    part = checking.inspect_columns(table.cells, table.rows, columns.how)
    whole = checking.inspect_rows([part], table.rows, how=columns.how, asked=True)
    return tuple(q for q in whole.questions if q.code not in ("word", "rule"))


def score_part(
    table: Table, model: Model, columns: Columns, *, contributions: bool
) -> ScoredPart:
    """Check and score some rows; a refused row is scored too, and marked."""
    cohort, identifiers, problems = check_part(table, columns)
    refused = [problem.row for problem in problems if problem.row is not None]
    arrays = {
        ROW: table.rows,
        **{str(name): _text(cells) for name, cells in identifiers.items()},
        **_score(model, cohort, contributions=contributions),
        KEPT: ~np.isin(table.rows, refused),
        IDENTITY: _identity(identifiers, len(table.rows)),
    }
    return ScoredPart(
        scores=pa.table({name: _arrow(values) for name, values in arrays.items()}),
        problems=problems,
        simulated=checking.has_simulated_row(cohort),
    )


def _identifiers(cohort: pd.DataFrame) -> pd.DataFrame:
    fields = dictionary().fields
    return cohort[[n for n in cohort.columns if fields[str(n)].role == "identifier"]]


def _score(
    model: Model, cohort: pd.DataFrame, *, contributions: bool
) -> dict[str, Any]:
    scores = score_cohort(model, cohort)
    columns = score_columns(model, scores)
    if contributions:
        columns[BASELINE] = np.full(len(cohort), model.baseline)
        columns |= _contribution_columns(model.encoder.predictors, scores.contributions)
    return columns


def _contribution_columns(names: Sequence[str], values: Array) -> dict[str, Array]:
    by_column = np.ascontiguousarray(values.T)
    return {
        f"contribution_{name}": column
        for name, column in zip(names, by_column, strict=True)
    }


def _identity(identifiers: pd.DataFrame, n_rows: int) -> pa.Array:
    """64 bits that stand for each identifier, null where there is none."""
    if identifiers.shape[1] == 0:
        return pa.nulls(n_rows, pa.uint64())
    cells = identifiers.iloc[:, 0]
    texts = cells.to_numpy(dtype=object, na_value="")
    hashes = pd.util.hash_array(texts, categorize=False)
    return pa.array(hashes, mask=cells.isna().to_numpy())


def _text(cells: pd.Series) -> pa.Array:
    texts = pa.array(cells, type=pa.string(), from_pandas=True)
    # chunks of a column without rows would lose its type
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def _arrow(values: Any) -> pa.Array:
    if isinstance(values, pd.Categorical):
        names = pa.array(values.categories.tolist(), type=pa.string())
        codes = pa.array(values.codes.astype(np.int32))
        return pa.DictionaryArray.from_arrays(codes, names)
    return values if isinstance(values, pa.Array) else pa.array(values)


# ---------------------------------------------------------------- as a file


def write_part(part: ScoredPart, path: Path) -> None:
    """Write a part; its problems and provenance stand in the metadata."""
    meta = {
        "simulated": part.simulated,
        "problems": [_plain(problem) for problem in part.problems],
    }
    scores = part.scores.replace_schema_metadata({_META: json.dumps(meta)})
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, scores.schema, options=options) as writer,
    ):
        writer.write_table(scores)


# What a part keeps of a problem.
_KEPT_OF_PROBLEM = ("row", "field", "heading", "found", "allowed")


def _plain(problem: Problem) -> dict[str, Any]:
    return {name: plain(getattr(problem, name)) for name in _KEPT_OF_PROBLEM}


def read_part(path: Path, names: Sequence[str] = ()) -> ScoredPart:
    """Read a part back, all of its columns or some.

    Raises
    ------
    pa.ArrowInvalid
        For a file that is not whole.
    """
    with pa.memory_map(str(path)) as file:
        schema = pa.ipc.open_file(file).schema
        read = [schema.get_field_index(name) for name in names or schema.names]
        options = pa.ipc.IpcReadOptions(included_fields=read)
        scores = pa.ipc.open_file(file, options=options).read_all()
    meta = json.loads((schema.metadata or {})[_META])
    return ScoredPart(
        scores=scores.replace_schema_metadata(None),
        problems=tuple(
            Problem(**{name: value_from(value) for name, value in problem.items()})
            for problem in meta["problems"]
        ),
        simulated=bool(meta["simulated"]),
    )
