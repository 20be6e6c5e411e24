"""One patient over the visits of the test: what each changed, what the next may change.

Each visit is answered by the model of its moment, with what was known by then and
nothing more. What the next session may bring is what that model's population expects of
its relief, given all that is known; what it would change is what ``predict`` answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from responder_model.development.published import published_model
from responder_model.errors import ResponderModelError
from responder_model.model import Model, Prediction
from responder_model.model.limits import session_reliefs
from responder_model.model.questions import Expected, expect
from responder_model.patient import Value, check_patient, latest_moment
from responder_model.schema import Decision, dictionary
from responder_model.words import Note

__all__ = ["Ahead", "Course", "Possible", "Visit", "course"]

# Shares of what the next session may bring at which the answer is worked out.
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What was said at one visit.

    Parameters
    ----------
    moment : str
        Moment of the visit.
    given : dict
        What became known at it.
    prediction : Prediction
        What the model of that moment says, with all that was known by then.
    change : float or None
        Probability minus that of the visit before; None at the first one.
    """

    moment: str
    given: dict[str, Value]
    prediction: Prediction
    change: float | None

    def to_dict(self, lang: str = "en", threshold: float | None = None) -> Any:
        """Plain data for JSON."""
        return {
            "moment": self.moment,
            "given": dict(self.given),
            "prediction": self.prediction.to_dict(lang, threshold=threshold),
            "change": self.change,
        }


@dataclass(frozen=True, kw_only=True)
class Possible:
    """What would be said were the next relief this one.

    Parameters
    ----------
    relief : float
        Relief, a whole percent.
    at_most : float
        Share of patients alike whose relief is expected to be at most that.
    probability : float
        What ``predict`` would say then (to 1e-12), with its ``interval``.
    """

    relief: float
    at_most: float
    probability: float
    interval: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What the next session could still change.

    Parameters
    ----------
    moment, predictor : str
        Moment after the next session, and its relief.
    possible : tuple of Possible
        A poor, a middling and a good session: tenths 1, 5 and 9 of what is expected.
    threshold : float
        Probability with which the answers are compared.
    chance_above : float
        Chance that the probability will lie above it after the session.
    crossing : float
        Chance that it will have changed sides, compared with the last visit.
    """

    moment: str
    predictor: str
    possible: tuple[Possible, ...]
    threshold: float
    chance_above: float
    crossing: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "moment": self.moment,
            "predictor": self.predictor,
            "possible": [
                {**vars(row), "interval": list(row.interval)} for row in self.possible
            ],
            "threshold": self.threshold,
            "chance_above": self.chance_above,
            "crossing": self.crossing,
        }


@dataclass(frozen=True, kw_only=True)
class Course:
    """One patient over the visits of the test.

    Parameters
    ----------
    decision : str
        Question that is answered at every visit.
    threshold : float or None
        Probability with which answers are compared; None: the average patient of each
        model.
    visits : tuple of Visit
        Before the test, then after each session of which something is known.
    ahead : Ahead or None
        What the next session could still change; None after the last one.
    messages : tuple of Note
        What a reader of the course must know.
    """

    decision: str
    threshold: float | None
    visits: tuple[Visit, ...]
    ahead: Ahead | None
    messages: tuple[Note, ...]

    @property
    def now(self) -> Prediction:
        """What is said at the last visit."""
        return self.visits[-1].prediction

    @property
    def chances(self) -> Note | None:
        """How likely the next answer is above the threshold, and to change sides."""
        ahead = self.ahead
        if ahead is None:
            return None
        which = "average" if self.threshold is None else "chosen"
        against = Note(f"course.{which}", threshold=ahead.threshold)
        chances = {"above": ahead.chance_above, "crossing": ahead.crossing}
        return Note("course.chances", against=against, **chances)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, sentences in a language."""
        return {
            "decision": self.decision,
            "threshold": self.threshold,
            "visits": [visit.to_dict(lang, self.threshold) for visit in self.visits],
            "ahead": None if self.ahead is None else self.ahead.to_dict(),
            "messages": [message.to_dict(lang) for message in self.messages],
        }


def course(
    patient: Mapping[str, Any],
    *,
    models: Iterable[Model] = (),
    local_rate: tuple[int, int] | None = None,
    centre: str | None = None,
    threshold: float | None = None,
) -> Course:
    """Follow one patient over the visits of the test.

    Parameters
    ----------
    patient : mapping
        Predictor to value, as ``Model.predict`` takes them, with the reliefs so far.
    models : iterable of Model, optional
        Models of their moments; of other moments the published-evidence ones.
    local_rate : (int, int), optional
        Responders and patients tested at this centre, for published-evidence models.
    centre : str, optional
        Centre of the patient, for models that tell centres apart.
    threshold : float, optional
        Probability at which one would decide; by default each model's average patient.

    Returns
    -------
    Course
        A session of which nothing is known is no visit.

    Raises
    ------
    InvalidPatientError
        As ``Model.predict``; a value that is known only after the test is refused.
    ResponderModelError
        For models of another decision, or two of one moment.

    Examples
    --------
    >>> import responder_model as rm
    >>> found = rm.course({"age": 54, "relief_1": 40, "relief_2": 50})
    >>> [visit.moment for visit in found.visits]
    ['screening', 'session_1', 'session_2']
    >>> found.visits[2].change > 0, found.ahead.predictor
    (True, 'relief_3')
    """
    decision = _decision_of_visits()
    own = _by_moment(models, decision)

    def model_of(moment: str) -> Model:
        if moment in own:
            return own[moment]
        return published_model(decision.name, moment, local_rate=local_rate)

    moments = decision.moments
    if not isinstance(patient, Mapping):
        check_patient(patient, decision.name, moments[0])
    last = moments.index(latest_moment(patient, decision))
    values = check_patient(patient, decision.name, moments[last])
    visits: list[Visit] = []
    for moment in moments[: last + 1]:
        given = {name: v for name, v in values.items() if _known_from(name) == moment}
        if given or moment == moments[0]:
            visits.append(_visit(model_of(moment), values, given, visits, centre))
    ahead = None
    if last + 1 < len(moments):
        following = model_of(moments[last + 1])
        ahead = _ahead(following, values, visits[-1].prediction, threshold, centre)
    return Course(
        decision=decision.name,
        threshold=threshold,
        visits=tuple(visits),
        ahead=ahead,
        messages=_messages(visits),
    )


def _decision_of_visits() -> Decision:
    """The decision that is asked at more than one moment."""
    rows = dictionary().decisions.values()
    return next(row for row in rows if len(row.moments) > 1)


def _by_moment(models: Iterable[Model], decision: Decision) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for model in models:
        if model.decision != decision.name:
            given = {"due": decision.name, "got": model.decision}
            raise ResponderModelError(Note("course.other_decision", **given))
        if model.moment in found:
            raise ResponderModelError(Note("course.one_model", moment=model.moment))
        found[model.moment] = model
    return found


def _known_from(name: str) -> str:
    return dictionary().fields[name].known_from


def _visit(
    model: Model,
    values: Mapping[str, Value],
    given: dict[str, Value],
    before: list[Visit],
    centre: str | None,
) -> Visit:
    prediction = model.predict(_known_by(model, values), centre=centre)
    change = None
    if before:
        change = prediction.probability - before[-1].prediction.probability
    return Visit(moment=model.moment, given=given, prediction=prediction, change=change)


def _known_by(model: Model, values: Mapping[str, Value]) -> dict[str, Value]:
    """What is known by a model's moment."""
    known = dictionary().is_known
    return {name: v for name, v in values.items() if known(name, model.moment)}


def _ahead(
    model: Model,
    values: Mapping[str, Value],
    now: Prediction,
    threshold: float | None,
    centre: str | None,
) -> Ahead | None:
    names = [
        n for n in session_reliefs(model.encoder) if _known_from(n) == model.moment
    ]
    if not names:
        return None
    relief = names[0]
    expected = expect(model, values, relief, threshold, centre=centre)
    above = now.verdict.average if threshold is None else threshold
    was_above = now.probability > above
    return Ahead(
        moment=model.moment,
        predictor=relief,
        possible=_possible(model, values, expected, centre),
        threshold=expected.threshold,
        chance_above=expected.chance_above,
        crossing=1.0 - expected.chance_above if was_above else expected.chance_above,
    )


def _possible(
    model: Model,
    values: Mapping[str, Value],
    expected: Expected,
    centre: str | None,
) -> tuple[Possible, ...]:
    """Score the patient with each relief, all at once."""
    encoder = model.encoder
    reliefs = [float(round(expected.quantile(share))) for share in QUANTILES]
    raw = np.repeat(encoder.raw(model.check_patient(values)), len(reliefs), axis=0)
    raw[:, encoder.predictors.index(expected.predictor)] = reliefs
    found = model.scorer.score(raw, model.position_of(centre))
    probability = found.probability.tolist()
    ends = zip(found.lower.tolist(), found.upper.tolist(), strict=True)
    return tuple(
        Possible(relief=relief, at_most=share, probability=p, interval=interval)
        for relief, share, p, interval in zip(
            reliefs, QUANTILES, probability, ends, strict=True
        )
    )


def _messages(visits: list[Visit]) -> tuple[Note, ...]:
    """Those of the last visit; and what a course adds to them."""
    own = [Note("course.one_patient")]
    if {visit.prediction.provenance for visit in visits} != {"published"}:
        names = tuple(dict.fromkeys(visit.prediction.model for visit in visits))
        own.append(Note("course.models", names=names))
    return (*visits[-1].prediction.messages, *own)
