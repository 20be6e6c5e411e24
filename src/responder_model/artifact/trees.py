"""Trees from outside: their structure is checked before XGBoost reads them."""

from __future__ import annotations

from typing import Any

from responder_model.artifact.strict_json import parse_json
from responder_model.errors import UntrustedModelError

NAME = "trees.json"
# Lists of a tree that have one entry per node.
_PER_NODE = (
    "left_children",
    "right_children",
    "parents",
    "split_indices",
    "split_conditions",
    "split_type",
    "default_left",
    "base_weights",
    "loss_changes",
    "sum_hessian",
)
_PER_CATEGORY_NODE = ("categories_segments", "categories_sizes")
_MAX_TREES = 10_000


def check_trees(data: bytes, n_predictors: int) -> None:
    """Refuse trees whose nodes point anywhere but to nodes below and to predictors.

    Raises
    ------
    UntrustedModelError
        For anything but a plain boosted tree model over ``n_predictors`` predictors.
    """
    try:
        booster = parse_json(data, NAME)["learner"]["gradient_booster"]
        if booster["name"] != "gbtree":
            _refuse("be plain boosted trees")
        trees = booster["model"]["trees"]
        if not isinstance(trees, list) or not 0 < len(trees) <= _MAX_TREES:
            _refuse(f"hold 1 to {_MAX_TREES} trees")
        groups = booster["model"]["tree_info"]
        if len(groups) != len(trees) or any(group != 0 for group in groups):
            _refuse("predict one outcome")
        for tree in trees:
            _check_tree(tree, n_predictors)
    except (KeyError, TypeError, AttributeError):
        _refuse("have the structure of XGBoost's JSON")


def _refuse(rule: str) -> None:
    msg = f"{NAME} must {rule}."
    raise UntrustedModelError(msg)


def _check_tree(tree: dict[str, Any], n_predictors: int) -> None:
    n_nodes = len(tree["left_children"])
    if n_nodes == 0 or int(tree["tree_param"]["num_nodes"]) != n_nodes:
        _refuse("count the nodes of each tree")
    if any(len(tree[name]) != n_nodes for name in _PER_NODE):
        _refuse("describe every node of each tree")
    for node in range(n_nodes):
        left, right = tree["left_children"][node], tree["right_children"][node]
        if (left == -1) != (right == -1):
            _refuse("have two branches or none at each node")
        for child in (left, right):
            if type(child) is not int or not (child == -1 or node < child < n_nodes):
                _refuse("branch to nodes further down only")
        predictor = tree["split_indices"][node]
        if type(predictor) is not int or not 0 <= predictor < n_predictors:
            _refuse("split on the model's predictors only")
    _check_categories(tree, n_nodes)


def _check_categories(tree: dict[str, Any], n_nodes: int) -> None:
    starts, sizes = (tree[name] for name in _PER_CATEGORY_NODE)
    nodes, categories = tree["categories_nodes"], tree["categories"]
    if not len(starts) == len(sizes) == len(nodes):
        _refuse("describe every split on categories")
    for start, size, node in zip(starts, sizes, nodes, strict=True):
        if start < 0 or size < 0 or start + size > len(categories):
            _refuse("name the categories of each split")
        if not 0 <= node < n_nodes:
            _refuse("split on categories at its own nodes")
    split = sum(1 for kind in tree["split_type"] if kind == 1)
    if split != len(nodes) or any(c < 0 or c > 2**24 for c in categories):
        _refuse("name the categories of each split")
