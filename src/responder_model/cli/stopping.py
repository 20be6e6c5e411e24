"""The command ``stopping``: what stopping the test sessions early loses and saves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.schema import dictionary
from responder_model.words import say
from .mapping import with_map_options
from .models import open_model
from .output import print_notices
from .picture import FigureOption, check_picture, draw_picture
from .prediction import describe_model
from .sheet import Keep, with_sheet_options

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.cohort import CohortMap
    from responder_model.rules import StoppingRules
    from responder_model.tables import Table

ModelsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[DECISION@MOMENT|FOLDER]...")
]
CohortOption = Annotated[
    Path | None, typer.Option("--cohort", metavar="FILE", exists=True, dir_okay=False)
]
CostOption = Annotated[float | None, typer.Option("--cost", metavar="SESSIONS")]


@with_sheet_options
@with_map_options
def stopping(
    models: ModelsArgument = None,
    *,
    how: CohortMap,
    cohort: CohortOption = None,
    cost: CostOption = None,
    figure: FigureOption = None,
    keep: Keep,
) -> None:
    """Say what stopping the test sessions early would lose and save."""
    from responder_model.artifact import digest_of
    from responder_model.rules import stopping_rule

    fitted = [open_model(name) for name in models or _after_each_session()]
    read = [name for name in (cohort, *(models or ())) if name is not None]
    digests = [digest_of(model) for model in fitted]
    keep.check(digests, inputs=read)
    check_picture(
        figure,
        digests[0],
        command="stopping",
        inputs=read,
        overwrite=keep.overwrite,
    )
    patients = None if cohort is None else _read(cohort, how)
    found = [stopping_rule(model, patients, cost=cost) for model in fitted]
    if figure is not None:
        from responder_model.figures.rules import plot_stopping

        draw_picture(
            lambda ax: plot_stopping(found, ax=ax, lang=keep.lang),
            figure,
            digests[0],
            command="stopping",
            title=say("rules.figure_title", keep.lang),
            provenance=found[0].provenance,
            lang=keep.lang,
            overwrite=keep.overwrite,
            digests=digests,
        )
    keep.finish(
        lambda lang: [rules.to_dict(lang) for rules in found],
        stopping_lines(found, keep.lang),
        lambda sheets, **kept: sheets.stopping_sheet(found, **kept),
        digests,
        inputs=read,
    )


def _after_each_session() -> Iterator[str]:
    decision = next(iter(dictionary().decisions.values()))
    for moment in decision.moments[1:]:
        yield f"{decision.name}@{moment}"


def _read(path: Path, how: CohortMap) -> pd.DataFrame:
    from responder_model.cohort import read_cohort

    patients = read_cohort(path, how=how)
    print_notices(patients.attrs["notices"])
    return patients


def stopping_lines(found: Sequence[StoppingRules], lang: str) -> Iterator[str | Table]:
    """Yield verdicts, then a table a session with what holds of it, then the rest."""
    from responder_model.rules import common_verdicts
    from responder_model.tables import rules_table

    yield from common_verdicts(found, lang)
    every = [set(rules.messages) for rules in found]
    common = [m for m in found[0].messages if all(m in said for said in every)]
    for rules in found:
        yield ""
        name, digest = rules.model, rules.model_digest
        yield describe_model(name, rules.provenance, digest, lang)
        yield rules_table([rules], lang, narrow=True)
        said = {"session": rules.session, "responders": rules.responders.text(lang)}
        yield say("rules.without", lang, **said)
        for message in rules.messages:
            if message not in common:
                yield f"- {message.text(lang)}"
    yield ""
    yield say("rules.what_is_compared", lang)
    for message in common:
        yield f"- {message.text(lang)}"
