"""Commands that make models: ``develop``, ``sample-size``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.cli.models import open_model
from responder_model.cli.options import (
    CohortArgument,
    ExcludeOption,
    JsonOption,
    Language,
    ModelArgument,
    SeedOption,
    TargetArgument,
)
from responder_model.cli.output import console, print_json, print_notices, progress
from responder_model.schema import parse_target

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.sample_size import Criterion
    from responder_model.workflow import Development

FolderOption = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="Model folder to write.")
]
TrackingOption = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        help="MLflow server or store; by default mlflow.db in the working directory.",
    ),
]
TrackOption = Annotated[
    bool, typer.Option("--track/--no-track", help="Log the development to MLflow.")
]
OverlapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--overlap-group",
        metavar="GROUP",
        help="Published group that these patients belong to; may be repeated.",
    ),
]
ParametersOption = Annotated[
    int, typer.Option("--parameters", min=1, help="Candidate coefficients.")
]
ProportionOption = Annotated[
    float, typer.Option("--outcome-proportion", help="Expected share of responders.")
]
CStatisticOption = Annotated[
    float | None,
    typer.Option(
        "--c-statistic",
        help="Expected c-statistic; default: what the published evidence supports.",
    ),
]
AtHandOption = Annotated[
    int | None, typer.Option("--n-patients", min=0, help="Patients at hand.")
]
NameOption = Annotated[
    str | None, typer.Option("--name", help="Name of the model; default: the file's.")
]


def develop(
    cohort: CohortArgument,
    target: TargetArgument,
    *,
    out: FolderOption,
    name: NameOption = None,
    seed: SeedOption = 0,
    exclude_evidence: ExcludeOption = None,
    overlap_groups: OverlapOption = None,
    tracking_uri: TrackingOption = None,
    track: TrackOption = True,
    json_output: JsonOption = False,
) -> None:
    """Develop a model on a centre's cohort and the published evidence.

    Example: responder-model develop centre.csv rtms_response@screening
    --out models/centre
    """
    decision, moment = parse_target(target)
    from responder_model.cohort import read_cohort
    from responder_model.tracking import local_tracking_uri
    from responder_model.workflow import develop_and_track

    patients = read_cohort(cohort, overlap_groups=tuple(overlap_groups or ()))
    print_notices(patients.attrs["notices"])
    store = tracking_uri or local_tracking_uri(Path())
    with progress(f"Developing {decision}@{moment} on {len(patients)} patients"):
        done = develop_and_track(
            patients,
            decision,
            moment,
            folder=out,
            tracking_uri=store if track else None,
            seed=seed,
            exclude_evidence=tuple(exclude_evidence or ()),
            name=name,
        )
    _print_development(done, json_output=json_output)


def update(
    model: ModelArgument,
    cohort: CohortArgument,
    *,
    out: FolderOption,
    name: NameOption = None,
    seed: SeedOption = 0,
    overlap_groups: OverlapOption = None,
    tracking_uri: TrackingOption = None,
    track: TrackOption = True,
    json_output: JsonOption = False,
) -> None:
    """Bring a model up to date with new patients: its posterior becomes the prior.

    None of the patients may have been in the model's own cohort or evidence.

    Example: responder-model update models/centre new.csv --out models/newer
    """
    from responder_model.cohort import read_cohort
    from responder_model.development import update as update_model
    from responder_model.tracking import local_tracking_uri
    from responder_model.workflow import keep

    patients = read_cohort(cohort, overlap_groups=tuple(overlap_groups or ()))
    print_notices(patients.attrs["notices"])
    store = tracking_uri or local_tracking_uri(Path())
    with progress(f"Updating with {len(patients)} patients"):
        newer = update_model(open_model(model), patients, name=name, seed=seed)
        done = keep(newer, patients, folder=out, tracking_uri=store if track else None)
    _print_development(done, json_output=json_output)


def _print_development(done: Development, *, json_output: bool) -> None:
    from responder_model.cli.summary import print_model, summarise

    if json_output:
        print_json({**summarise(done.model), **_whereabouts(done)})
        return
    print_model(done.model, Language.en)
    for name, place in _whereabouts(done).items():
        typer.echo(f"{name}: {place}")


def _whereabouts(done: Development) -> dict[str, str]:
    """Where the model and its run were left."""
    found = {"folder": str(done.folder)}
    if done.run is not None:
        found["tracking_uri"] = done.run.tracking_uri
        found["run_id"] = done.run.run_id
        found["model_uri"] = done.run.model_uri
    return found


def sample_size(
    *,
    parameters: ParametersOption,
    outcome_proportion: ProportionOption,
    c_statistic: CStatisticOption = None,
    n_patients: AtHandOption = None,
    json_output: JsonOption = False,
) -> None:
    """Say how many patients a development needs, by Riley's criteria.

    Example: responder-model sample-size --parameters 12 --outcome-proportion 0.4
    --c-statistic 0.75
    """
    from responder_model.sample_size import PLANNING_C_STATISTIC, development_criteria

    criteria = development_criteria(
        parameters,
        outcome_proportion,
        c_statistic=c_statistic or PLANNING_C_STATISTIC,
        n_patients=n_patients,
    )
    n_required = max(row.n_required for row in criteria if row.decides)
    if json_output:
        rows = [asdict(row) for row in criteria]
        print_json({"n_required": n_required, "criteria": rows})
        return
    console().print(criteria_table(criteria))
    typer.echo(
        f"{n_required} patients, {ceil(n_required * outcome_proportion)} of them with "
        "the event. The criteria are for a fit without priors: they decide what may be "
        "claimed, not whether a model with evidence behind it is of use."
    )


def criteria_table(criteria: Iterable[Criterion]) -> Table:
    """One line per criterion; the one that does not decide says so."""
    from rich.table import Table

    table = Table("criterion", "patients", "met", "decides")
    words = {None: "", True: "yes", False: "no"}
    for row in criteria:
        table.add_row(
            row.definition, str(row.n_required), words[row.met], words[row.decides]
        )
    return table
