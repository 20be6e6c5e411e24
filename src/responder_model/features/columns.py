"""Base columns of a predictor: a number in reference units, contrasts of a category.

A number may have a second column, its *curve*: the nonlinear part of a natural cubic
spline with three knots, which is a straight line beyond the outer ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_model.schema import Dictionary, Field, Reference

Array = NDArray[np.float64]

TRANSFORMS: dict[str, Callable[..., Any]] = {
    "identity": np.asarray,
    "log": np.log,
    "log1p": np.log1p,
}
INVERSES: dict[str, Callable[..., Any]] = {
    "identity": np.asarray,
    "log": np.exp,
    "log1p": np.expm1,
}

# What the name of a curve adds to that of its number.
_CURVE = "=curve"
# Outer knots of a curve, in reference SDs from the mean: 10th and 90th percentile.
KNOT = 1.2816
# Mean and SD of the curve's shape where the number is normal, as in the reference.
SHAPE_MEAN, SHAPE_SD = 0.90159763, 0.51312205


def curve_of(number: str) -> str:
    """Name of the curve of a number."""
    return f"{number}{_CURVE}"


def is_curve(name: str) -> bool:
    """Whether a column is the curve of a number, by its name.

    Examples
    --------
    >>> is_curve("age=curve"), is_curve("age")
    (True, False)
    """
    return name.endswith(_CURVE)


def bend(z: Array) -> Array:
    """Curve of a number in reference units: mean 0, SD 1, unrelated to the number.

    |z| with its corner rounded between the outer knots, so that a linear column and
    this one span the natural cubic splines with knots at -KNOT, 0 and KNOT.

    Examples
    --------
    >>> bend(np.array([-2.0, 0.0, 2.0])).round(2).tolist()
    [2.14, -0.92, 2.14]
    """
    u = np.abs(z)
    inside = (KNOT**3 + 3.0 * KNOT * u**2 - u**3) / (3.0 * KNOT**2)
    return np.asarray((np.where(u < KNOT, inside, u) - SHAPE_MEAN) / SHAPE_SD)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One base column.

    Parameters
    ----------
    name, predictor : str
        Column name and the dictionary's predictor it is computed from.
    transform : str
        Transform of a number (``identity``, ``log``, ``log1p``).
    centre, scale : float
        Reference mean and SD (SD 1 for yes/no and contrasts), transformed scale.
    weights : tuple of float
        Value of each category in dictionary order; empty for numbers.
    """

    name: str
    predictor: str
    transform: str = "identity"
    centre: float = 0.0
    scale: float = 1.0
    weights: tuple[float, ...] = ()

    @property
    def is_curve(self) -> bool:
        """Whether this is the curve of a number, beside its own column."""
        return is_curve(self.name)

    def encoded(self, value: Array) -> Array:
        """Numbers in reference units, or the curve of these."""
        z = (TRANSFORMS[self.transform](value) - self.centre) / self.scale
        return bend(z) if self.is_curve else np.asarray(z)

    def decoded(self, z: Array) -> Array:
        """Numbers in their own unit, from reference units."""
        return np.asarray(INVERSES[self.transform](z * self.scale + self.centre))


def columns_of(
    table: Dictionary, row: Field, decision: str, *, curved: bool = False
) -> tuple[Column, ...]:
    """Base columns of a predictor, none of a yes/no that only indicates a number.

    ``curved`` gives numbers that are known before the first session a curve too: what
    is known later is relief, of which more never promises less.
    """
    reference = row.reference_for(decision)
    if row.indicates is not None:
        return ()
    if row.kind == "number":
        column = Column(
            name=row.name,
            predictor=row.name,
            transform=row.transform,
            centre=reference.mean,
            scale=reference.sd,
        )
        if curved and row.known_from == table.moments[0].name:
            return column, replace(column, name=curve_of(row.name))
        return (column,)
    if row.kind == "boolean":
        return (Column(name=row.name, predictor=row.name, centre=reference.mean),)
    shares = reference_proportions(table, row, decision)
    return tuple(
        _category_column(row, name, weights, shares)
        for name, weights in _contrasts(row)
    )


def _contrasts(row: Field) -> list[tuple[str, Mapping[str, float]]]:
    if row.contrasts:
        return [(contrast.name, contrast.weights) for contrast in row.contrasts]
    names = row.category_names[:1] if len(row.categories) == 2 else row.category_names
    return [(f"{row.name}={name}", {name: 1.0}) for name in names]


def _category_column(
    row: Field,
    name: str,
    weights: Mapping[str, float],
    proportions: Mapping[str, float],
) -> Column:
    table = tuple(float(weights.get(category, 0.0)) for category in row.category_names)
    centre = sum(
        proportions.get(category, 0.0) * weight
        for category, weight in zip(row.category_names, table, strict=True)
    )
    return Column(name=name, predictor=row.name, centre=centre, weights=table)


def reference_proportions(
    table: Dictionary, row: Field, decision: str
) -> dict[str, float]:
    """Share of each category in the reference population (sums to 1)."""
    if row.derived_from is not None:
        source = table.fields[row.derived_from]
        shares = reference_proportions(table, source, decision)
        return {
            name: sum(
                shares[c.name] for c in source.categories if c.lesion_type == name
            )
            for name in row.category_names
        }
    reference: Reference = row.reference_for(decision)
    total = sum(reference.proportions.values()) or 1.0
    return {
        name: reference.proportions.get(name, 0.0) / total
        for name in row.category_names
    }
