"""How many patients a model needs, and what may be claimed with those at hand.

Riley's criteria are for (nearly) unpenalised fits. A model whose priors carry
information needs fewer patients to predict well, so the verdict decides wording and
claims; it never decides the predictors.
"""

from .criterion import PLANNING_C_STATISTIC, Criterion
from .development import (
    cox_snell_maximum,
    cox_snell_r2,
    development_criteria,
    expected_shrinkage,
)
from .validation import ValidationSampleSize, validation_criteria
from .verdict import SampleSizeVerdict, sample_size_verdict

__all__ = [
    "PLANNING_C_STATISTIC",
    "Criterion",
    "SampleSizeVerdict",
    "ValidationSampleSize",
    "cox_snell_maximum",
    "cox_snell_r2",
    "development_criteria",
    "expected_shrinkage",
    "sample_size_verdict",
    "validation_criteria",
]
