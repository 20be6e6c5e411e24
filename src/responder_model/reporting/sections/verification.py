"""Who of the tested was implanted, and what can be said of the test (eMCS only)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from responder_model.model.limits import preceding_test
from responder_model.performance import Estimate
from responder_model.reporting.blocks import Block, Heading, Paragraph, Section
from responder_model.reporting.content import Content
from responder_model.reporting.study import Study
from responder_model.reporting.suppression import (
    column_relations,
    row_relations,
    suppress,
)
from responder_model.reporting.texts import between, percent
from responder_model.validation.verification import ReliefClass, Verification
from .patients import study_title


def verification(content: Content) -> Section | None:
    """Implanted / tested by relief class; never accuracy from the implanted alone."""
    if preceding_test(content.model.encoder) is None:
        return None
    blocks: list[Block] = [Paragraph(text=content.say("verification_lead"))]
    for study in content.studies:
        if study.verification is not None:
            blocks.append(Heading(text=study_title(content, study)))
            blocks.append(_classes(content, study, study.verification))
            blocks += list(_accuracy(content, study, study.verification))
    if len(blocks) == 1:
        text = content.say("verification_no_cohort")
        blocks.append(Paragraph(text=text, tone="note"))
    return Section(
        anchor="verification",
        title=content.say("section_verification"),
        blocks=tuple(blocks),
    )


def _classes(content: Content, study: Study, found: Verification) -> Block:
    rows = []
    shown = _shown(found.classes)
    for row, (tested, implanted, successes) in zip(found.classes, shown, strict=True):
        texts = [
            content.say("hidden") if n is None else str(n)
            for n in (tested, implanted, successes)
        ]
        share = "–"
        if tested and implanted is not None:
            share = percent(implanted / tested)
        rows.append((_class_label(content, row), texts[0], texts[1], share, texts[2]))
    columns = ("relief_class", "tested", "implanted", "share_implanted", "succeeded")
    return content.table(
        content.say("verification_caption"),
        [content.say(name) for name in columns],
        rows,
        study=study,
        note=content.say("verification_note"),
        numeric=(1, 2, 3, 4),
    )


def _shown(
    classes: tuple[ReliefClass, ...],
) -> list[tuple[int | None, int | None, int | None]]:
    """Tested, implanted and successes of each class; None is hidden."""
    counts = np.array(
        [
            [
                row.n_tested,
                row.n_implanted,
                row.n_tested - row.n_implanted,
                row.n_successes,
                row.n_implanted - row.n_successes,
            ]
            for row in classes
        ],
        dtype=np.int64,
    )
    n, width = counts.shape
    relations = np.vstack(
        [
            column_relations(n, width),
            row_relations(n, (1, 2), 0, width),
            row_relations(n, (3, 4), 1, width),
        ]
    )
    silent = np.zeros(counts.shape, dtype=bool)
    silent[:, [2, 4]] = True  # not printed: not implanted, failures
    hidden = suppress(counts.ravel(), relations, silent=silent.ravel())
    hidden = hidden.reshape(counts.shape)
    return [
        tuple(None if mask[k] else int(line[k]) for k in (0, 1, 3))  # type: ignore[misc]
        for line, mask in zip(counts, hidden, strict=True)
    ]


def _class_label(content: Content, row: ReliefClass) -> str:
    word = content.say("test_responder" if row.responder else "test_non_responder")
    if row.lower is None:
        return f"{word}, ≤ {row.upper:g} %"
    if row.upper is None:
        return f"{word}, > {row.lower:g} %"
    return f"{word}, > {row.lower:g}–{row.upper:g} %"


def _accuracy(content: Content, study: Study, found: Verification) -> Iterator[Block]:
    if found.accuracy is None:
        text = content.say(f"no_accuracy_{found.problem}")
        yield Paragraph(text=text, tone="note")
        return
    accuracy = found.accuracy
    values: tuple[tuple[str, Estimate], ...] = (
        ("sensitivity", accuracy.sensitivity),
        ("specificity", accuracy.specificity),
        ("positive_predictive_value", accuracy.positive_predictive_value),
        ("negative_predictive_value", accuracy.negative_predictive_value),
    )
    rows = [
        (
            content.say(name),
            percent(value.value),
            between(percent(value.lower), percent(value.upper), content.lang),
        )
        for name, value in values
    ]
    yield content.table(
        content.say("accuracy_caption"),
        [content.say(name) for name in ("measure", "value", "interval")],
        rows,
        study=study,
        note=content.say("accuracy_note"),
        numeric=(1, 2),
    )
