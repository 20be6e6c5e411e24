"""A number with its interval, and how the interval was made."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

from responder_model.performance._check import check_confidence


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One measure with its confidence interval."""

    value: float
    lower: float
    upper: float
    standard_error: float | None  # on the scale of the interval; None: not used
    method: str  # of the interval

    def __str__(self) -> str:
        """Value and interval to three decimals."""
        return f"{self.value:.3f} ({self.lower:.3f} to {self.upper:.3f})"


def normal_quantile(confidence: float) -> float:
    """Two-sided standard normal quantile: 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + check_confidence(confidence) / 2.0)


def wald(value: float, standard_error: float, confidence: float) -> Estimate:
    """Symmetric interval of a number whose estimate is roughly normal."""
    half = normal_quantile(confidence) * standard_error
    return Estimate(
        value=value,
        lower=value - half,
        upper=value + half,
        standard_error=standard_error,
        method="Wald",
    )
