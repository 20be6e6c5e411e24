"""From screening to an implant: success averaged over relief after the test.

With x what is known today and r relief after the test,

    P(success | x) = sum over r of P(r | x) · P(success | x, r)

never a product of two point probabilities. P(r | x) comes from the log-odds that a
response model serves at its cut-offs (``pathways.relief`` says how they are joined),
P(success | x, r) from the implant model with relief set to r.

The posteriors of the two models are independent (they rest on different outcomes), and
the sum is linear in each, so that the served, averaged probabilities of both give the
posterior mean exactly. The interval comes from quasi-random draws of both posteriors:
level and gaps of relief, level and slope of success, what either model misses and what
is missing today. A predictor that is known only after the test is averaged over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from responder_model.development.published import published_model
from responder_model.errors import InvalidPatientError, Problem, ResponderModelError
from responder_model.model import Model, Prediction
from responder_model.model.batch import score_raw
from responder_model.model.limits import preceding_test
from responder_model.patient import Value, latest_moment
from responder_model.schema import Decision
from responder_model.words import Note
from .average import Average
from .implanting import Implant, implant
from .messages import Steps, judge, missing_today, pathway_messages
from .relief import relief_curve
from .result import Pathway, ReliefClass
from .success import success_curve

__all__ = [
    "Implant",
    "Pathway",
    "ReliefClass",
    "implant",
    "pathway",
]

_IMPLANT_DECISION = "emcs_success"
# Patients with the outcome, and all of them.
Rate = tuple[int, int] | None


def pathway(
    patient: Mapping[str, Any],
    *,
    screening_model: Model | None = None,
    implant_model: Model | None = None,
    local_rate: Rate = None,
    implant_rate: Rate = None,
) -> Pathway:
    """Say what to expect of the test, and of an implant, before the test is done.

    Parameters
    ----------
    patient : mapping
        Predictor to value, as ``Model.predict`` takes them: what is known before the
        test, with relief of earlier sessions where they were done.
    screening_model : Model, optional
        Model of response to the test. By default the published-evidence model of the
        latest moment from which a value is given.
    implant_model : Model, optional
        Model of success of the implant; by default the published-evidence one.
    local_rate, implant_rate : (int, int), optional
        Patients with the outcome and all, at this centre, for the published-evidence
        model of the test and of the implant; see ``published_model``.

    Returns
    -------
    Pathway
        The success probability is that of success if implanted, as centres implant
        today: it says nothing of whether the patient will be implanted, and it is not
        the effect of the implant.

    Raises
    ------
    InvalidPatientError
        As ``Model.predict``; also for a value that is known only after the test: then
        the implant model itself answers.
    ResponderModelError
        For two models that are not two steps of one path, or a rate beside a model.

    Examples
    --------
    >>> import responder_model as rm
    >>> found = rm.pathway({"age": 54, "aetiology": "ischaemic_stroke"})
    >>> found.interval[0] < found.probability < found.interval[1]
    True
    >>> found.responders.success > found.probability > found.non_responders.success
    True
    """
    rates = (local_rate, implant_rate)
    steps = _steps(patient, screening_model, implant_model, rates)
    first = _predict(steps, patient)
    cleaned = steps.implant.check_patient(patient)
    average = _average(steps, patient, cleaned)
    failed = average.between(None, _last_failure(steps.test))
    passed = average.between(_last_failure(steps.test), None)
    responder = {**cleaned, steps.test.outcome: average.middle(passed)}
    second = steps.implant.predict(responder)
    applicability = judge(steps, first, second, average, failed)
    missing = missing_today(first, second, steps.response.moment)
    probabilities = average.probabilities()
    halved = average.halved(failed)
    classes = _classes(steps)
    joint, joint_interval = average.joint(passed)
    return Pathway(
        decision=steps.implant.decision,
        moment=steps.response.moment,
        screening_model=steps.response.name,
        implant_model=steps.implant.name,
        screening_model_digest=steps.response.digest,
        implant_model_digest=steps.implant.digest,
        provenance=steps.provenance,
        response=first,
        cut_point=steps.implant.cut_point,
        probability=probabilities[average.main],
        interval=average.interval(),
        joint=joint,
        joint_interval=joint_interval,
        probabilities=dict(zip(second.probabilities, probabilities, strict=True)),
        halved_odds=halved,
        classes=tuple(average.relief_class(*bounds) for bounds in classes),
        non_responders=average.relief_class(None, _last_failure(steps.test)),
        responders=average.relief_class(_last_failure(steps.test), None),
        applicability=applicability,
        missing=missing,
        messages=pathway_messages(
            steps,
            level=applicability.level,
            missing=missing,
            share=average.share(failed),
            halved=halved,
        ),
    )


def _steps(
    patient: Any,
    screening_model: Model | None,
    implant_model: Model | None,
    rates: tuple[Rate, Rate],
) -> Steps:
    given = (("screening", screening_model), ("implant", implant_model))
    for (name, model), rate in zip(given, rates, strict=True):
        if not isinstance(model, Model | None):
            said = Note("pathway.no_model", name=name, got=type(model).__name__)
            raise ResponderModelError(said)
        if model is not None and rate is not None:
            raise ResponderModelError(Note("pathway.local_rate", name=name))
    implant = implant_model or published_model(_IMPLANT_DECISION, local_rate=rates[1])
    test = preceding_test(implant.encoder)
    if test is None:
        said = Note("pathway.reads_relief", decision=implant.decision)
        raise ResponderModelError(said)
    response = screening_model
    if response is None:
        response = published_model(
            test.name, latest_moment(patient, test), local_rate=rates[0]
        )
    if response.decision != test.name:
        said = Note("pathway.screening_of", due=test.name, got=response.decision)
        raise ResponderModelError(said)
    return Steps(test=test, response=response, implant=implant)


def _predict(steps: Steps, patient: Mapping[str, Any]) -> Prediction:
    """First step; what is known only after the test is handed over to the second."""
    try:
        return steps.response.predict(patient)
    except InvalidPatientError as error:
        problems = (_handed_over(problem, steps) for problem in error.problems)
        raise InvalidPatientError(tuple(problems)) from error


def _handed_over(problem: Problem, steps: Steps) -> Problem:
    rule = problem.allowed
    if not isinstance(rule, Note) or rule.code != "patient.known_later":
        return problem
    if rule.values["known_from"] != steps.implant.moment:
        return problem
    return replace(problem, allowed=Note("pathway.hand_over", rule=rule))


def _average(
    steps: Steps, patient: Mapping[str, Any], cleaned: dict[str, Value]
) -> Average:
    response = steps.response
    known = response.check_patient(patient)
    scores = score_raw(response, response.encoder.raw(known))
    relief = relief_curve(response, scores.served[0], float(scores.standard_error[0]))
    success = success_curve(
        steps.implant, cleaned, steps.test.outcome, relief.values, response.moment
    )
    return Average.of(relief, success)


def _last_failure(test: Decision) -> float:
    """Highest whole percent of relief that is no response."""
    return test.highest_failing(test.main_cut_point)


def _classes(steps: Steps) -> list[tuple[float | None, float | None]]:
    """Bounds of relief between the cut-offs that the response model serves."""
    served = steps.response.served_cut_points
    cuts = [steps.test.highest_failing(cut) for cut in served]
    return list(pairwise([None, *cuts, None]))
