"""The evidence as a page of Markdown: percentages first, then all the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from responder_model import words
from responder_model.development import published_model
from responder_model.development.published import claimed_c_statistics
from responder_model.evidence import (
    Combination,
    Declarations,
    Distribution,
    EvidenceRow,
    combine,
    declarations_for,
    packaged_evidence,
)
from responder_model.features import expit
from responder_model.figures.coefficients import coefficient_table, column_label
from responder_model.labels import describe_cut_point
from responder_model.model import Model
from responder_model.priors import PriorRow, PriorSet, prior_rows
from responder_model.priors.build import C_STATISTIC_CAP
from responder_model.priors.table import bearing_on, evidence_to_json
from responder_model.schema import dictionary
from responder_model.words import prose_in
from responder_model.words.numbers import format_percent
from .effects import Effect, Pair, effects_of
from .texts import number, say

_NORMAL_975 = 1.959964
N_DRAWS = 1000
_CONTRASTS = words.read_words("contrast")


def render_evidence(
    decision: str,
    moment: str | None = None,
    *,
    exclude_evidence: Iterable[str] = (),
    lang: str = "en",
) -> str:
    """Return the evidence and the priors of a decision model as Markdown.

    Without a moment the first one of the decision, followed by the relief that later
    ones know.

    Raises
    ------
    EvidenceError
        For an unknown overlap group.

    Examples
    --------
    >>> print(render_evidence("rtms_response", "screening").splitlines()[0])
    # Published evidence: rtms_response@screening
    """
    moments = dictionary().decisions[dictionary().check_decision(decision)].moments
    excluded = tuple(exclude_evidence)
    model = published_model(decision, moment or moments[0], exclude_evidence=excluded)
    later = () if moment else moments[1:]
    parts = [
        _say("evidence_title", lang, target=model.target),
        _say("evidence_first", lang, cut=_cut(model)),
        _percent_table(effects_of(model, lang), lang),
        *_later_relief(decision, later, excluded, lang),
        *_blocks(model, lang),
        *_rest(model, lang),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def evidence_as_data(
    decision: str, moment: str, *, exclude_evidence: Iterable[str] = ()
) -> dict[str, Any]:
    """Return priors, evidence rows and what is served, as plain data.

    Examples
    --------
    >>> sorted(evidence_as_data("emcs_success", "implantation"))
    ['effects', 'evidence', 'priors', 'table']
    """
    excluded = tuple(exclude_evidence)
    model = published_model(decision, moment, exclude_evidence=excluded)
    parts = evidence_to_json(decision, moment, exclude_evidence=excluded)
    pairs = ("compared", "published", "believed", "alone", "fixed")
    parts["effects"] = [
        {
            "column": row.column,
            "status": row.prior.status,
            **{name: _plain(getattr(row, name)) for name in pairs},
            "alone_log_odds": row.alone_log_odds,
            "fixed_log_odds": row.fixed_log_odds,
        }
        for row in effects_of(model)
    ]
    return parts


def _plain(pair: tuple[Any, Any] | None) -> list[Any] | None:
    return None if pair is None else list(pair)


def _say(key: str, lang: str, /, **parts: object) -> str:
    return words.say(f"evidence.{key}", lang, **parts)


def _cut(model: Model) -> str:
    decision = dictionary().decisions[model.decision]
    return describe_cut_point(decision, model.cut_point)


def _percent_table(rows: Sequence[Effect], lang: str) -> str:
    heads = "predictor compared reported believed served_alone served_fixed status"
    heads += " studies"
    lines = [
        (
            row.label,
            " / ".join(row.compared),
            *(
                _pair(pair, lang)
                for pair in (row.published, row.believed, row.alone, row.fixed)
            ),
            say(f"status_{row.prior.status}", lang),
            words.say("signs.semicolon", lang).join(row.studies),
        )
        for row in rows
    ]
    return _table([_say(f"column_{name}", lang) for name in heads.split()], lines)


def _pair(pair: Pair | None, lang: str) -> str:
    if pair is None:
        return _say("no_number", lang)
    return " / ".join(format_percent(p) for p in pair)


def _later_relief(
    decision: str, moments: Sequence[str], excluded: tuple[str, ...], lang: str
) -> Iterator[str]:
    """Relief in the sessions, from the models that know it."""
    first = dictionary().decisions[decision].moments[0]
    known = set(published_model(decision, first).encoder.derived)
    for moment in moments:
        model = published_model(decision, moment, exclude_evidence=excluded)
        rows = [row for row in effects_of(model, lang) if row.column not in known]
        if rows:
            yield _say("later_relief", lang, target=model.target)
            yield _percent_table(rows, lang)


def _blocks(model: Model, lang: str) -> Iterator[str]:
    """Say which predictors share information, and what that does."""
    for block in declarations_for(model.decision).blocks:
        labels = (column_label(n, model.decision, lang) for n in block.columns)
        names = words.say("signs.semicolon", lang).join(labels)
        yield _say("block", lang, names=names)


def _rest(model: Model, lang: str) -> Iterator[str]:
    """Priors in log-odds, the checks on them, and every source."""
    priors = model.kept_priors()
    table = prior_rows(priors, model.evidence)
    spoken = [row for row in table if row.sources or row.mean]
    blank = [row for row in table if not (row.sources or row.mean)]
    yield _level(priors, lang)
    yield _check(priors, lang)
    yield _draws(model, lang)
    yield from _no_factor(priors, lang)
    yield _say("priors_heading", lang)
    yield _prior_table(spoken, model, lang)
    yield _say("blank_heading", lang)
    yield _blank(blank, model, lang)
    yield _say("sources_heading", lang)
    yield _sources(bearing_on(priors), lang)


def _level(priors: PriorSet, lang: str) -> str:
    decision = dictionary().decisions[priors.decision]
    declared = declarations_for(priors.decision)
    mean, sd = priors.anchor
    ends = [mean, mean - _NORMAL_975 * sd, mean + _NORMAL_975 * sd]
    middle, low, high = (format_percent(float(expit(x))) for x in ends)  # type: ignore[arg-type]
    lines = [
        _say(
            "level",
            lang,
            cut=describe_cut_point(decision, decision.main_cut_point),
            mean=number(mean, lang, "+.2f"),
            sd=number(sd, lang, ".2f"),
            middle=middle,
            low=low,
            high=high,
            note=_sentence(prose_in(declared.anchor.note, lang)),
        ),
        *_rates(priors, declared, lang),
        _say(
            "gaps",
            lang,
            cuts=", ".join(f"{cut:g}" for cut in decision.cut_points),
            gaps=", ".join(number(gap, lang, ".2f") for gap in priors.gaps),
            sd=number(priors.gap_sd, lang),
            studies=_studies(declared.placing(), lang),
            note=_sentence(prose_in(declared.gaps.note, lang)),
            scale=number(priors.level_scale, lang, ".2f"),
        ),
    ]
    if priors.excluded:
        lines.append(_say("excluded_groups", lang, groups=", ".join(priors.excluded)))
    return "\n\n".join([*lines, *(_sentence(note) for note in priors.notes)])


def _rates(priors: PriorSet, declared: Declarations, lang: str) -> Iterator[str]:
    """Combined rates of each protocol: they do not stand for each other."""
    rows = packaged_evidence().on_contrast(
        priors.decision, declared.anchor.contrast, without=priors.excluded
    )
    used = [row for row in rows if row.has_number and row.primary]
    for protocol in dict.fromkeys(row.protocol for row in used):
        pooled = combine([row for row in used if row.protocol == protocol])
        words = _say(f"protocol_{protocol or 'any'}", lang)
        yield _say("rates", lang, protocol=words, pooled=_pooled(pooled, lang))


def _check(priors: PriorSet, lang: str) -> str:
    key = "check" if priors.moment == "screening" else "check_relief"
    return _say(
        key,
        lang,
        c=number(priors.capped_c_statistic, lang, ".3f"),
        cap=number(C_STATISTIC_CAP, lang),
        shrinkage=number(priors.shrinkage, lang, ".2f"),
        sd_factor=number(priors.sd_factor, lang),
        relief=number(priors.implied_c_statistic, lang, ".3f"),
    )


def _draws(model: Model, lang: str) -> str:
    """c-statistic that the mixture expects of the truth, checked on draws."""
    found = claimed_c_statistics(model, N_DRAWS)
    low, middle, high = np.quantile(found, (0.025, 0.5, 0.975)).tolist()
    return _say(
        "draws",
        lang,
        middle=number(middle, lang, ".2f"),
        low=number(low, lang, ".2f"),
        high=number(high, lang, ".2f"),
    )


def _no_factor(priors: PriorSet, lang: str) -> Iterator[str]:
    """Studies that found no clinical factor at all: no single prior rests on them."""
    rows = packaged_evidence().on_contrast(
        priors.decision, "any_clinical_factor", without=priors.excluded
    )
    if rows:
        yield _say("no_factor", lang, studies=_studies(rows, lang))


def _prior_table(rows: Sequence[PriorRow], model: Model, lang: str) -> str:
    served = {row.column: row.posterior for row in coefficient_table(model).rows}
    alone = {row.column: row.alone_log_odds for row in effects_of(model, lang)}
    heads = "column reported declared prior served alone status studies remark"
    lines = [
        (
            row.column,
            _pooled(row.pooled, lang),
            f"{_mean_sd(row.declared_mean, row.declared_sd, lang)} "
            f"{prose_in(row.declared_unit, lang)}",
            _mean_sd(row.mean, row.sd, lang),
            _mean_sd(*served[row.column], lang),
            number(alone.get(row.column), lang, "+.2f"),
            say(f"status_{row.status}", lang),
            _studies(row.sources, lang),
            prose_in(row.note, lang),
        )
        for row in rows
    ]
    return _table([_say(f"column_{name}", lang) for name in heads.split()], lines)


def _mean_sd(mean: float, sd: float, lang: str) -> str:
    parts = number(mean, lang, "+.2f"), number(sd, lang, ".2f")
    return _say("mean_sd", lang, mean=parts[0], sd=parts[1])


def _pooled(pooled: Combination | None, lang: str) -> str:
    if pooled is None:
        return _say("no_number", lang)
    return _say(
        "pooled_new",
        lang,
        effect=number(pooled.effect, lang, "+.2f"),
        se=number(pooled.se, lang, ".2f"),
        k=pooled.n_studies,
        predicted=number(pooled.predicted, lang, "+.2f"),
        sd=number(pooled.predicted_sd, lang, ".2f"),
    )


def _blank(rows: Sequence[PriorRow], model: Model, lang: str) -> str:
    groups: dict[float, list[str]] = {}
    for row in rows:
        name = f"{column_label(row.column, model.decision, lang)} ({row.column})"
        groups.setdefault(row.sd, []).append(name)
    colon, semicolon = (words.say(f"signs.{s}", lang) for s in ("colon", "semicolon"))
    return "\n".join(
        f"- {_mean_sd(0.0, sd, lang)}{colon}{semicolon.join(names)}"
        for sd, names in sorted(groups.items())
    )


def _sources(rows: Sequence[EvidenceRow], lang: str) -> str:
    lines: list[str] = []
    contrast = ""
    for row in rows:
        if row.contrast != contrast:
            contrast = row.contrast
            lines.append(f"\n### {_contrast(contrast, lang)}\n")
        lines.append(f"- {_source(row, lang)}")
    return "\n".join(lines).strip("\n")


def _contrast(name: str, lang: str) -> str:
    """Words for what is compared; a model may keep a comparison of its own."""
    return words.say(f"contrast.{name}", lang) if name in _CONTRASTS else name


def _source(row: EvidenceRow, lang: str) -> str:
    parts = [row.citation]
    if row.n is not None:
        parts.append(f"n = {row.n}")
    if row.effect is not None and row.se is not None:
        effect, se = number(row.effect, lang, "+.3f"), number(row.se, lang, ".3f")
        parts.append(_say("log_odds", lang, effect=effect, se=se))
    protocol = _say(f"protocol_{row.protocol}", lang) if row.protocol else ""
    prose = prose_in(row.finding, lang), protocol, prose_in(row.note, lang)
    parts += [text for text in prose if text]
    read = [_say(f"read_{row.status}", lang), prose_in(row.source, lang)]
    read += [] if row.primary else [_say("not_combined", lang)]
    return f"{words.say('signs.semicolon', lang).join(parts)} [{', '.join(read)}]"


def _studies(rows: Iterable[EvidenceRow | Distribution], lang: str) -> str:
    names = dict.fromkeys(f"{row.study} {row.year or ''}".strip() for row in rows)
    return words.say("signs.semicolon", lang).join(names)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
