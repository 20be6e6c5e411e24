"""Priors of the decision models, built from the published evidence."""

from __future__ import annotations

from responder_model.priors.build import build_priors, priors_from
from responder_model.priors.conditional import conditional_effects
from responder_model.priors.discrimination import implied_c_statistic
from responder_model.priors.sets import ColumnPrior, PriorSet
from responder_model.priors.table import (
    PriorRow,
    evidence_to_json,
    prior_rows,
    prior_table,
)

__all__ = [
    "ColumnPrior",
    "PriorRow",
    "PriorSet",
    "build_priors",
    "conditional_effects",
    "evidence_to_json",
    "implied_c_statistic",
    "prior_rows",
    "prior_table",
    "priors_from",
]
