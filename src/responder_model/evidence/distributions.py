"""Published distributions of relief and the gaps between cut points they imply."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Shares = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """How relief was distributed in one study.

    Parameters
    ----------
    id, study, year, doi, reference, source, note : str, int or None
        Name of the row and where it is printed.
    n : int or None
        Patients.
    mean, sd : float
        Mean and SD of relief in percent.
    bounds : tuple of float
        Lower bounds of the published classes above the lowest; empty if none.
    shares : tuple of float
        Share of each class, lowest first: one more than ``bounds``.
    status, overlap_group : str
        As for a row of evidence.
    """

    id: str
    study: str
    status: str
    source: str
    mean: float
    sd: float
    year: int | None = None
    doi: str = ""
    reference: str = ""
    n: int | None = None
    bounds: tuple[float, ...] = ()
    shares: Shares = ()
    overlap_group: str = ""
    note: str = ""


def published_gaps(
    distribution: Distribution, cut_points: Sequence[float]
) -> tuple[float, ...]:
    """Distances between consecutive cut points on the log-odds scale.

    The log-odds of relief above each cut point are those of a normal distribution
    with the published mean and SD. Where classes were published, their bounds have
    the log-odds of the classes, and the normal shape places a cut point between two
    bounds in proportion, beyond them at the distance that it gives.

    Returns
    -------
    tuple of float
        One positive gap less than there are cut points.

    Examples
    --------
    >>> relief = Distribution(
    ...     id="a", study="A", status="derived", source="", mean=33.8, sd=30
    ... )
    >>> [round(gap, 2) for gap in published_gaps(relief, (10, 20, 30, 50, 70))]
    [0.56, 0.54, 1.08, 1.18]
    """
    log_odds = [_log_odds_above(distribution, cut) for cut in cut_points]
    return tuple(a - b for a, b in zip(log_odds, log_odds[1:], strict=False))


def _log_odds_above(distribution: Distribution, cut: float) -> float:
    if not distribution.bounds:
        return _normal_log_odds(distribution, cut)
    bounds = distribution.bounds
    normal = [_normal_log_odds(distribution, bound) for bound in bounds]
    classes = [_class_log_odds(distribution, bound) for bound in bounds]
    here = _normal_log_odds(distribution, cut)
    upper = sum(bound < cut for bound in bounds)
    if 0 < upper < len(bounds):
        lower = upper - 1
        share = (here - normal[lower]) / (normal[upper] - normal[lower])
        return classes[lower] + share * (classes[upper] - classes[lower])
    nearest = min(upper, len(bounds) - 1)
    return classes[nearest] + here - normal[nearest]


def _normal_log_odds(distribution: Distribution, cut: float) -> float:
    z = (cut - distribution.mean) / (distribution.sd * math.sqrt(2.0))
    return math.log(math.erfc(z) / math.erfc(-z))


def _class_log_odds(distribution: Distribution, bound: float) -> float:
    position = distribution.bounds.index(bound) + 1
    below = sum(distribution.shares[:position])
    above = sum(distribution.shares[position:])
    return math.log(above / below)
