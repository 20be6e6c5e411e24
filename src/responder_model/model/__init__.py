"""Fitted models: what they are made of, and what they say about patients."""

from .comparison import Comparison
from .fitted import PROVENANCES, Model
from .limits import Limits, reference_limits
from .observed import describe_limits
from .parts import CentreLevel, Component, LinearPart, Pool
from .prediction import Applicability, ContributionRange, Prediction
from .questions import Question
from .scores import Scores
from .verdict import Verdict

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
