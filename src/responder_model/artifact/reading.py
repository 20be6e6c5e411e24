"""Read a model back from plain data, every part checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from responder_model.cumulative_logit.earlier import Misfit, Missed
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.evidence import Evidence
from responder_model.features import Encoder, Population
from responder_model.features.columns import Column, curve_of
from responder_model.model import (
    CentreLevel,
    Component,
    Limits,
    LinearPart,
    Model,
    Pool,
)
from responder_model.model.fitted import PROVENANCES
from responder_model.model.limits import category_names, preceding_test
from responder_model.schema import Decision, Dictionary, Field
from responder_model.words import Note
from . import records
from .document import FORMAT_VERSION, model_document, performance_document, rounded
from .node import Node

_TRANSFORMS = ("identity", "log", "log1p")
_KEYS = (
    "format_version",
    "decision",
    "moment",
    "provenance",
    "name",
    "n_patients",
    "n_events",
    "linear",
    "mean_variance",
    "discrepancy",
    "centres",
    "pool",
    "encoder",
    "population",
    "limits",
    "components",
    "cut_components",
    "missed",
    "priors",
    "settings",
    "sample_size",
    "excluded_evidence",
    "notes",
    "parent",
    "disclosure",
    "fingerprints",
)
# The dictionary stands in a file of its own.
_ENCODER_KEYS = [row.name for row in fields(Encoder) if row.name != "dictionary"]
_COLUMN_KEYS = [row.name for row in fields(Column)]
_COMPONENT_KEYS = [row.name for row in fields(Component)]
_LIMITS_KEYS = [row.name for row in fields(Limits)]


def as_published(model: Model) -> Model:
    """Model with every float at ``PUBLISHED_DIGITS`` digits: what a folder will hold.

    A published model goes through this when it is built, so that it predicts bit for
    bit the same before and after it is saved. Its evidence is kept (``as_kept``).
    """
    document = model_document(model)
    trees = None if model.pool is None else model.pool.trees
    performance = rounded(performance_document(model.performance))
    return read_document(
        document,
        table=model.dictionary,
        evidence=lambda _: model.evidence,
        trees=trees,
        performance=performance,
    )


def read_document(
    document: Any,
    *,
    table: Dictionary,
    evidence: Callable[[str], Evidence],
    trees: bytes | None,
    performance: Any,
) -> Model:
    """Rebuild a model from its documents and its own dictionary.

    ``evidence`` gives what is behind a model of a decision.

    Raises
    ------
    UntrustedModelError
        For anything that this version and that dictionary do not know.
    """
    node = Node.of(document, "model.json")
    if node.value.get("format_version") != FORMAT_VERSION:
        node.refuse(Note("artifact.format", n=FORMAT_VERSION))
    rare = {"mapping"} & set(node.value)
    node = Node.of(document, "model.json", (*_KEYS, *rare))
    decision = _check_target(node, table)
    encoder = _read_encoder(node.table("encoder", _ENCODER_KEYS), table)
    if (encoder.decision, encoder.moment) != (decision.name, node.text("moment")):
        node.refuse("have an encoder of its own decision and moment")
    try:
        return Model(
            decision=decision.name,
            moment=encoder.moment,
            provenance=node.text("provenance", PROVENANCES),
            name=node.text("name"),
            encoder=encoder,
            population=_read_population(node, len(encoder.columns)),
            limits=_read_limits(node.table("limits", _LIMITS_KEYS), encoder),
            linear=_read_linear(node, decision, len(encoder.columns)),
            mean_variance=node.number("mean_variance", 0.0),
            discrepancy=node.number("discrepancy", 0.0),
            centres=_read_centres(node, len(encoder.columns)),
            components=_read_components(node, node, len(encoder.derived)),
            cut_components=_read_cut_components(node, len(encoder.derived)),
            missed=_read_missed(node.table("missed", ("interactions", "slopes"))),
            priors=records.read_priors(node, encoder),
            evidence=evidence(decision.name),
            pool=_read_pool(node, trees),
            settings=records.read_settings(node, encoder),
            sample_size=records.read_sample_size(node, table),
            performance=records.read_performance(performance, table),
            n_patients=node.count("n_patients"),
            n_events=node.count("n_events", node.count("n_patients")),
            excluded_evidence=node.texts("excluded_evidence"),
            notes=records.read_notes(node, table),
            mapping=records.read_mapping(node) if rare else {},
            parent=records.read_digest(node, "parent"),
            disclosure=records.read_disclosure(node, encoder),
            fingerprints=records.read_fingerprints(node),
        )
    except UntrustedModelError:
        raise
    except ResponderModelError as error:
        raise UntrustedModelError(error.said) from None


def _check_target(node: Node, table: Dictionary) -> Decision:
    decision = node.text("decision", table.decisions)
    known = table.decisions[decision]
    node.text("moment", known.moments)
    return known


def _read_encoder(node: Node, table: Dictionary) -> Encoder:
    target = _check_target(node, table)
    decision, moment = target.name, node.text("moment")
    known = [row.name for row in table.predictors(decision, moment)]
    predictors = node.texts("predictors", known)
    if not predictors or sorted(predictors, key=known.index) != list(predictors):
        node.refuse("list predictors in the order of the dictionary")
    columns = tuple(
        _read_column(row, predictors, table)
        for row in node.tables("columns", _COLUMN_KEYS)
    )
    names = [column.name for column in columns]
    if not names or len(set(names)) != len(names):
        node.refuse("have columns, each with its own name")
    _check_columns(node, predictors, columns, table)
    derived = node.texts("derived")
    return Encoder(
        decision=decision,
        moment=moment,
        predictors=predictors,
        columns=columns,
        derived=derived,
        projection=node.array("projection", (len(derived), len(columns))),
        dictionary=table,
    )


def _check_columns(
    node: Node,
    predictors: tuple[str, ...],
    columns: tuple[Column, ...],
    table: Dictionary,
) -> None:
    """Each category has columns; each number or yes/no one of its own name.

    A number may have a curve, too.
    """
    for name in predictors:
        row = table.fields[name]
        found = [column.name for column in columns if column.predictor == name]
        due = [] if row.indicates is not None else [name]
        if row.kind == "number" and len(found) > 1:
            due.append(curve_of(name))
        if found != due and not (row.kind == "category" and found):
            node.refuse(f"have the columns of {name}")


def _read_column(node: Node, predictors: tuple[str, ...], table: Dictionary) -> Column:
    predictor = node.text("predictor", predictors)
    row = table.fields[predictor]
    n_weights = len(row.categories)
    scale = node.number("scale", 0.0)
    if scale == 0.0:
        node.refuse("have a scale above 0")
    transform = node.text("transform", _TRANSFORMS)
    if transform != row.transform:
        node.refuse("transform its predictor as the dictionary does")
    return Column(
        name=node.text("name"),
        predictor=predictor,
        transform=transform,
        centre=node.number("centre"),
        scale=scale,
        weights=tuple(node.array("weights", (n_weights,)).tolist()),
    )


def _read_population(node: Node, n_columns: int) -> Population:
    part = node.table("population", ("mean", "covariance", "n_patients"))
    covariance = part.covariance("covariance", n_columns)
    if (np.diag(covariance) < 0.0).any():
        part.refuse("have no negative variance")
    return Population(
        mean=part.array("mean", (n_columns,)),
        covariance=covariance,
        n_patients=part.count("n_patients"),
    )


def _read_linear(
    node: Node, decision: Decision, n_columns: int
) -> tuple[LinearPart, ...]:
    keys = ("cut_point", "intercept", "coefficients", "covariance")
    parts = []
    for row in node.tables("linear", keys):
        cut = row.number("cut_point")
        if cut not in decision.cut_points:
            row.refuse("have a cut-off of the dictionary")
        parts.append(
            LinearPart(
                cut_point=decision.cut_points[decision.cut_points.index(cut)],
                intercept=row.number("intercept"),
                coefficients=row.array("coefficients", (n_columns,)),
                covariance=row.covariance("covariance", n_columns + 1),
            )
        )
    return tuple(parts)


def _read_centres(node: Node, n_columns: int) -> tuple[CentreLevel, ...]:
    n_served = len(node.items("linear"))
    levels = tuple(
        CentreLevel(
            name=row.text("name"),
            shift=row.array("shift", (n_served,)),
            variance=row.array("variance", (n_columns + 1,)),
        )
        for row in node.tables("centres", ("name", "shift", "variance"))
    )
    if len({level.name for level in levels}) != len(levels):
        node.refuse("have centres, each with its own name")
    return levels


def _read_components(
    document: Node, node: Node, n_derived: int
) -> tuple[Component, ...]:
    n_derived += len(document.items("centres"))
    return tuple(
        _read_component(row, n_derived)
        for row in node.tables("components", _COMPONENT_KEYS)
    )


def _read_cut_components(
    node: Node, n_derived: int
) -> tuple[tuple[Component, ...], ...]:
    """Components at each served cut-off, over its intercept and the coefficients."""
    found = tuple(
        _read_components(node, row, n_derived)
        for row in node.tables("cut_components", ("components",))
    )
    size = 1 + n_derived + len(node.items("centres"))
    if any(not parts or len(parts[0].mean) != size for parts in found):
        node.refuse("have components at each cut-off, over all coefficients")
    if found and len(found) != len(node.items("linear")):
        node.refuse("have components at each served cut-off")
    return found


def _read_missed(node: Node) -> Missed:
    rows = (node.table(key, ("information", "score")) for key in node.value)
    found = [
        Misfit(information=row.number("information", 0.0), score=row.number("score"))
        for row in rows
    ]
    return Missed(interactions=found[0], slopes=found[1])


def _read_component(node: Node, n_derived: int) -> Component:
    size = len(node.items("mean"))
    if size <= n_derived:
        node.refuse(f"have cut points and {n_derived} coefficients")
    prior_sd = node.array("prior_sd", (size,))
    if (prior_sd < 0.0).any():
        node.refuse("have no negative prior SD")
    return Component(
        name=node.text("name"),
        prior_mean=node.array("prior_mean", (size,)),
        prior_sd=prior_sd,
        prior_weight=node.number("prior_weight", 0.0, 1.0),
        weight=node.number("weight", 0.0, 1.0),
        log_evidence=node.number("log_evidence"),
        mean=node.array("mean", (size,)),
        covariance=node.covariance("covariance", size),
        centre_sd=node.number("centre_sd", 0.0),
    )


def _read_pool(node: Node, trees: bytes | None) -> Pool | None:
    if node.value["pool"] is None:
        if trees is not None:
            node.refuse("have a pool when trees.json is there")
        return None
    if trees is None:
        node.refuse("have no pool when trees.json is absent")
    pool = node.table("pool", ("weight", "offset", "slope"))
    weight = pool.number("weight", 0.0, 1.0)
    if weight == 0.0:
        pool.refuse("have a weight above 0")
    return Pool(
        weight=weight,
        offset=pool.number("offset"),
        slope=pool.number("slope", 0.0),
        trees=trees,
    )


def _read_limits(node: Node, encoder: Encoder) -> Limits:
    numbers = [row.name for row in encoder.fields if row.kind == "number"]
    others = {row.name: row for row in encoder.fields if row.kind != "number"}
    bounds, seen = node.table("numbers"), node.table("seen")
    for name in bounds.value:
        _check_known(bounds, name, numbers)
        row = bounds.table(name, ("usual", "widest"))
        usual, widest = row.array("usual", (2,)), row.array("widest", (2,))
        if not widest[0] <= usual[0] <= usual[1] <= widest[1]:
            row.refuse("have the usual bounds within the widest")
    for name in seen.value:
        _check_known(seen, name, list(others))
        names = category_names(others[name])
        for value in (row := seen.table(name)).value:
            _check_known(row, value, names)
            row.text(value, ("none", "few", "enough"))
        if len(row.value) != len(names):
            row.refuse("have every category of the dictionary")
    _check_pairs(node, others)
    node.number("widest_distance", node.number("usual_distance", 0.0))
    if node.value["non_responders"] is not None:
        node.text("non_responders", ("few", "enough"))
    if (node.value["non_responders"] is None) != (preceding_test(encoder) is None):
        node.refuse("class non_responders where a test precedes, and nowhere else")
    return Limits.from_json(node.value)


def _check_known(node: Node, name: str, known: Any) -> None:
    if name not in known:
        node.refuse(f"be known to the dictionary, got {name[:40]!r}")


def _check_pairs(node: Node, others: dict[str, Field]) -> None:
    for pair in node.items("never_together"):
        if not isinstance(pair, list) or len(pair) != 4:
            node.refuse("have pairs of two predictors and two categories")
        for name, value in (pair[:2], pair[2:]):
            _check_known(node, str(name), list(others))
            _check_known(node, str(value), others[str(name)].category_names)
