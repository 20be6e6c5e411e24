"""The command ``combine``: models of centres that share no patient."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.errors import ResponderModelError
from responder_model.words import Note, say
from responder_model.words.numbers import format_percent
from .models import open_model
from .options import JsonOption, LanguageOption, OverwriteOption
from .output import console, print_json, print_notices
from .picture import FigureOption, check_picture, drawn
from .prediction import describe_model
from .tracked import (
    RootOption,
    TrackingOption,
    TrackOption,
    store_for,
    tell_whereabouts,
    warn_unlogged,
    whereabouts,
)

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.combining import Combination, Contribution
    from responder_model.model import Model

FoldersArgument = Annotated[list[str], typer.Argument(metavar="FOLDER|FILE...")]
OutOption = Annotated[Path, typer.Option("--out", metavar="FOLDER")]
ForOption = Annotated[str | None, typer.Option("--for", metavar="FOLDER")]
AlikeOption = Annotated[bool, typer.Option("--alike")]


def combine(
    folders: FoldersArgument,
    *,
    out: OutOption,
    for_member: ForOption = None,
    alike: AlikeOption = False,
    figure: FigureOption = None,
    track: TrackOption = True,
    tracking_uri: TrackingOption = None,
    artifact_root: RootOption = None,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Combine models of several centres, whose patients stay where they are."""
    member = _place(folders, for_member)
    models = _all_opened(folders, tracking_uri)
    store = store_for(tracking_uri, artifact_root, track=track)
    from responder_model.artifact import digest_of
    from responder_model.combining import combine as combine_models
    from responder_model.outputs import Output
    from responder_model.workflow import check_place, keep

    digests = [m.digest or digest_of(m) for m in models]  # type: ignore[arg-type]
    origin = " ".join([*sorted(digests), str(member), str(alike)])
    output = Output(path=out, command="combine", model=origin, kind="model")
    check_place(output, store, inputs=folders, overwrite=overwrite)
    check_picture(figure, None, command="combine", inputs=folders, overwrite=overwrite)
    try:
        found = combine_models(models, for_member=member, alike=alike)
    except ResponderModelError as error:
        if json_output:  # all that a sentence may only count
            print_json({"refused": error.said})
        raise
    if figure is not None:
        _draw(found, figure, overwrite=overwrite, lang=lang)
    done = keep(
        found.model,
        None,
        folder=out,
        output=output,
        tracking_uri=store,
        members=digests,
    )
    digest = digest_of(found.model)
    if json_output:
        made = {"digest": digest, "member_digests": digests}
        print_json({**whereabouts(done), **made, **found.to_dict()})
        warn_unlogged(done)
        return
    model = found.model
    typer.echo(describe_model(model.name, model.provenance, digest, lang))
    for line in _lines(found, member, lang):
        typer.echo(line)
    for table in (_centres(found, lang), _effects(found, lang)):
        console().print(table)
    for line in _weights_and_without(found, lang):
        typer.echo(line)
    for one, its in zip(found.members, digests, strict=True):
        typer.echo(say("combining.member", lang, name=one.name, digest=its[:12]))
    print_notices(found.model.notes)
    tell_whereabouts(done, lang)
    typer.echo(say("cli.left_digest", lang, digest=digest[:12]))
    warn_unlogged(done)


def _all_opened(
    places: list[str], tracking_uri: str | None
) -> list[Model | Contribution]:
    """Every member, or every reason why one cannot be opened."""
    found, reasons = [], []
    for place in places:
        try:
            found.append(_opened(place, tracking_uri))
        except ResponderModelError as error:
            reasons.append(error.said)
    if len(reasons) == 1:
        raise ResponderModelError(reasons[0])
    if reasons:
        raise ResponderModelError(Note("combining.refused", reasons=tuple(reasons)))
    return found


def _opened(place: str, tracking_uri: str | None) -> Model | Contribution:
    """Model of a folder or a registry, or what a shared file says."""
    if not Path(place).is_file():
        return open_model(place, tracking_uri=tracking_uri)
    from responder_model.combining import read_share

    return read_share(place)


def _place(folders: list[str], wanted: str | None) -> int | None:
    if wanted is None:
        return None
    same = [Path(folder).resolve() == Path(wanted).resolve() for folder in folders]
    if True not in same:
        raise ResponderModelError(Note("combining.for_one_of_them", wanted=wanted))
    return same.index(True)


def _lines(found: Combination, member: int | None, lang: str) -> Iterator[str]:
    if member is None:
        counts = {"n": found.model.n_patients, "events": found.model.n_events}
        yield say("combining.for_new_centre", lang, **counts)
    else:
        yield say("combining.for_member", lang, member=found.members[member].name)
    yield _between(found).text(lang)


def _between(found: Combination) -> Note:
    level, slope = found.between.level, found.between.slope
    return Note(
        "combining.between",
        level=level[0],
        level_low=level[1],
        level_high=level[2],
        slope=slope[0],
        slope_low=slope[1],
        slope_high=slope[2],
        i_squared=found.between.i_squared,
    )


def _weights_and_without(found: Combination, lang: str) -> Iterator[str]:
    yield say("combining.weights", lang, evidence=found.evidence_weight)
    against = [one.name for one in found.members if one.contradicts]
    rest = found.without
    if against and rest is None:
        yield say("combining.without_too_few", lang)
    if rest is not None:
        yield say(
            "combining.without",
            lang,
            models=", ".join(against),
            n=rest.model.n_patients,
            level=rest.effects[0].common[0],
            level_all=found.effects[0].common[0],
            between=_between(rest),
        )


def _draw(found: Combination, path: Path, *, overwrite: bool, lang: str) -> None:
    from responder_model.artifact import digest_of
    from responder_model.figures.combining import draw_combination
    from responder_model.labels import decision_label, moment_label

    model = found.model
    label = decision_label(model.decision, lang)
    digest = digest_of(model)
    title = f"{label}\n{moment_label(model.moment, lang)} ({digest[:12]})"
    with drawn(path, digest, command="combine", overwrite=overwrite) as draft:
        draw_combination(found, draft, title=title, lang=lang)


def _effects(found: Combination, lang: str) -> Table:
    """Level and strongest effects: of all centres, and of a new one."""
    from rich.table import Table

    from responder_model.figures.coefficients import column_label

    table = Table(title=say("combining.effects_title", lang))
    for key in ("effect", "all", "new"):
        table.add_column(say(f"combining.column_{key}", lang))
    for place in found.strongest:
        effect = found.effects[place]
        name = (
            say("combining.figure_level", lang)
            if place == 0
            else column_label(effect.column, found.model.decision, lang)
        )
        table.add_row(name, _limits(effect.common, lang), _limits(effect.new, lang))
    return table


def _limits(found: tuple[float, float, float], lang: str) -> str:
    limits = dict(zip(("value", "lower", "upper"), found, strict=True))
    return say("cli.with_interval", lang, **limits)


def _centres(found: Combination, lang: str) -> Table:
    from rich.table import Table

    table = Table(title=say("combining.table_title", lang))
    for key in ("centre", "patients", "weight", "level", "agreement"):
        table.add_column(say(f"combining.column_{key}", lang))
    for one in found.members:
        table.add_row(
            one.name,
            f"{one.n_patients} ({one.n_events})",
            format_percent(one.weight),
            _limits((one.level, one.lower, one.upper), lang),
            say("combining.against" if one.contradicts else "combining.agrees", lang),
        )
    return table
