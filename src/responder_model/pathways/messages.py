"""What a reader of the path must know, and whether it applies to the patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from responder_model.labels import describe_cut_point, format_percent
from responder_model.model import Applicability, Model, Prediction
from responder_model.model.messages import missing_message, standing_messages
from responder_model.model.prediction import LEVELS
from responder_model.model.texts import text
from responder_model.pathways.average import Average
from responder_model.pathways.texts import sentence
from responder_model.schema import Decision, dictionary

if TYPE_CHECKING:
    from responder_model.evidence import EvidenceRow

# Probability of not responding from which the whole path counts as that of a
# non-responder.
_MORE_LIKELY_THAN_NOT = 0.5


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
        return self.response.performance.get("outcome_definition") == "composite"


def judge(
    steps: Steps,
    first: Prediction,
    second: Prediction,
    average: Average,
    failed: slice,
    lang: str,
) -> Applicability:
    """Whether the path applies; ``second`` is the patient as a responder.

    What becomes of a non-responder is part of every average, so that the path is
    borderline at best; where not responding is likelier than responding, it takes the
    level of non-responders.
    """
    share, inherited = average.share(failed), average.level(failed)
    if share <= _MORE_LIKELY_THAN_NOT:
        inherited = min(inherited, 1)
    key = "may_not_respond" if steps.few_failed else "may_not_respond_some"
    reasons = [*first.applicability.reasons, *second.applicability.reasons]
    reasons.append(sentence(key, lang, share=format_percent(share)))
    levels = [LEVELS.index(p.applicability.level) for p in (first, second)]
    return Applicability(
        level=LEVELS[max(*levels, inherited)], reasons=tuple(dict.fromkeys(reasons))
    )


def pathway_messages(
    steps: Steps,
    lang: str,
    *,
    level: str,
    missing: tuple[str, ...],
    share: float,
    halved: float,
) -> tuple[str, ...]:
    """All messages of one path."""
    key = "verification" if steps.few_failed else "verification_some"
    parts = {"share": format_percent(share), "value": format_percent(halved)}
    found = [sentence("average", lang), *_standing(steps, lang), _data(steps, lang)]
    found.append(sentence(key, lang, **parts))
    if steps.is_composite:
        cut = describe_cut_point(steps.test, steps.test.main_cut_point)
        found.append(sentence("composite", lang, cut=cut))
    found.append(sentence("completers", lang, target=steps.implant.target))
    if level != "inside":
        found.append(text(level, lang))
    if missing:
        found.append(missing_message(missing, lang))
    return tuple(found)


def _standing(steps: Steps, lang: str) -> list[str]:
    """What both models always say once, what one of them says under its step."""
    first = standing_messages(steps.response, lang)
    second = standing_messages(steps.implant, lang)
    common = [message for message in first if message in second]
    found = list(common)
    for key, own in (("first_step", first), ("second_step", second)):
        found += [sentence(key, lang, message=m) for m in own if m not in common]
    return found


def _data(steps: Steps, lang: str) -> str:
    """How few patients the second step rests on."""
    implant = steps.implant
    if implant.provenance != "published":
        failed = sentence("few" if steps.few_failed else "enough", lang)
        counts = {"n": implant.n_patients, "events": implant.n_events}
        return sentence("little_cohort", lang, failed=failed, **counts)
    rows = _published_rows(implant, steps.test.outcome)
    if not rows:
        return sentence("little", lang)
    n = sum(row.n or 0 for row in rows)
    studies = ", ".join(f"{row.study} {row.year}" for row in rows)
    return sentence("little_published", lang, n=n, studies=studies)


def _published_rows(implant: Model, relief: str) -> list[EvidenceRow]:
    """Rows of evidence behind the effect of relief on success."""
    from responder_model.evidence import packaged_evidence

    column = implant.priors.get("columns", {}).get(relief, {})
    rows = packaged_evidence().rows
    return [rows[name] for name in column.get("rows", ()) if name in rows]


def missing_today(
    first: Prediction, second: Prediction, moment: str
) -> tuple[str, ...]:
    """Predictors of either model that could be known and were not given."""
    absent = {*first.missing, *second.missing}
    words = dictionary()
    return tuple(n for n in words.fields if n in absent and words.is_known(n, moment))
