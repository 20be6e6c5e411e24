"""Command that writes what a reviewer reads: ``report``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.outputs import check_outputs
from . import options, tracked
from .mapping import with_map_options
from .models import open_model
from .output import print_json, print_notices, progress, writing

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.cohort import CohortMap
    from responder_model.model import Model
    from responder_model.reporting import Report, Study


class RoleName(StrEnum):
    """What a cohort is to the model."""

    development = "development"
    new = "new"


CohortOption = Annotated[
    list[Path] | None,
    typer.Option("--cohort", metavar="FILE", exists=True, dir_okay=False),
]
RoleOption = Annotated[RoleName | None, typer.Option("--role")]
StatementsOption = Annotated[
    Path | None,
    typer.Option("--statements", metavar="FILE", exists=True, dir_okay=False),
]
ResamplesOption = Annotated[int, typer.Option("--resamples", "--n-resamples", min=2)]
OutOption = Annotated[Path, typer.Option("--out", metavar="FOLDER")]


@with_map_options
def report(
    model: options.ModelArgument,
    *,
    out: OutOption,
    how: CohortMap,
    cohort: CohortOption = None,
    role: RoleOption = None,
    statements: StatementsOption = None,
    exclude_evidence: options.ExcludeOption = None,
    lang: options.LanguageOption,
    n_resamples: ResamplesOption = 200,
    seed: options.SeedOption = 0,
    jobs: options.JobsOption = 1,
    tracking_uri: tracked.TrackingOption = None,
    track: tracked.TrackOption = True,
    overwrite: options.OverwriteOption = False,
    json_output: options.JsonOption = False,
) -> None:
    """Write the report of a model: one HTML page, Markdown, and its values."""
    from responder_model.artifact import digest_of
    from responder_model.cohort import read_cohort
    from responder_model.reporting import (
        build_report,
        read_statements,
        report_output,
        write_report,
    )

    stated = {} if statements is None else read_statements(statements)
    found = open_model(model, exclude_evidence, tracking_uri=tracking_uri)
    output = report_output(digest_of(found), out)
    check_outputs(output, overwrite=overwrite)
    destination = tracked.find_destination(
        model, found, track=track, tracking_uri=tracking_uri
    )
    studies = [
        _examine(
            found,
            read_cohort(path, how=how),
            role,
            n_resamples=n_resamples,
            seed=seed,
            jobs=jobs,
        )
        for path in cohort or []
    ]
    with progress("writing_report"):
        made = build_report(found, studies, lang=lang.value, statements=stated)
        with writing("--out"):
            written = write_report(made, out, overwrite=overwrite)
    logged = _log(destination, made, written, cohort or [])
    if json_output:
        run_id = logged.run_id
        print_json({"page": str(written[0]), "run_id": run_id, "values": made.values})
    else:
        typer.echo(written[0])
    logged.leave()


def _examine(
    model: Model,
    patients: pd.DataFrame,
    role: RoleName | None,
    *,
    n_resamples: int,
    seed: int,
    jobs: int,
) -> Study:
    from responder_model.reporting import examine

    print_notices(patients.attrs["notices"])
    with progress("examining", target=model.target, n=len(patients)):
        return examine(
            model,
            patients,
            role=None if role is None else role.value,
            n_resamples=n_resamples,
            n_jobs=jobs,
            seed=seed,
        )


def _log(
    destination: tracked.Destination | None,
    made: Report,
    written: tuple[Path, ...],
    cohorts: list[Path],
) -> tracked.Logged:
    """Log page, Markdown, figures and values below the run that made the model."""
    pictures = f"figures_{made.lang}"
    files = [
        (path, pictures if path.suffix == ".png" else "")
        for path in written
        if path.suffix != ".json"
    ]
    about = {"lang": made.lang, "cohort": " ".join(path.stem for path in cohorts)}
    return tracked.log_to_run(
        destination, "report", made.values, about=about, files=files
    )
