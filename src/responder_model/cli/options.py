"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Language(StrEnum):
    """Languages in which a person can read the result."""

    en = "en"
    fr = "fr"


LanguageOption = Annotated[
    Language, typer.Option("--lang", help="Language of the output.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON for a program instead of text.")
]
SeedOption = Annotated[
    int, typer.Option("--seed", help="Seed of everything random.", min=0)
]
JobsOption = Annotated[
    int, typer.Option("--jobs", help="Processes to use in parallel.", min=1)
]
OverwriteOption = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace what is in the way, whatever it is; without it only what this "
        "command wrote for the same model and nobody changed.",
    ),
]
CohortArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Cohort file: CSV, XLSX or Parquet.",
    ),
]
ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="DECISION@MOMENT|FOLDER",
        help="A published-evidence model by its name, or the folder of a model.",
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude-evidence",
        metavar="GROUP",
        help="Overlap group whose evidence leaves the prior; may be repeated.",
    ),
]
RespondersOption = Annotated[
    int | None,
    typer.Option(
        "--responders",
        metavar="N",
        help="Patients of this centre with the outcome, of those --tested: moves the "
        "level of a published-evidence model and makes it surer.",
    ),
]
TestedOption = Annotated[
    int | None,
    typer.Option(
        "--tested",
        metavar="N",
        help="Patients of this centre who were tested (implanted, for emcs_success).",
    ),
]
CountAgainOption = Annotated[
    bool,
    typer.Option(
        "--count-again",
        help="Patients who are in the model already count too: they only look alike.",
    ),
]
SmallCellsOption = Annotated[
    int | None,
    typer.Option(
        "--small-cells",
        metavar="K",
        help="Learn nothing that fewer than K patients decide (default 5); 0 learns "
        "from everything and needs --stays-here.",
    ),
]
CentresOption = Annotated[
    str | None,
    typer.Option(
        "--centres",
        metavar="HOW",
        help="named (default): the folder keeps the names of centres; coded: codes "
        "that this place alone can tell; ignored: no centre has a level of its own.",
    ),
]
StaysHereOption = Annotated[
    bool,
    typer.Option(
        "--stays-here",
        help="Mark the model: it is never signed, nor tracked to a server.",
    ),
]
