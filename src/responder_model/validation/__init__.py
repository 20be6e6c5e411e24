"""Validation designs: the whole procedure repeated, or a released model elsewhere."""

from responder_model.validation.differences import group_differences
from responder_model.validation.external import (
    ExternalValidation,
    validate_by_centre,
    validate_by_subgroup,
    validate_externally,
)
from responder_model.validation.internal import InternalValidation, validate_internally
from responder_model.validation.pooling import pool_centres
from responder_model.validation.stability import Stability

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
