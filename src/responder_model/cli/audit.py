"""The command ``audit``: make a trail's key, verify it, list what a recall needs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.words import Note, say
from .options import JsonOption, LanguageOption, spoken, wrong_option
from .output import print_json, print_notices

if TYPE_CHECKING:
    from responder_model.audit import Affected, Judgement

# What a scheduled job looks at: a trail that is not as it was written.
IS_BROKEN = 4


class Action(StrEnum):
    """What is done with a trail."""

    verify = "verify"
    affected = "affected"
    new_key = "new-key"


ActionArgument = Annotated[Action, typer.Argument(metavar="verify|affected|new-key")]
PlaceArgument = Annotated[Path, typer.Argument(metavar="FOLDER|FILE")]
KeyOption = Annotated[Path | None, typer.Option("--audit-key", metavar="FILE")]
HeadOption = Annotated[
    Path | None, typer.Option("--head", metavar="FILE", exists=True, dir_okay=False)
]
DigestOption = Annotated[str | None, typer.Option("--model", metavar="DIGEST")]
MappingOption = Annotated[str | None, typer.Option("--mapping", metavar="VERSION")]


def audit(
    action: ActionArgument,
    place: PlaceArgument,
    *,
    audit_key: KeyOption = None,
    head: HeadOption = None,
    model: DigestOption = None,
    mapping: MappingOption = None,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Verify an audit trail, list the answers that a recall is about, or make a key."""
    from responder_model.audit import affected, read_key, verify_trail

    given = {
        "--audit-key": audit_key,
        "--head": head,
        "--model": model,
        "--mapping": mapping,
    }
    _check(action, {name for name, value in given.items() if value is not None})
    if action is Action.new_key:
        _new_key(place, json_output=json_output)
        return
    judged = None
    if audit_key is not None:
        judged = verify_trail(place, read_key(audit_key), earlier=head)
    if action is Action.affected:
        found = affected(place, model=model, mapping=mapping)
        _print_affected(found, judged, (model, mapping), lang, json_output=json_output)
    elif judged is not None:
        _print_judgement(judged, lang, json_output=json_output)
    if judged is not None and judged.state == "broken":
        raise typer.Exit(IS_BROKEN)


# Options of each action: those of which it needs one, and others that it takes.
_OPTIONS: dict[Action, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Action.verify: (("--audit-key",), ("--head",)),
    Action.affected: (("--model", "--mapping"), ("--audit-key",)),
    Action.new_key: ((), ()),
}


def _check(action: Action, given: set[str]) -> None:
    """Refuse options that an action does not take, and one that it lacks."""
    needed, others = _OPTIONS[action]
    for option in sorted(given - {*needed, *others}):
        said = Note("audit.takes_not", action=action.value)
        raise wrong_option(said, option)
    if needed and not given & set(needed):
        one: str | Note = needed[0]
        if len(needed) > 1:
            one = Note("audit.either", one=needed[0], other=needed[1])
        said = Note("audit.needs", action=action.value, one=one)
        raise wrong_option(said, needed[0])


def _new_key(path: Path, *, json_output: bool) -> None:
    from responder_model.audit import new_key

    made = new_key(path)
    if json_output:
        print_json({"key": made.name, "file": str(path)})
    else:
        typer.echo(say("audit.key_made", spoken(), key=made.name, name=path.name))


def _print_judgement(judged: Judgement, lang: str, *, json_output: bool) -> None:
    if json_output:
        print_json(judged.to_dict(lang))
        return
    counts = {"n": judged.n_lines, "answers": judged.n_answers}
    if judged.state == "broken":
        counts = {"n": judged.n_faults}
    typer.echo(say(f"audit.{judged.state}", lang, **counts))
    for fault in judged.faults:
        typer.echo(f"  {fault.text(lang)}")
    if judged.n_faults > len(judged.faults):
        more = judged.n_faults - len(judged.faults)
        typer.echo(f"  {say('audit.more_faults', lang, n=more)}")
    if judged.first and judged.last and judged.state != "broken":
        span = {"first": _readable(judged.first), "last": _readable(judged.last)}
        typer.echo(say("audit.span", lang, mac=judged.mac, **span))
    print_notices(judged.notes)


def _readable(time: str) -> str:
    """Time of a line, to the second."""
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M:%S} UTC"


def _print_affected(
    found: Affected,
    judged: Judgement | None,
    asked: tuple[str | None, str | None],
    lang: str,
    *,
    json_output: bool,
) -> None:
    print_notices(_doubts(found, judged))
    if json_output:
        state = None if judged is None else judged.state
        print_json(
            {
                "trail": state,
                "n_answers": found.n_answers,
                "n_unreadable": found.n_unreadable,
                "answers": [_row(row) for row in found.rows],
                "requests": found.requests,
            }
        )
        return
    counts = {"n": len(found.rows), "requests": len(found.requests)}
    typer.echo(say("audit.affected", lang, answers=found.n_answers, **counts))
    for row in found.rows:
        typer.echo(f"{_readable(row['time'])}  {row['request']}  {row['decision']}")
    if not found.rows:
        print_notices(_unknown(found, *asked))


def _row(row: Any) -> dict[str, Any]:
    told = ("n", "time", "request", "decision", "model", "also", "mapping", "output")
    return {name: row[name] for name in told if name in row}


def _doubts(found: Affected, judged: Judgement | None) -> list[Note]:
    """What speaks against the list."""
    doubts = []
    if judged is None:
        doubts.append(Note("audit.not_verified"))
    elif judged.state == "broken":
        doubts.append(Note("audit.may_be_incomplete"))
    if found.n_unreadable:
        doubts.append(Note("audit.unreadable", n=found.n_unreadable))
    return doubts


def _unknown(found: Affected, model: str | None, mapping: str | None) -> list[Note]:
    """What the trail does name, where it names nothing of what was asked."""
    said = []
    none = Note("audit.none")
    if model is not None and model.removeprefix("sha256:") not in found.models:
        known = tuple(found.models) or none
        said.append(Note("audit.no_model", asked=model, known=known))
    if mapping is not None and mapping not in found.mappings:
        known = tuple(found.mappings) or none
        said.append(Note("audit.no_mapping", asked=mapping, known=known))
    return said
