"""Commands about tables: ``template``, ``check``, ``simulate``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from responder_model.cli.options import (
    CohortArgument,
    JsonOption,
    Language,
    LanguageOption,
    OverwriteOption,
    SeedOption,
)
from responder_model.cli.output import (
    BAD_INPUT,
    console,
    print_json,
    print_notices,
    problems_table,
)
from responder_model.cli.tables import check_table_path, write_table
from responder_model.cli.texts import say
from responder_model.errors import InvalidCohortError, Problem
from responder_model.outputs import Output, check_outputs, drafted

TableOption = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", help="File to write: .csv, .parquet, .xlsx."),
]
PatientsOption = Annotated[
    int, typer.Option("--n-patients", min=1, help="Patients who start the test.")
]
CentresOption = Annotated[
    int,
    typer.Option("--n-centres", min=1, help="Centres, which differ in name only."),
]
TruthOption = Annotated[
    str,
    typer.Option(
        "--truth",
        metavar="KIND",
        help="Truth of response: right (slopes drawn around the published effects), "
        "half, wrong (signs reversed), null (nothing predicts), interactions, ...",
    ),
]
SheetOption = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", help="Sheet to write: .csv or .xlsx."),
]


def template(
    out: SheetOption,
    *,
    lang: LanguageOption = Language.en,
    overwrite: OverwriteOption = False,
) -> None:
    """Write an empty entry sheet with every column of the dictionary.

    Example: responder-model template --lang fr --out saisie.xlsx
    """
    from responder_model.cohort import write_template

    write_template(out, lang=lang.value, overwrite=overwrite)
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
    out: TableOption,
    n_patients: PatientsOption = 213,
    n_centres: CentresOption = 1,
    seed: SeedOption = 0,
    truth: TruthOption = "right",
    *,
    overwrite: OverwriteOption = False,
    lang: LanguageOption = Language.en,
) -> None:
    """Write a simulated cohort; it stays labelled simulated whatever is made of it.

    Its truth is said: under "right", slopes are drawn around the published effects, so
    that single ones may turn out null or reversed, as in any one centre.

    Example: responder-model simulate --n-patients 213 --seed 0 --out simulated.csv
    """
    from responder_model.simulation import simulate_cohort

    output = Output(path=check_table_path(out), command="simulate", argument="--out")
    check_outputs(output, overwrite=overwrite)
    cohort = simulate_cohort(n_patients, seed, truth=truth, n_centres=n_centres)
    with drafted(output, overwrite=overwrite) as draft:
        write_table(cohort, draft)
    typer.echo(out)
    typer.echo(say("truth", lang, kind=truth, seed=seed), err=True)
