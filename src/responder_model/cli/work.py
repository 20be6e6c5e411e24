"""The main job in one command: ``demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.words import say
from responder_model.words.numbers import format_number
from .options import OverwriteOption, spoken
from .output import console
from .tracked import warn_unlogged

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.demo import Demo
    from responder_model.model import Prediction

DemoSeedOption = Annotated[int, typer.Option("--seed", min=0)]
OutOption = Annotated[Path, typer.Option("--out", metavar="FOLDER")]


def demo(
    out: OutOption = Path("demo_output"),
    seed: DemoSeedOption = 0,
    *,
    overwrite: OverwriteOption = False,
) -> None:
    """Do the main job on simulated patients: read, develop, track, predict, explain."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True)) as bar:
        task = bar.add_task(say("cli.loading", spoken()))
        from responder_model.demo import run_demo

        made = run_demo(
            out,
            seed=seed,
            overwrite=overwrite,
            lang=spoken(),
            announce=lambda said: bar.update(task, description=said.text(spoken())),
        )
        bar.update(task, description=say("cli.done", spoken()))
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

    lang = spoken()
    title = say("cli.demo_models", lang, n=made.n_patients)
    table = Table(say("cli.head_model", lang), title=title, title_justify="left")
    for heading in ("patients", "events", "evidence", "trees"):
        table.add_column(say(f"cli.head_{heading}", lang), justify="right")
    for done in made.developments:
        model = done.model
        evidence = model.performance.published_component_weight or 0.0
        table.add_row(
            model.target,
            str(model.n_patients),
            str(model.n_events),
            format_number(evidence, lang, ".2f"),
            format_number(model.pool.weight if model.pool else 0.0, lang, ".2f"),
        )
    return table


def predictions_table(made: Demo) -> Table:
    """Example patients: published evidence beside the developed model."""
    from rich.table import Table

    lang = spoken()
    heads = [say(f"cli.head_{head}", lang) for head in ("patient", "question")]
    title = say("cli.demo_patients", lang)
    table = Table(*heads, title=title, title_justify="left")
    for head in ("published", "simulated"):
        table.add_column(say(f"cli.head_{head}", lang), justify="right")
    for row in made.predictions:
        table.add_row(
            row.patient.label[lang],
            f"{row.published.decision}@{row.published.moment}",
            _with_interval(row.published),
            _with_interval(row.developed),
        )
    return table


def _with_interval(prediction: Prediction) -> str:
    low, high = prediction.interval
    numbers = {"value": prediction.probability, "low": low, "high": high}
    return say("cli.share_with_interval", spoken(), **numbers)


def where_to_look(made: Demo) -> tuple[str, ...]:
    """Name the files, and the command that goes on from each."""
    folder = made.folder
    example = made.developments[0]
    places = {
        "figures": str(folder / "figures"),
        "predictions": str(folder / "predictions.csv"),
        "one_model": f"responder-model inspect {example.folder}",
        "all_runs": f"mlflow ui --backend-store-uri sqlite:///{folder / 'mlflow.db'}",
        "your_data": "responder-model check FILE.csv",
    }
    lang = spoken()
    names = {key: say(f"cli.look_{key}", lang) for key in places}
    width = max(map(len, names.values())) + 2
    lines = (f"{names[key]:{width}}{place}" for key, place in places.items())
    return "", say("cli.demo_simulated", lang), *lines
