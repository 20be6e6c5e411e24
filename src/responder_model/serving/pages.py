"""The two pages of a question: what is asked, and what is answered.

A page is made from models and entries alone; it knows nothing of requests. Entries
stand in hidden fields, and no address holds one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from responder_model.errors import InvalidPatientError, Problem
from responder_model.labels import moment_label
from responder_model.schema import dictionary
from responder_model.words import say
from . import form, frame
from .benefit import benefit_of
from .course import follow, show_course
from .entries import NOT_KNOWN, Entries, carried, pairs_of, patient_of
from .recording import scored
from .result import answers_given, show_result
from .sources import mapping_of, told_in


def form_page(
    models: frame.Models,
    decision: str,
    moment: str,
    entries: Entries,
    *,
    lang: str,
    problems: Sequence[Problem] = (),
    told: form.Told | None = None,
) -> frame.Page:
    """Form of one question with what was entered; status 422 with problems.

    ``told`` is what a record said, where the form is opened with one; by default what
    the entries still have of it.
    """
    table = dictionary()
    told = told or told_in(entries, lang)
    question = table.decisions[decision].label[lang]
    parts = form.form_parts(
        decision, moment, entries, lang=lang, problems=problems, told=told
    )
    new = tuple(part for part in parts if part.moment == moment) or parts[:1]
    earlier = parts[len(new) :]
    return frame.render(
        "form.html.j2",
        lang,
        title=question,
        refused=problems,
        decision=question,
        moment=moment_label(moment, lang),
        decision_help=table.decisions[decision].help[lang],
        path=frame.path_of(lang, decision, moment),
        other_path=frame.path_of(frame.other_language(lang), decision, moment),
        stay=frame.SCORE if problems else frame.FORM,
        warnings=frame.warnings_of(models[decision, moment], lang=lang),
        carried=list(pairs_of(carried(entries, decision, moment))),
        problems=links_to(parts, problems, lang),
        new_parts=new,
        earlier_parts=earlier,
        given=_given(earlier, entries, decision, moment, lang, told),
        open_earlier=_is_open(earlier),
        told=told.lead,
    )


def links_to(
    parts: Sequence[form.Part],
    problems: Sequence[Problem],
    lang: str,
    *,
    prefix: str = "",
) -> list[tuple[str, str]]:
    """First element of each refused control, and what is wrong."""
    elements = {c.name: c.element for part in parts for c in part.controls}
    return [(elements.get(prefix + p.field, ""), p.text(lang)) for p in problems]


def _given(
    earlier: Sequence[form.Part],
    entries: Entries,
    decision: str,
    moment: str,
    lang: str,
    told: form.Told,
) -> tuple[tuple[str, str, str], ...]:
    """Earlier answers as a list, where they can be read."""
    names = {control.name for part in earlier for control in part.controls}
    before = {k: v for k, v in entries.items() if k in names}
    known = _readable(before, decision, moment)
    return answers_given({k: v for k, v in known.items() if k in names}, lang, told)


def _readable(entries: Entries, decision: str, moment: str) -> dict[str, Any]:
    try:
        return dict(patient_of(entries, decision, moment)[1])
    except InvalidPatientError as error:
        wrong = {problem.field for problem in error.problems}
        rest = {k: v for k, v in entries.items() if k not in wrong}
        return _readable(rest, decision, moment) if len(rest) < len(entries) else {}


def _is_open(earlier: Sequence[form.Part]) -> bool:
    """Whether earlier questions are unfolded: none answered, or one refused."""
    controls = [control for part in earlier for control in part.controls]
    answered = any(c.text or _is_answered(c.choices) for c in controls)
    return not answered or any(c.problems for c in controls)


def _is_answered(choices: Sequence[form.Choices]) -> bool:
    chosen = [a.value for group in choices for a in group.answers if a.chosen]
    return any(value != NOT_KNOWN for value in chosen)


def result_page(
    models: frame.Models,
    decision: str,
    moment: str,
    entries: Entries,
    *,
    lang: str,
    threshold: float | None = None,
) -> frame.Page:
    """Result for the entries, or the form with every problem at once."""
    model = models[decision, moment]
    try:
        _, known = patient_of(entries, decision, moment)
        target = (decision, moment)
        prediction, visits = follow(models, target, known, threshold=threshold)
    except InvalidPatientError as error:
        return form_page(
            models, decision, moment, entries, lang=lang, problems=error.problems
        )
    course = None
    if visits is not None:
        course = show_course(visits, prediction, models.values(), lang=lang)
    also = () if course is None else course.models
    told, mapping = told_in(entries, lang), mapping_of(entries)
    return frame.render(
        "result.html.j2",
        lang,
        scored=(scored(model, known, prediction, also=also, mapping=mapping),),
        title=f"{say('page.result_title', lang)}, {moment_label(moment, lang)}",
        path=frame.path_of(lang, decision, moment),
        other_path=frame.path_of(frame.other_language(lang), decision, moment),
        stay=frame.SCORE,
        warnings=frame.warnings_of(model, lang=lang),
        of=f"{decision}@{moment}",
        result=show_result(model, prediction, known, lang=lang, threshold=threshold),
        benefit=benefit_of(model, known, lang=lang),
        benefit_harm=say("implant.harm_title", lang),
        benefit_alike=say("implant.like_title", lang),
        nobody_alike=say("implant.nobody_like", lang),
        course=course,
        told=told.lead,
        given=answers_given(known, lang, told),
        pairs=list(pairs_of(entries)),
        buttons=_buttons(models, decision, moment, lang),
    )


def _buttons(
    models: frame.Models, decision: str, moment: str, lang: str
) -> list[frame.Button]:
    """Ways on: change, the next moment, the implant, the path, another patient."""
    ways = [
        (frame.path_of(lang, decision, moment), frame.FORM, say("page.change", lang))
    ]
    moments = dictionary().decisions[decision].moments
    following = [(decision, m) for m in moments[moments.index(moment) + 1 :][:1]]
    is_test = decision != frame.IMPLANT[0]
    for target in [*following, frame.IMPLANT] if is_test else []:
        if target in models:
            label = say("page.go_on", lang, moment=target[1])
            ways.append((frame.path_of(lang, *target), frame.FORM, label))
    if is_test and frame.IMPLANT in models:
        ways.append((f"/{lang}/pathway", frame.SCORE, say("page.path_title", lang)))
    ways.append((f"/{lang}/compare", frame.FORM, say("page.compare_title", lang)))
    return [
        frame.Button(path=path, does=does, label=label) for path, does, label in ways
    ]
