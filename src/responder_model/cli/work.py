"""The main job in one command: ``demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.cli.options import OverwriteOption
from responder_model.cli.output import console
from responder_model.cli.tracked import warn_unlogged

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.demo import Demo
    from responder_model.model import Prediction

DemoSeedOption = Annotated[
    int,
    typer.Option(
        "--seed",
        help="Seed of the developments; the export that they read is always the same.",
        min=0,
    ),
]
OutOption = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="Where everything is written.")
]


def demo(
    out: OutOption = Path("demo_output"),
    seed: DemoSeedOption = 0,
    *,
    overwrite: OverwriteOption = False,
) -> None:
    """Do the main job on simulated patients: read, develop, track, predict, explain.

    Example: responder-model demo --out demo_output
    """
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True)) as bar:
        task = bar.add_task("Loading")
        from responder_model.demo import run_demo

        made = run_demo(
            out,
            seed=seed,
            overwrite=overwrite,
            announce=lambda text: bar.update(task, description=text),
        )
        bar.update(task, description="Done")
    result = console()
    result.print(models_table(made))
    result.print(predictions_table(made))
    for line in where_to_look(made):
        result.print(line)
    for done in made.developments:
        warn_unlogged(done)


def models_table(made: Demo) -> Table:
    """The developed models and what decided between evidence and cohort."""
    from rich.table import Table

    title = f"Models developed on {made.n_patients} SIMULATED patients"
    table = Table("model", title=title, title_justify="left")
    for heading in ("patients", "events", "weight of evidence", "weight of trees"):
        table.add_column(heading, justify="right")
    for done in made.developments:
        model = done.model
        _, evidence = model.component_weights.get("published", (0.0, 0.0))
        table.add_row(
            model.target,
            str(model.n_patients),
            str(model.n_events),
            f"{evidence:.2f}",
            f"{model.pool.weight if model.pool else 0.0:.2f}",
        )
    return table


def predictions_table(made: Demo) -> Table:
    """Example patients: published evidence beside the developed model."""
    from rich.table import Table

    title = "Example patients (invented): probability and 95 % interval"
    table = Table("patient", "question", title=title, title_justify="left")
    table.add_column("published evidence", justify="right")
    table.add_column("developed on SIMULATED", justify="right")
    for row in made.predictions:
        table.add_row(
            row.patient.label["en"],
            f"{row.published.decision}@{row.published.moment}",
            _with_interval(row.published),
            _with_interval(row.developed),
        )
    return table


def _with_interval(prediction: Prediction) -> str:
    from responder_model.words.numbers import format_percent

    low, high = (format_percent(p) for p in prediction.interval)
    return f"{format_percent(prediction.probability)} ({low} to {high})"


def where_to_look(made: Demo) -> tuple[str, ...]:
    """Name the files, and the command that goes on from each."""
    folder = made.folder
    example = made.developments[0]
    return (
        "",
        "Research use only: not a medical device. All patients here are simulated.",
        f"figures      {folder / 'figures'}",
        f"predictions  {folder / 'predictions.csv'}",
        f"one model    responder-model inspect {example.folder}",
        f"all runs     mlflow ui --backend-store-uri sqlite:///{folder / 'mlflow.db'}",
        "your data    responder-model check YOUR_FILE.csv",
    )
