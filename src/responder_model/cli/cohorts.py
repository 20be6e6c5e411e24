"""Commands about tables: ``template``, ``check``, ``simulate``, ``score``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.cli.models import open_model
from responder_model.cli.options import (
    CohortArgument,
    JsonOption,
    Language,
    LanguageOption,
    ModelArgument,
    SeedOption,
)
from responder_model.cli.output import (
    BAD_INPUT,
    ROWS_SET_ASIDE,
    console,
    print_json,
    print_notices,
    problems_table,
    progress,
)
from responder_model.cli.tables import check_table_path, write_table
from responder_model.errors import InvalidCohortError, Problem

if TYPE_CHECKING:
    import pandas as pd

TableOption = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", help="File to write: .csv, .parquet, .xlsx."),
]
PatientsOption = Annotated[
    int, typer.Option("--n-patients", min=1, help="Patients who start the test.")
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Score nothing if any row has a problem.")
]
SheetOption = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", help="Sheet to write: .csv or .xlsx."),
]


def template(out: SheetOption, lang: LanguageOption = Language.en) -> None:
    """Write an empty entry sheet with every column of the dictionary.

    Example: responder-model template --lang fr --out saisie.xlsx
    """
    from responder_model.cohort import write_template

    write_template(out, lang=lang.value)
    typer.echo(out)


def check(cohort: CohortArgument, *, json_output: JsonOption = False) -> None:
    """Read a cohort file and list every problem: row, column, found, allowed.

    Example: responder-model check centre.csv
    """
    problems, notices, n_patients = _inspect(cohort)
    if json_output:
        print_json(
            {
                "n_patients": n_patients,
                "problems": [asdict(problem) for problem in problems],
                "notices": list(notices),
            }
        )
    else:
        print_notices(notices)
        if problems:
            console(stderr=True).print(problems_table(problems))
            typer.echo(f"error: {len(problems)} problems.", err=True)
        else:
            typer.echo(f"{cohort}: {n_patients} patients, no problem.")
    if problems:
        raise typer.Exit(BAD_INPUT)


def _inspect(path: Path) -> tuple[tuple[Problem, ...], tuple[str, ...], int | None]:
    from responder_model.cohort import read_cohort

    try:
        cohort = read_cohort(path)
    except InvalidCohortError as error:
        return error.problems, error.notices, None
    return (), tuple(cohort.attrs["notices"]), len(cohort)


def simulate(
    out: TableOption, n_patients: PatientsOption = 213, seed: SeedOption = 0
) -> None:
    """Write a simulated cohort; it stays labelled simulated whatever is made of it.

    Example: responder-model simulate --n-patients 213 --seed 0 --out simulated.csv
    """
    from responder_model.simulation import simulate_cohort

    check_table_path(out)
    write_table(simulate_cohort(n_patients, seed), out)
    typer.echo(out)


def score(
    model: ModelArgument,
    cohort: CohortArgument,
    out: TableOption,
    *,
    strict: StrictOption = False,
) -> None:
    """Score every patient of a file; rows with problems go to a side file (exit 3).

    Example: responder-model score rtms_response@screening centre.csv --out scores.csv
    """
    check_table_path(out)
    fitted = open_model(model)
    patients, problems = _readable_rows(cohort, strict=strict)
    with progress(f"Scoring {len(patients)} patients"):
        scores = fitted.predict_cohort(patients)
    write_table(_identified(patients, scores), out)
    typer.echo(out)
    if problems:
        side = _write_set_aside(problems, out)
        rows = len({problem.row for problem in problems})
        typer.echo(f"note: {rows} rows set aside, see {side}", err=True)
        raise typer.Exit(ROWS_SET_ASIDE)


def _readable_rows(
    path: Path, *, strict: bool
) -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    """Rows without a problem, and the problems of the others."""
    import numpy as np

    from responder_model.cohort.checking import inspect_columns, inspect_rows
    from responder_model.cohort.reading import read_tables

    tables = list(read_tables(path))
    rows = np.concatenate([table.rows for table in tables])
    parts = [inspect_columns(table.cells, table.rows) for table in tables]
    whole = inspect_rows(parts, rows)
    problems = tuple(p for table in tables for p in table.problems) + whole.problems
    print_notices(whole.notices)
    refused = {problem.row for problem in problems}
    kept = ~np.isin(rows, [row for row in refused if row is not None])
    if problems and (strict or None in refused or not kept.any()):
        raise InvalidCohortError(problems)
    return whole.cohort[kept].reset_index(drop=True), problems


def _identified(patients: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Scores beside the pseudonym, so that they can be joined back."""
    table = scores.reset_index(drop=True)
    if "patient_id" in patients and "patient_id" not in table:
        table.insert(0, "patient_id", patients["patient_id"].to_numpy())
    return table


def _write_set_aside(problems: tuple[Problem, ...], out: Path) -> Path:
    import pandas as pd

    side = out.with_name(f"{out.stem}_set_aside.csv")
    write_table(pd.DataFrame([asdict(problem) for problem in problems]), side)
    return side
