"""Join scored parts into the result: all at once or not at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from responder_model.errors import Problem, ResponderModelError
from responder_model.schema import dictionary
from responder_model.vocabulary import is_formula
from responder_model.words import Note, in_words, say
from . import parts

# Identifiers that are compared at once, in a pass over all parts.
_COMPARED = 2_000_000
# Rows of a row group in the result.
_GROUP_ROWS = 131_072
# Rows that a spreadsheet can hold below its header.
_SHEET_ROWS = 1_048_575
# Problems that an error carries; a side file holds them all.
SHOWN_PROBLEMS = 1_000
SIDE_HEADER = ("row", "column", "found", "reason")


@dataclass(kw_only=True)
class Tally:
    """Counts of what was written."""

    provenance: str
    n_patients: int = 0
    n_set_aside: int = 0
    n_problems: int = 0
    first_problems: list[Problem] = field(default_factory=list)

    def add(self, part: parts.ScoredPart, kept: pa.Table) -> None:
        """Count one part."""
        self.n_patients += kept.num_rows
        rows = {problem.row for problem in part.problems}
        self.n_set_aside += len(rows)
        self.n_problems += len(part.problems)
        room = SHOWN_PROBLEMS - len(self.first_problems)
        self.first_problems += part.problems[:room]


def has_simulated_part(paths: Sequence[Path]) -> bool:
    """Whether any row of any part says that it is simulated."""
    return any(parts.read_part(path, [parts.KEPT]).simulated for path in paths)


def write_scores(
    paths: Sequence[Path],
    partial: Path,
    side: Path,
    *,
    about: dict[str, Any],
    lang: str,
) -> Tally:
    """Write the scores of all parts, and the problems of rows set aside.

    Parameters
    ----------
    paths : sequence of Path
        The parts, in order.
    partial, side : Path
        Files to write; the ending of ``partial`` says which kind.
    about : dict
        What a Parquet file says of itself; its ``provenance`` (simulated is
        contagious), ``model_digest`` and ``date``, if any, stand in every row too.
    lang : {"en", "fr"}
        Of the problems.
    """
    tally = Tally(provenance=about[parts.PROVENANCE])
    with ExitStack() as stack:
        file = stack.enter_context(side.open("w", encoding="utf-8", newline=""))
        problems = csv.writer(file)
        problems.writerow([say(f"scoring.{name}", lang) for name in SIDE_HEADER])
        write = _WRITERS[partial.suffix.lower()](partial, about, stack)
        for part in _without_repeated(paths):
            kept = _result(part.scores, about)
            tally.add(part, kept)
            problems.writerows(_side_row(problem, lang) for problem in part.problems)
            write(kept)
    return tally


def _side_row(problem: Problem, lang: str) -> tuple[Any, ...]:
    reason = say("scoring.must_be", lang, allowed=problem.allowed)
    found = in_words(problem.found, lang)
    # a spreadsheet shows what was found, and never calculates it
    found = f"'{found}" if is_formula(found) else found
    return problem.row, problem.name(lang), found, reason


def _result(scores: pa.Table, about: dict[str, Any]) -> pa.Table:
    """Rows that are kept, with their provenance and the model after the scores."""
    kept = scores.filter(scores[parts.KEPT]).drop_columns([parts.KEPT, parts.IDENTITY])
    codes = pa.array(np.zeros(kept.num_rows, dtype=np.int32))
    place = kept.column_names.index("missing") + 1
    for name in (
        name for name in (parts.DATE, parts.DIGEST, parts.PROVENANCE) if name in about
    ):
        column = pa.DictionaryArray.from_arrays(codes, pa.array([about[name]]))
        kept = kept.add_column(place, name, column)
    return kept


# ---------------------------------------------------------------- identifiers


def _without_repeated(paths: Sequence[Path]) -> Iterator[parts.ScoredPart]:
    """Parts in which a row whose identifier stands in an earlier row is set aside."""
    repeated = repeated_places(paths)
    start = 0
    for path in paths:
        part = parts.read_part(path)
        end = start + part.scores.num_rows
        low, high = np.searchsorted(repeated, (start, end))
        yield _set_aside(part, repeated[low:high] - start) if low < high else part
        start = end


def repeated_places(paths: Sequence[Path]) -> NDArray[np.int64]:
    """Places, over all parts, of rows whose identifier stands in an earlier row.

    Identifiers are compared by 64 bits, ``_COMPARED`` at a time, so that memory does
    not grow with the file: one in 10^7 rows is taken for another with a probability
    of 3 in a million.
    """
    n_rows = sum(
        parts.read_part(path, [parts.IDENTITY]).scores.num_rows for path in paths
    )
    n_passes = max(1, -(-n_rows // _COMPARED))
    found = [_repeated_of(paths, number, n_passes) for number in range(n_passes)]
    return np.sort(np.concatenate(found))


def _repeated_of(
    paths: Sequence[Path], number: int, n_passes: int
) -> NDArray[np.int64]:
    start, hashes, places = 0, [], []
    for path in paths:
        column = parts.read_part(path, [parts.IDENTITY]).scores[parts.IDENTITY]
        known = column.is_valid().to_numpy()
        identities = column.fill_null(0).to_numpy()
        chosen = np.flatnonzero(known & (identities % n_passes == number))
        hashes.append(identities[chosen])
        places.append(chosen + start)
        start += len(column)
    joined = np.concatenate([*hashes, np.empty(0, dtype=np.uint64)])
    order = np.argsort(joined, kind="stable")
    again = joined[order[1:]] == joined[order[:-1]]
    where = np.concatenate([*places, np.empty(0, dtype=np.int64)])
    return np.asarray(where[order[1:][again]], dtype=np.int64)


def _set_aside(part: parts.ScoredPart, places: NDArray[np.int64]) -> parts.ScoredPart:
    (name,) = (f.name for f in dictionary().fields.values() if f.role == "identifier")
    rows, found = (part.scores[n].take(places).to_pylist() for n in (parts.ROW, name))
    problems = [
        Problem(row=row, field=name, found=value, allowed=Note("cohort.unique"))
        for row, value in zip(rows, found, strict=True)
    ]
    kept = part.scores[parts.KEPT].to_numpy().copy()
    kept[places] = False
    place = part.scores.column_names.index(parts.KEPT)
    return replace(
        part,
        scores=part.scores.set_column(place, parts.KEPT, pa.array(kept)),
        problems=tuple(sorted((*part.problems, *problems), key=lambda p: p.row or 0)),
    )


# ---------------------------------------------------------------- kinds of file

Write = Callable[[pa.Table], None]


def _parquet_writer(path: Path, about: dict[str, Any], stack: ExitStack) -> Write:
    held: list[pa.Table] = []
    writers: list[pq.ParquetWriter] = []

    def flush() -> None:
        if held:
            writers[0].write_table(pa.concat_tables(held).unify_dictionaries())
            held.clear()

    def write(table: pa.Table) -> None:
        if not writers:
            meta = {"responder_model": json.dumps(about)}
            schema = table.schema.with_metadata(meta)
            words = [f.name for f in schema if pa.types.is_dictionary(f.type)]
            writer = pq.ParquetWriter(path, schema, use_dictionary=words)
            writers.append(stack.enter_context(writer))
            stack.callback(flush)
        held.append(table)
        if sum(len(part) for part in held) >= _GROUP_ROWS:
            flush()

    return write


def _csv_writer(path: Path, about: dict[str, Any], stack: ExitStack) -> Write:
    del about
    file = stack.enter_context(path.open("wb"))

    def write(table: pa.Table) -> None:
        if file.tell() == 0:
            file.write((",".join(table.column_names) + "\n").encode())
        plain = pa.table(
            {
                name: table[name].cast(pa.string())
                if pa.types.is_dictionary(table[name].type)
                else table[name]
                for name in table.column_names
            }
        )
        file.write(_csv_bytes(plain))

    return write


def _csv_bytes(table: pa.Table) -> bytes:
    """Lines of a table; quotes only where a cell needs them."""
    for style in ("none", "needed"):
        sink = pa.BufferOutputStream()
        options = pa_csv.WriteOptions(include_header=False, quoting_style=style)
        try:
            pa_csv.write_csv(table, sink, options)
        except pa.ArrowInvalid:
            continue
        return bytes(sink.getvalue())
    raise ResponderModelError(Note("scoring.no_csv"))


def _xlsx_writer(path: Path, about: dict[str, Any], stack: ExitStack) -> Write:
    del about
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("scores")
    stack.callback(workbook.save, path)
    counted = [0]

    def write(table: pa.Table) -> None:
        if not counted[0]:
            sheet.append(table.column_names)
        counted[0] += len(table)
        if counted[0] > _SHEET_ROWS:
            raise ResponderModelError(Note("scoring.sheet_full", most=_SHEET_ROWS))
        for row in zip(*(c.to_pylist() for c in table.columns), strict=True):
            sheet.append([plain(value) for value in row])

    def plain(value: Any) -> Any:
        if not (isinstance(value, str) and value.startswith(("=", "#"))):
            return value
        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s"  # an identifier is neither formula nor error
        return cell

    return write


_WRITERS: dict[str, Callable[[Path, dict[str, Any], ExitStack], Write]] = {
    ".parquet": _parquet_writer,
    ".csv": _csv_writer,
    ".xlsx": _xlsx_writer,
}
SUFFIXES = tuple(_WRITERS)
