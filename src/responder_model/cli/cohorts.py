"""Commands about tables: ``template``, ``check``, ``simulate``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.errors import InvalidCohortError
from responder_model.outputs import Output, check_ending, check_outputs, drafted
from responder_model.words import say
from responder_model.words.numbers import format_percent
from .mapping import with_map_options
from .options import (
    CohortArgument,
    JsonOption,
    LanguageOption,
    OverwriteOption,
    SeedOption,
    spoken,
)
from .output import BAD_INPUT, OPEN_QUESTIONS, print_json, print_notices, tell

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from responder_model.cohort import CohortMap, Inspection

# Kinds of table that a name may ask for.
SUFFIXES = (".csv", ".parquet", ".xlsx")

TableOption = Annotated[Path, typer.Option("--out", metavar="FILE")]
PatientsOption = Annotated[int, typer.Option("--n-patients", min=1)]
CentresOption = Annotated[int, typer.Option("--n-centres", min=1)]
ZeroShareOption = Annotated[
    float, typer.Option("--zero-share", metavar="<float>", min=0.0, max=1.0)
]
TruthOption = Annotated[str, typer.Option("--truth", metavar="KIND")]
SheetOption = Annotated[Path, typer.Option("--out", metavar="FILE")]


WriteMapOption = Annotated[Path | None, typer.Option("--write-map", metavar="FILE")]
ReportOption = Annotated[Path | None, typer.Option("--report", metavar="FILE")]
AllOption = Annotated[bool, typer.Option("--all")]
StrictOption = Annotated[bool, typer.Option("--strict")]


def template(
    out: SheetOption, *, lang: LanguageOption, overwrite: OverwriteOption = False
) -> None:
    """Write an empty entry sheet with every column of the dictionary."""
    from responder_model.cohort import write_template

    write_template(out, lang=lang.value, overwrite=overwrite)
    typer.echo(out)


@with_map_options
def check(
    cohort: CohortArgument,
    *,
    how: CohortMap,
    write_map: WriteMapOption = None,
    report: ReportOption = None,
    cell_by_cell: AllOption = False,
    strict: StrictOption = False,
    lang: LanguageOption,
    json_output: JsonOption = False,
) -> None:
    """Read a cohort file: what it is good for, questions and problems."""
    error, whole, rows = _inspect(cohort, how)
    if write_map is not None:
        _write_map(cohort, how, error, write_map)
    if report is not None and whole is not None:
        _write_page(cohort, whole, error, rows, report, lang)
    if json_output:
        print_json(_as_json(cohort, whole, error, lang))
    else:
        _print(cohort, whole, error, lang, cell_by_cell=cell_by_cell)
    if error.unexplained:
        raise typer.Exit(BAD_INPUT)
    if error.questions or (strict and error.notices):
        raise typer.Exit(OPEN_QUESTIONS)


def _print(
    path: Path,
    whole: Inspection | None,
    found: InvalidCohortError,
    lang: str,
    *,
    cell_by_cell: bool,
) -> None:
    """Print the first screen, what is noted, questions and problems."""
    from responder_model.cohort import survey
    from .findings import count_findings, print_findings
    from .screen import SAID, screen, screen_rows

    if whole is not None:
        good_for = survey(whole.cohort)
        for line in screen(
            screen_rows(path, whole, good_for, lang, all_names=cell_by_cell)
        ):
            typer.echo(line)
    print_notices(note for note in found.notices if note.code not in SAID)
    print_findings(found, cell_by_cell=cell_by_cell)
    if found.problems or found.questions:
        tell("error_found", said=count_findings(found))
    elif whole is not None:
        typer.echo(say("cli.no_problem", lang, file=str(path), n=len(whole.cohort)))


def _as_json(
    path: Path, whole: Inspection | None, found: InvalidCohortError, lang: str
) -> dict[str, Any]:
    """All that was found; of a file that is no table, why."""
    from responder_model.cohort import survey

    refused = bool(found.problems or found.questions)
    said = {
        "file": str(path),
        "n_patients": None if refused or whole is None else len(whole.cohort),
        "problems": [problem.to_dict(lang) for problem in found.problems],
        "questions": [question.to_dict(lang) for question in found.questions],
        "notices": found.notices,
    }
    if whole is None:
        return said
    good_for = survey(whole.cohort)
    return said | {
        "n_read": len(whole.cohort),
        "n_left_out": whole.n_left_out,
        "sheet": whole.sheet,
        "columns": [{"heading": name, "field": f} for name, f in whole.columns],
        "outcomes": good_for.outcomes,
        "models": [{"target": m.target} | asdict(m) for m in good_for.models],
    }


def _inspect(
    path: Path, how: CohortMap
) -> tuple[InvalidCohortError, Inspection | None, NDArray[np.int64]]:
    """What is found in a file; of a table also what was read, and from which rows."""
    import numpy as np

    from responder_model.cohort import inspect_file
    from responder_model.cohort.warning import warnings_of

    try:
        whole, rows = inspect_file(path, how)
    except InvalidCohortError as error:
        return error, None, np.empty(0, dtype=np.int64)
    counted = set(warnings_of(whole.cohort, rows))
    notices = [notice for notice in whole.notices if notice not in counted]
    named = warnings_of(whole.cohort, rows, named=True)
    found = InvalidCohortError(whole.problems, (*notices, *named), whole.questions)
    return found, whole, rows


def _write_page(
    path: Path,
    whole: Inspection,
    found: InvalidCohortError,
    rows: NDArray[np.int64],
    out: Path,
    lang: str,
) -> None:
    """Write the page about a file; one that nobody changed since is replaced."""
    from responder_model.cohort import survey
    from responder_model.reporting.file_page import render_file
    from .findings import grouped
    from .screen import screen_rows

    output = Output(path=out, command="check", argument="--report")
    check_outputs(output, inputs=[path])
    check_ending(out, (".html", ".htm"), argument="--report")
    good_for = survey(whole.cohort)
    text = render_file(
        path.name,
        whole,
        found,
        rows=rows,
        glance=screen_rows(path, whole, good_for, lang, all_names=True),
        problems=grouped(found.unexplained, lang),
        lang=lang,
    )
    with drafted(output) as draft:
        draft.write_text(text, encoding="utf-8")


def _write_map(
    path: Path, how: CohortMap, found: InvalidCohortError, out: Path
) -> None:
    """Write down how a file is read, and what is open, for somebody to go on with."""
    from responder_model.cohort.map_file import map_text

    output = Output(path=out, command="check", argument="--write-map")
    check_outputs(output, inputs=[path], overwrite=False)
    check_ending(out, (".toml",), argument="--write-map")
    text = map_text(path, how, found.questions, lang=spoken())
    with drafted(output, overwrite=False) as draft:
        draft.write_text(text, encoding="utf-8")


def simulate(
    out: TableOption,
    n_patients: PatientsOption = 213,
    n_centres: CentresOption = 1,
    seed: SeedOption = 0,
    truth: TruthOption = "right",
    zero_share: ZeroShareOption = 0.0,
    *,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
) -> None:
    """Write a simulated cohort; it stays labelled simulated whatever is made of it."""
    from responder_model.simulation import simulate_cohort

    check_ending(out, SUFFIXES, argument="--out")
    output = Output(path=out, command="simulate", argument="--out")
    check_outputs(output, overwrite=overwrite)
    cohort = simulate_cohort(
        n_patients, seed, truth=truth, n_centres=n_centres, zero_share=zero_share
    )
    with drafted(output, overwrite=overwrite) as draft:
        _write_table(cohort, draft)
    if json_output:
        print_json(
            {
                "path": str(out),
                "n_patients": n_patients,
                "n_centres": n_centres,
                "seed": seed,
                "truth": truth,
                "zero_share": zero_share,
                "provenance": "simulated",
            }
        )
    else:
        typer.echo(out)
    tell("truth", kind=truth, seed=seed)
    if zero_share > 0:
        tell("zero_share", share=format_percent(zero_share))


def _write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, Parquet or XLSX, by the suffix of the path."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        table.to_csv(path, index=False)
    elif suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_excel(path, index=False)
