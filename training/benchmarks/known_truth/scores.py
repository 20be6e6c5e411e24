"""Scores of predictions where the true probability is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.features import expit, logit

Array = NDArray[np.float64]

# Level of the intervals that are scored.
_ALPHA = 0.05
# Probabilities of peers are kept this far from 0 and 1, where log loss is infinite.
_MARGIN = 1e-6


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores of one method on one test cohort; intervals are NaN if it gives none."""

    excess_log_loss: float  # nats above the true probability itself, 0 is ideal
    calibration_slope: float  # expected; 1 is ideal, below 1 too extreme
    coverage: float  # share of intervals that hold the true probability
    coverage_lowest: float  # the same in the lowest tenth of predicted probability
    coverage_highest: float  # and in the highest tenth
    width: float  # mean width of the intervals, on the probability scale
    interval_score: float  # lower is better (Gneiting and Raftery 2007)


def score_predictions(
    true_probability: Array,
    probability: Array,
    lower: Array | None = None,
    upper: Array | None = None,
) -> Scores:
    """Score predicted probabilities, and their 95 % intervals, against the truth.

    Parameters
    ----------
    true_probability, probability : ndarray of shape (n_patients,)
        In [0, 1]; predictions are kept 1e-6 away from 0 and 1.
    lower, upper : ndarray of shape (n_patients,), optional
        95 % interval of the true probability.

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        If shapes differ or a value is missing or outside [0, 1].

    References
    ----------
    Gneiting and Raftery 2007, doi 10.1198/016214506000001437 (interval score).

    Examples
    --------
    >>> truth = np.array([0.2, 0.4, 0.7])
    >>> scores = score_predictions(truth, truth, truth - 0.1, truth + 0.1)
    >>> scores.excess_log_loss, scores.coverage, round(scores.width, 3)
    (0.0, 1.0, 0.2)
    """
    q = _check_probability("true_probability", true_probability, None)
    p = _check_probability("probability", probability, q.shape)
    p = np.clip(p, _MARGIN, 1.0 - _MARGIN)
    intervals = _no_intervals()
    if lower is not None and upper is not None:
        low = _check_probability("lower", lower, q.shape)
        high = _check_probability("upper", upper, q.shape)
        intervals = _interval_scores(q, p, low, high)
    return Scores(
        excess_log_loss=excess_log_loss(q, p),
        calibration_slope=expected_calibration_slope(q, p),
        **intervals,
    )


def _check_probability(
    name: str, values: Array, shape: tuple[int, ...] | None
) -> Array:
    values = np.asarray(values, dtype=np.float64)
    if shape is not None and values.shape != shape:
        msg = f"{name} must have shape {shape}, got {values.shape}."
        raise ValueError(msg)
    if not ((values >= 0) & (values <= 1)).all():
        msg = f"{name} must lie between 0 and 1, got other or missing values."
        raise ValueError(msg)
    return values


def excess_log_loss(true_probability: Array, probability: Array) -> float:
    """Return the mean Kullback-Leibler divergence of the prediction from the truth.

    Examples
    --------
    >>> round(excess_log_loss(np.array([0.5]), np.array([0.25])), 4)
    0.1438
    """
    q, p = true_probability, probability
    # q log(q / p) + (1 - q) log((1 - q) / (1 - p)), where 0 log 0 = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        event = np.where(q > 0, q * np.log(q / p), 0.0)
        none = np.where(q < 1, (1.0 - q) * np.log((1.0 - q) / (1.0 - p)), 0.0)
    return float((event + none).mean())


def expected_calibration_slope(true_probability: Array, probability: Array) -> float:
    """Return the calibration slope that an unlimited cohort would show.

    Logistic regression of the true probability on the predicted log-odds; NaN when all
    predictions are equal, or when the slope does not converge.

    Examples
    --------
    >>> p = np.array([0.1, 0.3, 0.6, 0.8])
    >>> round(expected_calibration_slope(p, p), 6)
    1.0
    """
    linear_predictor = logit(probability)
    if np.ptp(linear_predictor) < 1e-9:
        return float("nan")
    design = np.column_stack([np.ones_like(linear_predictor), linear_predictor])
    mean = np.clip(true_probability.mean(), _MARGIN, 1.0 - _MARGIN)
    beta = np.array([float(logit(mean)), 0.0])
    for _ in range(50):
        fitted = expit(design @ beta)
        weight = fitted * (1.0 - fitted)
        information = (design * weight[:, None]).T @ design
        step = np.linalg.solve(
            information + 1e-12 * np.eye(2), design.T @ (true_probability - fitted)
        )
        beta = beta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:
            return float(beta[1])
    return float("nan")


def _no_intervals() -> dict[str, float]:
    names = [f for f in Scores.__dataclass_fields__ if f not in _POINT_SCORES]
    return dict.fromkeys(names, float("nan"))


_POINT_SCORES = ("excess_log_loss", "calibration_slope")


def _interval_scores(q: Array, p: Array, low: Array, high: Array) -> dict[str, float]:
    covered = (low <= q) & (q <= high)
    order = np.argsort(p, kind="stable")
    tenth = max(1, len(order) // 10)
    width = high - low
    missed = np.maximum(low - q, 0.0) + np.maximum(q - high, 0.0)
    return {
        "coverage": float(covered.mean()),
        "coverage_lowest": float(covered[order[:tenth]].mean()),
        "coverage_highest": float(covered[order[-tenth:]].mean()),
        "width": float(width.mean()),
        "interval_score": float((width + 2.0 / _ALPHA * missed).mean()),
    }


def failed_scores() -> Scores:
    """Scores of a method that failed: all NaN."""
    return Scores(**dict.fromkeys(Scores.__dataclass_fields__, float("nan")))


def summarise_scores(results: pd.DataFrame) -> pd.DataFrame:
    """Mean and Monte-Carlo standard error of each score, per truth, size and method.

    Of calibration slopes the median stands in place of the mean: a prediction that is
    almost the same for everybody has a slope of any size.

    Parameters
    ----------
    results : DataFrame
        One row per ``truth``, ``size``, ``cohort`` and ``method``, a column per score.

    Returns
    -------
    DataFrame
        One row per truth, size and method: ``n_cohorts``; each score and
        ``<score>_se``; ``share_below_80``, the share of cohorts whose coverage is
        below 80 %.

    Examples
    --------
    >>> rows = [{"truth": "right", "size": 50, "cohort": c, "method": "ours",
    ...          "excess_log_loss": x} for c, x in enumerate((0.02, 0.04))]
    >>> summary = summarise_scores(pd.DataFrame(rows))
    >>> [round(float(summary[c].iloc[0]), 6)
    ...  for c in ("n_cohorts", "excess_log_loss", "excess_log_loss_se")]
    [2.0, 0.03, 0.01]
    """
    keys = ["truth", "size", "method"]
    names = [name for name in Scores.__dataclass_fields__ if name in results.columns]
    grouped = results.groupby(keys, sort=False, observed=True)
    mean = grouped[names].mean()
    if "calibration_slope" in names:
        mean["calibration_slope"] = grouped["calibration_slope"].median()
    error = grouped[names].sem().add_suffix("_se")
    summary = pd.concat([grouped.size().rename("n_cohorts"), mean, error], axis=1)
    if "coverage" in names:
        low = results["coverage"].lt(0.8).where(results["coverage"].notna())
        by = [results[key] for key in keys]
        summary["share_below_80"] = low.astype("Float64").groupby(by, sort=False).mean()
    return summary.reset_index()


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Ratio of two mean excess log losses over the same cohorts."""

    against: str  # the other method
    ratio: float  # below 1: ours is better
    standard_error: float  # Monte-Carlo, cohorts paired
    n_cohorts: int  # cohorts that both methods have


def ratio_to(results: pd.DataFrame, ours: str, other: str) -> Ratio:
    """Ratio of mean excess log losses in one cell, cohorts paired.

    The standard error is that of a ratio of means (delta method).

    Parameters
    ----------
    results : DataFrame
        Rows of one truth and size: ``cohort``, ``method``, ``excess_log_loss``.
    ours, other : str
        Numerator and denominator.

    Raises
    ------
    ValueError
        If the two methods share no cohort.
    """
    table = results.pivot_table(index="cohort", columns="method", values=_LOSS)
    if not {ours, other} <= set(table.columns):
        msg = f"results must hold {ours} and {other}, got {', '.join(table.columns)}."
        raise ValueError(msg)
    pairs = table[[ours, other]].dropna().to_numpy()
    n_cohorts = len(pairs)
    if n_cohorts == 0:
        msg = f"{ours} and {other} must share a cohort, got none."
        raise ValueError(msg)
    ratio = pairs[:, 0].mean() / pairs[:, 1].mean()
    residual = pairs[:, 0] - ratio * pairs[:, 1]
    error = float("nan")
    if n_cohorts > 1:
        error = residual.std(ddof=1) / np.sqrt(n_cohorts) / pairs[:, 1].mean()
    return Ratio(
        against=other,
        ratio=float(ratio),
        standard_error=float(error),
        n_cohorts=n_cohorts,
    )


_LOSS = "excess_log_loss"


def ratio_to_best(results: pd.DataFrame, ours: str, peers: tuple[str, ...]) -> Ratio:
    """Ratio to the best peer of one cell: the one that ours is least ahead of.

    Each peer is compared over the cohorts that both have, so that a slow peer with
    fewer cohorts is not ranked by how easy those were.

    Raises
    ------
    ValueError
        If no peer is among the results.

    Examples
    --------
    >>> losses = {"ours": 0.02, "a": 0.05, "b": 0.04}
    >>> rows = [{"cohort": c, "method": method, "excess_log_loss": loss}
    ...         for c in range(2) for method, loss in losses.items()]
    >>> best = ratio_to_best(pd.DataFrame(rows), "ours", ("a", "b"))
    >>> best.against, best.ratio
    ('b', 0.5)
    """
    present = set(results["method"])
    ratios = [ratio_to(results, ours, peer) for peer in peers if peer in present]
    if not ratios:
        msg = f"results must hold one of {', '.join(peers)}, got none."
        raise ValueError(msg)
    return max(ratios, key=lambda ratio: ratio.ratio)
