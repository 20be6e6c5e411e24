"""Possible answers of one patient to what was not asked, and what each would change.

An answer is drawn from the model's own population, given what is known of the patient:
a number from its normal distribution, a category from its share. With S the covariance
of the missing columns, d the distance from the mean and K the columns that one answer
settles,

    d'        = d + S[:, K] inv(S[K, K]) (z_K - m_K - d_K)
    b'S'b     = b'S b - u_K' inv(S[K, K]) u_K,              u = S b
    tr(C S')  = tr(C S) - tr(inv(S[K, K]) (S C S)[K, K])

so that log-odds and SD after any answer are those that ``predict`` would give, without
asking it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array, Encoder
from responder_model.features.columns import Column, bend, reference_proportions
from .limits import category_names

if TYPE_CHECKING:
    from .fitted import Model
    from .scores import Evidence, Own

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
# Last, the bounds of a number: nobody is there, but the log-odds must be known.
_SHARES = np.append(_WEIGHTS / _WEIGHTS.sum(), [0.0, 0.0])
_SQRT_2 = math.sqrt(2.0)
# SDs beyond which nobody is.
_FAR = 40.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """What a question is about, whoever is asked: compiled once for an encoder.

    Of a number, ``raw`` (2,) and ``z`` (2, 1) are its bounds, without its curve; of a
    category every value and its columns, ``usual`` (m,) the shares in the reference
    population, ``solve`` (m, k + 1) what turns a change of the expected columns into
    one of the shares.
    """

    position: int
    settled: NDArray[np.int64]  # (k,) base columns that an answer fixes
    raw: Array
    z: Array
    column: Column | None = None  # of a number
    usual: Array | None = None
    solve: Array | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """Answers of one patient to one question, and how many give them."""

    asked: Asked
    z: Array  # (m, k)
    share: Array  # (m,)
    x: Array | None = None  # (m,) of a number: SDs from what is expected

    @property
    def raw(self) -> Array:
        """Answers as they are given, (m,): numbers, or positions of categories."""
        ends, column = self.asked.raw, self.asked.column
        return ends if column is None else column.decoded(self.z[:, 0]).clip(*ends)


def every_answer(model: Model, raw: Array, evidence: Evidence) -> list[Answers]:
    """Answers to everything that may be asked, as the population expects them.

    Not asked is what was given, and what follows from another answer.
    """
    encoder, population = model.encoder, model.population
    names, interval = encoder.predictors, encoder.interval(raw)
    expected = population.mean + evidence.deviation[0]
    variance = np.diag(population.open_covariance(evidence.z[0]))
    found = []
    for k, row in enumerate(encoder.fields):
        follows = row.derived_from in names or row.indicates in names
        if follows or not np.isnan(raw[0, k]):
            continue
        asked = _compiled(encoder, k, derived=_derived_known(encoder, row.name, raw[0]))
        column = int(asked.settled[0])
        mean, sd = float(expected[column]), math.sqrt(float(variance[column]))
        if row.kind != "number":
            found.append(_categories(encoder, asked, raw[0], expected[asked.settled]))
        elif interval is not None and interval.column == column:
            # what is known of it alone does not count twice
            assert evidence.beyond is not None
            mean -= float(evidence.beyond[0, column])
            bounds = float(interval.lower[0]), float(interval.upper[0])
            found.append(_bounded_number(asked, mean, sd, bounds))
        else:
            found.append(_number(asked, mean, sd))
    return found


def answered(
    model: Model, raw: Array, evidence: Evidence, asked: list[Answers]
) -> tuple[Array, Array]:
    """Log-odds and their SD after each answer to each question, end to end."""
    scorer, own = model.scorer, evidence.own
    if model.pool is not None or evidence.beyond is not None:
        # trees, and bounds of a missing number, are not linear in an answer
        return _scored(model, raw, own, asked)
    away, mean = evidence.deviation[0], scorer.population.mean
    unknown = scorer.population.open_covariance(evidence.z[0])
    b = scorer.coefficients[scorer.main]
    u, both = unknown @ b, unknown @ scorer.variance_slopes @ unknown
    moved, told, learned = [], [], []
    for answers in asked:
        K = answers.asked.settled
        settled = unknown[K]
        inverse = _inverse(settled[:, K])
        moved.append((answers.z - mean[K] - away[K]) @ (inverse @ settled))
        told.append(u[K] @ inverse @ u[K])
        learned.append((inverse * both[K][:, K]).sum())
    sizes = [len(answers.z) for answers in asked]
    left = np.maximum(float(b @ u) - np.repeat(told, sizes), 0.0)
    uncertain = np.maximum(evidence.open_variance[0] - np.repeat(learned, sizes), 0.0)
    deviation = away + np.concatenate(moved)
    scale = 1.0 / np.sqrt(1.0 + math.pi * (scorer.mean_variance[own] + left) / 8.0)
    variance = scorer.posterior_variance(deviation, own) + left + uncertain
    log_odds = scorer.baseline_of(own) + scale * (deviation @ b)
    return log_odds, np.sqrt(variance + model.discrepancy)


def _inverse(covariance: Array) -> Array:
    """Inverse of a small matrix, of which most are numbers."""
    if len(covariance) == 1:
        return 1.0 / covariance
    return np.asarray(np.linalg.inv(covariance), dtype=np.float64)


def _scored(
    model: Model, raw: Array, own: Own, asked: list[Answers]
) -> tuple[Array, Array]:
    """The same by scoring a patient for each answer."""
    rows = np.repeat(raw, sum(len(answers.raw) for answers in asked), axis=0)
    start = 0
    for answers in asked:
        stop = start + len(answers.raw)
        rows[start:stop, answers.asked.position] = answers.raw
        start = stop
    scores = model.scorer.score(model.encoder.derive(rows), own)
    return scores.linear_predictor, scores.standard_error


def _number(asked: Asked, mean: float, sd: float) -> Answers:
    low, high = asked.z
    z = np.concatenate([mean + sd * _NODES, low, high])
    np.minimum(np.maximum(z, low, out=z), high, out=z)
    return _answers(asked, z, (z - mean) / sd)


def _bounded_number(
    asked: Asked, mean: float, sd: float, bounds: tuple[float, float]
) -> Answers:
    """Answers that are known to lie between bounds: quantiles of what is left."""
    least, most = (below((end - mean) / sd) for end in bounds)
    shares = [least + (most - least) * below(node) for node in _NODES.tolist()]
    normal = NormalDist(mean, sd)
    inner = [normal.inv_cdf(min(max(p, 1e-12), 1.0 - 1e-12)) for p in shares]
    low, high = np.clip(bounds, *asked.z[:, 0]).tolist()
    z = np.clip([*inner, low, high], low, high)
    return _answers(asked, z, np.append(_NODES, [-_FAR, _FAR]))


def _answers(asked: Asked, z: Array, x: Array) -> Answers:
    both = np.stack([z, *(bend(z) for _ in asked.settled[1:])], axis=1)
    return Answers(asked=asked, z=both, share=_SHARES, x=x)


def _categories(encoder: Encoder, asked: Asked, raw: Array, expected: Array) -> Answers:
    """Categories whose columns average to what is expected, none of them negative.

    The closest shares to the reference where columns leave them open; none for what
    contradicts what is known.
    """
    usual, solve = asked.usual, asked.solve
    assert usual is not None
    assert solve is not None
    missing = np.append(expected - usual @ asked.z, 0.0)
    share = np.maximum(usual + solve @ missing, 0.0)
    row = encoder.fields[asked.position]
    for k, other in enumerate(encoder.fields):
        if other.derived_from == row.name and not np.isnan(raw[k]):
            follows = encoder.dictionary.derived_categories(other.name)
            known = other.category_names[int(raw[k])]
            share = share * [follows[name] == known for name in row.category_names]
    share = share / share.sum()
    return Answers(asked=asked, z=asked.z, share=share)


def _derived_known(encoder: Encoder, name: str, raw: Array) -> bool:
    """Whether what follows from a predictor is known already."""
    return any(
        row.derived_from == name and not np.isnan(raw[k])
        for k, row in enumerate(encoder.fields)
    )


@lru_cache(maxsize=512)
def _compiled(encoder: Encoder, position: int, *, derived: bool) -> Asked:
    """Compile a question; ``derived``: what follows from the answer is known."""
    row = encoder.fields[position]
    fixed = [row.name]
    if not derived:
        fixed += [r.name for r in encoder.fields if r.derived_from == row.name]
    owners = [column.predictor for column in encoder.columns]
    settled = np.array([k for k, owner in enumerate(owners) if owner in fixed])
    if row.kind == "number":
        ends = np.array([float(row.minimum or 0.0), float(row.maximum or 0.0)])
        column = encoder.columns[int(settled[0])]
        z = column.encoded(ends)[:, None]
        return Asked(position=position, settled=settled, raw=ends, z=z, column=column)
    codes = np.arange(len(category_names(row)), dtype=np.float64)
    rows = np.full((len(codes), len(encoder.predictors)), np.nan)
    rows[:, position] = codes
    z = encoder.encode(encoder.derive(rows))[:, settled]
    if row.kind == "boolean":
        yes = row.reference_for(encoder.decision).mean
        usual = np.array([1.0 - yes, yes])
    else:
        shares = reference_proportions(encoder.dictionary, row, encoder.decision)
        usual = np.array([shares[name] for name in row.category_names])
    solve = np.linalg.pinv(np.vstack([z.T, np.ones(len(codes))]))
    return Asked(
        position=position, settled=settled, raw=codes, z=z, usual=usual, solve=solve
    )


def below(x: float) -> float:
    """Share of a standard normal below x."""
    return 0.5 * math.erfc(-x / _SQRT_2)
