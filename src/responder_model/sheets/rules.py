"""Sheet of rules that stop the test early."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from responder_model.figures.drawing import picture_of
from responder_model.figures.rules import plot_stopping
from responder_model.rules import Amount, StoppingRules, common_verdicts
from responder_model.sheets.sheet import (
    Sheet,
    SheetTable,
    check_label,
    describe_model,
    spoken,
)
from responder_model.words import say

# Width and height of the frontier, inches.
_SIZE = (9.0, 4.8)


def stopping_sheet(
    found: Sequence[StoppingRules],
    *,
    date: datetime.date,
    label: str = "",
    lang: str = "en",
) -> Sheet:
    """Sheet of rules from ``stopping_rule``, one result for each session.

    Parameters
    ----------
    found : sequence of StoppingRules
        At least one.
    date, label, lang
        As ``prediction_sheet``.
    """
    notes = [note for rules in found for note in rules.messages]
    models = dict.fromkeys(
        describe_model(rules.model, rules.provenance, rules.model_digest, lang)
        for rules in found
    )
    return Sheet(
        lang=lang,
        title=say("rules.figure_title", lang),
        label=check_label(label),
        date=date,
        headline=" ".join(common_verdicts(found, lang)),
        picture=picture_of(
            lambda ax: plot_stopping(found, ax=ax, lang=lang), size=_SIZE
        ),
        picture_text=say("rules.figure_title", lang),
        lines=(say("rules.what_is_compared", lang),),
        tables=tuple(_table(rules, lang) for rules in found),
        notes=spoken(notes, lang),
        models=tuple(models),
        simulated=any(rules.provenance == "simulated" for rules in found),
    )


def _table(rules: StoppingRules, lang: str) -> SheetTable:
    """One row a rule."""
    title = say("rules.title", lang, session=rules.session, n_sessions=rules.n_sessions)
    responders = _amount(rules.responders, lang)
    without = say("rules.without", lang, responders=responders)
    rows = []
    for rule in rules.rules:
        condition = say(f"rules.short_{rule.kind}", lang, threshold=rule.threshold)
        if rule.supported:
            condition += f" ({say('rules.yes', lang)})"
        amounts = (rule.stopped, rule.lost, rule.saved, rule.break_even)
        rows.append((condition, *(_amount(amount, lang) for amount in amounts)))
    heads = ("stop_if", "stopped", "lost", "saved", "even")
    return SheetTable(
        title=f"{title}. {without}",
        heads=tuple(say(f"rules.{key}", lang) for key in heads),
        rows=tuple(rows),
    )


def _amount(amount: Amount, lang: str) -> str:
    return say("rules.range", lang, **amount.to_dict())
