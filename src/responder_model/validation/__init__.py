"""Validation designs: the whole procedure repeated, or a released model elsewhere."""

from .differences import group_differences
from .external import (
    ExternalValidation,
    validate_by_centre,
    validate_by_subgroup,
    validate_externally,
)
from .internal import InternalValidation, validate_internally
from .pooling import pool_centres
from .stability import Stability

__all__ = [
    "ExternalValidation",
    "InternalValidation",
    "Stability",
    "group_differences",
    "pool_centres",
    "validate_by_centre",
    "validate_by_subgroup",
    "validate_externally",
    "validate_internally",
]
