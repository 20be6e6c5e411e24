"""The published evidence with its sources, and what the size permits to claim."""

from __future__ import annotations

from collections.abc import Iterator

from responder_model.artifact.evidence import is_as_installed
from responder_model.evidence import EvidenceRow
from responder_model.figures.coefficients import column_label
from responder_model.model.learnt import learnt_by
from responder_model.priors import PriorRow, prior_rows
from responder_model.reporting.blocks import (
    Block,
    Bullets,
    Cell,
    Heading,
    Link,
    Paragraph,
    Section,
)
from responder_model.reporting.content import Content
from responder_model.reporting.texts import interval, number
from responder_model.reporting.values import verdict_of
from responder_model.words import prose_in


def evidence(content: Content) -> Section:
    """Priors with the findings they rest on, then every finding with its source."""
    model = content.model
    table = prior_rows(model.kept_priors(), model.evidence)
    spoken = [row for row in table if row.sources]
    sources = {source.id: source for row in spoken for source in row.sources}
    blocks: list[Block] = [
        Paragraph(
            text=content.say("evidence_lead"),
            links=content.links(
                "evidence.n_findings",
                "evidence.n_priors_published",
                "evidence.n_priors_judgement",
                "evidence.implied_c_statistic",
                "model.excluded_evidence",
            ),
        ),
        *_revised(content),
        _priors(content, spoken),
        Paragraph(text=_silent(content, [row for row in table if not row.sources])),
        Heading(text=content.say("sources")),
        Bullets(items=tuple(_source(content, row) for row in sources.values())),
    ]
    return Section(
        anchor="evidence", title=content.say("section_evidence"), blocks=tuple(blocks)
    )


def _revised(content: Content) -> Iterator[Block]:
    if not is_as_installed(content.model):
        yield Paragraph(text=content.say("evidence_revised"), tone="note")


def _priors(content: Content, rows: list[PriorRow]) -> Block:
    lines: list[tuple[Cell | str, ...]] = []
    for row in rows:
        pooled = "" if row.pooled is None else _pooled(content, row)
        lines.append(
            (
                column_label(row.column, content.model.decision, content.lang),
                f"{number(row.mean, content.lang, '.2f')} "
                f"({number(row.sd, content.lang, '.2f')})",
                f"{number(row.odds_ratio, content.lang, '.2f')} "
                f"({interval(row.lower, row.upper, content.lang, '.2f')})",
                content.say(f"status_{row.status}"),
                pooled,
                Cell(
                    text="",
                    links=tuple(
                        Link(text=source.id, anchor=f"source-{source.id}")
                        for source in row.sources
                    ),
                ),
            )
        )
    columns = ("coefficient", "prior", "odds_ratio", "status", "pooled", "rests_on")
    return content.table(
        content.say("priors_caption"),
        [content.say(name) for name in columns],
        lines,
        note=content.say("priors_note"),
        numeric=(1, 2),
    )


def _pooled(content: Content, row: PriorRow) -> str:
    if row.pooled is None:
        return ""
    effect = number(row.pooled.effect, content.lang, ".2f")
    se = number(row.pooled.se, content.lang, ".2f")
    return content.say("pooled_text", effect=effect, se=se, k=row.pooled.n_studies)


def _silent(content: Content, rows: list[PriorRow]) -> str:
    names = content.semicolon.join(
        column_label(row.column, content.model.decision, content.lang) for row in rows
    )
    return content.say("silent", n=len(rows), names=names)


def _source(content: Content, row: EvidenceRow) -> Cell:
    parts = [row.citation]
    if row.n is not None:
        parts.append(f"n = {row.n}")
    if row.effect is not None and row.se is not None:
        effect = number(row.effect, content.lang, ".2f")
        se = number(row.se, content.lang, ".2f")
        parts.append(content.say("effect", effect=effect, se=se))
    parts += [prose_in(text, content.lang) for text in (row.finding, row.note) if text]
    parts.append(content.say(f"status_{row.status}"))
    return Cell(text=". ".join(parts), anchor=f"source-{row.id}")


def _learnt(content: Content) -> Iterator[Block]:
    """What this penalised model learnt, beside criteria for one that is not."""
    if content.model.n_patients:
        for note in learnt_by(content.model).notes():
            yield Paragraph(text=note.text(content.lang))


def sample_size(content: Content) -> Section:
    """Riley's criteria, the verdict, and what it permits to claim."""
    verdict = verdict_of(content.model)
    met = {None: "", True: content.say("yes"), False: content.say("no")}
    rows = [
        (
            row.definition.text(content.lang),
            str(row.n_required),
            met[row.met],
            met[row.decides],
        )
        for row in verdict.criteria
    ]
    columns = ("criterion", "needed", "met", "decides")
    blocks: list[Block] = [
        Paragraph(text=verdict.wording[content.lang], tone="note"),
        content.table(
            content.say("sample_size_caption"),
            [content.say(name) for name in columns],
            rows,
            note=content.say("sample_size_note"),
            numeric=(1,),
        ),
        *_learnt(content),
        Paragraph(
            text=content.say(f"claim_{verdict.may_claim}"),
            links=content.links(
                "model.n_patients",
                "model.n_events",
                "sample_size.n_parameters",
                "sample_size.n_required",
                "sample_size.expected_shrinkage",
                "sample_size.verdict",
            ),
        ),
    ]
    return Section(
        anchor="sample-size",
        title=content.say("section_sample_size"),
        blocks=tuple(blocks),
    )
