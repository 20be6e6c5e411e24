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
    Language,
    LanguageOption,
    ModelArgument,
    SeedOption,
)
from responder_model.cli.output import console, print_json, print_notices, progress
from responder_model.cli.texts import say
from responder_model.cli.tracked import TrackingOption, TrackOption, log_to_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from rich.table import Table

    from responder_model.development.settings import Settings
    from responder_model.model import Model
    from responder_model.validation import ExternalValidation, InternalValidation

# Columns printed for a person; ``--json`` has all of them.
SHOWN = ("measure", "value", "apparent", "optimism_corrected", "lower", "upper")
SHOWN_BY_GROUP = (
    "predictor",
    "group",
    "centre",
    "n_patients",
    "n_events",
    "c_statistic",
    "calibration_in_the_large",
    "calibration_slope",
    "brier_score",
    "problem",
)
# Columns that are logged, of the many that --json prints.
LOGGED = ("value", "apparent", "optimism", "optimism_corrected", "lower", "upper")


class Design(StrEnum):
    """How a model or a procedure is validated."""

    external = "external"
    bootstrap = "bootstrap"
    cross_validation = "cross_validation"
    by_centre = "by_centre"
    by_subgroup = "by_subgroup"


DesignOption = Annotated[
    Design,
    typer.Option(
        "--design",
        help="external, by_subgroup: the model on patients it was not developed on; "
        "the others: its whole development, repeated on this cohort.",
    ),
]
InternalOption = Annotated[
    bool,
    typer.Option("--internal", help="The same as --design bootstrap."),
]
ResamplesOption = Annotated[
    int,
    typer.Option("--resamples", "--n-resamples", min=2, help="Resamples or repeats."),
]


def validate(
    model: ModelArgument,
    cohort: CohortArgument,
    *,
    design: DesignOption = Design.external,
    internal: InternalOption = False,
    n_resamples: ResamplesOption = 200,
    exclude_evidence: ExcludeOption = None,
    seed: SeedOption = 0,
    jobs: JobsOption = 1,
    tracking_uri: TrackingOption = None,
    track: TrackOption = True,
    json_output: JsonOption = False,
    lang: LanguageOption = Language.en,
) -> None:
    """Measure a model on new patients, or the optimism of its development.

    Example: responder-model validate rtms_response@screening centre.csv
    """
    from responder_model.cohort import read_cohort

    patients = read_cohort(cohort)
    print_notices(patients.attrs["notices"])
    design = Design.bootstrap if internal else design
    with progress(f"Validating on {len(patients)} patients"):
        if design in (Design.by_centre, Design.by_subgroup):
            excluded = tuple(exclude_evidence or ())
            table = _by_group(model, patients, design, excluded)
            _print_groups(table, patients.attrs["provenance"], json_output=json_output)
            return
        result = _measure(
            model,
            patients,
            design,
            exclude_evidence=tuple(exclude_evidence or ()),
            n_resamples=n_resamples,
            seed=seed,
            jobs=jobs,
        )
    print_notices(result.notes)
    if track:
        values = dict(_logged(result, design))
        log_to_run(model, "validation", values, tracking_uri=tracking_uri)
    if json_output:
        print_json(_plain(result, patients.attrs["provenance"]))
        return
    out = console()
    out.print(measures_table(result, patients.attrs["provenance"]))
    for line in definitions(result.table["measure"], lang):
        out.print(line)


def _measure(
    model: str,
    patients: pd.DataFrame,
    design: Design,
    *,
    exclude_evidence: tuple[str, ...],
    n_resamples: int,
    seed: int,
    jobs: int,
) -> ExternalValidation | InternalValidation:
    from responder_model.validation import validate_externally, validate_internally

    if design is Design.external:
        return validate_externally(
            open_model(model), patients, n_resamples=n_resamples, seed=seed
        )
    return validate_internally(
        _settings(model, exclude_evidence),
        patients,
        n_resamples=n_resamples,
        n_jobs=jobs,
        seed=seed,
        design="bootstrap" if design is Design.bootstrap else "cross_validation",
    )


def _by_group(
    model: str,
    patients: pd.DataFrame,
    design: Design,
    exclude_evidence: tuple[str, ...],
) -> pd.DataFrame:
    from responder_model.validation import validate_by_centre, validate_by_subgroup
    from responder_model.validation.external import SUBGROUPS

    if design is Design.by_centre:
        return validate_by_centre(_settings(model, exclude_evidence), patients)
    known = [name for name in SUBGROUPS if name in patients]
    return validate_by_subgroup(open_model(model), patients, by=known)


def _settings(model: str, exclude_evidence: tuple[str, ...]) -> Model | Settings:
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


def _logged(
    result: ExternalValidation | InternalValidation, design: Design
) -> Iterator[tuple[str, Any]]:
    """Numbers of a validation by design, measure and column."""
    yield f"{design}.n_patients", result.n_patients
    yield f"{design}.n_events", result.n_events
    for row in _plain(result, "")["measures"]:
        for column in LOGGED:
            if row.get(column) is not None:
                yield f"{design}.{row['measure']}.{column}", row[column]


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


def definitions(measures: Iterable[str], lang: str) -> Iterator[str]:
    """What each measure means, below the table."""
    from responder_model.performance import DEFINITIONS

    yield say("definitions", lang)
    for name in measures:
        ideal = DEFINITIONS[name].ideal
        best = "" if ideal is None else f" ({say('ideal', lang)} {ideal:g})"
        yield f"  {name}: {DEFINITIONS[name].definition[lang]}{best}"


def _print_groups(table: pd.DataFrame, provenance: str, *, json_output: bool) -> None:
    """One line per subgroup or centre; groups of fewer than 10 are hidden."""
    if json_output:
        from responder_model.cli.summary import plain

        rows = plain(table.to_dict(orient="records"))
        print_json({"provenance": provenance, "groups": rows})
        return
    from rich.table import Table

    whose = "SIMULATED patients" if provenance == "simulated" else "patients"
    columns = [name for name in SHOWN_BY_GROUP if name in table.columns]
    shown = Table(*columns, title=whose, title_justify="left")
    for row in table[columns].itertuples(index=False):
        shown.add_row(*(_cell(value) for value in row))
    console().print(shown)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or value != value else f"{value:.3f}"
