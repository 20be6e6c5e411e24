"""Rules over many patients: what stopping by them loses, and what it saves."""

from __future__ import annotations

from responder_model.rules.result import Amount, StoppingRule, StoppingRules
from responder_model.rules.stopping import stopping_rule

__all__ = ["Amount", "StoppingRule", "StoppingRules", "stopping_rule"]
