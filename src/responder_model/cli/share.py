"""The command ``share``: what a centre's patients say, in a file made for leaving."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.disclosure import SMALL_CELLS
from responder_model.schema import parse_target
from responder_model.words import Note, say
from .mapping import with_map_options
from .options import (
    CohortArgument,
    ExcludeOption,
    JsonOption,
    LanguageOption,
    OverwriteOption,
    SmallCellsOption,
)
from .output import print_json, print_notices, progress, writing

if TYPE_CHECKING:
    from responder_model.cohort import CohortMap
    from responder_model.combining import Contribution

TargetArgument = Annotated[str, typer.Argument(metavar="DECISION@MOMENT")]
OutOption = Annotated[Path, typer.Option("--out", metavar="FILE")]
MostOption = Annotated[int | None, typer.Option("--at-most-parameters", metavar="N")]
ExplainOption = Annotated[bool, typer.Option("--explain")]
NameOption = Annotated[str | None, typer.Option("--name")]


@with_map_options
def share(
    cohort: CohortArgument,
    target: TargetArgument,
    *,
    out: OutOption,
    how: CohortMap,
    at_most_parameters: MostOption = None,
    explain: ExplainOption = False,
    name: NameOption = None,
    small_cells: SmallCellsOption = None,
    exclude_evidence: ExcludeOption = None,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Write what a centre's patients say to a file for leaving it, for ``combine``."""
    from responder_model.cohort import read_cohort
    from responder_model.combining import release_share, what_leaves
    from responder_model.combining import share as fit_to_share
    from responder_model.outputs import Output, check_ending, check_outputs, drafted

    decision, moment = parse_target(target)
    if not explain:
        check_ending(out, (".json",), argument="--out")
        place = Output(path=out, command="share", model=None, argument="--out")
        check_outputs(place, inputs=(cohort,), overwrite=overwrite)
    patients = read_cohort(cohort, how=how)
    print_notices(patients.attrs["notices"])
    with progress("developing", target=target, n=len(patients)):
        found = fit_to_share(
            patients,
            decision,
            moment,
            at_most_parameters=at_most_parameters,
            small_cells=SMALL_CELLS if small_cells is None else small_cells,
            exclude_evidence=tuple(exclude_evidence or ()),
            name=name,
        )
    data = what_leaves(found)
    digest = str(json.loads(data)["digest"])
    output = Output(path=out, command="share", model=digest, argument="--out")
    listed = list(_leaves(found, out.name))
    if not json_output:
        for note in listed:
            typer.echo(note.text(lang))
    if explain and not json_output:
        for note in _columns(found, lang):
            typer.echo(note.text(lang))
    if not explain:
        check_outputs(output, overwrite=overwrite)
        release_share(found, data)
        with writing("--out"), drafted(output, overwrite=overwrite) as draft:
            draft.write_bytes(data)
    whereabouts = None if explain else (str(out), digest)
    if json_output:
        print_json(_as_data(found, whereabouts, listed, lang))
    elif whereabouts is None:
        typer.echo(say("combining.not_written", lang))
    else:
        file, digest = whereabouts
        typer.echo(say("combining.share_written", lang, file=file, digest=digest[:12]))


def _leaves(found: Contribution, file: str) -> Iterator[Note]:
    """Each kind of thing that leaves."""
    part, rule = found.likelihoods, found.disclosure
    n_columns = len(found.columns)
    counts = {"n": found.n_patients, "events": found.n_events}
    prints = found.fingerprints
    yield Note("combining.leaves_title", name=found.name, file=file)
    yield Note("combining.leaves_counts", **counts)
    yield Note(
        "combining.leaves_likelihood",
        parameters=n_columns + found.n_cuts,
        cuts=found.n_cuts,
        columns=n_columns,
        components=len(part.constant),
    )
    k = 0 if rule is None else rule.k
    yield Note("combining.leaves_population", columns=n_columns, k=k)
    n_prints = 0 if prints is None else len(prints.patients)
    yield Note("combining.leaves_digests", n=n_prints)
    yield Note("combining.leaves_nothing_else")
    if found.provenance == "simulated":
        yield Note("combining.simulated")


def _columns(found: Contribution, lang: str) -> Iterator[Note]:
    """Columns that are held, and those that are not, in words."""
    from responder_model.figures.coefficients import column_label

    rule = found.disclosure
    out = () if rule is None else rule.contrasts_left_out
    for key, names in (("held", found.columns), ("left_out", out)):
        words = [column_label(name, found.decision, lang) for name in names]
        if words:
            yield Note(f"combining.leaves_{key}", columns="; ".join(words))


def _as_data(
    found: Contribution,
    whereabouts: tuple[str, str] | None,
    listed: list[Note],
    lang: str,
) -> dict[str, Any]:
    file, digest = whereabouts or (None, None)
    rule = found.disclosure
    return {
        "file": file,
        "digest": digest,
        "n_patients": found.n_patients,
        "n_events": found.n_events,
        "n_cut_points": found.n_cuts,
        "columns": list(found.columns),
        "left_out": [] if rule is None else list(rule.contrasts_left_out),
        "leaves": [note.to_dict(lang) for note in listed],
    }
