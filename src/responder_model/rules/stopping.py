"""Stopping rules: what stopping the test early would lose and save."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from responder_model.errors import ResponderModelError
from responder_model.features import Array, logit
from responder_model.model import Model
from responder_model.model.given import check_model
from responder_model.model.messages import standing_messages
from responder_model.schema import dictionary
from responder_model.words import Note
from .amounts import amount_of, count_of
from .rates import Rates, model_rates, relief_score, served_score
from .result import StoppingRule, StoppingRules

if TYPE_CHECKING:
    import pandas as pd

    from .counted import Counted

# What is compared, and with which thresholds: percent of relief, probabilities.
THRESHOLDS = {
    "relief": (10.0, 20.0, 30.0, 40.0),
    "probability": (0.1, 0.2, 0.3, 0.4, 0.5),
}
# Sure enough: the lower end of a 95 % interval.
_SURE = 0.975
# Patients of 100 whom a rule must stop to be worth following.
_LEAST_STOPPED = 5.0

Found = tuple[str, float, Rates]


def stopping_rule(
    model: Model, cohort: pd.DataFrame | None = None, *, cost: float | None = None
) -> StoppingRules:
    """Compare rules that stop the test sessions early.

    Two kinds of rule: stop whoever has less mean relief so far than a threshold, and
    stop whoever has a lower probability of response. A rule saves the sessions that are
    left and loses the responders among those stopped.

    Parameters
    ----------
    model : Model
        Model of response at the moment of stopping, after a session.
    cohort : DataFrame, optional
        Patients with known outcome: the figures are theirs. Without it they are those
        of the population that the model describes, at a centre it does not know.
    cost : float, optional
        Sessions that a lost responder costs. By default what the whole test takes to
        find one responder: whoever tests everybody pays that much.

    Returns
    -------
    StoppingRules
        A rule is supported if its break-even lies above the cost beyond doubt (97.5 %)
        and if it stops at least 5 of 100 patients.

    Raises
    ------
    ResponderModelError
        For a model of another moment, or a cost that is not above 0.
    DevelopmentError
        For a cohort without enough patients of known relief and outcome.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="session_2")
    >>> found = rm.stopping_rule(model)
    >>> found.supported
    ()
    >>> rule = found.rules[0]
    >>> rule.condition.text(), rule.lost.value < rule.stopped.value
    ('mean relief so far < 10 %', True)
    """
    session, n_sessions = _sessions(model)
    if cost is not None and not (math.isfinite(cost) and cost > 0):
        raise ResponderModelError(Note("rules.cost", cost=float(cost)))
    counted, found, response = _find(model, cohort)
    today = float(n_sessions / response.mean())
    price = today if cost is None else float(cost)
    named = Note("rules.cost_today", cost=today)
    if cost is not None:
        named = Note("rules.cost_given", cost=price, today=today)
    left = n_sessions - session
    rules = tuple(
        _rule(kind, at, rates, left, _costs(rates, n_sessions, cost))
        for kind, at, rates in found
    )
    return StoppingRules(
        decision=model.decision,
        moment=model.moment,
        session=session,
        n_sessions=n_sessions,
        model=model.name,
        model_digest=model.digest,
        provenance=model.provenance if counted is None else counted.provenance,
        n_patients=None if counted is None else len(counted.responded),
        responders=count_of(response),
        cost=price,
        cost_given=cost is not None,
        rules=rules,
        verdict=_verdict(rules, session, price, named),
        messages=_messages(model, counted),
    )


def _sessions(model: Model) -> tuple[int, int]:
    """Sessions done at the model's moment, and those of the whole test."""
    check_model(model)
    moments = dictionary().decisions[model.decision].moments
    done = moments.index(model.moment)
    if done == 0:
        raise ResponderModelError(Note("rules.no_session", target=model.target))
    return done, len(moments)


def _find(
    model: Model, cohort: pd.DataFrame | None
) -> tuple[Counted | None, list[Found], Array]:
    """Shares by rule, and the share of responders, of a model or of a cohort."""
    if cohort is None:
        found = list(_of_model(model))
        return None, found, found[0][2].response
    from .counted import count_cohort, response_share

    counted = count_cohort(model, cohort)
    return counted, list(_of_cohort(counted)), response_share(counted)


def _of_model(model: Model) -> Iterator[Found]:
    relief, probability = THRESHOLDS.values()
    at = logit(np.array(probability)).tolist()
    for threshold, rates in zip(
        relief, model_rates(model, relief_score(model), relief), strict=True
    ):
        yield "relief", threshold, rates
    for threshold, rates in zip(
        probability, model_rates(model, served_score(model), at), strict=True
    ):
        yield "probability", threshold, rates


def _of_cohort(counted: Counted) -> Iterator[Found]:
    from .counted import counted_rates

    scores = {"relief": counted.relief, "probability": counted.probability}
    for kind, score in scores.items():
        for threshold in THRESHOLDS[kind]:
            rates = counted_rates(counted, score, threshold)
            if rates is not None:
                yield kind, threshold, rates


def _costs(rates: Rates, n_sessions: int, cost: float | None) -> Array:
    """Sessions that a lost responder costs, in each draw."""
    if cost is None:
        return np.asarray(n_sessions / rates.response)
    return np.full_like(rates.response, cost)


def _rule(
    kind: str, threshold: float, rates: Rates, left: int, costs: Array
) -> StoppingRule:
    """One rule; ``left`` sessions are saved for each patient stopped."""
    apart, lost = rates.apart, rates.lost
    sessions = left * apart / lost
    certainty = float((sessions > costs).mean())
    stopped = count_of(apart)
    return StoppingRule(
        kind=kind,
        threshold=threshold,
        stopped=stopped,
        lost=count_of(lost),
        saved=count_of(apart, each=left),
        response=amount_of(lost / apart, float(lost.mean() / apart.mean())),
        break_even=amount_of(sessions, float(left * apart.mean() / lost.mean())),
        certainty=certainty,
        supported=certainty >= _SURE and stopped.value >= _LEAST_STOPPED,
    )


def _verdict(
    rules: tuple[StoppingRule, ...], session: int, cost: float, price: Note
) -> Note:
    """Whether any rule is supported, and the one that gains most sessions."""
    supported = [rule for rule in rules if rule.supported]
    if not supported:
        return Note("rules.none_supported", session=session, price=price)
    best = max(supported, key=lambda rule: rule.saved.value - cost * rule.lost.value)
    return Note(
        "rules.supported",
        session=session,
        condition=best.condition,
        stopped=best.stopped.value,
        lost=best.lost.value,
        saved=best.saved.value,
        price=price,
    )


def _messages(model: Model, counted: Counted | None) -> tuple[Note, ...]:
    """What the figures mean, what they rest on, and what holds of all of them."""
    found = [Note("rules.next_patients"), Note("rules.break_even")]
    found += _of_expected(model) if counted is None else _of_counted(counted)
    found.append(Note("rules.no_guideline"))
    if counted is None:
        return (*found, *standing_messages(model))
    return (*found, Note("model.reporting"), Note("model.research_use"))


def _of_expected(model: Model) -> list[Note]:
    score = relief_score(model)
    mean = score.at + score.along @ model.population.mean
    sd = np.sqrt(score.along @ model.population.covariance @ score.along)
    session, _ = _sessions(model)
    expected = {"session": session, "mean": float(mean), "sd": float(sd)}
    found = [Note("rules.expected_relief", **expected)]
    if model.provenance == "published":
        found.append(Note("rules.judgement"))
    if model.pool is not None:
        found.append(Note("rules.without_trees", share=model.pool.weight))
    return found


def _of_counted(counted: Counted) -> list[Note]:
    found = [Note("rules.counted", n=len(counted.responded)), *counted.notes]
    if counted.provenance == "simulated":
        found.append(Note("rules.simulated"))
    return found
