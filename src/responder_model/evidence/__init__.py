"""The published evidence: rows, their combination, and the priors declared on them."""

from __future__ import annotations

from .base import Evidence, evidence_directory, load_evidence, packaged_evidence
from .combination import Combination, combine
from .declarations import (
    Anchor,
    Block,
    Declarations,
    Gaps,
    PriorDeclaration,
    declarations_for,
)
from .distributions import Distribution, published_gaps
from .harm import HarmRow, harm_rows, treatment_of
from .implanted import PublishedGroup, published_like
from .rows import EvidenceRow

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
