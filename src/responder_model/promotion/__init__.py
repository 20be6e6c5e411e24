"""Promotion: which model is in use, why it took the place of another, and when."""

from .comparison import Comparison, compare, judge
from .paired import Paired

__all__ = ["Comparison", "Paired", "compare", "judge"]
