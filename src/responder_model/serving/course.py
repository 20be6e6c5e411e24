"""The test so far, visit by visit, and what the next session could still change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from responder_model.labels import short_moment
from responder_model.model import Model, Prediction
from responder_model.patient import Value
from responder_model.serving.drawing import interval_bar
from responder_model.serving.frame import IMPLANT
from responder_model.serving.recording import digests_of
from responder_model.serving.result import Figure, figure_words
from responder_model.visits import Ahead, Visit, course
from responder_model.words import say


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


def course_of(
    models: Mapping[tuple[str, str], Model],
    prediction: Prediction,
    known: Mapping[str, Value],
    *,
    lang: str,
    threshold: float | None = None,
) -> Shown | None:
    """Course up to a prediction; None for the implant.

    A visit of which nothing is known is left out. What lies ahead is shown where the
    last visit is that of the prediction.

    Examples
    --------
    >>> import responder_model as rm
    >>> moments = rm.dictionary().decisions["rtms_response"].moments
    >>> models = {("rtms_response", m): rm.published_model("rtms_response", m)
    ...           for m in moments}
    >>> patient = {"age": 54.0, "relief_1": 40.0}
    >>> last = models["rtms_response", "session_1"].predict(patient)
    >>> found = course_of(models, last, patient, lang="en")
    >>> [visit.name for visit in found.visits], len(found.ahead)
    (['before the test sessions', 'after session 1'], 3)
    """
    if prediction.decision == IMPLANT[0]:
        return None
    own = [m for (decision, _), m in models.items() if decision == prediction.decision]
    found = course(known, models=own, threshold=threshold)
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
        models=digests_of(found, own if is_last else ()),
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
