"""The command ``promote``: whether a challenger takes the place of the champion."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.words import Note, say
from .mapping import with_map_options
from .options import JsonOption, LanguageOption, wrong_option
from .output import print_json, print_notices
from .prediction import DIGITS_SHOWN
from .tracked import TrackingOption

if TYPE_CHECKING:
    from responder_model.cohort import CohortMap
    from responder_model.performance import Estimate
    from responder_model.promotion import Comparison, Paired
    from responder_model.promotion.promoting import Decision
    from responder_model.tracking.promotions import Promotion

# Compared, and not promoted: what a script looks at.
NOT_PROMOTED = 4

PromotedArgument = Annotated[
    str,
    typer.Argument(metavar="MODEL"),
]
CohortOption = Annotated[
    Path | None,
    typer.Option("--cohort", metavar="FILE", exists=True, dir_okay=False),
]
ReasonOption = Annotated[
    str,
    typer.Option("--reason"),
]
ByOption = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME"),
]
BackOption = Annotated[bool, typer.Option("--back")]
AdoptOption = Annotated[
    bool,
    typer.Option("--adopt"),
]
UncertainOption = Annotated[
    bool,
    typer.Option("--accept-uncertain"),
]
ClinicOption = Annotated[
    float | None,
    typer.Option("--threshold", metavar="PROBABILITY"),
]


@with_map_options
def promote(
    model: PromotedArgument,
    *,
    how: CohortMap,
    reason: ReasonOption,
    cohort: CohortOption = None,
    by: ByOption = None,
    back: BackOption = False,
    adopt: AdoptOption = False,
    accept_uncertain: UncertainOption = False,
    threshold: ClinicOption = None,
    tracking_uri: TrackingOption = None,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Make a registered model the champion, if new patients speak for it."""
    _check_options(cohort, back=back, adopt=adopt)
    from responder_model.tracking import chosen_tracking_uri, settings_notes
    from responder_model.tracking.store import user_name

    print_notices(settings_notes(tracking_uri))
    common = {"reason": reason, "by": by or user_name()}
    common["uri"] = chosen_tracking_uri(tracking_uri)
    if cohort is None:
        _move(model, common, back=back, lang=lang, json_output=json_output)
        return
    from responder_model.cohort import read_cohort
    from responder_model.performance import NEUTRAL_THRESHOLD
    from responder_model.promotion.promoting import promote as promote_model

    patients = read_cohort(cohort, how=how)
    print_notices(patients.attrs["notices"])
    if threshold is None:
        print_notices([Note("promotion.neutral")])
    done = promote_model(
        model,
        patients,
        threshold=NEUTRAL_THRESHOLD if threshold is None else threshold,
        accept_uncertain=accept_uncertain,
        **common,
    )
    print_notices([] if done.settled is None else [done.settled])
    print_notices(done.comparison.notes)
    if json_output:
        print_json(_plain(done, lang))
    else:
        for line in (*_lines(done, lang), _outcome(done).text(lang)):
            typer.echo(line)
    if done.promotion is None:
        raise typer.Exit(NOT_PROMOTED)


def _check_options(cohort: Path | None, *, back: bool, adopt: bool) -> None:
    if (cohort is not None) + back + adopt != 1:
        raise wrong_option(Note("promotion.options"), "--cohort")


def _move(
    text: str, common: dict[str, Any], *, back: bool, lang: str, json_output: bool
) -> None:
    """Go back, or adopt what was done by hand."""
    from responder_model.promotion.asking import name_of
    from responder_model.promotion.promoting import adopt, go_back

    name = name_of(text)
    record = go_back(name, **common) if back else adopt(name, **common)
    if json_output:
        print_json(record.to_dict())
        return
    code = "went_back" if back else "adopted"
    typer.echo(say(f"promotion.{code}", lang, number=record.to_version, name=name))


def _plain(done: Decision, lang: str) -> dict[str, Any]:
    from dataclasses import asdict

    record: Promotion | None = done.promotion
    return {
        "name": done.version.name,
        "version": done.version.number,
        "digest": done.version.digest,
        "compared_with": done.champion,
        "promoted": record is not None,
        "text": _outcome(done).text(lang),
        **asdict(done.comparison),
        "record": None if record is None else record.to_dict(),
    }


def _lines(done: Decision, lang: str) -> Iterator[str]:
    found = done.comparison
    champion = (
        Note(
            "promotion.the_version",
            number=done.champion,
            digest=found.champion[:DIGITS_SHOWN],
        )
        if done.champion
        else Note("promotion.the_published", digest=found.champion[:DIGITS_SHOWN])
    )
    challenger = Note(
        "promotion.the_version",
        number=done.version.number,
        digest=found.challenger[:DIGITS_SHOWN],
    )
    code = "left_out" if found.n_left_out else "nobody"
    yield say(
        "promotion.compared",
        lang,
        challenger=challenger,
        champion=champion,
        n=found.n_patients,
        events=found.n_events,
        left_out=Note(f"promotion.{code}", n=found.n_left_out),
    )
    yield ""
    yield from _gains(found, lang)
    yield ""
    for who in ("champion", "challenger"):
        yield _own(found, who, lang)
    size = Note(f"promotion.size_{found.sample_size or 'no_patients'}")
    yield say("promotion.size", lang, verdict=size)
    power = {"n": found.n_patients, "gain": found.could_find}
    yield say("promotion.power", lang, **power)
    yield ""


def _gains(found: Comparison, lang: str) -> Iterator[str]:
    yield say("promotion.head", lang)
    rows: list[tuple[Note, Paired, float]] = [
        (Note("promotion.gain"), found.gain, 1.0),
        (
            Note("promotion.gain_net_benefit", threshold=found.threshold),
            found.net_benefit,
            100.0,
        ),
        (Note("promotion.gain_in_the_large"), found.calibration["in_the_large"], 1.0),
        (Note("promotion.gain_slope"), found.calibration["slope"], 1.0),
    ]
    width = max(len(name.text(lang)) for name, _, _ in rows) + 2
    for name, part, scale in rows:
        yield f"  {name.text(lang):{width}}{_paired(part, scale, lang)}"


def _paired(part: Paired, scale: float, lang: str) -> str:
    if isnan(part.value):
        return say("promotion.gain_none", lang)
    limits = {key: scale * getattr(part, key) for key in ("value", "lower", "upper")}
    return say("promotion.gain_value", lang, **limits, p=part.p_gain)


def _own(found: Comparison, who: str, lang: str) -> str:
    measures, where = found.measures[who], found.applicability[who]
    return say(
        "promotion.own",
        lang,
        who=Note(f"promotion.{who}"),
        level=_estimate(measures.get("calibration_in_the_large"), lang),
        slope=_slope(measures.get("calibration_slope"), lang),
        **{k: where.get(k, 0) for k in ("inside", "borderline", "outside")},
    )


def _slope(found: Estimate | None, lang: str) -> str:
    from responder_model.performance.calibration import slope_says_little

    text = _estimate(found, lang)
    if found is None or not slope_says_little(found.lower, found.upper):
        return text
    return say("promotion.wide_slope", lang, slope=text)


def _estimate(found: Estimate | None, lang: str) -> str:
    if found is None:
        return say("promotion.no_value", lang)
    limits = {"value": found.value, "lower": found.lower, "upper": found.upper}
    return say("cli.with_interval", lang, **limits)


def _outcome(done: Decision) -> Note:
    """What became of it, and what would change that."""
    found = done.comparison
    if done.promotion is not None:
        which = {"number": done.version.number, "name": done.version.name}
        sure = found.verdict == "better"
        return Note(f"promotion.promoted{'' if sure else '_uncertain'}", **which)
    if found.verdict == "worse":
        parts = tuple(Note(f"promotion.worse_{part}") for part in found.worse_by)
        return Note("promotion.refused_worse", parts=parts)
    code = "probably" if found.verdict == "probably_better" else "no_evidence"
    told = {"p": found.gain.p_gain, "needed": found.n_needed}
    return Note(f"promotion.refused_{code}", **told)
