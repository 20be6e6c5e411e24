"""What a model may hold of its patients: nothing that a few of them decide."""

from responder_model.disclosure.contrasts import columns_left_out
from responder_model.disclosure.fingerprints import (
    ENOUGH_VALUES,
    Fingerprints,
    already_in,
    fingerprints_of,
    keyed_digest,
)
from responder_model.disclosure.levels import MergedLevels, merge_levels
from responder_model.disclosure.record import (
    FEWEST,
    SMALL_CELLS,
    Disclosure,
    is_cell_size,
)
from responder_model.disclosure.release import release

__all__ = [
    "ENOUGH_VALUES",
    "FEWEST",
    "SMALL_CELLS",
    "Disclosure",
    "Fingerprints",
    "MergedLevels",
    "already_in",
    "columns_left_out",
    "fingerprints_of",
    "is_cell_size",
    "keyed_digest",
    "merge_levels",
    "release",
]
