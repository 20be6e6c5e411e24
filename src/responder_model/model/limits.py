"""Limits of a population, from aggregates only: where a model applies.

Bounds are wide enough that at most about 5 % of the population they describe lies
outside: prediction intervals for one new patient, never the range of the patients seen.
A category says only whether nobody, a few or enough patients had it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array, Encoder, Population
from responder_model.features.columns import INVERSES, reference_proportions
from responder_model.schema import Decision, Field

Mask = NDArray[np.bool_]

# Share of the reference population below which a category is called rare.
RARE_SHARE = 0.01
# Normal quantiles: two-sided for the numbers, upper for the joint distance.
_USUAL_Z, _WIDEST_Z = 2.326348, 2.807034
USUAL_JOINT_Z, WIDEST_JOINT_Z = 1.644854, 2.575829


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
                usual=bounds_of(row, reference.mean, reference.sd * _USUAL_Z),
                widest=bounds_of(row, reference.mean, reference.sd * _WIDEST_Z),
            )
        else:
            shares = _reference_shares(encoder, row)
            seen[row.name] = {name: _class_share(s) for name, s in shares.items()}
    n_numbers = len(number_columns(encoder, population))
    return Limits(
        numbers=numbers,
        seen=seen,
        usual_distance=chi_square(n_numbers, USUAL_JOINT_Z),
        widest_distance=chi_square(n_numbers, WIDEST_JOINT_Z),
        non_responders=None if preceding_test(encoder) is None else "few",
    )


def preceding_test(encoder: Encoder) -> Decision | None:
    """Decision whose outcome this model reads as a predictor, if any.

    Examples
    --------
    >>> preceding_test(Encoder.for_decision("emcs_success")).name
    'rtms_response'
    """
    for decision in encoder.dictionary.decisions.values():
        if decision.name != encoder.decision and decision.outcome in encoder.predictors:
            return decision
    return None


def session_reliefs(encoder: Encoder) -> tuple[str, ...]:
    """Predictors that are relief of a session so far: repeated, in the outcome's unit.

    Examples
    --------
    >>> session_reliefs(Encoder.for_decision("rtms_response", "session_2"))
    ('relief_1', 'relief_2')
    """
    table = encoder.dictionary
    fields = table.fields
    unit = fields[table.decisions[encoder.decision].outcome].unit
    repeated = {name for row in table.series for name in row.fields}
    names = repeated & set(encoder.predictors)
    return tuple(n for n in encoder.predictors if n in names and fields[n].unit == unit)


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
            and not column.is_curve
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


def step_of(row: Field) -> float:
    """Unit in which bounds of a number are given."""
    width = float(row.maximum or 0.0) - float(row.minimum or 0.0)
    return 1.0 if row.integer or width > 20.0 else 0.1


def bounds_of(row: Field, centre: float, half: float) -> tuple[float, float]:
    """Bounds in the field's unit, rounded outwards, within its plausible range."""
    minimum, maximum = float(row.minimum or 0.0), float(row.maximum or 0.0)
    step = step_of(row)
    low, high = (float(INVERSES[row.transform](centre + s * half)) for s in (-1.0, 1.0))
    low = max(minimum, round(math.floor(low / step + 1e-9) * step, 6))
    high = min(maximum, round(math.ceil(min(high, maximum) / step - 1e-9) * step, 6))
    return low, high


def _class_share(share: float) -> str:
    if share <= 0.0:
        return "none"
    return "few" if share < RARE_SHARE else "enough"


def _reference_shares(encoder: Encoder, row: Field) -> dict[str, float]:
    if row.kind == "boolean":
        share = row.reference_for(encoder.decision).mean
        return {"no": 1.0 - share, "yes": share}
    return reference_proportions(encoder.dictionary, row, encoder.decision)


def chi_square(degrees: int, z: float) -> float:
    """Quantile of chi-square, three digits (Wilson & Hilferty, 10.1073/pnas.17.12.684).

    Examples
    --------
    >>> chi_square(10, 2.326348)
    23.2
    """
    if degrees == 0:
        return 0.0
    c = 2.0 / (9.0 * degrees)
    value = degrees * (1.0 - c + z * math.sqrt(c)) ** 3
    return float(f"{value:.3g}")
