"""Commands about models: ``models``, ``inspect``, ``evidence``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.errors import UntrustedModelError
from responder_model.labels import decision_label, moment_label
from responder_model.schema import dictionary, parse_target
from responder_model.words import Note, say
from . import options
from .output import console, print_json, print_notices

if TYPE_CHECKING:
    from responder_model.model import Model

DirectoryArgument = Annotated[
    Path | None, typer.Argument(metavar="[DIRECTORY]", exists=True, file_okay=False)
]
DecisionArgument = Annotated[str | None, typer.Argument(metavar="[DECISION[@MOMENT]]")]
HarmOption = Annotated[bool, typer.Option("--harm")]
MANIFEST = "manifest.json"
_RATE_OPTIONS = ("--responders", "--tested")
# Columns that the longest name of a published model takes.
NAME_WIDTH = 26
# Columns that the others need, and what a model was made from.
REST_WIDTH, MADE_WIDTH = 54, 14


def local_rate(
    responders: int | None, tested: int | None, names: tuple[str, str] = _RATE_OPTIONS
) -> tuple[int, int] | None:
    """Rate of the centre from two options that belong together."""
    if responders is None and tested is None:
        return None
    if responders is None or tested is None:
        missing, given = names if responders is None else names[::-1]
        raise options.wrong_option(Note("cli.two_counts", given=given), missing)
    if tested < 1:
        raise options.wrong_option(Note("cli.nobody_tested", got=tested), names[1])
    if not 0 <= responders <= tested:
        bounds = {"tested": names[1], "most": tested, "got": responders}
        raise options.wrong_option(Note("cli.not_of_tested", **bounds), names[0])
    return responders, tested


def open_model(
    text: str,
    exclude_evidence: Sequence[str] | None = None,
    rate: tuple[int, int] | None = None,
    tracking_uri: str | None = None,
) -> Model:
    """Load a model that is kept, else the published-evidence model of that name.

    What is kept must be signed where ``RESPONDER_MODEL_TRUSTED_KEYS`` names keys. A
    model that is named is built without the excluded evidence, and with a centre's
    rate. ``tracking_uri`` is the store of a registered one.
    """
    from responder_model.opening import is_kept, open_model

    excluded = tuple(exclude_evidence or ())
    if rate is not None and is_kept(text):
        raise options.wrong_option(Note("cli.own_level"), "--responders")
    found = open_model(
        text,
        exclude_evidence=excluded,
        rate=rate,
        tracking_uri=tracking_uri,
        announce=lambda note: print_notices([note]),
    )
    # of a named model all is excluded that was asked for
    if set(excluded) - set(found.excluded_evidence):
        raise options.wrong_option(Note("cli.own_evidence"), "--exclude-evidence")
    return found


def list_models(
    directory: DirectoryArgument = None,
    *,
    json_output: options.JsonOption = False,
    lang: options.LanguageOption,
) -> None:
    """List the published-evidence models, and the model folders of a directory."""
    rows = [*_published_rows(lang), *_folder_rows(directory, lang)]
    if json_output:
        print_json(rows)
        return
    from rich.table import Table

    out = console()
    table = Table(expand=True)
    # never cut: it is what the other commands take
    widest = max(NAME_WIDTH, out.width - REST_WIDTH)
    table.add_column(say("cli.head_model", lang), overflow="fold", max_width=widest)
    table.add_column(say("cli.models_question", lang), ratio=1)
    table.add_column(say("cli.models_made_from", lang), max_width=MADE_WIDTH)
    table.add_column(say("cli.models_patients", lang), justify="right", no_wrap=True)
    for row in rows:
        asked = row["problem"] or f"{row['decision']}, {_short(row['moment'])}"
        rest = (row["provenance"], row["n_patients"])
        table.add_row(row["model"], asked, *("" if v is None else str(v) for v in rest))
    out.print(table)


def _short(moment: str) -> str:
    """Label of a moment without the visit at which that is: the table is narrow."""
    return moment.split(",")[0]


def _published_rows(lang: str) -> Iterator[dict[str, Any]]:
    for decision, moment in dictionary().targets():
        yield _row(f"{decision}@{moment}", decision, moment, "published", 0, lang)


def _folder_rows(directory: Path | None, lang: str) -> Iterator[dict[str, Any]]:
    found = sorted(directory.rglob(MANIFEST)) if directory is not None else []
    for manifest in found:
        folder = str(manifest.parent)
        try:
            model = open_model(folder)
        except UntrustedModelError as error:
            yield _refused_row(folder, error.text(lang))
            continue
        target = model.decision, model.moment
        yield _row(folder, *target, model.provenance, model.n_patients, lang)


def _row(
    name: str, decision: str, moment: str, provenance: str, n_patients: int, lang: str
) -> dict[str, Any]:
    return {
        "model": name,
        "decision": decision_label(decision, lang),
        "moment": moment_label(moment, lang),
        "provenance": say(f"cli.{provenance}", lang),
        "n_patients": n_patients,
        "problem": None,
    }


def _refused_row(name: str, problem: str) -> dict[str, Any]:
    unknown = ("decision", "moment", "provenance", "n_patients")
    return {"model": name, **dict.fromkeys(unknown), "problem": problem}


def inspect(
    model: options.ModelArgument,
    *,
    json_output: options.JsonOption = False,
    lang: options.LanguageOption,
) -> None:
    """Show what a model was made from, its weights, measures and coefficients."""
    from .summary import print_model, summarise

    found = open_model(model)
    if json_output:
        print_json(summarise(found, lang))
    else:
        print_model(found, lang)


def evidence(
    decision: DecisionArgument = None,
    *,
    exclude: options.ExcludeOption = None,
    harm: HarmOption = False,
    other_use: options.OtherUseOption = False,
    json_output: options.JsonOption = False,
    lang: options.LanguageOption,
) -> None:
    """Print what is published and believed of every predictor, and what is served."""
    excluded = tuple(exclude or ())
    if harm:
        from .harm import print_harm

        name = None if decision is None else _evidence_pages(decision)[0][0]
        print_harm(name, lang, other_use=other_use, json_output=json_output)
        return
    from responder_model.reporting.evidence_page import (
        evidence_as_data,
        render_evidence,
    )

    if json_output:
        print_json(
            {
                f"{name}@{moment}": evidence_as_data(
                    name, moment, exclude_evidence=excluded
                )
                for name, moment in _evidence_targets(decision)
            }
        )
        return
    for name, given in _evidence_pages(decision):
        typer.echo(render_evidence(name, given, exclude_evidence=excluded, lang=lang))


def _evidence_pages(text: str | None) -> tuple[tuple[str, str | None], ...]:
    decisions = dictionary().decisions
    if text is None:
        return tuple((name, None) for name in decisions)
    return ((text, None),) if text in decisions else (parse_target(text),)


def _evidence_targets(text: str | None) -> tuple[tuple[str, str], ...]:
    decisions = dictionary().decisions
    return tuple(
        (name, moment or decisions[name].moments[0])
        for name, moment in _evidence_pages(text)
    )
