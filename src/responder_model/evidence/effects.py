"""From published figures to log-odds with a standard error."""

from __future__ import annotations

import math

Effect = tuple[float, float]

# Width of a 95 % interval in standard errors.
_INTERVAL_WIDTH = 3.92
# SD of the standard logistic distribution: a difference in SD units times this is a
# log odds ratio (Hasselblad and Hedges 1995).
LOGISTIC_SD = math.pi / math.sqrt(3.0)


def effect_from_interval(odds_ratio: float, lower: float, upper: float) -> Effect:
    """Log odds ratio and SE from an odds ratio with its 95 % interval.

    Examples
    --------
    >>> effect, se = effect_from_interval(2.03, 1.04, 4.00)
    >>> round(effect, 3), round(se, 3)
    (0.708, 0.344)
    """
    se = (math.log(upper) - math.log(lower)) / _INTERVAL_WIDTH
    return math.log(odds_ratio), se


def effect_from_group(events: int, n: int) -> Effect:
    """Log-odds and SE of a proportion; half a patient added if one cell is empty.

    Examples
    --------
    >>> effect, se = effect_from_group(81, 193)
    >>> round(effect, 2), round(se, 3)
    (-0.32, 0.146)
    """
    yes, no = _corrected(events, n - events)
    return math.log(yes / no), math.sqrt(1.0 / yes + 1.0 / no)


def effect_from_two_groups(
    events: int, n: int, reference_events: int, reference_n: int
) -> Effect:
    """Log odds ratio and SE of a 2x2 table; +0.5 in each cell if one is empty.

    Examples
    --------
    >>> effect, se = effect_from_two_groups(9, 9, 0, 3)
    >>> round(effect, 3), round(se, 3)
    (4.89, 2.095)
    """
    a, b, c, d = _corrected(
        events, n - events, reference_events, reference_n - reference_events
    )
    return math.log(a * d / (b * c)), math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def effect_of_null(n: int, share: float | None = None) -> Effect:
    """Effect 0 with the SE that n patients imply, for a null finding without numbers.

    The information of a logistic regression at an outcome proportion of one half:
    SE = 2 / sqrt(n·v), with v the variance of the predictor: 1 per SD, or
    share·(1 - share) for a contrast that ``share`` of the patients have.

    Examples
    --------
    >>> effect_of_null(36)
    (0.0, 0.3333333333333333)
    """
    variance = 1.0 if share is None else share * (1.0 - share)
    return 0.0, 2.0 / math.sqrt(n * variance)


def effect_from_correlation(r: float, n: int) -> Effect:
    """Slope per SD, in log-odds, of a predictor that correlates r with the outcome.

    Slope = r / sqrt(1 - r²) · pi / sqrt(3) = sinh(z) · pi / sqrt(3) with Fisher's
    z = artanh(r), whose SE is 1 / sqrt(n - 3).

    Examples
    --------
    >>> slope, se = effect_from_correlation(0.65, 100)
    >>> round(slope, 2)
    1.55
    """
    z = math.atanh(r)
    return math.sinh(z) * LOGISTIC_SD, math.cosh(z) * LOGISTIC_SD / math.sqrt(n - 3)


def _corrected(*cells: int) -> tuple[float, ...]:
    correction = 0.5 if min(cells) == 0 else 0.0
    return tuple(cell + correction for cell in cells)
