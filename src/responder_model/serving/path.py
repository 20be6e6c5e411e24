"""From the test to an implant, as one page."""

from __future__ import annotations

from responder_model.errors import InvalidPatientError
from responder_model.labels import moment_label
from responder_model.model import Prediction
from responder_model.pathways import Pathway, pathway
from responder_model.schema import dictionary
from responder_model.words import Note, say
from . import frame, result
from .drawing import interval_bar
from .entries import Entries, pairs_of, patient_of
from .origin import source_of
from .pages import form_page
from .recording import scored_pathway
from .sources import mapping_of, told_in


def pathway_page(
    models: frame.Models, decision: str, moment: str, entries: Entries, *, lang: str
) -> frame.Page:
    """Result of both steps, or the form of the first with every problem."""
    first, second = models[decision, moment], models[frame.IMPLANT]
    try:
        given, known = patient_of(entries, decision, moment)
        found = pathway(given, screening_model=first, implant_model=second)
    except InvalidPatientError as error:
        return form_page(
            models, decision, moment, entries, lang=lang, problems=error.problems
        )
    told = told_in(entries, lang)
    return frame.render(
        "path.html.j2",
        lang,
        scored=(scored_pathway(first, known, found, mapping=mapping_of(entries)),),
        title=say("page.path_title", lang),
        path=f"/{lang}/pathway",
        other_path=f"/{frame.other_language(lang)}/pathway",
        stay=frame.SCORE,
        of=f"{decision}@{moment}",
        warnings=frame.warnings_of(first, second, lang=lang),
        moment=moment_label(moment, lang),
        steps=_steps(found, lang),
        apart=_apart(found, lang),
        classes=_classes(found, lang),
        missing=result.missing_words(found.messages, lang),
        level=found.applicability.level,
        applicability=say(f"page.{found.applicability.level}", lang),
        reasons=[reason.text(lang) for reason in found.applicability.reasons],
        messages=[m.text(lang) for m in found.messages if m.code not in result.PLACED],
        sources=[source_of(model, lang) for model in (first, second)],
        told=told.lead,
        given=result.answers_given(known, lang, told),
        pairs=list(pairs_of(entries)),
        form=frame.FORM,
        back=frame.path_of(lang, decision, moment),
    )


def _steps(found: Pathway, lang: str) -> list[dict[str, object]]:
    """Both steps: question, verdict, whether the interval is too wide, bar."""
    table, (first, second) = dictionary(), found.verdicts
    steps: tuple[tuple[Prediction | Pathway, Note], ...]
    steps = ((found.response, first), (found, second))
    return [
        {
            "question": table.decisions[step.decision].label[lang],
            "verdict": verdict.text(lang),
            "is_wide": result.is_wide(step.interval),
            "bar": interval_bar(step.probability, step.interval),
        }
        for step, verdict in steps
    ]


def _apart(found: Pathway, lang: str) -> list[str]:
    """What becomes of those who respond first, apart from the average."""
    after = found.responders
    both = result.figure_words(found.joint, found.joint_interval, lang)
    then = result.figure_words(after.success, after.success_interval, lang)
    return [
        say("pathway.joint", lang, p=both),
        say("pathway.after_response", lang, p=then),
    ]


def _classes(found: Pathway, lang: str) -> list[dict[str, object]]:
    """One row per class of relief: how probable, and success in it."""
    return [
        {
            "name": row.describe(lang),
            "share": result.figure_words(row.probability, row.interval, lang),
            "success": result.Figure(
                name=row.describe(lang),
                words=result.figure_words(row.success, row.success_interval, lang),
                bar=interval_bar(row.success, row.success_interval),
            ),
        }
        for row in found.classes
    ]
