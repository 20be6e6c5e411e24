"""The command ``stopping``: what stopping the test sessions early loses and saves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.cli.mapping import with_map_options
from responder_model.cli.models import open_model
from responder_model.cli.options import JsonOption, LanguageOption, OverwriteOption
from responder_model.cli.output import console, print_json, print_notices
from responder_model.cli.picture import FigureOption, draw_picture
from responder_model.cli.prediction import describe_model
from responder_model.cli.sheet import Keep, with_sheet_options
from responder_model.schema import dictionary
from responder_model.words import say

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from responder_model.cohort import CohortMap
    from responder_model.rules import Amount, StoppingRules

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
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
    keep: Keep,
    lang: LanguageOption,
) -> None:
    """Say what stopping the test sessions early would lose and save."""
    from responder_model.rules import stopping_rule

    fitted = [open_model(name) for name in models or _after_each_session()]
    patients = None if cohort is None else _read(cohort, how)
    found = [stopping_rule(model, patients, cost=cost) for model in fitted]
    if figure is not None:
        from responder_model.figures.rules import plot_stopping

        draw_picture(
            lambda ax: plot_stopping(found, ax=ax, lang=lang),
            figure,
            fitted[0],
            command="stopping",
            title=say("rules.figure_title", lang),
            provenance=found[0].provenance,
            lang=lang,
            inputs=[name for name in (cohort, *(models or ())) if name is not None],
            overwrite=overwrite,
        )
    if keep.wanted:
        from responder_model.sheets import stopping_sheet

        keep.write(
            partial(stopping_sheet, found),
            *(rules.model_digest for rules in found),
            command="stopping",
            lang=lang,
            inputs=[cohort, *(models or ())],
        )
    if json_output:
        print_json([rules.to_dict(lang) for rules in found])
        return
    _print(found, lang)


def _after_each_session() -> Iterator[str]:
    decision = next(iter(dictionary().decisions.values()))
    for moment in decision.moments[1:]:
        yield f"{decision.name}@{moment}"


def _read(path: Path, how: CohortMap) -> pd.DataFrame:
    from responder_model.cohort import read_cohort

    patients = read_cohort(path, how=how)
    print_notices(patients.attrs["notices"])
    return patients


def _print(found: Sequence[StoppingRules], lang: str) -> None:
    """Verdicts first, then a table a session with what holds of it, then the rest."""
    out = console()
    from responder_model.rules import common_verdicts

    for verdict in common_verdicts(found, lang):
        out.print(verdict)
    every = [set(rules.messages) for rules in found]
    common = [m for m in found[0].messages if all(m in said for said in every)]
    for rules in found:
        out.print()
        name, digest = rules.model, rules.model_digest
        out.print(describe_model(name, rules.provenance, digest, lang))
        out.print(rules_table(rules, lang))
        responders = _amount(rules.responders, lang)
        out.print(say("rules.without", lang, responders=responders))
        for message in rules.messages:
            if message not in common:
                out.print(f"- {message.text(lang)}")
    out.print()
    out.print(say("rules.what_is_compared", lang))
    for message in common:
        out.print(f"- {message.text(lang)}")


def rules_table(rules: StoppingRules, lang: str) -> Table:
    """One line a rule; those that are supported are marked."""
    from rich.table import Table

    title = say("rules.title", lang, session=rules.session, n_sessions=rules.n_sessions)
    table = Table(say("rules.stop_if", lang), title=title, title_justify="left")
    for heading in ("stopped", "lost", "saved", "even"):
        table.add_column(say(f"rules.{heading}", lang), justify="right")
    for rule in rules.rules:
        condition = say(f"rules.short_{rule.kind}", lang, threshold=rule.threshold)
        if rule.supported:
            condition += f" ({say('rules.yes', lang)})"
        stopped, lost = _amount(rule.stopped, lang), _amount(rule.lost, lang)
        even = _amount(rule.break_even, lang)
        table.add_row(condition, stopped, lost, f"{rule.saved.value:.0f}", even)
    return table


def _amount(amount: Amount, lang: str) -> str:
    return say("rules.range", lang, **amount.to_dict())
