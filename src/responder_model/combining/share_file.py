"""The file that leaves a centre: strict JSON that carries its own digest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from responder_model.artifact.document import plain, rounded
from responder_model.artifact.manifest import sha256
from responder_model.artifact.node import Node, lower_triangle
from responder_model.artifact.records import read_fingerprints
from responder_model.artifact.strict_json import canonical_json, parse_json
from responder_model.development import published_model
from responder_model.disclosure import FEWEST, Disclosure
from responder_model.disclosure.release import release
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.evidence import packaged_evidence
from responder_model.features import Array, Population
from responder_model.model import Model
from responder_model.words import Note
from .contribution import Contribution, own_priors
from .members import digests_of
from .product import Likelihoods

FORMAT = "responder_model.share.1"
_MOST_BYTES = 8 * 2**20
_KEYS = (
    "format",
    "decision",
    "moment",
    "name",
    "provenance",
    "n_patients",
    "n_events",
    "cut_points",
    "columns",
    "small_cells",
    "excluded_evidence",
    "evidence",
    "components",
    "population",
    "discrepancy",
    "fingerprints",
    "digest",
)


def what_leaves(found: Contribution) -> bytes:
    """Return the bytes of the file: the same for the same patients and key.

    Raises
    ------
    ResponderModelError
        For a contribution that was read from a file, or is of a whole folder.
    """
    document = rounded(plain(_document(found)))
    content = canonical_json(document)
    return canonical_json({**document, "digest": sha256(content)})


def release_share(found: Contribution, data: bytes) -> None:
    """Let a file leave, beside what has left, and remember that it did.

    Raises
    ------
    DisclosureError
        For one that tells of a few patients, alone or beside an earlier one.
    """
    release(
        decision=found.decision,
        digest=str(parse_json(data, "share")["digest"]),
        columns=tuple(
            c.name for c in _base(found.decision, found.moment).encoder.columns
        ),
        disclosure=found.disclosure,
        fingerprints=found.fingerprints,
    )


def read_share(path: str | os.PathLike[str]) -> Contribution:
    """Read a file that ``responder-model share`` wrote in another centre.

    Raises
    ------
    UntrustedModelError
        For anything else, one that was changed since, that speaks of other columns or
        cut points, rests on other evidence, or holds what no patients can say.
    """
    name = Path(path).name
    node = Node.of(_parsed(_read(path), name), name)
    node = Node.of(node.value, name, _KEYS)
    content = {key: part for key, part in node.value.items() if key != "digest"}
    if node.text("digest") != sha256(canonical_json(content)):
        raise UntrustedModelError(Note("combining.share_changed", name=name))
    try:
        base = _base(node.text("decision"), node.text("moment"))
    except ResponderModelError as error:
        raise UntrustedModelError(error.said) from None
    return _read_contribution(node, base)


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError:
        said = Note("combining.no_file", name=Path(path).name)
        raise UntrustedModelError(said) from None
    if len(data) > _MOST_BYTES:
        raise UntrustedModelError(Note("combining.no_share", name=Path(path).name))
    return data


def _parsed(data: bytes, name: str) -> Any:
    said = Note("combining.no_share", name=name)
    try:
        found = parse_json(data, name)
    except UntrustedModelError:
        raise UntrustedModelError(said) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise UntrustedModelError(said)
    return found


def _base(decision: str, moment: str) -> Model:
    """Whose columns and cut points are meant: those that are installed."""
    return published_model(decision, moment)


# ---------------------------------------------------------------- writing


def _document(found: Contribution) -> dict[str, Any]:
    base, rule, prints = (
        _base(found.decision, found.moment),
        found.disclosure,
        found.fingerprints,
    )
    if found.model is None or rule is None:
        raise ResponderModelError(Note("combining.share_again"))
    kept = _base_columns(base, found.columns)
    names = [base.encoder.columns[k].name for k in kept]
    evidence = packaged_evidence().behind(
        found.decision, without=found.excluded_evidence
    )
    return {
        "format": FORMAT,
        "decision": found.decision,
        "moment": found.moment,
        "name": found.name,
        "provenance": found.provenance,
        "n_patients": found.n_patients,
        "n_events": found.n_events,
        "cut_points": base.rules.cut_points,
        "columns": found.columns,
        "small_cells": rule.k,
        "excluded_evidence": found.excluded_evidence,
        "evidence": digests_of(evidence),
        "components": list(_components(found)),
        "population": {
            "columns": {name: _meaning(base, name) for name in names},
            "mean": found.population.mean[kept],
            "covariance": lower_triangle(
                found.population.covariance[np.ix_(kept, kept)]
            ),
            "n_patients": found.population.n_patients,
        },
        "discrepancy": found.discrepancy,
        "fingerprints": None if prints is None else asdict(prints),
    }


def _components(found: Contribution) -> Iterator[dict[str, Any]]:
    priors = own_priors(_base(found.decision, found.moment), found.excluded_evidence)
    part = found.likelihoods
    for k, prior in enumerate(priors):
        yield {
            "name": prior.name,
            "precision": lower_triangle(part.precision[k]),
            "vector": part.vector[k],
            "constant": part.constant[k],
        }


def _meaning(base: Model, name: str) -> str:
    """Digest of what a base column is: its predictor, unit and contrast."""
    (column,) = (one for one in base.encoder.columns if one.name == name)
    return sha256(canonical_json(plain(asdict(column))))[:16]


def _base_columns(base: Model, columns: tuple[str, ...]) -> list[int]:
    """Places of the base columns behind model columns."""
    encoder = base.encoder
    rows = [encoder.derived.index(name) for name in columns]
    touched = (encoder.projection[rows] != 0.0).any(axis=0)
    return [int(k) for k in np.flatnonzero(touched)]


# ---------------------------------------------------------------- reading


def _read_contribution(node: Node, base: Model) -> Contribution:
    columns = node.texts("columns", base.encoder.derived)
    columns = tuple(name for name in base.encoder.derived if name in columns)
    cuts = base.rules.cut_points
    if node.items("cut_points") != list(map(float, cuts)):
        _differs(node, "cut_points")
    n = node.count("n_patients")
    excluded = _read_evidence(node, base)
    priors = own_priors(base, excluded)
    return Contribution(
        name=node.text("name"),
        decision=base.decision,
        moment=base.moment,
        provenance=node.text("provenance", ("cohort", "simulated")),
        digest=node.text("digest"),
        n_patients=n,
        n_events=node.count("n_events", n),
        excluded_evidence=excluded,
        columns=columns,
        likelihoods=_read_likelihoods(
            node, [prior.name for prior in priors], len(cuts) + len(columns)
        ),
        population=_read_population(node, base, columns),
        discrepancy=node.number("discrepancy", 0.0),
        disclosure=_read_rule(node, base, columns),
        fingerprints=read_fingerprints(node),
    )


def _differs(node: Node, *what: str) -> None:
    raise UntrustedModelError(
        Note("combining.share_differs", name=node.place, what=what)
    )


def _read_evidence(node: Node, base: Model) -> tuple[str, ...]:
    """Overlap groups left out, where all other evidence is what is installed here."""
    known = packaged_evidence()
    excluded = node.texts("excluded_evidence", known.overlap_groups)
    here = digests_of(known.behind(base.decision, without=excluded))
    there = node.table("evidence").value
    rows = [
        name
        for name in dict.fromkeys((*map(str, there), *here))
        if there.get(name) != here.get(name)
    ]
    if rows:
        _differs(node, *(row[:60] for row in rows))
    return tuple(excluded)


def _read_likelihoods(node: Node, names: list[str], size: int) -> Likelihoods:
    rows = node.tables("components", ("name", "precision", "vector", "constant"))
    if [row.text("name") for row in rows] != names:
        _differs(node, "components")
    return Likelihoods(
        precision=np.array([_symmetric(row, "precision", size) for row in rows]),
        vector=np.array([row.array("vector", (size,)) for row in rows]),
        constant=np.array([row.number("constant") for row in rows]),
    )


def _symmetric(row: Node, key: str, size: int) -> Array:
    """Symmetric matrix from its lower triangle; a likelihood need be no covariance."""
    lines = row.items(key)
    if [len(one) if isinstance(one, list) else -1 for one in lines] != list(
        range(1, size + 1)
    ):
        row.refuse(f"have a lower triangle of {size} rows as {key}")
    flat = Node(value={key: sum(lines, [])}, place=row.place)
    matrix = np.zeros((size, size))
    matrix[np.tril_indices(size)] = flat.array(key, (size * (size + 1) // 2,))
    return np.asarray(matrix + np.tril(matrix, -1).T)


def _read_population(node: Node, base: Model, columns: tuple[str, ...]) -> Population:
    part = node.table("population", ("columns", "mean", "covariance", "n_patients"))
    kept = _base_columns(base, columns)
    names = [base.encoder.columns[k].name for k in kept]
    meant = part.table("columns").value
    wrong = [name for name in names if meant.get(name) != _meaning(base, name)]
    if wrong or len(meant) != len(names):
        _differs(node, *(wrong or ["columns"]))
    found = Population(
        mean=part.array("mean", (len(kept),)),
        covariance=part.covariance("covariance", len(kept)),
        n_patients=part.count("n_patients", node.value["n_patients"]),
    )
    reference = Population.reference(base.encoder)
    return found.extended(reference, np.array(kept, dtype=np.int64))


def _read_rule(node: Node, base: Model, columns: tuple[str, ...]) -> Disclosure:
    """The rule that the other centre followed."""
    k, n = node.count("small_cells"), node.value["n_patients"]
    if k < FEWEST:
        node.refuse("say by which rule its patients are protected")
    held = {base.encoder.columns[place].name for place in _base_columns(base, columns)}
    return Disclosure(
        k=k,
        n=n,
        n_since_release=n,
        events_since_release=node.value["n_events"],
        parameters=len(base.rules.cut_points) + len(columns),
        contrasts_left_out=tuple(
            one.name for one in base.encoder.columns if one.name not in held
        ),
    )
