"""The test so far, visit by visit, and what the next session could still change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from responder_model.labels import short_moment
from responder_model.model import Model, Prediction
from responder_model.patient import Value
from responder_model.visits import Ahead, Course, Visit, course
from responder_model.words import say
from .drawing import interval_bar
from .frame import IMPLANT
from .recording import digests_of
from .result import Figure, figure_words


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Probability at each visit, empty at the first, and after a next session.

    ``models`` are digests of those of which a figure is shown.
    """

    visits: tuple[Figure, ...]
    ahead_title: str
    ahead: tuple[Figure, ...]
    chances: str
    models: tuple[str, ...]


def follow(
    models: Mapping[tuple[str, str], Model],
    target: tuple[str, str],
    known: Mapping[str, Value],
    *,
    threshold: float | None = None,
) -> tuple[Prediction, Course | None]:
    """Answer of a question, and the course that led to it; None for the implant."""
    decision, moment = target
    found = None
    if decision != IMPLANT[0]:
        own = [model for (name, _), model in models.items() if name == decision]
        found = course(known, models=own, threshold=threshold)
        if found.visits[-1].moment == moment:
            return found.now, found
    return models[target].predict(known), found


def show_course(
    found: Course, prediction: Prediction, models: Iterable[Model], *, lang: str
) -> Shown:
    """Course up to a prediction, by models that may have answered in it.

    A visit of which nothing is known is left out. What lies ahead is shown where the
    last visit is that of the prediction.

    Examples
    --------
    >>> import responder_model as rm
    >>> found = rm.course({"age": 54.0, "relief_1": 40.0})
    >>> shown = show_course(found, found.now, (), lang="en")
    >>> [visit.name for visit in shown.visits], len(shown.ahead)
    (['before the test sessions', 'after session 1'], 3)
    """
    visits = [_visit(visit, lang) for visit in found.visits]
    is_last = found.visits[-1].moment == prediction.moment
    if not is_last:
        visits.append(_figure(prediction, short_moment(prediction.moment, lang), lang))
    ahead = found.ahead if is_last else None
    chances = found.chances if is_last else None
    return Shown(
        visits=tuple(visits) if len(visits) > 1 else (),
        ahead_title=say("course.ahead", lang, moment=ahead.moment) if ahead else "",
        ahead=_possible(ahead, lang) if ahead else (),
        chances=chances.text(lang) if chances else "",
        models=digests_of(found, models if is_last else ()),
    )


def _visit(visit: Visit, lang: str) -> Figure:
    return _figure(visit.prediction, short_moment(visit.moment, lang), lang)


def _figure(found: Prediction, name: str, lang: str) -> Figure:
    return Figure(
        name=name,
        words=figure_words(found.probability, found.interval, lang),
        bar=interval_bar(found.probability, found.interval),
    )


def _possible(ahead: Ahead, lang: str) -> tuple[Figure, ...]:
    """A poor, a middling and a good next session."""
    return tuple(
        Figure(
            name=say(
                "page.next_relief",
                lang,
                field=ahead.predictor,
                value=row.relief,
                less=row.at_most,
            ),
            words=figure_words(row.probability, row.interval, lang),
            bar=interval_bar(row.probability, row.interval),
        )
        for row in ahead.possible
    )
