"""The published evidence: rows, their combination, and the priors declared on them."""

from __future__ import annotations

from responder_model.evidence.base import (
    Evidence,
    evidence_directory,
    load_evidence,
    packaged_evidence,
)
from responder_model.evidence.combination import Combination, combine
from responder_model.evidence.declarations import (
    Anchor,
    Block,
    Declarations,
    Gaps,
    PriorDeclaration,
    declarations_for,
)
from responder_model.evidence.distributions import Distribution, published_gaps
from responder_model.evidence.harm import HarmRow, harm_rows, treatment_of
from responder_model.evidence.implanted import PublishedGroup, published_like
from responder_model.evidence.rows import EvidenceRow

__all__ = [
    "Anchor",
    "Block",
    "Combination",
    "Declarations",
    "Distribution",
    "Evidence",
    "EvidenceRow",
    "Gaps",
    "HarmRow",
    "PriorDeclaration",
    "PublishedGroup",
    "combine",
    "declarations_for",
    "evidence_directory",
    "harm_rows",
    "load_evidence",
    "packaged_evidence",
    "published_gaps",
    "published_like",
    "treatment_of",
]
