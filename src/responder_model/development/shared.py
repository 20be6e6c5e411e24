"""What all developments of one target share: made once, and frozen."""

from __future__ import annotations

from functools import lru_cache

from responder_model.features import Encoder
from responder_model.frozen import freeze
from responder_model.priors import PriorSet, build_priors
from responder_model.schema import Dictionary


@lru_cache(maxsize=64)
def encoder_for(
    decision: str,
    moment: str | None,
    predictors: tuple[str, ...] | None,
    table: Dictionary | None,
    *,
    curved: bool = False,
) -> Encoder:
    """Encoder of a target and choice of predictors, by a dictionary."""
    return freeze(
        Encoder.for_decision(decision, moment, predictors, table, curved=curved)
    )


@lru_cache(maxsize=64)
def priors_for(
    decision: str, moment: str, exclude_evidence: tuple[str, ...]
) -> PriorSet:
    """Priors of a target from the installed evidence."""
    return freeze(build_priors(decision, moment, exclude_evidence=exclude_evidence))
