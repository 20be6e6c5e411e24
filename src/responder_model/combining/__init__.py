"""Combine models of centres that share no patient: as if developed together."""

from __future__ import annotations

from responder_model.combining.combination import Combination, combine
from responder_model.combining.heterogeneity import Between, Member

__all__ = ["Between", "Combination", "Member", "combine"]
