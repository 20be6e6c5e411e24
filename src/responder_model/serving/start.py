"""Pages that know no patient: where to begin, and what is known of a model."""

from __future__ import annotations

from responder_model.labels import describe_cut_point, moment_label
from responder_model.model import Model
from responder_model.model.messages import standing_messages
from responder_model.schema import dictionary
from responder_model.words import say
from . import frame
from .origin import source_of


def start_page(
    models: frame.Models, *, lang: str, asks_token: bool = False, audited: bool = False
) -> frame.Page:
    """Questions that can be asked, what this is and is not, and a way to log out."""
    decisions = dictionary().decisions.values()
    return frame.render(
        "start.html.j2",
        lang,
        title=say("page.start_title", lang),
        other_path=f"/{frame.other_language(lang)}",
        # one under review is said where its question is asked
        warnings=[say("page.simulated_banner", lang)]
        * any(model.provenance == "simulated" for model in models.values()),
        logout=f"/{lang}/logout" if asks_token else None,
        audited=audited,
        questions=[
            {
                "label": decision.label[lang],
                "help": decision.help[lang],
                "moments": [
                    {
                        "label": moment_label(m, lang),
                        "path": frame.path_of(lang, decision.name, m),
                        "about": f"/{lang}/about/{decision.name}/{m}",
                    }
                    for m in decision.moments
                    if (decision.name, m) in models
                ],
            }
            for decision in decisions
            if any(name == decision.name for name, _ in models)
        ],
    )


def about_page(
    models: frame.Models, decision: str, moment: str, *, lang: str
) -> frame.Page:
    """What a model is made from, what it reads, and what is published of it."""
    model = models[decision, moment]
    row = dictionary().decisions[decision]
    return frame.render(
        "about.html.j2",
        lang,
        title=f"{say('page.about_title', lang)}, {moment_label(moment, lang)}",
        other_path=f"/{frame.other_language(lang)}/about/{decision}/{moment}",
        warnings=frame.warnings_of(model, lang=lang),
        decision=row.label[lang],
        moment=moment_label(moment, lang),
        decision_help=row.help[lang],
        path=frame.path_of(lang, decision, moment),
        source=source_of(model, lang, with_measures=True),
        cut_offs=[describe_cut_point(row, cut) for cut in model.served_cut_points],
        fields=[
            (field.label[lang], field.help[lang]) for field in model.encoder.fields
        ],
        studies=studies_of(model),
        messages=[
            m.text(lang)
            for m in standing_messages(model)
            if m.code not in ("model.research_use", "model.under_review")
        ],
    )


def studies_of(model: Model) -> tuple[tuple[str, str], ...]:
    """Studies behind the effects of a model, and where each is printed.

    Examples
    --------
    >>> import responder_model as rm
    >>> found = studies_of(rm.published_model("rtms_response", "screening"))
    >>> any("Thomas" in study for study, _ in found)
    True
    """
    rows = model.evidence.rows
    names = [
        name
        for column in model.prior_columns.values()
        for name in column.rows
        if name in rows
    ]
    found = {
        f"{row.study} {row.year or ''}".strip(): row.doi or ""
        for row in (rows[name] for name in names)
    }
    return tuple(sorted(found.items()))
