"""The command ``monitor``: does a model in use still hold."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.cli.models import open_model
from responder_model.cli.options import (
    JsonOption,
    LanguageOption,
    ModelArgument,
    OverwriteOption,
)
from responder_model.cli.output import ROWS_SET_ASIDE, print_json, print_notices
from responder_model.cli.picture import FigureOption, drawn
from responder_model.cli.prediction import describe_model
from responder_model.cli.tracked import (
    TrackingOption,
    TrackOption,
    find_destination,
    log_to_run,
)

if TYPE_CHECKING:
    from responder_model.monitoring import Monitoring

# What a scheduled job looks at.
ALARM_CODE = 4

PredictionsOption = Annotated[
    Path, typer.Option("--predictions", metavar="FILE", exists=True, dir_okay=False)
]
OutcomesOption = Annotated[
    Path, typer.Option("--outcomes", metavar="FILE", exists=True, dir_okay=False)
]
DueOption = Annotated[int | None, typer.Option("--due-days", min=0)]
TodayOption = Annotated[
    datetime | None, typer.Option("--today", metavar="DAY", formats=["%Y-%m-%d"])
]


def monitor(
    model: ModelArgument,
    *,
    predictions: PredictionsOption,
    outcomes: OutcomesOption,
    due_days: DueOption = None,
    today: TodayOption = None,
    figure: FigureOption = None,
    overwrite: OverwriteOption = False,
    track: TrackOption = True,
    tracking_uri: TrackingOption = None,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Say whether a model's probabilities still hold where it is used."""
    fitted = open_model(model, tracking_uri=tracking_uri)
    destination = find_destination(
        model, fitted, track=track, tracking_uri=tracking_uri
    )
    from responder_model.monitoring import follow, read_followed
    from responder_model.monitoring.following import due_days_of, this_day

    followed = read_followed(
        fitted,
        predictions,
        outcomes,
        due_days=due_days_of(fitted, due_days),
        today=this_day(None if today is None else today.date()),
    )
    print_notices(followed.notices)
    found = follow(fitted, followed)
    if figure is not None:
        _draw(found, figure, (predictions, outcomes), overwrite=overwrite, lang=lang)
    if json_output:
        print_json(found.to_dict(lang))
    else:
        for message in found.messages:
            typer.echo(message.text(lang))
        typer.echo(describe_model(found.model, found.provenance, found.digest, lang))
    logged = log_to_run(destination, "monitoring", _values(found))
    if found.is_alarm:
        raise typer.Exit(ALARM_CODE)
    logged.leave()
    if found.n_set_aside:
        raise typer.Exit(ROWS_SET_ASIDE)


def _values(found: Monitoring) -> dict[str, float]:
    """What is logged: numbers about all patients, nothing of one."""
    return {
        "monitoring.evidence": found.evidence,
        "monitoring.highest_evidence": found.highest,
        "monitoring.n_known": found.n_known,
        "monitoring.n_due": found.n_due,
        "monitoring.observed": found.observed,
        "monitoring.expected": found.expected,
    }


def _draw(
    found: Monitoring,
    path: Path,
    inputs: tuple[Path, Path],
    *,
    overwrite: bool,
    lang: str,
) -> None:
    from responder_model.figures.monitoring import draw_monitoring
    from responder_model.labels import decision_label, moment_label
    from responder_model.monitoring import ALARM

    label = decision_label(found.decision, lang)
    title = f"{label}\n{moment_label(found.moment, lang)} ({found.digest[:12]})"
    with drawn(
        path, found.digest, command="monitor", inputs=inputs, overwrite=overwrite
    ) as draft:
        draw_monitoring(found, draft, title=title, alarm=ALARM, lang=lang)
