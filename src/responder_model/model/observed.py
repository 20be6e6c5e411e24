"""Limits of a development cohort: what its patients say, none of them told."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from responder_model.features import Array, Encoder, Population
from responder_model.features.columns import TRANSFORMS
from responder_model.features.population import REFERENCE_WEIGHT
from responder_model.schema import Field
from . import limits

# Patients of a category below which it is called rare.
FEW = 5
# Two categories never seen together count as impossible from this expected count.
EXPECTED_TOGETHER = 8.0
# Implanted non-responders from which one is no longer `outside` (statistics.md 6).
ENOUGH_NON_RESPONDERS = 10
# Share of patients within a number's usual and widest bounds, and joint distances.
_USUAL, _WIDEST = 0.98, 0.995
_USUAL_JOINT, _WIDEST_JOINT = 0.95, 0.995


def describe_limits(
    encoder: Encoder,
    raw: Array,
    filled: Array,
    population: Population,
    *,
    small_cells: int = FEW,
) -> limits.Limits:
    """Limits of a development cohort; none is the extreme of a patient.

    Parameters
    ----------
    encoder : Encoder
        Encoder of the model.
    raw : ndarray of shape (n, n_predictors)
        Raw predictors, NaN where missing.
    filled : ndarray of shape (n, n_columns)
        Base columns with the gaps filled from ``population``.
    population : Population
        Mean and covariance of the base columns.
    small_cells : int
        A number that fewer patients have is not bounded; fewer than this or ``FEW``
        patients of a category are few.
    """
    numbers = {}
    for position, row in enumerate(encoder.fields):
        values = raw[~np.isnan(raw[:, position]), position]
        if row.kind == "number" and len(values) >= max(1, small_cells):
            scale = row.reference_for(encoder.decision).sd
            numbers[row.name] = _observed_limits(row, values, scale)
    usual, widest = _observed_distances(encoder, filled, population, small_cells)
    return limits.Limits(
        numbers=numbers,
        seen=_seen(encoder, raw, max(FEW, small_cells)),
        never_together=_never_together(encoder, raw),
        usual_distance=usual,
        widest_distance=widest,
        non_responders=_count_non_responders(encoder, raw),
    )


def _observed_limits(row: Field, values: Array, scale: float) -> limits.NumberLimits:
    from scipy.special import stdtrit

    x = TRANSFORMS[row.transform](values)
    n = len(x)
    spread = max(float(np.std(x, ddof=1)) if n > 1 else scale, 0.25 * scale)
    below, above = _one_sided(x, spread)
    bounds = {}
    for share in (_USUAL, _WIDEST):
        factor = float(stdtrit(max(1, n - 1), 0.5 + share / 2.0))
        factor *= math.sqrt(1.0 + 1.0 / n)
        low, high = x.mean() - factor * below, x.mean() + factor * above
        found = limits.bounds_of(row, (low + high) / 2.0, (high - low) / 2.0)
        bounds[share] = _beyond(row, found, values)
    return limits.NumberLimits(usual=bounds[_USUAL], widest=bounds[_WIDEST])


def _one_sided(x: Array, spread: float) -> tuple[float, float]:
    """SD below and above the mean: a skewed number keeps its own tail.

    Each is the root mean square of one side's deviations, never less than ``spread``;
    of one value for all, rounding may leave a side without any.
    """
    deviation = x - x.mean()
    sides = deviation[deviation <= 0.0], deviation[deviation >= 0.0]
    below, above = (max(spread, float(np.sqrt(d @ d / max(1, len(d))))) for d in sides)
    return below, above


def _beyond(
    row: Field, bounds: tuple[float, float], values: Array
) -> tuple[float, float]:
    """Bounds moved outwards by a step where they are the extreme of a patient."""
    step = limits.step_of(row)
    low, high = bounds
    if low == values.min():
        low = max(float(row.minimum or 0.0), round(low - step, 6))
    if high == values.max():
        high = min(float(row.maximum or 0.0), round(high + step, 6))
    return low, high


def _seen(encoder: Encoder, raw: Array, few: int) -> dict[str, dict[str, str]]:
    seen = {}
    for position, row in enumerate(encoder.fields):
        if row.kind == "number":
            continue
        codes = raw[~np.isnan(raw[:, position]), position].astype(int)
        names = limits.category_names(row)
        counts = np.bincount(codes, minlength=len(names))
        if len(codes):
            rows = zip(names, counts, strict=True)
            seen[row.name] = {
                name: _class_count(int(count), few) for name, count in rows
            }
    return seen


def _class_count(count: int, few: int) -> str:
    if count == 0:
        return "none"
    return "few" if count < few else "enough"


def _never_together(
    encoder: Encoder, raw: Array
) -> tuple[tuple[str, str, str, str], ...]:
    """Pairs of categories that are common apart and never seen together."""
    found = []
    categories = [
        (position, row)
        for position, row in enumerate(encoder.fields)
        if row.kind == "category"
    ]
    for (i, a), (j, b) in combinations(categories, 2):
        if a.derived_from == b.name or b.derived_from == a.name:
            continue
        both = ~np.isnan(raw[:, i]) & ~np.isnan(raw[:, j])
        shape = (len(a.categories), len(b.categories))
        table = np.zeros(shape)
        np.add.at(table, (raw[both, i].astype(int), raw[both, j].astype(int)), 1.0)
        margins = np.outer(table.sum(axis=1), table.sum(axis=0))
        expected = margins / max(1.0, table.sum())
        for k, m in np.argwhere((table == 0.0) & (expected >= EXPECTED_TOGETHER)):
            found.append((a.name, a.category_names[k], b.name, b.category_names[m]))
    return tuple(found)


def _observed_distances(
    encoder: Encoder, filled: Array, population: Population, small_cells: int
) -> tuple[float, float]:
    """Bounds of the joint distance: of a normal population, or wider when seen so.

    What was seen is the distance beyond which ``small_cells`` patients lie, or the
    share of the bound when that holds more.
    """
    from scipy.special import ndtri

    columns = limits.number_columns(encoder, population)
    deviation = (filled - population.mean)[:, columns]
    white = deviation @ limits.whitening(encoder, population).T
    inside = np.einsum("ij,ij->i", white, white)
    # distance of a patient from the others: the covariance without that patient
    weight = len(filled) + REFERENCE_WEIGHT
    left_out = inside / np.maximum(1.0 - inside / weight, 0.05)
    found = []
    for share, z in (
        (_USUAL_JOINT, limits.USUAL_JOINT_Z),
        (_WIDEST_JOINT, limits.WIDEST_JOINT_Z),
    ):
        seen = max(0.5, min(share, 1.0 - small_cells / len(filled)))
        expected = limits.chi_square(len(columns), float(ndtri(seen)))
        ratio = float(np.quantile(left_out, seen)) / max(expected, 1e-9)
        found.append(limits.chi_square(len(columns), z) * max(1.0, ratio))
    usual, widest = found
    return float(f"{usual:.3g}"), float(f"{max(usual, widest):.3g}")


def _count_non_responders(encoder: Encoder, raw: Array) -> str | None:
    if limits.preceding_test(encoder) is None:
        return None
    failed, known = limits.non_responders(encoder, raw)
    count = int((failed & known).sum())
    return "enough" if count >= ENOUGH_NON_RESPONDERS else "few"
