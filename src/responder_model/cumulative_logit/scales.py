"""Where each column of the estimator has its zero, and what counts as one unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .components import Array

# Contrasts of a balanced 0/1 column that make one SD.
_BINARY_UNIT = 2.0
# SD, relative to the largest value, below which a column is constant but for rounding.
_ROUNDING = 1e-13


def column_scales(
    X: Array,
    names: Sequence[str],
    priors: Mapping[str, Sequence[float]],
    n_centres: int,
) -> tuple[Array, Array, Array]:
    """Centre and scale of each column, stated or mean and SD, and its prior units.

    Indicators of centres, the last columns, stay as they are.
    """
    centre, scale = X.mean(axis=0), X.std(axis=0)
    binary = ((X == 0.0) | (X == 1.0)).all(axis=0)
    # what differs by rounding only is constant
    rounding = _ROUNDING * np.abs(X).max(axis=0)
    scale[binary | (scale <= rounding)] = 1.0
    for k, name in enumerate(names):
        prior = priors.get(name, ())
        if len(prior) > 2:
            scale[k] = prior[2]
        if len(prior) > 3:
            centre[k] = prior[3]
    own = slice(len(names) - n_centres, None)
    centre[own], scale[own] = 0.0, 1.0
    # without evidence one SD of a balanced 0/1 column counts as one of a number
    return centre, scale, np.where(binary & (not priors), _BINARY_UNIT, 1.0)
