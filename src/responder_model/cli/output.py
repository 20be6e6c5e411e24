"""Where results, errors and progress go: results to stdout, the rest to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import typer

from responder_model.errors import (
    InvalidCohortError,
    InvalidPatientError,
    Problem,
    ResponderModelError,
)
from responder_model.words import Note, in_words, say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

BAD_INPUT = 1
# Done, but rows were set aside, or the result could not be logged.
ROWS_SET_ASIDE = NOT_ALL_DONE = 3

# Open questions of a cohort.
OPEN_QUESTIONS = 3
# Rows of one question that are named.
MOST_ROWS = 10

# Columns of a table that is piped into a file or another program.
PIPED_WIDTH = 110


def console(*, stderr: bool = False) -> Console:
    """Console of the results (stdout) or of all else (stderr)."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(
        stderr=stderr, width=width, highlight=False, soft_wrap=False, markup=False
    )


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout; a number that is not finite is null."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=2, allow_nan=False)
    typer.echo(text)


def plain(value: Any) -> Any:
    """Only what JSON knows; a number that is not finite becomes None."""
    from responder_model.vocabulary import is_missing

    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return None if not isinstance(value, str) and is_missing(value) else value


def print_notices(notices: Iterable[Note | str], lang: str = "en") -> None:
    """Print what the reader should know, without touching the result."""
    for notice in notices:
        typer.echo(f"note: {in_words(notice, lang)}", err=True)


def print_error(error: ResponderModelError) -> None:
    """Print every reason for which the input was refused, on stderr."""
    if isinstance(error, InvalidCohortError):
        print_notices(error.notices)
        print_findings(error)
        typer.echo(f"error: {count_findings(error)}, nothing done.", err=True)
    elif isinstance(error, InvalidPatientError):
        for problem in error.problems:
            typer.echo(f"error: {problem.text()}", err=True)
    else:
        typer.echo(f"error: {error}", err=True)


def print_findings(error: InvalidCohortError) -> None:
    """Print problems, then open questions with their answers, on stderr."""
    if error.unexplained:
        console(stderr=True).print(problems_table(error.unexplained))
    for question in error.questions:
        rows = ", ".join(map(str, question.rows[:MOST_ROWS]))
        more = " …" if len(question.rows) > MOST_ROWS else ""
        typer.echo(f"question: {question.text} (row {rows}{more})", err=True)
        for answer in question.answers:
            typer.echo(f"    {answer}", err=True)
    if error.questions:
        typer.echo(
            "Answer in a mapping: check FILE --write-map map.toml, then --map map.toml"
            ".",
            err=True,
        )


def count_findings(error: InvalidCohortError) -> str:
    """Say how many problems and open questions there are."""
    counts = (
        (len(error.unexplained), "problems", "problem"),
        (len(error.questions), "open questions", "open question"),
    )
    told = [f"{n} {one if n == 1 else many}" for n, many, one in counts if n]
    return " and ".join(told) or "0 problems"


def problems_table(problems: Iterable[Problem]) -> Table:
    """One line per offending cell."""
    from rich.table import Table

    table = Table("row", "column", "found", "allowed")
    for problem in problems:
        row = "" if problem.row is None else str(problem.row)
        allowed = in_words(problem.allowed, "en")
        if problem.choices:
            allowed = say(
                "patient.which", "en", field=problem.field, choices=problem.choices
            )
        table.add_row(row, problem.name(), problem.found, allowed)
    return table


@contextmanager
def progress(description: str) -> Iterator[None]:
    """Show on stderr that something takes a while."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        bar.add_task(description, total=None)
        yield
