"""Combine models of centres that share no patient: as if developed together."""

from __future__ import annotations

from responder_model.combining.combination import Combination, combine
from responder_model.combining.contribution import Contribution
from responder_model.combining.effects import Effect
from responder_model.combining.heterogeneity import Between, Member
from responder_model.combining.share_file import (
    read_share,
    release_share,
    what_leaves,
)
from responder_model.combining.sharing import share

__all__ = [
    "Between",
    "Combination",
    "Contribution",
    "Effect",
    "Member",
    "combine",
    "read_share",
    "release_share",
    "share",
    "what_leaves",
]
