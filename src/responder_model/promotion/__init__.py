"""Promotion: which model is in use, why it took the place of another, and when."""

from responder_model.promotion.comparison import Comparison, compare, judge
from responder_model.promotion.paired import Paired

__all__ = ["Comparison", "Paired", "compare", "judge"]
