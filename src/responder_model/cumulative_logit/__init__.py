"""Evidence-informed cumulative logit with a robust mixture of priors.

``components`` needs numpy only; the estimator, which needs scikit-learn, is loaded
when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .estimator import EvidenceCumulativeLogit

__all__ = ["EvidenceCumulativeLogit"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from responder_model.cumulative_logit import estimator

        return getattr(estimator, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
