"""Command that measures a model or a development procedure: ``validate``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.cli.models import open_model
from responder_model.cli.options import (
    CohortArgument,
    ExcludeOption,
    JobsOption,
    JsonOption,
    ModelArgument,
    SeedOption,
)
from responder_model.cli.output import console, print_json, print_notices, progress

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from responder_model.validation import ExternalValidation, InternalValidation

# Columns printed for a person; ``--json`` has all of them.
SHOWN = ("measure", "value", "apparent", "optimism_corrected", "lower", "upper")


class Design(StrEnum):
    """How a model or a procedure is validated."""

    external = "external"
    bootstrap = "bootstrap"
    cross_validation = "cross_validation"


DesignOption = Annotated[
    Design,
    typer.Option(
        "--design",
        help="external: the model on patients it was not developed on; the others: "
        "its whole development, repeated on this cohort.",
    ),
]
ResamplesOption = Annotated[
    int, typer.Option("--n-resamples", min=2, help="Resamples or repeats.")
]


def validate(
    model: ModelArgument,
    cohort: CohortArgument,
    *,
    design: DesignOption = Design.external,
    n_resamples: ResamplesOption = 200,
    exclude_evidence: ExcludeOption = None,
    seed: SeedOption = 0,
    jobs: JobsOption = 1,
    json_output: JsonOption = False,
) -> None:
    """Measure a model on new patients, or the optimism of its development.

    Example: responder-model validate rtms_response@screening centre.csv
    """
    from responder_model.cohort import read_cohort
    from responder_model.validation import validate_externally, validate_internally

    patients = read_cohort(cohort)
    print_notices(patients.attrs["notices"])
    with progress(f"Validating on {len(patients)} patients"):
        result: ExternalValidation | InternalValidation
        if design is Design.external:
            result = validate_externally(
                open_model(model), patients, n_resamples=n_resamples, seed=seed
            )
        else:
            result = validate_internally(
                _settings(model, tuple(exclude_evidence or ())),
                patients,
                n_resamples=n_resamples,
                n_jobs=jobs,
                seed=seed,
                design="bootstrap"
                if design is Design.bootstrap
                else "cross_validation",
            )
    print_notices(result.notes)
    if json_output:
        print_json(_plain(result, patients.attrs["provenance"]))
        return
    console().print(measures_table(result, patients.attrs["provenance"]))


def _settings(model: str, exclude_evidence: tuple[str, ...]) -> Any:
    """Settings of a developed model, else the default ones of a decision model."""
    from responder_model.development.settings import Settings

    found = open_model(model)
    if found.settings:
        return found
    return Settings(
        decision=found.decision, moment=found.moment, exclude_evidence=exclude_evidence
    )


def _plain(
    result: ExternalValidation | InternalValidation, provenance: str
) -> dict[str, Any]:
    from responder_model.cli.summary import plain

    return {
        "provenance": provenance,
        "n_patients": result.n_patients,
        "n_events": result.n_events,
        "measures": plain(result.table.to_dict(orient="records")),
        "notes": list(result.notes),
    }


def measures_table(
    result: ExternalValidation | InternalValidation, provenance: str
) -> Table:
    """One line per measure; says whose patients they are."""
    from rich.table import Table

    whose = "SIMULATED patients" if provenance == "simulated" else "patients"
    title = f"{result.n_patients} {whose}, {result.n_events} with the event"
    rows: pd.DataFrame = result.table
    columns = [name for name in SHOWN if name in rows.columns]
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, justify="left" if name == "measure" else "right")
    for row in rows[columns].itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or value != value else f"{value:.3f}"
