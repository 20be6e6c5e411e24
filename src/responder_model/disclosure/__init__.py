"""What a model may hold of its patients: nothing that a few of them decide.

Each name is loaded when it is asked for: a prediction needs none but the record.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contrasts import columns_left_out
    from .fingerprints import (
        ENOUGH_VALUES,
        Fingerprints,
        already_in,
        code_of,
        fingerprints_of,
        keyed_digest,
    )
    from .levels import MergedLevels, merge_levels
    from .record import FEWEST, SMALL_CELLS, Disclosure, is_cell_size

_MODULES = {
    "ENOUGH_VALUES": "fingerprints",
    "FEWEST": "record",
    "SMALL_CELLS": "record",
    "Disclosure": "record",
    "Fingerprints": "fingerprints",
    "MergedLevels": "levels",
    "already_in": "fingerprints",
    "code_of": "fingerprints",
    "columns_left_out": "contrasts",
    "fingerprints_of": "fingerprints",
    "is_cell_size": "record",
    "keyed_digest": "fingerprints",
    "merge_levels": "levels",
}

__all__ = [
    "ENOUGH_VALUES",
    "FEWEST",
    "SMALL_CELLS",
    "Disclosure",
    "Fingerprints",
    "MergedLevels",
    "already_in",
    "code_of",
    "columns_left_out",
    "fingerprints_of",
    "is_cell_size",
    "keyed_digest",
    "merge_levels",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
