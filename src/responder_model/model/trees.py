"""Shallow boosted trees in numpy: margin and exact TreeSHAP without XGBoost.

A tree of depth 2 takes at most three decisions, so that everything it can say fits in a
table of eight rows: the Shapley values of its predictors (path-dependent TreeSHAP,
Lundberg 2020, 10.1038/s42256-019-0138-9), whose sum is the leaf. A patient is then
three comparisons and a look-up per tree. Deeper trees are left to XGBoost itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array, Encoder
from .parts import Pool

if TYPE_CHECKING:
    from responder_model.challenger import Trees

# Decisions of a tree of depth 2, and the rows of its table.
DECISIONS = 3
ROWS = 2**DECISIONS
# From this many patients on, a loop over trees beats one large look-up.
_MANY = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class TableTrees:
    """Boosted trees as tables; decisions are bits, 1 for the left branch.

    Parameters
    ----------
    predictor : ndarray of shape (T, 3)
        Raw predictor of each decision.
    threshold : ndarray of shape (T, 3), float32
        Left below it.
    default : ndarray of shape (T, 3) of bool
        Whether a missing value goes left.
    categories : ndarray of shape (T, 3, c) of bool, or None
        For a decision on categories, those that go left.
    on_categories : ndarray of shape (T, 3) of bool
        Which decisions are on categories.
    shapley : ndarray of shape (T, 8, n_predictors)
        Shapley values of each combination of decisions.
    bias : float
        Mean margin, the constant to which Shapley values add.
    """

    predictor: NDArray[np.int64]
    threshold: NDArray[np.float32]
    default: NDArray[np.bool_]
    categories: NDArray[np.bool_]
    on_categories: NDArray[np.bool_]
    shapley: Array
    bias: float

    def margin(self, raw: Array) -> Array:
        """Log-odds of each patient, (n_patients,)."""
        return np.asarray(self.contributions(raw).sum(axis=1))

    def contributions(self, raw: Array) -> Array:
        """TreeSHAP per raw predictor, then the bias, (n_patients, n_predictors + 1)."""
        rows = self._rows(raw)
        out = np.full((len(raw), self.shapley.shape[2] + 1), self.bias)
        if len(raw) < _MANY:
            trees = np.arange(len(self.shapley))[:, None]
            out[:, :-1] = self.shapley[trees, rows].sum(axis=0)
            return out
        summed = np.zeros((self.shapley.shape[2], len(raw)))
        for t, table in enumerate(self.shapley):
            for k in set(self.predictor[t].tolist()):
                summed[k] += table[:, k].take(rows[t])
        out[:, :-1] = summed.T
        return out

    def _rows(self, raw: Array) -> NDArray[np.int64]:
        """Row of each tree's table that a patient's decisions select, (T, n)."""
        # XGBoost reads and compares in single precision
        x = np.ascontiguousarray(raw.T, dtype=np.float32)
        rows = np.zeros((len(self.shapley), len(raw)), dtype=np.int64)
        for k in range(DECISIONS):
            value = x[self.predictor[:, k]]
            left = value < self.threshold[:, k, None]
            trees = np.flatnonzero(self.on_categories[:, k])
            if trees.size:
                codes = np.nan_to_num(value[trees]).astype(np.int64)
                tables = self.categories[trees, k]
                left[trees] = np.take_along_axis(tables, codes, axis=1)
            left |= np.isnan(value) & self.default[:, k, None]
            left &= ~np.isnan(value) | self.default[:, k, None]
            rows += left.astype(np.int64) << k
        return rows


def read_trees(data: bytes, encoder: Encoder) -> TableTrees | Trees:
    """Trees of XGBoost's JSON as tables, or as XGBoost's own when they are deep."""
    learner = json.loads(data)["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    if any(_n_decisions(tree) > DECISIONS for tree in trees):
        from responder_model.challenger import Trees

        return Trees.from_json(data, encoder)
    sizes = [len(row.categories) for row in encoder.fields]
    tables = [_compile(tree, len(sizes), max([1, *sizes])) for tree in trees]
    base = _base(learner)
    names = ("predictor", "threshold", "default", "categories", "on_categories")
    return TableTrees(
        **{name: np.array([table[name] for table in tables]) for name in names},
        shapley=np.array([table["shapley"] for table in tables]),
        bias=base + sum(table["mean"] for table in tables),
    )


def _base(learner: dict[str, Any]) -> float:
    """Log-odds from which the trees start."""
    share = float(np.float32(learner["learner_model_param"]["base_score"].strip("[]")))
    return math.log(share / (1.0 - share))


def join_pools(pools: Sequence[Pool]) -> Pool:
    """One pool that adds to the log-odds what several add together.

    Their trees stand one after another, each leaf times the share of its pool.
    """
    if len(pools) == 1:
        return pools[0]
    weight = sum(pool.weight for pool in pools)
    offset, trees = 0.0, []
    for pool in pools:
        share = pool.weight / weight
        document = json.loads(pool.trees)
        offset += share * (pool.offset + pool.slope * _base(document["learner"]))
        model = document["learner"]["gradient_booster"]["model"]
        trees += [_scaled(tree, share * pool.slope) for tree in model["trees"]]
    for k, tree in enumerate(trees):
        tree["id"] = k
    model |= {"trees": trees, "tree_info": [0] * len(trees)}
    model["iteration_indptr"] = list(range(len(trees) + 1))
    model["gbtree_model_param"]["num_trees"] = str(len(trees))
    base_score = document["learner"]["learner_model_param"]["base_score"]
    half = "[5E-1]" if base_score.startswith("[") else "5E-1"
    document["learner"]["learner_model_param"]["base_score"] = half
    data = json.dumps(document, separators=(",", ":")).encode()
    return Pool(weight=weight, offset=offset, slope=1.0, trees=data)


def _scaled(tree: dict[str, Any], factor: float) -> dict[str, Any]:
    """Tree whose leaves say so much of what they said."""
    leaves = [
        value * factor if child == -1 else value
        for value, child in zip(
            tree["split_conditions"], tree["left_children"], strict=True
        )
    ]
    weights = [factor * value for value in tree["base_weights"]]
    return {**tree, "split_conditions": leaves, "base_weights": weights}


def _n_decisions(tree: dict[str, Any]) -> int:
    return sum(1 for child in tree["left_children"] if child != -1)


def _compile(tree: dict[str, Any], n_predictors: int, width: int) -> dict[str, Any]:
    """Tables of one tree."""
    nodes = [node for node, child in enumerate(tree["left_children"]) if child != -1]
    table: dict[str, Any] = {
        "predictor": np.zeros(DECISIONS, dtype=np.int64),
        "threshold": np.zeros(DECISIONS, dtype=np.float32),
        "default": np.zeros(DECISIONS, dtype=bool),
        "categories": np.zeros((DECISIONS, width), dtype=bool),
        "on_categories": np.zeros(DECISIONS, dtype=bool),
    }
    for k, node in enumerate(nodes):
        table["predictor"][k] = tree["split_indices"][node]
        table["threshold"][k] = tree["split_conditions"][node]
        table["default"][k] = bool(tree["default_left"][node])
        if tree["split_type"][node] == 1:
            table["on_categories"][k] = True
            table["categories"][k] = True
            table["categories"][k, _right_categories(tree, node)] = False
    # decisions that a small tree does not take repeat its first predictor
    table["predictor"][len(nodes) :] = table["predictor"][0]
    value = _conditional_mean(tree, nodes)
    predictors = sorted({int(tree["split_indices"][node]) for node in nodes})
    table["mean"] = value((False,) * len(nodes), ())
    table["shapley"] = np.zeros((ROWS, n_predictors))
    for row in range(ROWS):
        bits = tuple(bool(row >> k & 1) for k in range(len(nodes)))
        for k in predictors:
            table["shapley"][row, k] = _shapley(value, bits, predictors, k)
    return table


def _right_categories(tree: dict[str, Any], node: int) -> list[int]:
    at = tree["categories_nodes"].index(node)
    start, size = tree["categories_segments"][at], tree["categories_sizes"][at]
    return [int(c) for c in tree["categories"][start : start + size]]


_Value = Callable[[tuple[bool, ...], Sequence[int]], float]


def _conditional_mean(tree: dict[str, Any], nodes: list[int]) -> _Value:
    """Mean of the leaves given the decisions on some predictors; others by cover."""
    left, right = tree["left_children"], tree["right_children"]
    cover = tree["sum_hessian"]

    def mean(bits: tuple[bool, ...], known: Sequence[int], node: int = 0) -> float:
        if left[node] == -1:
            # in single precision, as XGBoost sums it
            return float(np.float32(tree["split_conditions"][node]))
        if tree["split_indices"][node] in known:
            return mean(bits, known, (left if bits[nodes.index(node)] else right)[node])
        share = cover[left[node]] / (cover[left[node]] + cover[right[node]])
        below = mean(bits, known, left[node]), mean(bits, known, right[node])
        return float(share * below[0] + (1.0 - share) * below[1])

    return mean


def _shapley(
    value: _Value, bits: tuple[bool, ...], predictors: list[int], k: int
) -> float:
    """Shapley value of predictor k: its mean gain over the orders of the others."""
    others = [j for j in predictors if j != k]
    n = len(predictors)
    total = 0.0
    for size in range(n):
        weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
        for subset in combinations(others, size):
            total += weight * (value(bits, (*subset, k)) - value(bits, subset))
    return total
