"""Where results, errors and progress go: results to stdout, the rest to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import typer

from responder_model import errors
from responder_model.words import Note, say
from .options import spoken

if TYPE_CHECKING:
    import rich.table
    from rich.console import Console

    from responder_model.tables import Table

BAD_INPUT = 1
# Done, but rows were set aside, or the result could not be logged.
ROWS_SET_ASIDE = NOT_ALL_DONE = 3

# Open questions of a cohort.
OPEN_QUESTIONS = 3
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


def print_lines(lines: Iterable[str | Table]) -> None:
    """Print lines and tables on stdout."""
    out = console()
    for line in lines:
        out.print(line if isinstance(line, str) else rich_table(line))


def rich_table(table: Table) -> rich.table.Table:
    """Draw a table for a terminal: its words are broken sooner than its figures."""
    from rich.table import Table as Drawn

    drawn = Drawn(title=table.title, title_justify="left")
    for k, head in enumerate(table.heads):
        if k < table.n_words:
            drawn.add_column(head, overflow="fold")
        else:
            widest = max((len(row[k]) for row in table.rows), default=0)
            drawn.add_column(head, justify="right", no_wrap=widest >= len(head))
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout; a number that is not finite is null."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=2, allow_nan=False)
    typer.echo(text)


def plain(value: Any) -> Any:
    """Only what JSON knows: a number that is not finite is None, a note also words."""
    from responder_model.vocabulary import is_missing

    if isinstance(value, Note):
        return value.to_dict(spoken())
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return None if not isinstance(value, str) and is_missing(value) else value


def tell(key: str, /, **values: Any) -> None:
    """Print a sentence of ``words/cli.toml`` on stderr, in the command's language."""
    typer.echo(say(f"cli.{key}", spoken(), **values), err=True)


def print_notices(notices: Iterable[Note]) -> None:
    """Print what the reader should know, without touching the result."""
    for notice in notices:
        tell("notice", said=notice)


def print_error(
    error: errors.ResponderModelError, *, as_typed: Callable[[str], str] = str
) -> None:
    """Print every reason for which the input was refused, on stderr.

    ``as_typed`` turns names of arguments into the options that somebody typed.
    """
    if isinstance(error, errors.InvalidCohortError):
        from .findings import count_findings, print_findings

        print_notices(error.notices)
        print_findings(error)
        tell("error_nothing_done", said=count_findings(error))
    elif isinstance(error, errors.InvalidPatientError):
        for problem in error.problems:
            tell("error", said=problem.text(spoken()))
    else:
        tell("error", said=as_typed(error.text(spoken())))


@contextmanager
def writing(option: str) -> Iterator[None]:
    """Say which option names a place that cannot be written."""
    try:
        yield
    except OSError as error:
        said = Note("cli.place", option=option, reason=errors.system_reason(error))
        raise errors.ResponderModelError(said) from error


@contextmanager
def progress(key: str, /, **values: Any) -> Iterator[None]:
    """Show on stderr that something takes a while."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        bar.add_task(say(f"cli.{key}", spoken(), **values), total=None)
        yield
