"""Combine models of centres that share no patient: as if developed together."""

from __future__ import annotations

from .combination import Combination, combine
from .contribution import Contribution
from .effects import Effect
from .heterogeneity import Between, Member
from .share_file import read_share, release_share, what_leaves
from .sharing import share

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
