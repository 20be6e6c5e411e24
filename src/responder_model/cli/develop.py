"""Commands that make models: ``develop``, ``sample-size``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.cli.options import (
    CohortArgument,
    ExcludeOption,
    JsonOption,
    Language,
    SeedOption,
    TargetArgument,
)
from responder_model.cli.output import print_json, print_notices, progress
from responder_model.schema import parse_target

if TYPE_CHECKING:
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
