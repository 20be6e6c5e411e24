"""The command ``monitor``: does a model in use still hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.labels import decision_label
from responder_model.outputs import Output, check_outputs, drafted
from .models import open_model
from .options import JsonOption, LanguageOption, OverwriteOption
from .output import ROWS_SET_ASIDE, plain, print_json, print_notices, writing
from .prediction import describe_model
from .tracked import TrackingOption, TrackOption, find_destination, log_to_run

if TYPE_CHECKING:
    from responder_model.monitoring import Monitoring, Together

# What a scheduled job looks at.
ALARM_CODE = 4

ModelsArgument = Annotated[
    list[str], typer.Argument(metavar="DECISION@MOMENT|FOLDER...")
]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="FOLDER")]
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
    models: ModelsArgument,
    *,
    predictions: PredictionsOption,
    outcomes: OutcomesOption,
    out: OutOption = None,
    due_days: DueOption = None,
    today: TodayOption = None,
    overwrite: OverwriteOption = False,
    track: TrackOption = True,
    tracking_uri: TrackingOption = None,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Say whether a model's probabilities still hold where it is used."""
    from responder_model.artifact import digest_of
    from responder_model.monitoring import follow, read_followed, together
    from responder_model.monitoring.following import due_days_of, this_day

    fitted = {name: open_model(name, tracking_uri=tracking_uri) for name in models}
    digests = [digest_of(model) for model in fitted.values()]
    place = _place(out, digests, (predictions, outcomes), overwrite=overwrite)
    destinations = [
        find_destination(name, model, track=track, tracking_uri=tracking_uri)
        for name, model in fitted.items()
    ]
    day = this_day(None if today is None else today.date())
    read = [
        read_followed(
            model,
            predictions,
            outcomes,
            due_days=due_days_of(model, due_days),
            today=day,
            beside=digests,
        )
        for model in fitted.values()
    ]
    print_notices(dict.fromkeys(note for one in read for note in one.notices))
    found = together(
        [follow(*pair) for pair in zip(fitted.values(), read, strict=True)]
    )
    if place is not None:
        _write(found, place, day, overwrite=overwrite, lang=lang)
    _print(found, lang, json_output=json_output)
    logged = [
        log_to_run(destination, "monitoring", _values(one), about=_about(one, day))
        for destination, one in zip(destinations, found.models, strict=True)
    ]
    if found.is_alarm:
        raise typer.Exit(ALARM_CODE)
    for one in logged:
        one.leave()
    if any(one.n_set_aside for one in found.models):
        raise typer.Exit(ROWS_SET_ASIDE)


def _print(found: Together, lang: str, *, json_output: bool) -> None:
    if json_output:
        print_json(as_data(found, lang))
        return
    several = len(found.models) > 1
    for message in found.messages if several else ():
        typer.echo(message.text(lang))
    for one in found.models:
        if several:
            typer.echo(f"\n{decision_label(one.decision, lang)}")
        for message in one.messages:
            typer.echo(message.text(lang))
        typer.echo(describe_model(one.model, one.provenance, one.digest, lang))


def as_data(found: Together, lang: str) -> dict[str, Any]:
    """One model as such; several with what holds of all together."""
    only = found.models[0]
    return only.to_dict(lang) if len(found.models) == 1 else found.to_dict(lang)


def _values(found: Monitoring) -> dict[str, float]:
    """What is logged: numbers about all patients, nothing of one."""
    return {
        "evidence": found.evidence,
        "highest_evidence": found.highest,
        "n_known": found.n_known,
        "n_due": found.n_due,
        "observed": found.observed,
        "expected": found.expected,
        "n_predictors_changed": sum(one.is_flagged for one in found.inputs),
        "expected_gain": found.mend.gain,
    }


def _about(found: Monitoring, day: date) -> dict[str, str]:
    alarm = "" if found.alarm is None else found.alarm.isoformat()
    return {
        "state": found.state,
        "alarm_since": alarm,
        "until": day.isoformat(),
        "update": found.mend.kind,
    }


def _place(
    out: Path | None,
    digests: Sequence[str],
    inputs: tuple[Path, Path],
    *,
    overwrite: bool,
) -> Output | None:
    """Where the pages go, asked before the work is done."""
    if out is None:
        return None
    model = " ".join(digests)
    place = Output(
        path=out, command="monitor", model=model, kind="folder", argument="--out"
    )
    check_outputs(place, inputs=inputs, overwrite=overwrite)
    return place


def _write(
    found: Together, place: Output, day: date, *, overwrite: bool, lang: str
) -> None:
    """Write the page, its figure, and the data that serving reads."""
    from responder_model.figures.monitoring import draw_monitoring
    from responder_model.monitoring import ALARM
    from responder_model.sheets import monitoring_sheet, render_html

    page = render_html(monitoring_sheet(found, date=day, lang=lang))
    text = json.dumps(
        plain(as_data(found, lang)), ensure_ascii=False, indent=1, allow_nan=False
    )
    with writing("--out"), drafted(place, overwrite=overwrite) as draft:
        draw_monitoring(found.models, draft / "monitoring.png", alarm=ALARM, lang=lang)
        (draft / "monitoring.html").write_text(page, encoding="utf-8")
        (draft / "monitoring.json").write_text(text, encoding="utf-8")
