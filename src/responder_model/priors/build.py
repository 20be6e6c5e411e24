"""From declared effects to the prior of every model column.

Five steps, each printed by ``responder-model evidence``:

1. *Declare.* Each model column takes the mean and SD declared for it, in its own
   reference units; a column that nobody wrote evidence for is N(0, s²), judgement,
   with the s that the dictionary gives its field (``default_prior_sd``).
2. *Exclude.* A cohort must not meet its own patients in the prior. A prior with a
   number from an excluded overlap group is rebuilt from the remaining rows on its
   contrast: what random effects predict for a new study, but never narrower than
   declared and never further from 0, since the declared mean is a shrunken one and a
   study that contradicted the others may be what was excluded. With no number left it
   becomes N(0, m² + s²): size as published, sign unknown. A judgement stands as long
   as one of the rows that it names does. The anchor is rebuilt in the same way, without
   the bound on its mean, and from rates of its own protocol only: daily sessions end
   higher than spaced ones.
3. *Condition.* An odds ratio published over mixed patients is smaller than the one at
   given other predictors (it is not collapsible). With T the variance of the linear
   predictor, and T - t what is left of it once one predictor is known, that predictor's
   published slope is multiplied by sqrt(1 + pi·(T - t)/8), anchor and gaps by
   sqrt(1 + pi·T/8): E expit(c·x + s·Z) ≈ expit(c·x / sqrt(1 + pi·s²/8)), so that
   averaging over the others gives back what was published, and the models after
   sessions, averaged over relief, the one at screening. Where predictors share
   information (questionnaires; three forms of relief from rTMS) the slopes u become
   conditional ones, b = R⁻¹u in SD units, R being the dictionary's correlations; a
   member whose sign this would turn says nothing beyond the others and gets 0. A member
   whose evidence was excluded is left out of R.
4. *Cap.* What the prior means claim without a patient stays modest: the c-statistic
   that they imply in the reference population must not exceed 0.68. Published effect
   sizes stay as they are; the *judgement* means of predictors known at screening are
   multiplied by one common factor, the largest of 0.00, 0.01, ..., 1.00 that respects
   the cap. Models after session 1, 2, 3 use the factor of screening: their relief
   slope is a declared judgement of its own, printed but not capped.
5. *Join.* Declared SDs stand for one effect each. All of them at once are multiplied by
   ``sd_factor``: what the prior claims of the best possible model is checked on draws
   (``development.published.claimed_c_statistics``).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_model.evidence import (
    Combination,
    Declarations,
    Evidence,
    PriorDeclaration,
    combine,
    declarations_for,
    packaged_evidence,
)
from responder_model.features import Array, Encoder, Population
from responder_model.schema import dictionary
from . import discrimination
from .conditional import PROBIT, condition, conditional_sds, variance_of
from .sets import ColumnPrior, PriorSet

# Ceiling of what is claimed without patients (judgement; the literature: two odds
# ratios from one centre, and no factor in a trial).
C_STATISTIC_CAP = 0.68

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Columns:
    """Model columns, a predictor of each, reference covariance, which hold relief."""

    names: tuple[str, ...]
    predictors: tuple[str, ...]
    covariance: Array
    relief: Mask


@dataclass(frozen=True, kw_only=True)
class _Draft:
    """A declared prior in reference units; silent if it lost all its evidence."""

    mean: float = 0.0
    sd: float
    status: str
    rows: tuple[str, ...] = ()
    note: str = ""
    firm: bool = False
    conditional: bool = False
    silent: bool = False

    def prior(self, mean: float, sd: float) -> ColumnPrior:
        """The finished prior, its mean made conditional and capped, its SD joint."""
        return ColumnPrior(
            mean=mean,
            sd=sd,
            status=self.status,
            rows=self.rows,
            note=self.note,
            firm=self.firm,
        )


def build_priors(
    decision: str, moment: str | None = None, *, exclude_evidence: Iterable[str] = ()
) -> PriorSet:
    """Build the prior of a decision model from the published evidence.

    Parameters
    ----------
    decision : str
        ``rtms_response`` or ``emcs_success``.
    moment : str, optional
        May be left out where the decision has one.
    exclude_evidence : iterable of str
        Overlap groups whose rows the prior must not contain: those of the patients
        that it will meet.

    Raises
    ------
    EvidenceError
        For an unknown overlap group.

    Examples
    --------
    >>> priors = build_priors("rtms_response", "screening")
    >>> round(priors.columns["lesion_type=central"].mean, 2)
    0.43
    >>> round(priors.anchor[0], 2), priors.anchor[1]
    (-0.35, 0.75)
    """
    decision, moment = dictionary().check_target(decision, moment)
    return priors_from(
        declarations_for(decision), moment, exclude_evidence=exclude_evidence
    )


def priors_from(
    declared: Declarations, moment: str, *, exclude_evidence: Iterable[str] = ()
) -> PriorSet:
    """Build the prior of a decision model from declarations of one's own.

    Parameters
    ----------
    declared : Declarations
        ``declarations_for(decision)``, or changed copies of them.
    moment : str
        A moment at which the decision has a model.
    exclude_evidence : iterable of str
        As for ``build_priors``; the rows are those of the packaged evidence.
    """
    columns = _model_columns(Encoder.for_decision(declared.decision, moment))
    drafts = _draft(declared, columns, moment)
    anchor, notes = (declared.anchor.mean, declared.anchor.sd), tuple[str, ...]()
    excluded = tuple(exclude_evidence)
    if excluded:
        excluded = packaged_evidence().check_groups(excluded)
        drafts = _without(drafts, declared, columns, moment, excluded)
        anchor, notes = _anchor_without(declared, excluded)
    return PriorSet(
        decision=declared.decision,
        moment=moment,
        gap_sd=declared.gaps.sd,
        sd_factor=declared.sd_factor,
        excluded=excluded,
        notes=notes,
        **_assemble(declared, columns, drafts, anchor),
    )


def _model_columns(encoder: Encoder) -> _Columns:
    projection = encoder.projection
    covariance = projection @ Population.reference(encoder).covariance @ projection.T
    first = dictionary().moments[0].name
    later = [not dictionary().is_known(c.predictor, first) for c in encoder.columns]
    leading = (projection != 0.0).argmax(axis=1)
    return _Columns(
        names=encoder.derived,
        predictors=tuple(encoder.columns[k].predictor for k in leading),
        covariance=(covariance + covariance.T) / 2.0,
        relief=(projection[:, later] != 0.0).any(axis=1),
    )


def _draft(declared: Declarations, columns: _Columns, moment: str) -> list[_Draft]:
    drafts = [
        _in_reference_units(declared.find(name, moment), predictor, declared.decision)
        for name, predictor in zip(columns.names, columns.predictors, strict=True)
    ]
    for block in declared.blocks:
        if block.marginal_sd:
            at = [k for k, name in enumerate(columns.names) if name in block.columns]
            sd = np.array([drafts[k].sd for k in at])
            sd = conditional_sds(sd, columns.covariance[np.ix_(at, at)])
            for k, value in zip(at, sd, strict=True):
                drafts[k] = replace(drafts[k], sd=float(value))
    return drafts


def _in_reference_units(
    declared: PriorDeclaration | None, predictor: str, decision: str
) -> _Draft:
    field = dictionary().fields[predictor]
    if declared is None:
        nothing = "nothing published"
        return _Draft(sd=field.default_prior_sd, status="judgement", note=nothing)
    unit = 1.0
    if declared.per is not None:
        unit = field.reference_for(decision).sd / declared.per
    return _Draft(
        mean=declared.mean * unit,
        sd=declared.sd * unit,
        status=declared.status,
        rows=declared.rows,
        note=declared.note,
        firm=declared.firm,
        conditional=declared.conditional,
    )


def _blocks(
    drafts: Sequence[_Draft], declared: Declarations, columns: _Columns
) -> list[NDArray[np.int64]]:
    """Columns of each block that say something."""
    names = columns.names
    found = [
        [
            k
            for k, name in enumerate(names)
            if name in row.columns and not drafts[k].silent
        ]
        for row in declared.blocks
    ]
    return [np.array(at) for at in found if at]


def _without(
    drafts: Sequence[_Draft],
    declared: Declarations,
    columns: _Columns,
    moment: str,
    excluded: tuple[str, ...],
) -> list[_Draft]:
    """Drafts whose evidence met an excluded group, rebuilt or silenced."""
    evidence = packaged_evidence()
    rebuilt = list(drafts)
    for k, (name, predictor) in enumerate(
        zip(columns.names, columns.predictors, strict=True)
    ):
        row = declared.find(name, moment)
        if row is None or not _rests_on(row.rows, excluded, evidence):
            continue
        kept = _kept(row.rows, excluded, evidence)
        if row.status == "judgement" and kept:
            rebuilt[k] = replace(drafts[k], rows=kept)
            continue
        pooled = _remaining(declared.decision, row.contrast, excluded, evidence)
        rebuilt[k] = (
            _silenced(drafts[k], declared.sd_factor)
            if pooled is None
            else _in_reference_units(
                _rebuilt(row, pooled), predictor, declared.decision
            )
        )
    return rebuilt


def _rests_on(
    rows: Collection[str], excluded: Collection[str], evidence: Evidence
) -> bool:
    basis = [evidence.rows[name] for name in rows]
    return any(row.has_number and row.overlap_group in excluded for row in basis)


def _kept(
    rows: Collection[str], excluded: Collection[str], evidence: Evidence
) -> tuple[str, ...]:
    return tuple(n for n in rows if evidence.rows[n].overlap_group not in excluded)


def _remaining(
    decision: str,
    contrast: str,
    excluded: Collection[str],
    evidence: Evidence,
    protocols: Collection[str] = ("",),
) -> Combination | None:
    rows = evidence.on_contrast(decision, contrast, without=excluded)
    rows = tuple(
        row
        for row in rows
        if row.has_number and row.primary and row.protocol in protocols
    )
    return combine(rows) if rows else None


def _rebuilt(row: PriorDeclaration, pooled: Combination) -> PriorDeclaration:
    return replace(
        row,
        mean=min(max(pooled.predicted, min(row.mean, 0.0)), max(row.mean, 0.0)),
        sd=max(row.sd, pooled.predicted_sd),
        rows=pooled.rows,
        note="rebuilt from the rows that remain after exclusion",
    )


def _silenced(draft: _Draft, sd_factor: float) -> _Draft:
    # step 5 takes the factor of the SD, not of the size that stands in for its mean
    return _Draft(
        sd=math.hypot(draft.mean / sd_factor, draft.sd),
        status="judgement",
        note="all numbers excluded: size as published, sign unknown",
        silent=True,
    )


def _anchor_without(
    declared: Declarations, excluded: tuple[str, ...]
) -> tuple[tuple[float, float], tuple[str, ...]]:
    """Anchor and remarks once some overlap groups are excluded."""
    evidence, anchor = packaged_evidence(), declared.anchor
    shapes = [row.id for row in declared.placing() if row.overlap_group in excluded]
    notes: tuple[str, ...] = ()
    if shapes:
        notes = (f"gaps keep the shape of {', '.join(shapes)}, excluded",)
    if not _rests_on(anchor.rows, excluded, evidence):
        return (anchor.mean, anchor.sd), notes
    protocols = {evidence.rows[name].protocol for name in anchor.rows}
    pooled = _remaining(
        declared.decision, anchor.contrast, excluded, evidence, protocols
    )
    if pooled is None:
        wide = (0.0, math.hypot(anchor.mean, anchor.sd))
        kind = " and ".join(sorted(filter(None, protocols)))
        note = f"anchor: all rates{f' of {kind} sessions' if kind else ''} excluded"
        return wide, (*notes, note)
    sd = max(anchor.sd, pooled.predicted_sd)
    note = f"anchor rebuilt from {', '.join(pooled.rows)}"
    return (pooled.predicted, sd), (*notes, note)


def _assemble(
    declared: Declarations,
    columns: _Columns,
    drafts: Sequence[_Draft],
    anchor: tuple[float, float],
) -> dict[str, Any]:
    """Steps 3 to 5: make conditional, cap what is claimed, join the SDs."""
    sigma, relief = columns.covariance, columns.relief
    blocks = _blocks(drafts, declared, columns)
    sd = np.array([draft.sd for draft in drafts]) * declared.sd_factor
    spread = sd**2 * np.diag(sigma)
    published = np.array([draft.mean for draft in drafts])
    judgement = np.array([draft.status == "judgement" for draft in drafts])
    marginal = np.array([not draft.conditional for draft in drafts])

    def conditional(factor: float, *, known: bool) -> tuple[Array, float]:
        """Slopes with judgement shrunk; without relief, those of screening."""
        used = np.ones(len(sd)) if known else (~relief).astype(float)
        shrunk = np.where(judgement & ~relief, factor, 1.0) * published * used
        return condition(shrunk, marginal, float(spread @ used), blocks, sigma)

    def claimed(factor: float, *, known: bool = False) -> float:
        slopes, total = conditional(factor, known=known)
        level = anchor[0] * math.sqrt(1.0 + PROBIT * total)
        return discrimination.implied_c_statistic(level, variance_of(slopes, sigma))

    shrinkage = discrimination.largest_shrinkage(claimed, cap=C_STATISTIC_CAP)
    slopes, total = conditional(shrinkage, known=True)
    scale = math.sqrt(1.0 + PROBIT * total)
    return {
        "columns": {
            name: draft.prior(float(m) + 0.0, float(s))  # no negative zero
            for name, draft, m, s in zip(columns.names, drafts, slopes, sd, strict=True)
        },
        "anchor": (anchor[0] * scale, anchor[1]),
        "gaps": tuple(gap * scale for gap in declared.published_gaps()),
        "implied_c_statistic": claimed(shrinkage, known=True),
        "implied_c_statistic_before": claimed(1.0, known=True),
        "capped_c_statistic": claimed(shrinkage),
        "shrinkage": shrinkage,
        "level_scale": scale,
    }
