"""Two patients side by side: the same answers but for some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from responder_model.errors import InvalidPatientError, Problem
from responder_model.labels import describe_value, label_of, moment_label
from responder_model.model import Comparison, Prediction
from responder_model.patient import Value
from responder_model.schema import dictionary
from responder_model.words import say
from . import frame, result
from .drawing import interval_bar
from .entries import OTHER, Entries, of_other, of_patient, pairs_of, patient_of
from .form import form_parts
from .origin import source_of
from .pages import form_page, links_to
from .recording import scored as scored_of
from .sources import mapping_of, told_in


def compare_page(
    models: frame.Models,
    decision: str,
    moment: str,
    entries: Entries,
    *,
    lang: str,
    scored: bool = True,
) -> frame.Page:
    """Result for two patients; the form of the second one first, or with problems.

    A first patient with problems gets the form of the question.
    """
    model = models[decision, moment]
    first, second = of_patient(entries), of_other(entries)
    try:
        given, known = patient_of(first, decision, moment)
    except InvalidPatientError as error:
        problems = error.problems
        return form_page(models, decision, moment, first, lang=lang, problems=problems)
    if not second:
        return _form(models, decision, moment, entries, known, lang=lang)
    try:
        other, other_known = patient_of(second, decision, moment)
        if not scored:
            return _form(models, decision, moment, entries, known, lang=lang)
        changes = {
            row.name: other.get(row.name)
            for row in dictionary().predictors(decision, moment)
            if known.get(row.name) != other_known.get(row.name) and not row.derived_from
        }
        found = model.compare(given, changes)
    except InvalidPatientError as error:
        problems = error.problems
        return _form(
            models, decision, moment, entries, known, lang=lang, problems=problems
        )
    told, mapping = told_in(first, lang), mapping_of(first)
    return frame.render(
        "compare.html.j2",
        lang,
        scored=(
            scored_of(model, known, found.before, mapping=mapping),
            scored_of(model, other_known, found.after, mapping=mapping),
        ),
        title=say("page.compare_title", lang),
        stay=frame.SCORE,
        **_common(decision, moment, lang),
        warnings=frame.warnings_of(model, lang=lang),
        pairs=list(pairs_of(entries)),
        told=told.lead,
        given=result.answers_given(known, lang, told),
        changes=_changes(found, known, lang),
        figures=_figures(found, lang),
        patients=[_patient(p, lang) for p in (found.before, found.after)],
        source=source_of(model, lang),
        messages=[message.text(lang) for message in found.messages],
        form=frame.FORM,
        back=frame.path_of(lang, decision, moment),
    )


def _common(decision: str, moment: str, lang: str) -> dict[str, Any]:
    return {
        "decision": dictionary().decisions[decision].label[lang],
        "moment": moment_label(moment, lang),
        "path": f"/{lang}/compare",
        "other_path": f"/{frame.other_language(lang)}/compare",
        "of": f"{decision}@{moment}",
    }


def _form(
    models: frame.Models,
    decision: str,
    moment: str,
    entries: Entries,
    known: dict[str, Value],
    *,
    lang: str,
    problems: Sequence[Problem] = (),
) -> frame.Page:
    """Form of the second patient, who begins as the first."""
    first = of_patient(entries)
    second = of_other(entries) or first
    parts = form_parts(
        decision, moment, second, lang=lang, problems=problems, prefix=OTHER
    )
    title = say("page.compare_title", lang)
    return frame.render(
        "compare_form.html.j2",
        lang,
        title=title,
        refused=problems,
        stay=frame.SCORE if problems else frame.FORM,
        **_common(decision, moment, lang),
        warnings=frame.warnings_of(models[decision, moment], lang=lang),
        problems=links_to(parts, problems, lang, prefix=OTHER),
        parts_of=parts,
        pairs=list(pairs_of(first)),
        told=(),
        given=result.answers_given(known, lang, told_in(first, lang)),
    )


def _changes(
    found: Comparison, known: dict[str, Value], lang: str
) -> list[tuple[str, str, str]]:
    """Label, value of the first patient, value of the second."""
    return [
        (
            label_of(name, lang),
            describe_value(name, known.get(name), lang),
            describe_value(name, value, lang),
        )
        for name, value in found.changes.items()
    ]


def _patient(found: Prediction, lang: str) -> dict[str, Any]:
    """Figure of one of the two, and whether the model applies to that one."""
    applies = found.applicability
    told = "" if applies.level == "inside" else say(f"page.{applies.level}", lang)
    return {
        "figure": result.figure(found, lang),
        "is_wide": result.is_wide(found.interval),
        "applicability": told,
        "reasons": [reason.text(lang) for reason in applies.reasons],
    }


def _figures(found: Comparison, lang: str) -> tuple[result.Figure, ...]:
    both = (("this_patient", found.before), ("other_patient", found.after))
    return tuple(
        result.Figure(
            name=say(f"page.{key}", lang),
            words=result.figure_words(p.probability, p.interval, lang),
            bar=interval_bar(p.probability, p.interval),
        )
        for key, p in both
    )
