"""The probability at each moment so far, from the models of those moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from responder_model.model import Model, Prediction
from responder_model.patient import Value
from responder_model.schema import dictionary
from responder_model.serving.drawing import interval_bar
from responder_model.serving.result import Figure, figure_words
from responder_model.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator


def course_figures(
    models: Mapping[tuple[str, str], Model],
    prediction: Prediction,
    known: Mapping[str, Value],
    *,
    lang: str,
) -> tuple[Figure, ...]:
    """Return the probability at each moment up to that of a prediction.

    Each is that of the model of its moment, with what was known then; empty at the
    first moment.

    Examples
    --------
    >>> import responder_model as rm
    >>> moments = ("screening", "session_1")
    >>> models = {("rtms_response", m): rm.published_model("rtms_response", m)
    ...           for m in moments}
    >>> patient = {"age": 54.0, "relief_1": 40.0}
    >>> last = models["rtms_response", "session_1"].predict(patient)
    >>> len(course_figures(models, last, patient, lang="en"))
    2
    """
    earlier = list(_earlier(models, prediction, known))
    if not earlier:
        return ()
    return tuple(_figure(found, lang) for found in (*earlier, prediction))


def _earlier(
    models: Mapping[tuple[str, str], Model],
    prediction: Prediction,
    known: Mapping[str, Value],
) -> Iterator[Prediction]:
    table = dictionary()
    decision = prediction.decision
    for moment in table.decisions[decision].moments:
        if moment == prediction.moment:
            return
        if (decision, moment) in models:
            names = {row.name for row in table.predictors(decision, moment)}
            then = {name: value for name, value in known.items() if name in names}
            yield models[decision, moment].predict(then)


def _figure(found: Prediction, lang: str) -> Figure:
    return Figure(
        name=say("page.moment", lang, moment=found.moment),
        words=figure_words(found.probability, found.interval, lang),
        bar=interval_bar(found.probability, found.interval),
    )
