"""What to ask next: what each answer that is missing would change, on average.

Widths are averaged over possible answers (``model.possible``): over the shares of a
category, or by Gauss-Hermite quadrature. The chance of crossing a threshold is exact
where the log-odds are linear in a number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from responder_model.features import Array
from responder_model.words import Note
from .possible import Answers, answered, below, every_answer
from .scores import Z_95, probability_of
from .verdict import check_threshold

if TYPE_CHECKING:
    from .fitted import Model

# Questions that a person is shown.
MOST_SHOWN = 3
# What an answer must change on average to be worth showing: points of width, chance.
LEAST_NARROWING, LEAST_CROSSING = 0.01, 0.05
# Levels of checks of applicability where none is made.
_UNJUDGED = np.zeros((1, 1), dtype=np.int8)
# Log-odds that are no distance from a threshold.
_AT_THRESHOLD = 1e-9


@dataclass(frozen=True, kw_only=True)
class Question:
    """A predictor that was not given, and what its answer would change on average.

    Parameters
    ----------
    predictor : str
        Name in the dictionary.
    narrowing : float
        Expected narrowing of the 95 % interval, in probability; negative where answers
        tend to widen it.
    crossing : float
        Chance that the probability moves to the other side of the threshold.
    """

    predictor: str
    narrowing: float
    crossing: float

    @property
    def worth_asking(self) -> bool:
        """Whether the answer changes something that a person would see."""
        return self.narrowing >= LEAST_NARROWING or self.crossing >= LEAST_CROSSING

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "predictor": self.predictor,
            "narrowing": self.narrowing,
            "crossing": self.crossing,
        }


def question_notes(questions: Sequence[Question], threshold: float) -> tuple[Note, ...]:
    """Say what to ask next, at most three; the first note leads to the others.

    Empty where nothing is missing.
    """
    if not questions:
        return ()
    worth = [row for row in questions if row.worth_asking][:MOST_SHOWN]
    key = "worth_asking" if worth else "nothing_to_ask"
    asked = (
        Note(
            "answers.question",
            predictor=row.predictor,
            narrowing=_points(round(100.0 * row.narrowing)),
            crossing=row.crossing,
            threshold=threshold,
        )
        for row in worth
    )
    return (Note(f"answers.{key}", n=len(questions)), *asked)


def _points(n: int) -> Note:
    if n == 1:
        return Note("answers.one_point")
    return Note("answers.points", n=n) if n > 1 else Note("answers.no_point")


def rank_questions(
    model: Model, raw: Array, centre: str | None, threshold: float | None
) -> tuple[Question, ...]:
    """Rank the missing predictors of one patient; see ``Model.questions``."""
    scorer, own = model.scorer, model.position_of(centre)
    cut = _cut(model, own, threshold)
    evidence = scorer.evidence(raw, own)
    asked = every_answer(model, raw, evidence)
    if not asked:
        return ()
    now = scorer.pooled(evidence, raw, _UNJUDGED)
    beyond = float(now.linear_predictor[0]) - cut
    width = float(_width(now.linear_predictor, now.standard_error)[0])
    log_odds, sd = answered(model, raw, evidence, asked)
    ends = np.cumsum([len(answers.share) for answers in asked])
    widths = np.concatenate([answers.share for answers in asked]) * _width(log_odds, sd)
    expected = np.add.reduceat(widths, np.append(0, ends[:-1])).tolist()
    parts = np.split(log_odds - cut, ends[:-1])
    found = [
        Question(
            predictor=model.encoder.predictors[answers.asked.position],
            narrowing=width - mean,
            crossing=_crossing(answers, part, beyond),
        )
        for answers, mean, part in zip(asked, expected, parts, strict=True)
    ]
    return tuple(sorted(found, key=lambda row: (-row.narrowing, -row.crossing)))


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a number that is not known yet is expected to be, and to change.

    Parameters
    ----------
    predictor : str
        The number.
    threshold, chance_above : float
        Probability with which the answers are compared, and the chance that the
        patient's lies above it once the number is known.
    x, values : tuple of float
        SDs from what is expected, rising, and the values there.
    """

    predictor: str
    threshold: float
    chance_above: float
    x: tuple[float, ...]
    values: tuple[float, ...]

    def quantile(self, share: float) -> float:
        """Value that a share of patients alike are expected not to exceed."""
        x = NormalDist().inv_cdf(share)
        return float(np.interp(x, self.x, self.values))


def expect(
    model: Model,
    values: Mapping[str, Any],
    predictor: str,
    threshold: float | None = None,
    *,
    centre: str | None = None,
) -> Expected:
    """Say what is expected of one number of a patient that is not known yet.

    ``threshold``: a probability; by default that of the average patient.
    """
    own = model.position_of(centre)
    raw = model.encoder.raw(model.check_patient(values))
    position = model.encoder.predictors.index(predictor)
    evidence = model.scorer.evidence(raw, own)
    every = every_answer(model, raw, evidence)
    answers = next(a for a in every if a.asked.position == position)
    log_odds, _ = answered(model, raw, evidence, [answers])
    cut = _cut(model, own, threshold)
    assert answers.x is not None
    order = np.argsort(answers.x, kind="stable")
    return Expected(
        predictor=predictor,
        threshold=float(probability_of(np.array(cut))),
        # from below, all that is above has changed sides
        chance_above=_crossing(answers, log_odds - cut, -1.0),
        x=tuple(answers.x[order].tolist()),
        values=tuple(answers.raw[order].tolist()),
    )


def _cut(model: Model, own: int, threshold: float | None) -> float:
    """Log-odds of a threshold, or of the average patient."""
    if threshold is None:
        return float(model.scorer.baseline_of(own))
    return math.log(check_threshold(threshold) / (1.0 - threshold))


def _crossing(answers: Answers, beyond: Array, now: float) -> float:
    """Chance that log-odds beyond a threshold change their sign, which is that of now.

    A patient at the threshold is on no side. Between answers to a number the log-odds
    run straight; beyond its bounds nobody is.
    """
    if abs(now) < _AT_THRESHOLD:
        return 0.0
    if answers.x is None:
        return float(answers.share[beyond * now < 0.0].sum())
    points = sorted(zip(answers.x.tolist(), (beyond * now).tolist(), strict=True))
    chance = below(points[0][0]) if points[0][1] < 0.0 else 0.0
    chance += below(-points[-1][0]) if points[-1][1] < 0.0 else 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        turn = x0 + (x1 - x0) * y0 / (y0 - y1) if y0 * y1 < 0.0 else x1
        chance += (below(turn) - below(x0)) * (y0 < 0.0)
        chance += (below(x1) - below(turn)) * (y1 < 0.0)
    return chance


def _width(log_odds: Array, sd: Array) -> Array:
    upper, lower = (probability_of(log_odds + s * Z_95 * sd) for s in (1.0, -1.0))
    return np.asarray(upper - lower)
