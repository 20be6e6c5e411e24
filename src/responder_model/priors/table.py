"""The priors of a decision model, printed with the evidence that they rest on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from responder_model.evidence import (
    Combination,
    Evidence,
    EvidenceRow,
    PriorDeclaration,
    combine,
    packaged_evidence,
)
from .build import build_priors
from .sets import ColumnPrior, PriorSet

_NORMAL_975 = 1.959964


@dataclass(frozen=True, kw_only=True)
class PriorRow:
    """One line of the prior table.

    Parameters
    ----------
    column : str
        Model column.
    mean, sd : float
        The prior in use: log-odds per reference unit, other columns held fixed.
    odds_ratio, lower, upper : float
        Its odds ratio with the range that holds 95 % of the prior.
    status, note : str
        ``evidence`` or ``judgement``; remark.
    declared_mean, declared_sd, declared_unit : float, float, str
        As declared, before effects were made conditional, capped and scaled.
    pooled : Combination or None
        Random-effects combination of the rows with numbers on this contrast.
    sources : tuple of EvidenceRow
        Every row on this contrast that was not excluded.
    """

    column: str
    mean: float
    sd: float
    odds_ratio: float
    lower: float
    upper: float
    status: str
    note: str
    declared_mean: float
    declared_sd: float
    declared_unit: str
    pooled: Combination | None
    sources: tuple[EvidenceRow, ...]


def prior_table(
    decision: str, moment: str | None = None, *, exclude_evidence: Iterable[str] = ()
) -> tuple[PriorRow, ...]:
    """Return the prior of every model column beside what was published.

    Parameters
    ----------
    decision, moment, exclude_evidence
        As for ``build_priors``.

    Raises
    ------
    EvidenceError
        For an unknown overlap group.

    Examples
    --------
    >>> table = prior_table("rtms_response", "screening")
    >>> row = next(row for row in table if row.column == "lesion_type=central")
    >>> round(row.odds_ratio, 2), row.pooled.n_studies, len(row.sources)
    (1.54, 2, 4)
    """
    priors = build_priors(decision, moment, exclude_evidence=exclude_evidence)
    return prior_rows(priors, packaged_evidence())


def prior_rows(priors: PriorSet, evidence: Evidence) -> tuple[PriorRow, ...]:
    """Return the prior of every model column beside the evidence of a model.

    Of a model itself: ``prior_rows(priors, model.evidence)``, whatever is installed.
    """
    declared = evidence.declarations.get(priors.decision)
    return tuple(
        _row(
            name,
            prior,
            None if declared is None else declared.find(name, priors.moment),
            priors,
            evidence,
        )
        for name, prior in priors.columns.items()
    )


def evidence_to_json(
    decision: str, moment: str | None = None, *, exclude_evidence: Iterable[str] = ()
) -> dict[str, Any]:
    """Return priors, table and evidence rows as plain data.

    Examples
    --------
    >>> parts = evidence_to_json("emcs_success")
    >>> sorted(parts)
    ['evidence', 'priors', 'table']
    """
    priors = build_priors(decision, moment, exclude_evidence=exclude_evidence)
    lines = []
    for row in prior_rows(priors, packaged_evidence()):
        line = asdict(row)
        line["sources"] = [source.id for source in row.sources]
        if row.pooled is not None:
            line["pooled"]["rows"] = list(row.pooled.rows)
        lines.append(line)
    return {
        "priors": priors.to_json(),
        "table": lines,
        "evidence": [asdict(row) for row in bearing_on(priors)],
    }


def _row(
    name: str,
    prior: ColumnPrior,
    declared: PriorDeclaration | None,
    priors: PriorSet,
    evidence: Evidence,
) -> PriorRow:
    sources: tuple[EvidenceRow, ...] = ()
    if declared is not None and declared.contrast:
        sources = evidence.on_contrast(
            priors.decision, declared.contrast, without=priors.excluded
        )
    lower, upper = (prior.mean + side * _NORMAL_975 * prior.sd for side in (-1, 1))
    return PriorRow(
        column=name,
        mean=prior.mean,
        sd=prior.sd,
        odds_ratio=math.exp(prior.mean),
        lower=math.exp(lower),
        upper=math.exp(upper),
        status=prior.status,
        note=prior.note,
        declared_mean=declared.mean if declared else 0.0,
        declared_sd=declared.sd if declared else prior.sd,
        declared_unit=declared.unit if declared else "",
        pooled=_pooled(sources),
        sources=sources,
    )


def _pooled(rows: Sequence[EvidenceRow]) -> Combination | None:
    numbers = [row for row in rows if row.has_number and row.primary]
    return combine(numbers) if numbers else None


def bearing_on(priors: PriorSet) -> tuple[EvidenceRow, ...]:
    """Rows on the decision, excluded ones left out, sorted by contrast."""
    rows = [
        row
        for row in packaged_evidence().rows.values()
        if row.decision == priors.decision and row.overlap_group not in priors.excluded
    ]
    order = {row.contrast: k for k, row in reversed(list(enumerate(rows)))}
    return tuple(sorted(rows, key=lambda row: order[row.contrast]))
