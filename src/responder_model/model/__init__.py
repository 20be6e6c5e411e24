"""Fitted models: what they are made of, and what they say about patients."""

from responder_model.model.comparison import Comparison
from responder_model.model.fitted import PROVENANCES, Model
from responder_model.model.limits import Limits, reference_limits
from responder_model.model.observed import describe_limits
from responder_model.model.parts import (
    CentreLevel,
    Component,
    LinearPart,
    Pool,
)
from responder_model.model.prediction import (
    Applicability,
    ContributionRange,
    Prediction,
)
from responder_model.model.questions import Question
from responder_model.model.scores import Scores
from responder_model.model.verdict import Verdict

__all__ = [
    "PROVENANCES",
    "Applicability",
    "CentreLevel",
    "Comparison",
    "Component",
    "ContributionRange",
    "Limits",
    "LinearPart",
    "Model",
    "Pool",
    "Prediction",
    "Question",
    "Scores",
    "Verdict",
    "describe_limits",
    "reference_limits",
]
