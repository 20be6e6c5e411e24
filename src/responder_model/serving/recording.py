"""What was answered goes into the audit trail before it leaves.

A route says what it scored: ``arrival.scored.append(scored(model, patient, found))``.
The gate, which every answer passes, waits until that is on the disk; where it cannot be
recorded the answer does not leave.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from responder_model.audit import Entry, Trail
from responder_model.errors import ResponderModelError
from responder_model.model import Model, Prediction
from responder_model.pathways import Pathway
from responder_model.visits import Course

Plain = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ScoredPatient:
    """One patient who was scored in an answer.

    Parameters
    ----------
    model : Model
        The model of the question that was asked.
    patient : mapping
        Values as the model was given them.
    output : mapping
        Figures of the answer; nothing else of the patient.
    centre : str or None
        Centre that was asked for.
    also : tuple of str
        Digests of other models of which a figure stands in the answer.
    mapping : str
        Version of the table of codes that was used; empty for none.
    """

    model: Model
    patient: Mapping[str, Any]
    output: Plain
    centre: str | None = None
    also: tuple[str, ...] = ()
    mapping: str = ""

    def entry(self, request_id: str) -> Entry:
        """Line of the trail; values are cleaned: every route writes a patient alike."""
        return Entry(
            request=request_id,
            decision=self.model.target,
            model=str(self.model.digest),
            also=tuple(sorted(set(self.also) - {str(self.model.digest)})),
            mapping=self.mapping,
            input={
                "decision": self.model.target,
                "centre": self.centre,
                "patient": self.model.check_patient(self.patient),
            },
            output=self.output,
        )


def scored(
    model: Model, patient: Mapping[str, Any], found: Prediction, **more: Any
) -> ScoredPatient:
    """One patient, scored by one model; ``more`` are further fields of the result."""
    return ScoredPatient(model=model, patient=patient, output=figures_of(found), **more)


def figures_of(found: Prediction) -> Plain:
    """Figures of a prediction: no contribution and no message, which tell of values."""
    return {
        "cut_point": found.cut_point,
        "probability": found.probability,
        "interval": list(found.interval),
        "probabilities": {f"{cut:g}": p for cut, p in found.probabilities.items()},
        "applicability": found.applicability.level,
    }


def scored_pathway(
    model: Model, patient: Mapping[str, Any], found: Pathway, *, mapping: str = ""
) -> ScoredPatient:
    """One patient, from the test to an implant; ``model`` is that of the test."""
    output = {
        "cut_point": found.cut_point,
        "probability": found.probability,
        "interval": list(found.interval),
        "joint": found.joint,
        "applicability": found.applicability.level,
        "response": figures_of(found.response),
    }
    also = (str(found.implant_model_digest),)
    return ScoredPatient(
        model=model, patient=patient, output=output, also=also, mapping=mapping
    )


def scored_course(
    model: Model, patient: Mapping[str, Any], found: Course, models: Iterable[Model]
) -> ScoredPatient:
    """One patient over the visits; ``model`` is that of the last one."""
    visits = [
        {"moment": visit.moment, **figures_of(visit.prediction)}
        for visit in found.visits
    ]
    also = digests_of(found, models)
    return ScoredPatient(
        model=model, patient=patient, output={"visits": visits}, also=also
    )


def digests_of(found: Course, models: Iterable[Model]) -> tuple[str, ...]:
    """Models of which a figure stands in a course, that of the next session too."""
    next_one = None if found.ahead is None else found.ahead.moment
    ahead = (str(m.digest) for m in models if m.moment == next_one)
    visits = (str(visit.prediction.model_digest) for visit in found.visits)
    return tuple(dict.fromkeys((*visits, *ahead)))


class Recorder:
    """Writes a trail beside the answers: those that wait become one group.

    Parameters
    ----------
    trail : Trail
    """

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._waiting: deque[tuple[list[Entry], Future[None]]] = deque()
        # its thread starts with the first line: in the process that answers
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="audit")

    async def keep(
        self, request_id: str, answered: Iterable[ScoredPatient], *, seconds: float
    ) -> str | None:
        """Wait until what was scored is on the disk; why it is not, None when it is.

        Neither the system nor the trail knows a patient: what they say may be logged.
        """
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wrap_future(self._begin(request_id, answered))
        except TimeoutError:
            return f"the disk did not answer in {seconds:g} s"
        except OSError as error:
            return f"{type(error).__name__}: {error.strerror}"
        except ResponderModelError as error:
            return error.text()
        return None

    def _begin(
        self, request_id: str, answered: Iterable[ScoredPatient]
    ) -> Future[None]:
        """Put what was scored among what waits."""
        done: Future[None] = Future()
        self._waiting.append(([row.entry(request_id) for row in answered], done))
        self._writer.submit(self._write_group)
        return done

    def _write_group(self) -> None:
        """Write all who wait; those who came meanwhile are the next group."""
        group = []
        while self._waiting:
            entries, done = self._waiting.popleft()
            # who has been given up is not answered
            if done.set_running_or_notify_cancel():
                group.append((entries, done))
        if not group:
            return
        try:
            self._trail.append([entry for entries, _ in group for entry in entries])
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it
            for _, done in group:
                done.set_exception(error)
        else:
            for _, done in group:
                done.set_result(None)
