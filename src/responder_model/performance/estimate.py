"""A number with its interval, and how the interval was made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

from ._check import check_confidence


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One measure with its confidence interval."""

    value: float
    lower: float
    upper: float
    standard_error: float | None  # on the scale of the interval; None: not used
    method: str  # of the interval

    def within(self, least: float, most: float) -> Estimate:
        """Interval cut to what the number can be; it goes on holding the value.

        Examples
        --------
        >>> print(wald(0.07, 0.07, 0.95).within(0.0, 1.0))
        0.070 (0.000 to 0.207)
        """
        lower, upper = cut((self.lower, self.upper), (least, most), self.value)
        return replace(self, lower=lower, upper=upper)

    def __str__(self) -> str:
        """Value and interval to three decimals."""
        return f"{self.value:.3f} ({self.lower:.3f} to {self.upper:.3f})"


def cut(
    limits: tuple[float, float], possible: tuple[float, float], value: float
) -> tuple[float, float]:
    """Cut limits to what a number can be; they go on holding the value.

    Examples
    --------
    >>> cut((-0.07, 0.21), (0.0, 1.0), 0.07)
    (0.0, 0.21)
    """
    lower, upper = limits
    return min(max(lower, possible[0]), value), max(min(upper, possible[1]), value)


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
