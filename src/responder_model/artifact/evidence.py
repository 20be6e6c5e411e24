"""The evidence behind a model, as its folder keeps it."""

from __future__ import annotations

from typing import Any

from responder_model.evidence import (
    Declarations,
    Evidence,
    EvidenceRow,
    packaged_evidence,
)
from responder_model.evidence.rows import STATUSES
from responder_model.frozen import FrozenDict
from responder_model.model import Model
from .document import evidence_document, rounded
from .kinds import read_as
from .node import Node

_PLACE = "evidence.json"


def as_kept(evidence: Evidence, decision: str) -> Evidence:
    """Evidence behind a published model, as its folder will give it back."""
    return read_evidence(rounded(evidence_document(evidence)), decision)


def read_evidence(document: Any, decision: str) -> Evidence:
    """Rows and declarations of ``evidence_document``, each part checked.

    Raises
    ------
    UntrustedModelError
        For another kind of value, a row of another decision or without a positive
        standard error, or a name used twice.
    """
    node = Node.of(document, _PLACE, ("rows", "declarations"))
    rows = read_as(node.items("rows"), tuple[EvidenceRow, ...], f"{_PLACE}.rows")
    declared = read_as(
        node.items("declarations"),
        tuple[Declarations, ...],
        f"{_PLACE}.declarations",
    )
    named = {row.id: row for row in rows}
    if len(named) != len(rows) or not all(_is_row(row, decision) for row in rows):
        node.refuse("have rows on the decision, each once, with numbers that are one")
    if [one.decision for one in declared] not in ([], [decision]):
        node.refuse("declare the priors of the decision")
    for one in declared:
        if not all(row.per is None or row.per > 0.0 for row in one.priors):
            node.refuse("declare effects per more than nothing")
    return Evidence(
        rows=FrozenDict(named),
        declarations=FrozenDict({one.decision: one for one in declared}),
    )


def _is_row(row: EvidenceRow, decision: str) -> bool:
    has_se = row.effect is None or (row.se is not None and row.se > 0.0)
    return row.decision == decision and row.status in STATUSES and has_se


def is_as_installed(model: Model) -> bool:
    """Whether the evidence behind a model is what is installed today."""
    without = model.excluded_evidence
    today = packaged_evidence().behind(model.decision, without=without)
    own, now = (rounded(evidence_document(one)) for one in (model.evidence, today))
    return bool(own == now)
