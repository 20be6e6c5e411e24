"""Develop models from a cohort and the published evidence.

Names are loaded when they are asked for: the published models need numpy only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .building import build_procedure, procedure_from
    from .effect import effect_of_update
    from .from_cohort import develop
    from .procedure import Procedure
    from .published import published_model
    from .updating import update

_MODULES = {
    "develop": "from_cohort",
    "Procedure": "procedure",
    "build_procedure": "building",
    "effect_of_update": "effect",
    "published_model": "published",
    "procedure_from": "building",
    "update": "updating",
}

__all__ = [
    "Procedure",
    "build_procedure",
    "develop",
    "effect_of_update",
    "procedure_from",
    "published_model",
    "update",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        module = import_module(f"responder_model.development.{_MODULES[name]}")
        return getattr(module, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
