"""Columns that every peer sees: one-hot, 0/1 and standardised."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import qr
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from responder_model.features import Encoder

Array = NDArray[np.float64]


def fill_and_scale() -> list[Any]:
    """Mean for missing values, constant columns dropped, mean 0 and SD 1."""
    return [SimpleImputer(), VarianceThreshold(1e-12), StandardScaler()]


@cache
def encoder_of(decision: str, moment: str) -> Encoder:
    return Encoder.for_decision(decision, moment)


def peer_columns(cohort: pd.DataFrame, encoder: Encoder) -> Array:
    """One-hot categories, 0/1 and transformed numbers of recorded predictors."""
    raw = encoder.raw(cohort)
    z = encoder.encode(raw)
    numbers = {c.name: z[:, [k]] for k, c in enumerate(encoder.columns)}
    blocks = []
    for k, row in enumerate(encoder.fields):
        if row.name not in cohort.columns:
            continue
        if row.kind == "category":
            codes = np.arange(len(row.categories))
            blocks.append((raw[:, [k]] == codes).astype(np.float64))
        elif row.indicates is None:
            blocks.append(numbers[row.name])
    return np.hstack(blocks)


class IndependentColumns(TransformerMixin, BaseEstimator):
    """Keeps columns that are no linear combination of others: Firth needs them."""

    def fit(self, X: Array, y: object = None) -> IndependentColumns:
        """Find them by a pivoted QR decomposition."""
        del y
        _, r, order = qr(X - X.mean(axis=0), mode="economic", pivoting=True)
        size = np.abs(np.diag(r))
        self.columns_ = np.sort(order[: int((size > 1e-8 * size[0]).sum())])
        return self

    def transform(self, X: Array) -> Array:
        """Return these columns."""
        return X[:, self.columns_]
