"""Commands about a registry of models: ``register``, ``registry``, ``history``."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.words import Note, say
from .models import open_model
from .options import JsonOption, LanguageOption
from .output import print_json, print_notices
from .tracked import FolderArgument, TrackingOption

if TYPE_CHECKING:
    from responder_model.promotion.promoting import Standing
    from responder_model.tracking.promotions import Promotion
    from responder_model.tracking.refusals import Refusal

# What a scheduled job looks at.
DOES_NOT_AGREE = 4
# Digits of a digest that a line of the history shows.
DIGITS = 8


class Action(StrEnum):
    """What is done with a registry."""

    check = "check"


ActionArgument = Annotated[Action, typer.Argument(metavar="ACTION")]
NameArgument = Annotated[
    str,
    typer.Argument(metavar="DECISION@MOMENT"),
]
OnOption = Annotated[
    datetime | None,
    typer.Option("--on", metavar="DAY", formats=["%Y-%m-%d"]),
]
SimulatedOption = Annotated[
    bool,
    typer.Option("--simulated"),
]


def register(
    folder: FolderArgument,
    *,
    simulated: SimulatedOption = False,
    tracking_uri: TrackingOption = None,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Register a model folder: a version of its question and moment, the challenger."""
    from responder_model.tracking import settings_notes
    from responder_model.workflow import register_folder

    open_model(str(folder))
    print_notices(settings_notes(tracking_uri))
    version, is_new = register_folder(
        folder, tracking_uri=tracking_uri, for_simulated=simulated
    )
    if json_output:
        print_json(
            {
                "name": version.name,
                "version": version.number,
                "digest": version.digest,
                "run_id": version.run_id,
                "registered_now": is_new,
            }
        )
        return
    code = "registered" if is_new else "registered_already"
    said = {"name": version.name, "number": version.number, "alias": "challenger"}
    typer.echo(say(f"registry.{code}", lang, **said))


def registry(
    action: ActionArgument,  # noqa: ARG001 - there is one
    *,
    tracking_uri: TrackingOption = None,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Check that aliases, digests, files and log of the registry agree (exit 4: no)."""
    from responder_model.promotion.promoting import check_registry
    from responder_model.tracking import chosen_tracking_uri, settings_notes

    print_notices(settings_notes(tracking_uri))
    found = check_registry(uri=chosen_tracking_uri(tracking_uri))
    if json_output:
        rows = {n: [f.to_dict(lang) for f in faults] for n, faults in found.items()}
        print_json({"agrees": not any(found.values()), "faults": rows})
    elif not found:
        typer.echo(say("promotion.nothing_registered", lang))
    for name, faults in () if json_output else found.items():
        if not faults:
            typer.echo(say("promotion.agrees", lang, name=name))
        for fault in faults:
            typer.echo(say("signs.pair", lang, label=name, value=fault))
    if any(found.values()):
        raise typer.Exit(DOES_NOT_AGREE)


def history(
    name: NameArgument,
    *,
    on: OnOption = None,
    tracking_uri: TrackingOption = None,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Say which model was champion, since when and why; or on one day (UTC)."""
    from responder_model.promotion.asking import name_of
    from responder_model.promotion.promoting import on_day, read_standing
    from responder_model.tracking import chosen_tracking_uri, settings_notes
    from responder_model.tracking.reference import target_of

    print_notices(settings_notes(tracking_uri))
    known = name_of(name)
    at = read_standing(known, uri=chosen_tracking_uri(tracking_uri))
    target = target_of(known) or known
    print_notices([] if at.moved is None else [at.moved])
    today = datetime.now(UTC).date()
    if on is not None and on.date() > today:
        print_notices(
            [Note("promotion.day_to_come", day=str(on.date()), today=str(today))]
        )
    if on is not None:
        rows = on_day(at.chain, on.date())
        if json_output:
            print_json([_day_row(*row) for row in rows])
            return
        for record, since in rows:
            typer.echo(_day_line(record, since, on, target).text(lang))
    elif json_output:
        print_json([record.to_dict() for record in _in_order(at)])
    else:
        if not at.chain:
            typer.echo(say("promotion.empty", lang, name=known, target=target))
        for row in _in_order(at):
            typer.echo(_line(row).text(lang))
        if at.refused:
            typer.echo(say("promotion.n_refused", lang, n=len(at.refused)))


def _in_order(at: Standing) -> list[Promotion | Refusal]:
    """Promotions as their chain has them, with what was refused between."""
    rows: list[Promotion | Refusal] = list(at.chain)
    for refusal in at.refused:
        later = (k for k, row in enumerate(rows) if row.when > refusal.when)
        rows.insert(next(later, len(rows)), refusal)
    return rows


def _day_row(record: Promotion | None, since: datetime | None) -> dict[str, Any]:
    return {
        "champion": None if record is None else record.to_dict(),
        "from": None if since is None else since.isoformat(),
    }


def _day_line(
    record: Promotion | None, since: datetime | None, on: datetime, target: str
) -> Note:
    day: str | Note = f"{on:%Y-%m-%d}"
    if since is not None:
        day = Note("promotion.day_from", day=day, time=f"{since:%H:%M}")
    if record is None:
        return Note("promotion.day_none", day=day, target=target)
    return Note(
        "promotion.day_champion",
        day=day,
        number=record.to_version,
        digest=record.to_digest[:DIGITS],
        since=f"{record.when:%Y-%m-%d}",
        reason=record.reason,
    )


def _line(record: Promotion | Refusal) -> Note:
    from responder_model.tracking.refusals import Refusal

    before = Note("promotion.line_published")
    if record.from_version:
        before = Note("promotion.line_version", number=record.from_version)
    said = {
        "at": f"{record.when:%Y-%m-%d %H:%M} UTC",
        "to": record.to_version,
        "before": before,
        "digest": record.to_digest[:DIGITS],
        "by": record.by,
        "reason": record.reason,
    }
    if isinstance(record, Refusal):
        verdict = Note(f"promotion.verdict_{record.verdict}")
        return Note("promotion.line_refused", verdict=verdict, **said)
    what = Note(f"promotion.did_{record.action}")
    if record.state != "finished":
        what = Note("promotion.did_not_finish", what=what)
    return Note("promotion.line", what=what, **said)
