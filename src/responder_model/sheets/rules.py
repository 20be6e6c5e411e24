"""Sheet of rules that stop the test early."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from responder_model.figures.drawing import PAGE_WIDTH, picture_of
from responder_model.figures.rules import plot_stopping
from responder_model.rules import StoppingRules, common_notes, common_verdicts
from responder_model.tables import rules_table
from responder_model.words import say
from .sheet import Sheet, check_label, describe_model, spoken

# Width and height of the frontier, inches.
_SIZE = (PAGE_WIDTH, 3.7)


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
    responders = tuple(rules.responders.text(lang) for rules in found)
    sessions = tuple(rules.session for rules in found)
    without = say("rules.without", lang, responders=responders, session=sessions)
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
        lines=(without, say("rules.what_is_compared", lang)),
        tables=(rules_table(found, lang),),
        notes=spoken(common_notes(found), lang),
        models=tuple(models),
        simulated=any(rules.provenance == "simulated" for rules in found),
    )
