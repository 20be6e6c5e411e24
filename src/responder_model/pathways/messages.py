"""What a reader of the path must know, and whether it applies to the patient."""

from __future__ import annotations

from dataclasses import dataclass

from responder_model.evidence import EvidenceRow
from responder_model.labels import describe_cut_point
from responder_model.model import Applicability, Model, Prediction
from responder_model.model.messages import standing_messages
from responder_model.model.prediction import LEVELS
from responder_model.schema import Decision, dictionary
from responder_model.words import Note
from .average import Average
from .implanting import under_sham


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The two steps: a test, the model of response to it, the model of the implant."""

    test: Decision
    response: Model
    implant: Model

    @property
    def provenance(self) -> str:
        """``simulated`` if either model is, ``cohort`` if either rests on one."""
        both = {self.response.provenance, self.implant.provenance}
        return next(p for p in ("simulated", "cohort", "published") if p in both)

    @property
    def few_failed(self) -> bool:
        """Whether the implant model saw few patients who failed the test."""
        return self.implant.limits.non_responders != "enough"

    @property
    def is_composite(self) -> bool:
        """Whether response asks for more than relief."""
        if self.response.provenance == "published":
            return self.test.requires is not None
        return self.response.performance.outcome_definition == "composite"


def judge(
    steps: Steps,
    first: Prediction,
    second: Prediction,
    average: Average,
    failed: slice,
) -> Applicability:
    """Whether the path applies; ``second`` is the patient as a responder.

    What becomes of a non-responder is part of every average, so that the path is
    borderline at best, and no worse for it: most patients do not respond, and the
    average weighs that already.
    """
    share, inherited = average.share(failed), min(average.level(failed), 1)
    key = "rests_on_failed" if steps.few_failed else "rests_on_failed_some"
    reasons = [*first.applicability.reasons, *second.applicability.reasons]
    reasons.append(Note(f"pathway.{key}", share=share))
    levels = [LEVELS.index(p.applicability.level) for p in (first, second)]
    return Applicability(
        level=LEVELS[max(*levels, inherited)], reasons=tuple(dict.fromkeys(reasons))
    )


def pathway_messages(
    steps: Steps, *, level: str, missing: tuple[str, ...], share: float, halved: float
) -> tuple[Note, ...]:
    """All messages of one path."""
    key = "verification" if steps.few_failed else "verification_some"
    found = [Note("pathway.average"), *_standing(steps), _data(steps)]
    found.append(Note(f"pathway.{key}", share=share, value=halved))
    found.append(under_sham(steps.test))
    if steps.is_composite:
        cut = describe_cut_point(steps.test, steps.test.main_cut_point)
        found.append(Note("pathway.composite", cut=cut))
    found.append(Note("pathway.completers", decision=steps.implant.decision))
    if level != "inside":
        found.append(Note(f"model.{level}"))
    if missing:
        found.append(Note("model.missing", names=missing))
    return tuple(found)


def _standing(steps: Steps) -> list[Note]:
    """What both models always say once, what one of them says under its step."""
    first = standing_messages(steps.response)
    second = standing_messages(steps.implant)
    common = [message for message in first if message in second]
    found = list(common)
    for key, own in (("first_step", first), ("second_step", second)):
        found += [Note(f"pathway.{key}", message=m) for m in own if m not in common]
    return found


def _data(steps: Steps) -> Note:
    """How few patients the second step rests on."""
    implant = steps.implant
    if implant.provenance != "published":
        failed = Note("pathway.few" if steps.few_failed else "pathway.enough")
        counts = {"n": implant.n_patients, "events": implant.n_events}
        return Note("pathway.little_cohort", failed=failed, **counts)
    rows = _published_rows(implant, steps.test.outcome)
    if not rows:
        return Note("pathway.little")
    n = sum(row.n or 0 for row in rows)
    studies = ", ".join(f"{row.study} {row.year}" for row in rows)
    return Note("pathway.little_published", n=n, studies=studies)


def _published_rows(implant: Model, relief: str) -> list[EvidenceRow]:
    """Rows of evidence behind the effect of relief on success."""
    column = implant.prior_columns.get(relief)
    rows = implant.evidence.rows
    named = () if column is None else column.rows
    return [rows[name] for name in named if name in rows]


def missing_today(
    first: Prediction, second: Prediction, moment: str
) -> tuple[str, ...]:
    """Predictors of either model that could be known and were not given."""
    absent = {*first.missing, *second.missing}
    words = dictionary()
    return tuple(n for n in words.fields if n in absent and words.is_known(n, moment))
