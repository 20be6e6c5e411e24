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
3. *Condition.* Published effects are marginal. Where predictors share information
   (questionnaires; three forms of relief from rTMS) the marginal slopes u become
   conditional ones, b = R⁻¹u in SD units, R being the dictionary's correlations.
   A member whose evidence was excluded says nothing and is left out of R.
4. *Cap.* What the prior means claim without a patient stays modest: the c-statistic
   that they imply in the reference population must not exceed 0.68. Published effect
   sizes stay as they are; the *judgement* means of predictors known at screening are
   multiplied by one common factor, the largest of 0.00, 0.01, ..., 1.00 that respects
   the cap. Models after session 1, 2, 3 use the factor of screening: their relief
   slope is a declared judgement of its own, printed but not capped.
5. *Scale.* Odds ratios are not collapsible. Published effects and rates average over
   relief in the sessions, s² being the variance that this relief gives to the linear
   predictor. In a model that knows relief they are c = sqrt(1 + pi·s²/8) times as
   large (anchor and gaps too), so that averaging over unknown relief gives the
   screening model back: E expit(c·x + s·Z) ≈ expit(c·x / sqrt(1 + pi·s²/8)).
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
from responder_model.priors.discrimination import (
    implied_c_statistic,
    largest_shrinkage,
)
from responder_model.priors.sets import ColumnPrior, PriorSet
from responder_model.schema import dictionary

# Ceiling of what is claimed without patients (judgement; the literature: two odds
# ratios from one centre, and no factor in a trial).
C_STATISTIC_CAP = 0.68
_PROBIT = math.pi / 8.0

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
    silent: bool = False

    def prior(self, mean: float) -> ColumnPrior:
        """The finished prior, its mean made conditional, capped and scaled."""
        return ColumnPrior(
            mean=mean, sd=self.sd, status=self.status, rows=self.rows, note=self.note
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
    >>> priors.columns["lesion_type=central"].mean
    0.4
    >>> priors.anchor
    (-0.32, 0.75)
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
    mean = _condition(drafts, declared, columns)
    anchor, notes = (declared.anchor.mean, declared.anchor.sd), tuple[str, ...]()
    excluded = tuple(exclude_evidence)
    if excluded:
        excluded = packaged_evidence().check_groups(excluded)
        drafts = _without(drafts, mean, declared, columns, moment, excluded)
        mean = _condition(drafts, declared, columns)
        anchor, notes = _anchor_without(declared, excluded)
    return PriorSet(
        decision=declared.decision,
        moment=moment,
        gap_sd=declared.gaps.sd,
        excluded=excluded,
        notes=notes,
        **_assemble(declared, columns, drafts, mean, anchor),
    )


def conditional_effects(marginal: Array, covariance: Array) -> Array:
    """Conditional slopes of predictors from their marginal ones.

    A marginal slope u_j is what predictor j carries alone, the others following it:
    u_j = sum_k cov_jk b_k / var_j. In SD units this is b = R⁻¹u. (Slopes of a latent
    scale; the small effect of non-collapsibility is left out.)

    Parameters
    ----------
    marginal : ndarray of shape (k,)
        Slopes u, each in its predictor's own unit.
    covariance : ndarray of shape (k, k)
        Covariance of the predictors in these units.

    Examples
    --------
    >>> correlation = np.full((4, 4), 0.55) + 0.45 * np.eye(4)
    >>> u = np.array([-0.30, -0.30, -0.20, -0.20])
    >>> b = conditional_effects(u, correlation)
    >>> [round(float(x), 2) for x in b]
    [-0.21, -0.21, 0.02, 0.02]
    """
    return np.asarray(np.linalg.solve(covariance, np.diag(covariance) * marginal))


def conditional_sds(marginal: Array, covariance: Array) -> Array:
    """SDs of independent conditional slopes that give about these marginal SDs.

    A marginal slope is u = Rb in SD units, so its variance is the sum of R_kj² s_j²:
    exact where the members of a block are alike.

    Examples
    --------
    >>> correlation = np.full((4, 4), 0.55) + 0.45 * np.eye(4)
    >>> conditional_sds(np.full(4, 0.30), correlation).round(3)
    array([0.217, 0.217, 0.217, 0.217])
    """
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    return np.asarray(marginal / np.sqrt((correlation**2).sum(axis=1)))


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
    )


def _condition(
    drafts: Sequence[_Draft], declared: Declarations, columns: _Columns
) -> Array:
    """Means with every block made conditional; silent members stay at 0."""
    mean = np.array([draft.mean for draft in drafts])
    for block in declared.blocks:
        at = [
            k
            for k, name in enumerate(columns.names)
            if name in block.columns and not drafts[k].silent
        ]
        if at:
            covariance = columns.covariance[np.ix_(at, at)]
            mean[at] = conditional_effects(mean[at], covariance)
    return mean


def _without(
    drafts: Sequence[_Draft],
    mean: Array,
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
            _silenced(drafts[k], float(mean[k]))
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


def _silenced(draft: _Draft, mean: float) -> _Draft:
    return _Draft(
        sd=math.hypot(mean, draft.sd),
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
    mean: Array,
    anchor: tuple[float, float],
) -> dict[str, Any]:
    """Steps 4 and 5: cap what is claimed, scale what is conditional on relief."""
    sigma, relief = columns.covariance, columns.relief
    screening = np.where(relief, 0.0, mean)
    judgement = np.array([draft.status == "judgement" for draft in drafts])
    shrinkage = largest_shrinkage(
        screening, judgement, sigma, anchor=anchor[0], cap=C_STATISTIC_CAP
    )
    b = np.where(judgement & ~relief, mean * shrinkage, mean)
    s_squared = _variance(np.where(relief, mean, 0.0), sigma)
    scale = math.sqrt(1.0 + _PROBIT * s_squared) if declared.marginal_to_relief else 1.0
    level = anchor[0] * scale
    final = np.where(relief, b, b * scale)
    before = np.where(relief, mean, mean * scale)
    capped = _variance(np.where(relief, 0.0, b), sigma)
    return {
        "columns": {
            name: draft.prior(float(m) + 0.0)  # no negative zero
            for name, draft, m in zip(columns.names, drafts, final, strict=True)
        },
        "anchor": (level, anchor[1]),
        "gaps": tuple(gap * scale for gap in declared.published_gaps()),
        "implied_c_statistic": implied_c_statistic(level, _variance(final, sigma)),
        "implied_c_statistic_before": implied_c_statistic(
            level, _variance(before, sigma)
        ),
        "capped_c_statistic": implied_c_statistic(anchor[0], capped),
        "shrinkage": shrinkage,
        "relief_scale": scale,
    }


def _variance(b: Array, covariance: Array) -> float:
    return max(0.0, float(b @ covariance @ b))
