"""The audit trail: a line for each scored patient, chained so that an edit shows.

A trail is a folder: numbered files of lines, and ``head.json``, which says how many
lines there are and how the last one is sealed. Each line ends with an HMAC over the
line before and itself; without the key nobody can make one. The patient's values enter
as an HMAC alone.
"""

from .entry import Entry
from .key import AuditKey, new_key, read_key
from .listing import Affected, affected
from .trail import Trail
from .verification import Judgement, verify_trail

__all__ = [
    "Affected",
    "AuditKey",
    "Entry",
    "Judgement",
    "Trail",
    "affected",
    "new_key",
    "read_key",
    "verify_trail",
]
