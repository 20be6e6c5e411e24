"""Aggregates of a population: means and covariance of the base columns.

They centre contributions, stand in for missing values and tell how far a patient lies
from the others. A released model holds these aggregates and no patient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Array, reference_proportions
from .encoding import Encoder, Interval

# Rows that miss the same columns, and which columns those are.
Places = NDArray[np.intp]
Gaps = list[tuple[NDArray[np.int64], NDArray[np.bool_]]]

# Prior weight, in patients, of the reference covariance in a developed population.
REFERENCE_WEIGHT = 40.0
# Patterns of missing columns of which is kept what they leave open.
MOST_KEPT = 4096
# Share of each variance added to the diagonal: full one-hot columns are singular.
_RIDGE = 1e-3
# Share of the largest variance below which a direction has none: rounding leaves some.
_RANK = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Conditional:
    """What observed columns say of the missing ones: the same for all who miss them."""

    gone: Places  # missing columns
    seen: Places  # observed ones
    gain: Array  # (m, o)
    covariance: Array  # (m, m) of the missing given the observed

    @cached_property
    def fill(self) -> Array:
        """Observed deviations, 0 where missing, to all expected ones, (p, p)."""
        fill = np.zeros((self.gone.size + self.seen.size,) * 2)
        fill[self.seen, self.seen] = 1.0
        fill[self.gone[:, None], self.seen] = self.gain
        return fill


@dataclass(frozen=True, kw_only=True)
class Population:
    """Mean (p,) and covariance (p, p) of the base columns; patients behind them."""

    mean: Array
    covariance: Array
    n_patients: int = 0

    @classmethod
    def reference(cls, encoder: Encoder) -> Population:
        """Population that the dictionary declares; mean 0 in reference units."""
        covariance = _reference_covariance(encoder)
        return cls(mean=np.zeros(len(encoder.columns)), covariance=covariance)

    @classmethod
    def estimate(
        cls,
        z: Array,
        encoder: Encoder,
        *,
        left_out: NDArray[np.bool_] | None = None,
        n_iterations: int = 4,
    ) -> Population:
        """Estimate from a cohort with gaps, shrunk towards the reference covariance.

        Expectation-maximisation for a multivariate normal under an inverse-Wishart
        prior worth ``REFERENCE_WEIGHT`` patients. A column that is never observed
        keeps its reference relation to the others, and so does one that is
        ``left_out``, whatever was observed.
        """
        reference = cls.reference(encoder)
        if left_out is None or not left_out.any():
            return cls._estimate(z, reference, n_iterations)
        kept = np.flatnonzero(~left_out)
        start = cls(
            mean=reference.mean[kept],
            covariance=reference.covariance[np.ix_(kept, kept)],
        )
        found = cls._estimate(z[:, kept], start, n_iterations)
        return found.extended(reference, kept)

    @classmethod
    def _estimate(
        cls, z: Array, reference: Population, n_iterations: int
    ) -> Population:
        population, gaps = reference, gaps_of(z)
        for _ in range(n_iterations):
            population = population._update(z, gaps, reference.covariance)
        return population

    def extended(self, reference: Population, kept: NDArray[np.int64]) -> Population:
        """Population of all columns: the others as a reference expects from these.

        With B their regression on the kept columns in the reference R, and S the
        covariance found for those, rows of the others are BS, and BSB' + R(others
        given kept) between them: nothing of the patients but S.
        """
        whole = reference.covariance
        part = whole[np.ix_(kept, kept)]
        lift = whole[:, kept] @ np.linalg.pinv(part, rcond=_RANK, hermitian=True)
        lift[kept] = np.eye(len(kept))
        rest = whole - lift @ part @ lift.T
        rest[kept], rest[:, kept] = 0.0, 0.0
        mean = reference.mean + lift @ (self.mean - reference.mean[kept])
        return Population(
            mean=mean,
            covariance=lift @ self.covariance @ lift.T + rest,
            n_patients=self.n_patients,
        )

    def _update(self, z: Array, gaps: Gaps, reference: Array) -> Population:
        n = z.shape[0]
        filled, leftover = self._expect(z, gaps)
        mean = filled.mean(axis=0)
        centred = filled - mean
        scatter = centred.T @ centred + leftover
        total = REFERENCE_WEIGHT + n
        covariance = (REFERENCE_WEIGHT * reference + scatter) / total
        return Population(mean=mean, covariance=covariance, n_patients=n)

    def _expect(self, z: Array, gaps: Gaps) -> tuple[Array, Array]:
        """Fill the gaps and sum the conditional covariances of what was missing."""
        filled = z.copy()
        leftover = np.zeros_like(self.covariance)
        for rows, missing in gaps:
            of = self.conditional(missing)
            deviation = z[rows[:, None], of.seen] - self.mean[of.seen]
            expected = self.mean[of.gone] + deviation @ of.gain.T
            filled[rows[:, None], of.gone] = expected
            leftover[of.gone[:, None], of.gone] += len(rows) * of.covariance
        return filled, leftover

    @cached_property
    def _precision(self) -> Array:
        ridge = np.diag(_RIDGE * np.maximum(np.diag(self.covariance), 1e-6))
        return np.asarray(np.linalg.inv(self.covariance + ridge), dtype=np.float64)

    @cached_property
    def _cache(self) -> dict[bytes, Conditional]:
        return {}

    def conditional(self, missing: NDArray[np.bool_]) -> Conditional:
        """Say what the observed columns tell of the missing ones."""
        key = missing.tobytes()
        found = self._cache.get(key)
        if found is None:
            gone, seen = np.flatnonzero(missing), np.flatnonzero(~missing)
            rows = self._precision[gone]
            covariance = np.linalg.inv(rows[:, gone])
            gain = -covariance @ rows[:, seen]
            found = Conditional(
                gone=gone,
                seen=seen,
                gain=gain,
                covariance=(covariance + covariance.T) / 2,
            )
            if len(self._cache) < MOST_KEPT:
                self._cache[key] = found
        return found

    def impute(
        self,
        z: Array,
        directions: Array,
        interval: Interval | None = None,
        *,
        gaps: Gaps | None = None,
    ) -> tuple[Array, Array]:
        """Fill missing columns by their expectation given the observed ones.

        Parameters
        ----------
        z : ndarray of shape (n, p)
            Base columns, NaN where missing.
        directions : ndarray of shape (m, p)
            Coefficient vectors.
        interval : Interval, optional
            A missing column that is known to lie between bounds.
        gaps : Gaps, optional
            ``gaps_of(z)``, where it is at hand.

        Returns
        -------
        filled : ndarray of shape (n, p)
        extra : ndarray of shape (n, m)
            Variance that each direction's linear predictor owes to what is missing.
        """
        filled = z.copy()
        extra = np.zeros((z.shape[0], directions.shape[0]))
        for rows, missing in gaps_of(z) if gaps is None else gaps:
            of = self.conditional(missing)
            deviation = z[rows[:, None], of.seen] - self.mean[of.seen]
            expected = self.mean[of.gone] + deviation @ of.gain.T
            slopes = directions[:, of.gone]
            along = slopes @ of.covariance
            extra[rows] = np.maximum((along * slopes).sum(axis=1), 0.0)
            if interval is not None and missing[interval.column]:
                at = int(missing[: interval.column].sum())
                expected, extra[rows] = _truncate(
                    expected, extra[rows], along, of.covariance, at, interval, rows
                )
            filled[rows[:, None], of.gone] = expected
        return filled, extra

    def open_variance(
        self, z: Array, covariance: Array, *, gaps: Gaps | None = None
    ) -> Array:
        """Variance that uncertain coefficients add where values are missing, (n,).

        With C the ``covariance`` (p, p) of the coefficients and S that of the missing
        columns given the observed ones, it is tr(C S): not only the missing value is
        unknown, its coefficient is too. (``impute`` returns the part that is owed to
        the coefficients' means. What bounds of a missing column tell is left out: a
        little too wide.)
        """
        added = np.zeros(z.shape[0])
        for rows, missing in gaps_of(z) if gaps is None else gaps:
            of = self.conditional(missing)
            both = covariance[of.gone[:, None], of.gone] * of.covariance
            added[rows] = both.sum()
        return np.maximum(added, 0.0)

    def open_covariance(self, z: Array) -> Array:
        """Covariance (p, p) of one patient's missing columns, 0 for the observed."""
        missing = np.isnan(z)
        covariance = np.zeros((len(z), len(z)))
        if missing.any():
            of = self.conditional(missing)
            covariance[of.gone[:, None], of.gone] = of.covariance
        return covariance

    def distance(self, filled: Array) -> Array:
        """Squared Mahalanobis distance per column, (n,); about 1 for the usual."""
        centred = filled - self.mean
        squared = np.einsum("ip,pq,iq->i", centred, self._precision, centred)
        return np.asarray(squared / max(1, filled.shape[1]))

    def to_json(self) -> dict[str, Any]:
        """Plain data, as a model folder stores it."""
        return {
            "mean": self.mean.tolist(),
            "covariance": self.covariance.tolist(),
            "n_patients": self.n_patients,
        }


def gaps_of(z: Array) -> Gaps:
    """Rows that miss the same columns, with that pattern; complete rows left out."""
    missing = np.isnan(z)
    incomplete = np.flatnonzero(missing.any(axis=1))
    if incomplete.size == 0:
        return []
    if incomplete.size == 1:
        return [(incomplete, missing[incomplete[0]])]
    packed = np.packbits(missing[incomplete], axis=1)
    keys = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    bounds = np.searchsorted(inverse[order], np.arange(len(first) + 1))
    return [
        (incomplete[order[bounds[k] : bounds[k + 1]]], missing[incomplete[first[k]]])
        for k in range(len(first))
    ]


def _truncate(
    expected: Array,
    extra: Array,
    along: Array,
    conditional: Array,
    at: int,
    interval: Interval,
    rows: NDArray[np.int64],
) -> tuple[Array, Array]:
    """Condition the missing columns on bounds of one of them (moments exact)."""
    sd = math.sqrt(max(conditional[at, at], 1e-12))
    lower = (interval.lower[rows] - expected[:, at]) / sd
    upper = (interval.upper[rows] - expected[:, at]) / sd
    mean, variance = truncated_normal_moments(lower, upper)
    shift = mean[:, None] * conditional[at] / sd
    reduction = (1.0 - variance)[:, None] * (along[:, at] / sd) ** 2
    return expected + shift, np.maximum(extra - reduction, 0.0)


def truncated_normal_moments(lower: Array, upper: Array) -> tuple[Array, Array]:
    """Mean and variance of a standard normal between bounds.

    Examples
    --------
    >>> mean, variance = truncated_normal_moments(np.array([0.0]), np.array([np.inf]))
    >>> round(float(mean[0]), 4), round(float(variance[0]), 4)
    (0.7979, 0.3634)
    """
    lower = np.clip(lower, -8.0, 7.9)
    upper = np.clip(upper, -7.9, 8.0)
    mass = np.maximum(_normal_cdf(upper) - _normal_cdf(lower), 1e-15)
    low, high = _normal_pdf(lower), _normal_pdf(upper)
    mean = (low - high) / mass
    variance = 1.0 + (lower * low - upper * high) / mass - mean**2
    return mean, np.clip(variance, 0.0, 1.0)


def _normal_pdf(x: Array) -> Array:
    return np.asarray(np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi))


def _normal_cdf(x: Array) -> Array:
    erf = np.array([math.erf(value / math.sqrt(2.0)) for value in x.ravel()])
    return (0.5 * (1.0 + erf)).reshape(x.shape)


@lru_cache(maxsize=64)
def _reference_covariance(encoder: Encoder) -> Array:
    """Covariance of the base columns that the dictionary declares."""
    names = [column.name for column in encoder.columns]
    covariance = np.zeros((len(names), len(names)))
    for members, block in _family_blocks(encoder):
        covariance[np.ix_(members, members)] = block
    sd = np.sqrt(np.diag(covariance))
    for row in encoder.dictionary.correlations:
        if row.decision not in (None, encoder.decision):
            continue
        if all(name in names for name in row.fields):
            i, j = (names.index(name) for name in row.fields)
            covariance[i, j] = covariance[j, i] = row.value * sd[i] * sd[j]
    return _nearest_covariance(covariance)


def _family_blocks(encoder: Encoder) -> list[tuple[list[int], Array]]:
    """Columns that one field determines, with their covariance."""
    families: dict[str, list[int]] = {}
    for k, column in enumerate(encoder.columns):
        row = encoder.dictionary.fields[column.predictor]
        families.setdefault(row.derived_from or row.name, []).append(k)
    return [
        (members, _family_covariance(encoder, name, members))
        for name, members in families.items()
    ]


def _family_covariance(encoder: Encoder, name: str, members: list[int]) -> Array:
    row = encoder.dictionary.fields[name]
    if row.kind == "number":
        return np.eye(len(members))
    if row.kind == "boolean":
        mean = row.reference_for(encoder.decision).mean
        return np.array([[mean * (1.0 - mean)]])
    shares = reference_proportions(encoder.dictionary, row, encoder.decision)
    share = np.array([shares[category] for category in row.category_names])
    values = np.column_stack([_per_category(encoder, row.name, k) for k in members])
    centred = values - share @ values
    return np.asarray((centred * share[:, None]).T @ centred)


def _per_category(encoder: Encoder, name: str, k: int) -> Array:
    """Value of a column for each category of the field that determines it."""
    column = encoder.columns[k]
    if column.predictor == name:
        return np.array(column.weights)
    names = encoder.dictionary.fields[column.predictor].category_names
    return np.array(
        [
            column.weights[names.index(str(category.lesion_type))]
            for category in encoder.dictionary.fields[name].categories
        ]
    )


def _nearest_covariance(covariance: Array) -> Array:
    """Clip negative eigenvalues of declared correlations; keep the variances."""
    values, vectors = np.linalg.eigh(covariance)
    if values.min() >= -1e-12:
        return covariance
    clipped = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = np.sqrt(np.diag(covariance) / np.maximum(np.diag(clipped), 1e-12))
    return np.asarray(clipped * np.outer(scale, scale))
