"""The priors of a decision model, printed with the evidence that they rest on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from responder_model.evidence import (
    Combination,
    Declarations,
    Distribution,
    Evidence,
    EvidenceRow,
    PriorDeclaration,
    combine,
    declarations_for,
    packaged_evidence,
)
from responder_model.priors.build import C_STATISTIC_CAP, build_priors
from responder_model.priors.sets import ColumnPrior, PriorSet
from responder_model.schema import dictionary

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
    (1.49, 2, 4)
    """
    return _table(build_priors(decision, moment, exclude_evidence=exclude_evidence))


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
    for row in _table(priors):
        line = asdict(row)
        line["sources"] = [source.id for source in row.sources]
        if row.pooled is not None:
            line["pooled"]["rows"] = list(row.pooled.rows)
        lines.append(line)
    return {
        "priors": priors.to_json(),
        "table": lines,
        "evidence": [asdict(row) for row in _bearing_on(priors)],
    }


def render_evidence(
    decision: str, moment: str | None = None, *, exclude_evidence: Iterable[str] = ()
) -> str:
    """Return the evidence and the priors of a decision model as Markdown.

    Examples
    --------
    >>> print(render_evidence("rtms_response", "screening").splitlines()[0])
    # Published evidence: rtms_response@screening
    """
    priors = build_priors(decision, moment, exclude_evidence=exclude_evidence)
    table = _table(priors)
    spoken = [row for row in table if row.sources or row.mean]
    blank = [row for row in table if not (row.sources or row.mean)]
    parts = [
        f"# Published evidence: {priors.decision}@{priors.moment}",
        _render_level(priors),
        _render_check(priors),
        "## Priors with something published\n\n" + _render_table(spoken),
        "## Priors without\n\n" + _render_blank(blank),
        "## Sources\n\n" + _render_sources(_bearing_on(priors)),
    ]
    return "\n\n".join(parts) + "\n"


def _table(priors: PriorSet) -> tuple[PriorRow, ...]:
    evidence = packaged_evidence()
    declared = declarations_for(priors.decision)
    return tuple(
        _row(name, prior, declared.find(name, priors.moment), priors, evidence)
        for name, prior in priors.columns.items()
    )


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


def _bearing_on(priors: PriorSet) -> tuple[EvidenceRow, ...]:
    """Rows on the decision, excluded ones left out, sorted by contrast."""
    rows = [
        row
        for row in packaged_evidence().rows.values()
        if row.decision == priors.decision and row.overlap_group not in priors.excluded
    ]
    order = {row.contrast: k for k, row in reversed(list(enumerate(rows)))}
    return tuple(sorted(rows, key=lambda row: order[row.contrast]))


def _render_level(priors: PriorSet) -> str:
    decision = dictionary().decisions[priors.decision]
    declared = declarations_for(priors.decision)
    mean, sd = priors.anchor
    middle, low, high = (
        100.0 / (1.0 + math.exp(-x))
        for x in (mean, mean - _NORMAL_975 * sd, mean + _NORMAL_975 * sd)
    )
    cut = f"{decision.comparison} {decision.main_cut_point:g} %"
    lines = [
        f"Relief {cut} at reference means: log-odds {mean:+.2f} (SD {sd:.2f}), "
        f"{middle:.0f} % ({low:.0f} to {high:.0f} %). "
        f"{_sentence(declared.anchor.note)}",
        _render_pooled_anchor(priors, declared),
        f"Gaps between the cut points {_numbers(decision.cut_points, 'g')}: "
        f"{_numbers(priors.gaps, '.2f')} (SD of the logarithm {priors.gap_sd:g}), "
        f"from {_studies(declared.placing())}. "
        f"{_sentence(declared.gaps.note)}",
    ]
    lines.append(
        f"Anchor and gaps are {priors.level_scale:.2f} times the published ones, which "
        "average over all patients: these hold at given predictors."
    )
    if priors.excluded:
        lines.append(f"Excluded overlap groups: {', '.join(priors.excluded)}.")
    return "\n\n".join([*lines, *(_sentence(note) for note in priors.notes)])


def _render_pooled_anchor(priors: PriorSet, declared: Declarations) -> str:
    rows = packaged_evidence().on_contrast(
        priors.decision, declared.anchor.contrast, without=priors.excluded
    )
    pooled = _pooled(rows)
    return f"Random-effects combination of published rates: {_render_pooled(pooled)}."


def _render_check(priors: PriorSet) -> str:
    what = "" if priors.moment == "screening" else ", relief from rTMS left out,"
    text = (
        f"Prior predictive check: the prior means{what} imply a c-statistic of "
        f"{priors.capped_c_statistic:.3f} in the reference population (at most "
        f"{C_STATISTIC_CAP:g}); judgement means are multiplied by "
        f"{priors.shrinkage:.2f}."
    )
    if what:
        text += f" With relief: {priors.implied_c_statistic:.3f}, not capped."
    return text


def _render_table(rows: Sequence[PriorRow]) -> str:
    head = (
        "| column | prior, per reference unit | odds ratio (95 %) | declared | "
        "random effects | status | remark |\n" + "| --- " * 7 + "|"
    )
    lines = [
        f"| {row.column} | {row.mean:+.2f} (SD {row.sd:.2f}) "
        f"| {row.odds_ratio:.2f} ({row.lower:.2f} to {row.upper:.2f}) "
        f"| {row.declared_mean:+.2f} (SD {row.declared_sd:.2f}) {row.declared_unit} "
        f"| {_render_pooled(row.pooled)} | {row.status} | {row.note} |"
        for row in rows
    ]
    return "\n".join([head, *lines])


def _render_pooled(pooled: Combination | None) -> str:
    if pooled is None:
        return "no number"
    return (
        f"{pooled.effect:+.2f} (SE {pooled.se:.2f}), k = {pooled.n_studies}, "
        f"new study {pooled.predicted:+.2f} (SD {pooled.predicted_sd:.2f})"
    )


def _render_blank(rows: Sequence[PriorRow]) -> str:
    groups: dict[float, list[str]] = {}
    for row in rows:
        groups.setdefault(row.sd, []).append(row.column)
    lines = [
        f"- 0 (SD {sd:.2f}), judgement: {', '.join(names)}"
        for sd, names in sorted(groups.items())
    ]
    return "\n".join(lines)


def _render_sources(rows: Sequence[EvidenceRow]) -> str:
    lines: list[str] = []
    contrast = ""
    for row in rows:
        if row.contrast != contrast:
            contrast = row.contrast
            lines.append(f"\n### {contrast}\n")
        lines.append(f"- {_render_source(row)}")
    return "\n".join(lines).strip("\n")


def _render_source(row: EvidenceRow) -> str:
    parts = [row.citation]
    if row.n is not None:
        parts.append(f"n = {row.n}")
    if row.effect is not None and row.se is not None:
        parts.append(f"log-odds {row.effect:+.3f} (SE {row.se:.3f})")
    parts += [text for text in (row.finding, row.note) if text]
    group = "" if row.primary else ", not combined"
    return f"{'; '.join(parts)} [{row.status}, {row.source}{group}]"


def _numbers(values: Sequence[float], form: str) -> str:
    return ", ".join(format(value, form) for value in values)


def _studies(rows: Iterable[EvidenceRow | Distribution]) -> str:
    return ", ".join(dict.fromkeys(f"{r.study} {r.year or ''}".strip() for r in rows))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
