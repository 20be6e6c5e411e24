"""The maths of prediction on arrays: one patient or a million, the same code.

Everything is on the log-odds scale (design.md 3.4, statistics.md 1.9-1.10). With z the
filled base columns, m their population mean, s the variance that a linear predictor
owes to missing values and v the mean posterior variance of the development population,

    kappa   = 1 / sqrt(1 + pi·v / 8),    kappa_i = 1 / sqrt(1 + pi·(v + s) / 8)
    e       = kappa·(a + b·m) + kappa_i·b·(z - m)                    evidence
    e_j     = kappa·(a + b·m) + kappa_i·(a_j + b_j·z - a - b·m)      other cut-offs
    t       = offset + slope·margin                                  trees
    L       = (1 - w)·e + w·t                                        served
    var(L)  = [1 z]'C[1 z] + tr(C S) + s + discrepancy + w(1 - w)(e - t)²

where S is the covariance of the missing columns given the observed ones, s = b'S b,
and probability = expit(L), interval = expit(L ± 1.96·sqrt(var)). What a missing column
is expected to be is credited to the columns that say so: the reasons of a patient are
what was given.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from responder_model.errors import ResponderModelError
from responder_model.features import Array, Gaps, gaps_of
from responder_model.features.population import MOST_KEPT
from responder_model.frozen import freeze
from responder_model.words import Note
from .applicability import Checks, Levels, compile_checks
from .scores import Evidence, Own, Scores
from .trees import TableTrees, read_trees

if TYPE_CHECKING:
    from responder_model.challenger import Trees
    from .fitted import Model

# How far baseline + contributions may lie from the served log-odds.
LINEAR_TOLERANCE = 1e-9
TREES_TOLERANCE = 1e-5


class Scorer:
    """A model compiled to arrays; what it learns comes from the model alone."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.encoder = model.encoder
        self.population = model.population
        self.main = model.main_index
        self.coefficients = np.array([part.coefficients for part in model.linear])
        intercepts = np.array([part.intercept for part in model.linear])
        self.centre = self.coefficients @ self.population.mean + intercepts
        self.share = 1.0 - (model.pool.weight if model.pool else 0.0)
        n_predictors = len(self.encoder.predictors)
        self.owner = self.encoder.column_predictor
        self.by_predictor = np.eye(n_predictors)[self.owner]  # (p, n_predictors)
        self.alone = self.coefficients[self.main][:, None] * self.by_predictor
        self._compile_variance()
        self._compile_centres()
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def _compile_variance(self) -> None:
        """[1 z]'C[1 z] as v0 + (2u + Cbb·d)·d, with d = z - m."""
        covariance = self.model.main.covariance
        mean = self.population.mean
        slopes = covariance[1:, 1:]
        along = slopes @ mean
        base = covariance[0, 0] + 2.0 * covariance[0, 1:] @ mean + mean @ along
        self.variance_base = float(base)
        self.variance_slope = 2.0 * (covariance[1:, 0] + along)
        self.variance_slopes = np.ascontiguousarray(slopes)

    def _compile_centres(self) -> None:
        """What each centre adds, and nothing for others: the last row, -1."""
        centres, mean = self.model.centres, self.population.mean
        shift = np.zeros((len(centres) + 1, len(self.coefficients)))
        self.own_variance = np.zeros((len(centres) + 1, len(mean) + 1))
        for k, level in enumerate(centres):
            shift[k], self.own_variance[k] = level.shift, level.variance
        self.level = self.centre + shift
        # of the average patient; deviations add the rest
        self.own_variance[:, 0] += self.own_variance[:, 1:] @ mean
        self.mean_variance = self.model.mean_variance + self.own_variance[:, 0]
        self.kappa = 1.0 / np.sqrt(1.0 + math.pi * self.mean_variance / 8.0)

    @cached_property
    def checks(self) -> Checks:
        """Applicability checks."""
        limits = self.model.limits
        return freeze(compile_checks(self.encoder, limits, self.population))

    @cached_property
    def trees(self) -> TableTrees | Trees | None:
        """The challenger, read from its JSON at first use; None at weight 0."""
        if self.model.pool is None:
            return None
        return read_trees(self.model.pool.trees, self.encoder)

    @cached_property
    def tree_bias(self) -> float:
        """The one constant to which TreeSHAP adds, on the margin."""
        if self.trees is None:
            return 0.0
        nothing = np.full((1, len(self.encoder.predictors)), np.nan)
        return float(self.trees.contributions(nothing)[0, -1])

    @cached_property
    def baselines(self) -> Array:
        """Log-odds of the average patient of each centre, then of another one."""
        baselines = self.share * self.kappa * self.level[:, self.main]
        pool = self.model.pool
        if pool is not None:
            baselines += pool.weight * (pool.offset + pool.slope * self.tree_bias)
        return freeze(np.asarray(baselines))

    def baseline_of(self, own: Own = -1) -> Array:
        """Log-odds of the average patient of a centre: one constant for each."""
        return np.asarray(self.baselines[own])

    def warm(self) -> None:
        """Compile what is compiled at first use, before threads share it."""
        _ = self.checks, self.baselines

    @cached_property
    def directions(self) -> Array:
        """Coefficients of the served cut-offs, then of each predictor alone."""
        return freeze(np.concatenate([self.coefficients, self.alone.T]))

    def evidence(self, raw: Array, own: Own = -1, *, detail: bool = False) -> Evidence:
        """Linear part: fill the gaps and scale by what they leave open.

        ``own`` is the position of the patients' centre, or of each one's; -1: another.
        """
        z = self.encoder.encode(raw)
        interval = self.encoder.interval(raw)
        directions = self.directions if detail else self.coefficients
        gaps = gaps_of(z)
        filled, extra = self.population.impute(z, directions, interval, gaps=gaps)
        deviation = np.subtract(filled, self.population.mean, out=filled)
        given, beyond = np.where(np.isnan(z), 0.0, deviation), None
        if interval is not None:
            unbounded, _ = self.population.impute(z, directions[:0], gaps=gaps)
            beyond = deviation - (unbounded - self.population.mean)
        n_served = len(self.coefficients)
        extra, unknown = extra[:, :n_served], extra[:, n_served:]
        if detail:
            left_open, alone = self._open(z, gaps)
            unknown = unknown + alone
        else:
            slopes = self.variance_slopes
            left_open = self.population.open_variance(z, slopes, gaps=gaps)
        v, kappa = self.mean_variance[own], self.kappa[own]
        scale = 1.0 / np.sqrt(1.0 + np.pi * (v[..., None] + extra) / 8.0)
        moved = deviation @ self.coefficients.T
        at = self.level[own]
        level = at[..., self.main, None]
        return Evidence(
            z=z,
            deviation=deviation,
            given=given,
            beyond=beyond,
            extra=extra,
            told=self.posterior_variance(deviation, own),
            open_variance=left_open,
            unknown=unknown,
            scale=scale[:, self.main],
            log_odds=kappa[..., None] * level + scale * (moved + at - level),
            gaps=gaps,
            own=own,
        )

    @cached_property
    def _opened(self) -> dict[bytes, tuple[Array, Array]]:
        return {}

    def _open(self, z: Array, gaps: Gaps) -> tuple[Array, Array]:
        """What uncertain coefficients add to one patient, and to each contribution.

        The same for all who miss the same columns.
        """
        key = np.isnan(z[0]).tobytes()
        found = self._opened.get(key)
        if found is None:
            slopes = self.variance_slopes
            both = slopes * self.population.open_covariance(z[0])
            alone = np.einsum("pk,pk->k", both @ self.by_predictor, self.by_predictor)
            whole = self.population.open_variance(z, slopes, gaps=gaps)
            found = freeze((whole, np.maximum(alone, 0.0)))
            if len(self._opened) < MOST_KEPT:
                self._opened[key] = found
        return found

    def posterior_variance(self, deviation: Array, own: Own = -1) -> Array:
        """Posterior variance of the main linear predictor, (n,)."""
        along = deviation @ self.variance_slopes
        along += self.variance_slope
        quadratic = np.einsum("ij,ij->i", along, deviation)
        if self.model.centres:
            added = self.own_variance[own]
            slopes = np.broadcast_to(added[..., 1:], deviation.shape)
            quadratic += added[..., 0] + np.einsum("ij,ij->i", slopes, deviation)
        return np.asarray(np.maximum(self.variance_base + quadratic, 0.0))

    def width_parts(
        self, evidence: Evidence, variance: float
    ) -> tuple[float, float, float, float]:
        """Split one patient's variance by what it comes from, as ``WIDTH_SOURCES`` do.

        The level of the centre is the variance of its average patient, evidence that
        of the distance from there; what the two have in common is divided between
        them in proportion. What is left of ``variance`` is what a model misses.
        """
        away, own = evidence.deviation[0], evidence.own
        slopes = max(float(away @ self.variance_slopes @ away), 0.0)
        level = max(self.variance_base + float(self.own_variance[own, 0]), 0.0)
        told = float(evidence.told[0])
        centre = told * level / ((level + slopes) or 1.0)
        absent = float(evidence.extra[0, self.main] + evidence.open_variance[0])
        missed = max(variance - told - absent, 0.0)
        return centre, told - centre, absent, missed

    def contributions(self, evidence: Evidence, raw: Array) -> Array:
        """Log-odds per predictor of the linear part, (n, n_predictors)."""
        slopes = self.coefficients[self.main]
        along = np.repeat(slopes[None], len(raw), axis=0)
        for rows, missing in evidence.gaps:
            # what is expected of the missing is credited to what says so
            along[rows] = slopes @ self.population.conditional(missing).fill
        along *= evidence.given
        if evidence.beyond is not None:
            along += evidence.beyond * slopes
        summed = along @ self.by_predictor
        summed *= self.share * evidence.scale[:, None]
        return np.asarray(self._credit_indicator(summed, raw))

    def contribution_variance(self, evidence: Evidence, raw: Array) -> Array:
        """Posterior variance of one patient's contributions, (n_predictors,).

        It includes the unknown value of a missing predictor; ``evidence`` in detail.
        """
        moved = evidence.given[0][:, None] * self.by_predictor
        for _, missing in evidence.gaps:
            moved = self.population.conditional(missing).fill @ moved
        if evidence.beyond is not None:
            moved += evidence.beyond[0][:, None] * self.by_predictor
        variance = ((self.variance_slopes @ moved) * moved).sum(axis=0)
        variance = (np.maximum(variance, 0.0) + evidence.unknown[0])[None]
        variance *= (self.share * evidence.scale[0]) ** 2
        return np.asarray(self._credit_indicator(variance, raw)[0])

    def _credit_indicator(self, contributions: Array, raw: Array) -> Array:
        """A number known only by its yes/no indicator counts as the indicator's."""
        for position, number in self.encoder.indicators:
            moved = np.isnan(raw[:, number]) & ~np.isnan(raw[:, position])
            contributions[moved, position] += contributions[moved, number]
            contributions[moved, number] = 0.0
        return contributions

    def score(self, raw: Array, own: Own = -1) -> Scores:
        """Score raw predictors (n, n_predictors)."""
        evidence = self.evidence(raw, own)
        return self.pooled(evidence, raw, self.checks.levels(raw, evidence.deviation))

    def pooled(self, evidence: Evidence, raw: Array, levels: Levels) -> Scores:
        """Join the linear part, the trees and the checks' levels (n, n_checks)."""
        main = evidence.log_odds[:, self.main]
        contributions = self.contributions(evidence, raw)
        absent = evidence.extra[:, self.main] + evidence.open_variance
        variance = evidence.told + absent
        variance += self.model.discrepancy
        linear_predictor = main
        pool = self.model.pool
        if pool is not None and self.trees is not None:
            w = pool.weight
            shapley = self.trees.contributions(raw)
            # its sum is the margin
            rival = pool.offset + pool.slope * shapley.sum(axis=1)
            linear_predictor = (1.0 - w) * main + w * rival
            variance += w * (1.0 - w) * (main - rival) ** 2
            contributions += w * pool.slope * shapley[:, :-1]
        self.check_sum(linear_predictor, contributions, evidence.own)
        return Scores(
            linear_predictor=linear_predictor,
            standard_error=np.sqrt(variance),
            served=self._serve(evidence.log_odds, linear_predictor),
            contributions=contributions,
            levels=levels.max(axis=1),
            missing=self.missing(raw),
        )

    def _serve(self, log_odds: Array, linear_predictor: Array) -> Array:
        """Shift every cut-off as the main one moved; never rising with the cut-off."""
        shift = linear_predictor - log_odds[:, self.main]
        served = log_odds + shift[:, None]
        served[:, self.main] = linear_predictor
        for j in range(self.main - 1, -1, -1):
            np.maximum(served[:, j], served[:, j + 1], out=served[:, j])
        for j in range(self.main + 1, served.shape[1]):
            np.minimum(served[:, j], served[:, j - 1], out=served[:, j])
        return served

    def check_sum(
        self, linear_predictor: Array, contributions: Array, own: Own = -1
    ) -> None:
        """Baseline + contributions is the served log-odds, or nothing is served.

        Raises
        ------
        ResponderModelError
            When it is not; the tolerance is 1e-9, or 1e-5 with trees (float32).
        """
        tolerance = LINEAR_TOLERANCE if self.model.pool is None else TREES_TOLERANCE
        gap = self.baseline_of(own) + contributions.sum(axis=1) - linear_predictor
        if not np.all(np.abs(gap) <= tolerance):
            raise ResponderModelError(Note("model.sum"))

    def missing(self, raw: Array) -> NDArray[np.bool_]:
        """Which predictors were not given, (n, n_predictors).

        A yes/no that only repeats a known number is not missing.
        """
        missing = np.isnan(raw)
        for position, number in self.encoder.indicators:
            missing[:, position] &= missing[:, number]
        return missing
