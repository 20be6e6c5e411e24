"""Evidence-informed cumulative logit with a robust mixture of priors."""

from responder_model.cumulative_logit.estimator import EvidenceCumulativeLogit
from responder_model.cumulative_logit.likelihood import Observations
from responder_model.cumulative_logit.mixture import Collapsed, Component, Prior

__all__ = ["Collapsed", "Component", "EvidenceCumulativeLogit", "Observations", "Prior"]
