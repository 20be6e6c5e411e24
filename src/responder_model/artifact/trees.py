"""Trees from outside: their structure is checked before anything reads them."""

from __future__ import annotations

from typing import Any, NoReturn

from responder_model.errors import UntrustedModelError
from responder_model.features import Encoder
from responder_model.model.trees import DECISIONS
from responder_model.words import Note
from .strict_json import parse_json

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
_MAX_TREES = 10_000
# Largest number that single precision holds, rounded down.
_MAX_FLOAT32 = 3.4e38


def check_trees(data: bytes, encoder: Encoder) -> None:
    """Refuse trees whose nodes point anywhere but to nodes below and to predictors.

    Raises
    ------
    UntrustedModelError
        For anything but plain boosted trees for a yes/no outcome over the encoder's
        raw predictors.
    """
    sizes = [len(row.categories) for row in encoder.fields]
    try:
        learner = parse_json(data, NAME)["learner"]
        _check_outcome(learner)
        booster = learner["gradient_booster"]
        if booster["name"] != "gbtree":
            _refuse("be plain boosted trees")
        trees = booster["model"]["trees"]
        if not isinstance(trees, list) or not 0 < len(trees) <= _MAX_TREES:
            _refuse(f"hold 1 to {_MAX_TREES} trees")
        groups = booster["model"]["tree_info"]
        if len(groups) != len(trees) or any(group != 0 for group in groups):
            _refuse("predict one outcome")
        for tree in trees:
            _check_nodes(tree, sizes)
            _check_categories(tree, sizes)
    except (KeyError, TypeError, AttributeError, ValueError):
        _refuse("have the structure of XGBoost's JSON")


def _refuse(rule: str) -> NoReturn:
    raise UntrustedModelError(Note("artifact.forged", place=NAME, rule=rule))


def _check_outcome(learner: dict[str, Any]) -> None:
    share = float(learner["learner_model_param"]["base_score"].strip("[]"))
    if learner["objective"]["name"] != "binary:logistic" or not 1e-6 < share < 1 - 1e-6:
        _refuse("predict the log-odds of a yes/no outcome")


def _check_nodes(tree: dict[str, Any], sizes: list[int]) -> None:
    n_nodes = len(tree["left_children"])
    if n_nodes == 0 or int(tree["tree_param"]["num_nodes"]) != n_nodes:
        _refuse("count the nodes of each tree")
    # deeper trees would be left to XGBoost, whose reader a forged file can crash
    if sum(child != -1 for child in tree["left_children"]) > DECISIONS:
        _refuse(f"take at most {DECISIONS} decisions in each tree")
    if any(len(tree[name]) != n_nodes for name in _PER_NODE):
        _refuse("describe every node of each tree")
    for name in ("split_conditions", "sum_hessian"):
        if not all(_is_number(value) for value in tree[name]):
            _refuse("hold numbers of single precision")
    for node in range(n_nodes):
        _check_node(tree, node, n_nodes, sizes)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= _MAX_FLOAT32


def _check_node(
    tree: dict[str, Any], node: int, n_nodes: int, sizes: list[int]
) -> None:
    children = tree["left_children"][node], tree["right_children"][node]
    if (children[0] == -1) != (children[1] == -1):
        _refuse("have two branches or none at each node")
    for child in children:
        if type(child) is not int or not (child == -1 or node < child < n_nodes):
            _refuse("branch to nodes further down only")
    predictor = tree["split_indices"][node]
    if type(predictor) is not int or not 0 <= predictor < len(sizes):
        _refuse("split on the model's predictors only")
    if tree["default_left"][node] not in (0, 1):
        _refuse("say where missing values go")
    if children[0] != -1:
        if not sum(tree["sum_hessian"][child] for child in children) > 0.0:
            _refuse("have patients at each node")
        if tree["split_type"][node] != (1 if sizes[predictor] else 0):
            _refuse("split on categories where the predictor has them")


def _check_categories(tree: dict[str, Any], sizes: list[int]) -> None:
    nodes, categories = tree["categories_nodes"], tree["categories"]
    starts, lengths = tree["categories_segments"], tree["categories_sizes"]
    split = [
        node
        for node, kind in enumerate(tree["split_type"])
        if kind == 1 and tree["left_children"][node] != -1
    ]
    if nodes != split or not len(starts) == len(lengths) == len(nodes):
        _refuse("describe every split on categories")
    for node, start, length in zip(nodes, starts, lengths, strict=True):
        if type(start) is not int or type(length) is not int or min(start, length) < 0:
            _refuse("name the categories of each split")
        named = categories[start : start + length]
        size = sizes[tree["split_indices"][node]]
        if len(named) != length or any(
            type(code) is not int or not 0 <= code < size for code in named
        ):
            _refuse("name the categories of each split")
