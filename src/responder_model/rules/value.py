"""Worth collecting? What a model, and more patients, are worth to decisions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from responder_model.errors import ResponderModelError
from responder_model.model import Model
from responder_model.model.given import check_model
from responder_model.model.messages import standing_messages
from responder_model.words import Note
from .information import (
    N_PATIENTS,
    Lesson,
    expectation,
    gain_of_ranking,
    lessons_of,
    worth_of,
)
from .worth import InformationWorth, Sample, SlotWorth, ThresholdWorth

THRESHOLDS = (0.3, 0.4, 0.5)
SAMPLES = (50, 193, 800)
_INFINITY = math.inf


def value_of_information(
    model: Model,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    patients: Sequence[int] = SAMPLES,
    slots: int | None = None,
    candidates: int | None = None,
) -> InformationWorth:
    """Say what perfect knowledge, and patients of one's own, would be worth.

    Parameters
    ----------
    model : Model
        Published or developed.
    thresholds : sequence of float
        Probabilities from which a patient is treated, rising, in 0-1. At the threshold
        t one responder is worth (1 - t) / t treatments in vain.
    patients : sequence of int
        Numbers of patients of one's own.
    slots, candidates : int, optional
        Scarce places and patients who ask for one: what giving them to the likeliest
        gains over first come, first served.

    Returns
    -------
    InformationWorth
        Expected net responders per 100 decisions, and responders per round of slots.

    Raises
    ------
    ResponderModelError
        For thresholds that do not rise within (0, 1), numbers of patients that are no
        counts, or slots without more candidates than slots.

    References
    ----------
    .. [1] Sadatsafavi M, et al. Value of information analysis for risk prediction
       models. Med Decis Making 2022;42:661-671. doi:10.1177/0272989X221078789

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> found = rm.value_of_information(model, thresholds=[0.4], patients=[50])
    >>> row = found.rows[0]
    >>> row.perfect > row.samples[0].records > row.samples[0].counts > 0
    True
    """
    _check(model, thresholds, patients)
    places = _check_slots(slots, candidates)
    lessons = lessons_of(model)
    rows = tuple(_at(lessons, threshold, patients) for threshold in thresholds)
    return InformationWorth(
        decision=model.decision,
        moment=model.moment,
        model=model.name,
        model_digest=model.digest,
        provenance=model.provenance,
        rows=rows,
        slots=None if places is None else _slots(lessons, *places, patients),
        verdict=_verdict(rows),
        messages=_messages(model),
    )


def _check(model: Model, thresholds: Sequence[float], patients: Sequence[int]) -> None:
    check_model(model)
    bounds = (0.0, *thresholds, 1.0)
    if len(bounds) < 3 or not all(a < b for a, b in pairwise(bounds)):
        raise ResponderModelError(Note("worth.thresholds", got=_listed(thresholds)))
    if not all(isinstance(n, int) and n > 0 for n in patients):
        raise ResponderModelError(Note("worth.patients", got=_listed(patients)))


def _listed(values: Sequence[object]) -> str:
    return ", ".join(map(str, values)) or "[]"


def _check_slots(slots: int | None, candidates: int | None) -> tuple[int, int] | None:
    if slots is None and candidates is None:
        return None
    if slots is None or candidates is None or not 0 < slots < candidates <= N_PATIENTS:
        raise ResponderModelError(Note("worth.slots", most=N_PATIENTS))
    return slots, candidates


def _at(
    lessons: tuple[Lesson, Lesson], threshold: float, patients: Sequence[int]
) -> ThresholdWorth:
    """Worth at one threshold, per 100 decisions."""
    records, counts = lessons
    today = worth_of(records.after(0), threshold)
    outlook = records.after(0)
    average = float(expectation(outlook.centre, outlook.open)[0].mean())
    treat_all = (average - threshold) / (1.0 - threshold)
    simple = max(0.0, treat_all)

    def gain(lesson: Lesson, n: float) -> float:
        return 100.0 * max(0.0, worth_of(lesson.after(n), threshold) - today)

    return ThresholdWorth(
        threshold=threshold,
        simple=100.0 * simple,
        treats_all=treat_all > 0.0,
        today=100.0 * max(0.0, today - simple),
        samples=tuple(
            Sample(n=n, records=gain(records, n), counts=gain(counts, n))
            for n in patients
        ),
        perfect=gain(records, _INFINITY),
    )


def _slots(
    lessons: tuple[Lesson, Lesson], slots: int, candidates: int, patients: Sequence[int]
) -> SlotWorth:
    """Responders among the holders of slots."""
    records, counts = lessons
    outlook = records.after(0)
    average = float(expectation(outlook.centre, outlook.open)[0].mean())

    def gained(lesson: Lesson, n: float) -> float:
        return gain_of_ranking(lesson, n, slots=slots, candidates=candidates)

    today = gained(records, 0)
    return SlotWorth(
        slots=slots,
        candidates=candidates,
        first_come=slots * average,
        today=today,
        samples=tuple(
            # the level of a centre is the same for all who ask: counts rank nobody
            Sample(n=n, records=gained(records, n) - today, counts=0.0)
            for n in patients
        ),
        perfect=gained(records, _INFINITY) - today,
    )


def _verdict(rows: Sequence[ThresholdWorth]) -> Note:
    """Where most is to be learned, and what patients would bring of it."""
    best = max(rows, key=lambda row: row.perfect)
    parts = {"threshold": best.threshold, "today": best.today, "perfect": best.perfect}
    if not best.samples:
        return Note("worth.verdict", **parts)
    sample = best.samples[0]
    counted = {"n": sample.n, "records": sample.records, "counts": sample.counts}
    return Note("worth.verdict_sample", **parts, **counted)


def _messages(model: Model) -> tuple[Note, ...]:
    found = [Note("worth.unit"), Note("worth.simple_rule"), Note("worth.own_centre")]
    if model.pool is not None:
        found.append(Note("rules.without_trees", share=model.pool.weight))
    return (*found, *standing_messages(model))
