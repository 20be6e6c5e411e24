"""Limits of a population, from aggregates only: where a model applies.

Bounds are wide enough that at most about 5 % of the population they describe lies
outside: prediction intervals for one new patient, never the range of the patients seen.
A category says only whether nobody, a few or enough patients had it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array, Encoder, Population
from responder_model.features.columns import INVERSES, TRANSFORMS, reference_proportions
from responder_model.features.population import REFERENCE_WEIGHT
from responder_model.schema import Decision, Field, dictionary

Mask = NDArray[np.bool_]

# Patients of a category below which it is called rare.
FEW = 5
# Share of the reference population below which a category is called rare.
RARE_SHARE = 0.01
# Two categories never seen together count as impossible from this expected count.
EXPECTED_TOGETHER = 8.0
# Implanted non-responders from which one is no longer `outside` (statistics.md 6).
ENOUGH_NON_RESPONDERS = 10
# Share of patients within a number's usual and widest bounds, and joint distances.
_USUAL, _WIDEST = 0.98, 0.995
_USUAL_JOINT, _WIDEST_JOINT = 0.95, 0.995
# Normal quantiles: two-sided for the numbers, upper for the joint distance.
_USUAL_Z, _WIDEST_Z = 2.326348, 2.807034
_USUAL_JOINT_Z, _WIDEST_JOINT_Z = 1.644854, 2.575829


@dataclass(frozen=True, kw_only=True)
class NumberLimits:
    """Bounds of one number, in its own unit: `usual` (98 %), `widest` (99.5 %)."""

    usual: tuple[float, float]
    widest: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where a model applies.

    Parameters
    ----------
    numbers : dict
        Bounds of each number; a number that was never recorded is absent.
    seen : dict
        For each yes/no or category, how many had each value: ``none``, ``few``
        (< 5 patients) or ``enough``.
    never_together : tuple
        (predictor, category, predictor, category) that nobody had although chance
        alone would have given 8 patients.
    usual_distance, widest_distance : float
        Squared Mahalanobis distance of the numbers: bounds of 95 % and 99.5 %.
    non_responders : {"few", "enough"} or None
        Non-responders to the test among those implanted; None where no test precedes.
    """

    numbers: Mapping[str, NumberLimits]
    seen: Mapping[str, Mapping[str, str]]
    never_together: tuple[tuple[str, str, str, str], ...] = ()
    usual_distance: float
    widest_distance: float
    non_responders: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data that ``from_json`` reads back."""
        return {
            "numbers": {
                name: {"usual": list(row.usual), "widest": list(row.widest)}
                for name, row in self.numbers.items()
            },
            "seen": {name: dict(row) for name, row in self.seen.items()},
            "never_together": [list(pair) for pair in self.never_together],
            "usual_distance": self.usual_distance,
            "widest_distance": self.widest_distance,
            "non_responders": self.non_responders,
        }

    @classmethod
    def from_json(cls, parts: Mapping[str, Any]) -> Limits:
        """Rebuild limits from ``to_json``."""
        rows = parts["never_together"]
        return cls(
            numbers={
                name: NumberLimits(
                    usual=(row["usual"][0], row["usual"][1]),
                    widest=(row["widest"][0], row["widest"][1]),
                )
                for name, row in parts["numbers"].items()
            },
            seen={name: dict(row) for name, row in parts["seen"].items()},
            never_together=tuple((a, b, c, d) for a, b, c, d in rows),
            usual_distance=float(parts["usual_distance"]),
            widest_distance=float(parts["widest_distance"]),
            non_responders=parts["non_responders"],
        )


def describe_limits(
    encoder: Encoder,
    raw: Array,
    filled: Array,
    population: Population,
    *,
    small_cells: int = FEW,
) -> Limits:
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
    return Limits(
        numbers=numbers,
        seen=_seen(encoder, raw, max(FEW, small_cells)),
        never_together=_never_together(encoder, raw),
        usual_distance=usual,
        widest_distance=widest,
        non_responders=_count_non_responders(encoder, raw),
    )


def reference_limits(encoder: Encoder, population: Population) -> Limits:
    """Limits of the reference population, for a model without patients.

    Examples
    --------
    >>> encoder = Encoder.for_decision("rtms_response", "screening")
    >>> limits = reference_limits(encoder, Population.reference(encoder))
    >>> limits.numbers["age"].usual
    (25.0, 87.0)
    >>> limits.seen["aetiology"]["polyneuropathy"]
    'few'
    """
    numbers, seen = {}, {}
    for row in encoder.fields:
        if row.kind == "number":
            reference = row.reference_for(encoder.decision)
            numbers[row.name] = NumberLimits(
                usual=_bounds(row, reference.mean, reference.sd * _USUAL_Z),
                widest=_bounds(row, reference.mean, reference.sd * _WIDEST_Z),
            )
        else:
            shares = _reference_shares(row, encoder.decision)
            seen[row.name] = {name: _class_share(s) for name, s in shares.items()}
    n_numbers = len(number_columns(encoder, population))
    return Limits(
        numbers=numbers,
        seen=seen,
        usual_distance=_chi_square(n_numbers, _USUAL_JOINT_Z),
        widest_distance=_chi_square(n_numbers, _WIDEST_JOINT_Z),
        non_responders=None if preceding_test(encoder) is None else "few",
    )


def preceding_test(encoder: Encoder) -> Decision | None:
    """Decision whose outcome this model reads as a predictor, if any.

    Examples
    --------
    >>> preceding_test(Encoder.for_decision("emcs_success")).name
    'rtms_response'
    """
    for decision in dictionary().decisions.values():
        if decision.name != encoder.decision and decision.outcome in encoder.predictors:
            return decision
    return None


def non_responders(encoder: Encoder, raw: Array) -> tuple[Mask, Mask]:
    """Who failed the preceding test, and for whom the test is known, (n,) of bool."""
    test = preceding_test(encoder)
    nobody = np.zeros(len(raw), dtype=bool)
    if test is None:
        return nobody, nobody
    relief = raw[:, encoder.predictors.index(test.outcome)]
    known = ~np.isnan(relief)
    failed = known & ~test.passes(relief, test.main_cut_point)
    if test.binary_outcome in encoder.predictors:
        answer = raw[:, encoder.predictors.index(test.binary_outcome)]
        given = ~np.isnan(answer)
        failed = np.where(given, answer == 0.0, failed)
        known = known | given
    return np.asarray(failed), np.asarray(known)


def number_columns(encoder: Encoder, population: Population) -> NDArray[np.int64]:
    """Base columns whose joint distance is judged: numbers that vary."""
    return np.array(
        [
            k
            for k, column in enumerate(encoder.columns)
            if encoder.fields[encoder.column_predictor[k]].kind == "number"
            and not column.weights
            and population.covariance[k, k] > 0.0
        ],
        dtype=np.int64,
    )


def whitening(encoder: Encoder, population: Population) -> Array:
    """Matrix W (c, c) with |W·x|² the squared distance of number columns x."""
    columns = number_columns(encoder, population)
    covariance = population.covariance[np.ix_(columns, columns)]
    ridge = np.diag(1e-3 * np.diag(covariance))
    return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance + ridge)))


def category_names(row: Field) -> tuple[str, ...]:
    """Values of a category or of a yes/no, in the order of their codes."""
    return ("no", "yes") if row.kind == "boolean" else row.category_names


def _observed_limits(row: Field, values: Array, scale: float) -> NumberLimits:
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
        found = _bounds(row, (low + high) / 2.0, (high - low) / 2.0)
        bounds[share] = _beyond(row, found, values)
    return NumberLimits(usual=bounds[_USUAL], widest=bounds[_WIDEST])


def _one_sided(x: Array, spread: float) -> tuple[float, float]:
    """SD below and above the mean: a skewed number keeps its own tail.

    Each is the root mean square of one side's deviations, never less than ``spread``.
    """
    deviation = x - x.mean()
    sides = (
        deviation[deviation <= 0.0],
        deviation[deviation >= 0.0],
    )
    below, above = (max(spread, float(np.sqrt(np.mean(d * d)))) for d in sides)
    return below, above


def _beyond(
    row: Field, bounds: tuple[float, float], values: Array
) -> tuple[float, float]:
    """Bounds moved outwards by a step where they are the extreme of a patient."""
    step = _step(row)
    low, high = bounds
    if low == values.min():
        low = max(float(row.minimum or 0.0), round(low - step, 6))
    if high == values.max():
        high = min(float(row.maximum or 0.0), round(high + step, 6))
    return low, high


def _step(row: Field) -> float:
    """Unit in which bounds of a number are given."""
    width = float(row.maximum or 0.0) - float(row.minimum or 0.0)
    return 1.0 if row.integer or width > 20.0 else 0.1


def _bounds(row: Field, centre: float, half: float) -> tuple[float, float]:
    """Bounds in the field's unit, rounded outwards, within its plausible range."""
    minimum, maximum = float(row.minimum or 0.0), float(row.maximum or 0.0)
    step = _step(row)
    low, high = (float(INVERSES[row.transform](centre + s * half)) for s in (-1.0, 1.0))
    low = max(minimum, round(math.floor(low / step + 1e-9) * step, 6))
    high = min(maximum, round(math.ceil(min(high, maximum) / step - 1e-9) * step, 6))
    return low, high


def _seen(encoder: Encoder, raw: Array, few: int) -> dict[str, dict[str, str]]:
    seen = {}
    for position, row in enumerate(encoder.fields):
        if row.kind == "number":
            continue
        codes = raw[~np.isnan(raw[:, position]), position].astype(int)
        names = category_names(row)
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


def _class_share(share: float) -> str:
    if share <= 0.0:
        return "none"
    return "few" if share < RARE_SHARE else "enough"


def _reference_shares(row: Field, decision: str) -> dict[str, float]:
    if row.kind == "boolean":
        share = row.reference_for(decision).mean
        return {"no": 1.0 - share, "yes": share}
    return reference_proportions(row, decision)


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

    columns = number_columns(encoder, population)
    deviation = (filled - population.mean)[:, columns]
    white = deviation @ whitening(encoder, population).T
    inside = np.einsum("ij,ij->i", white, white)
    # distance of a patient from the others: the covariance without that patient
    weight = len(filled) + REFERENCE_WEIGHT
    left_out = inside / np.maximum(1.0 - inside / weight, 0.05)
    found = []
    for share, z in ((_USUAL_JOINT, _USUAL_JOINT_Z), (_WIDEST_JOINT, _WIDEST_JOINT_Z)):
        seen = max(0.5, min(share, 1.0 - small_cells / len(filled)))
        expected = _chi_square(len(columns), float(ndtri(seen)))
        ratio = float(np.quantile(left_out, seen)) / max(expected, 1e-9)
        found.append(_chi_square(len(columns), z) * max(1.0, ratio))
    usual, widest = found
    return float(f"{usual:.3g}"), float(f"{max(usual, widest):.3g}")


def _chi_square(degrees: int, z: float) -> float:
    """Quantile of chi-square, three digits (Wilson & Hilferty, 10.1073/pnas.17.12.684).

    Examples
    --------
    >>> _chi_square(10, 2.326348)
    23.2
    """
    if degrees == 0:
        return 0.0
    c = 2.0 / (9.0 * degrees)
    value = degrees * (1.0 - c + z * math.sqrt(c)) ** 3
    return float(f"{value:.3g}")


def _count_non_responders(encoder: Encoder, raw: Array) -> str | None:
    if preceding_test(encoder) is None:
        return None
    failed, known = non_responders(encoder, raw)
    count = int((failed & known).sum())
    return "enough" if count >= ENOUGH_NON_RESPONDERS else "few"
