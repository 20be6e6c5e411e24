"""How good the model is: apparent, corrected for optimism, and in new patients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from responder_model import words
from responder_model.figures.response import plot_response_by_aetiology
from responder_model.figures.stability import (
    plot_classification_instability,
    plot_decision_instability,
    plot_stability,
)
from responder_model.figures.validation import (
    plot_calibration_curve,
    plot_decision_curve,
)
from responder_model.model.limits import preceding_test
from responder_model.performance import DEFINITIONS, DecisionCurve, Performance
from responder_model.reporting.blocks import (
    Block,
    Cell,
    Heading,
    Paragraph,
    Section,
    Table,
)
from responder_model.reporting.content import Content
from responder_model.reporting.examination import FEWEST_FOR_DECISIONS
from responder_model.reporting.study import Study
from responder_model.reporting.suppression import SMALL_CELL
from responder_model.reporting.texts import interval, number
from responder_model.reporting.values import shown_levels, shown_sensitivity
from responder_model.sample_size import validation_criteria
from responder_model.validation import ExternalValidation, InternalValidation
from responder_model.validation.external import MIN_RARER
from responder_model.words import Note
from responder_model.words.numbers import format_percent
from .parts import centres_table, differences_table, is_measured, subgroups_table
from .patients import study_title

# Resamples below which the outer 2.5 % are two or three of them.
FEWEST_RESAMPLES = 100
# Sentences about stability, and the logged values that each rests on.
STABILITY = {
    "stability_words": (
        "mean_absolute_prediction_error",
        "mean_absolute_prediction_error_95th",
        "mean_width_95",
    ),
    "stability_classes": ("classification_instability",),
    "stability_benefit": ("net_benefit_lower", "net_benefit_upper"),
}


def performance(content: Content) -> Section:
    """Measures, curves, stability and subgroups for every cohort."""
    blocks: list[Block] = []
    if content.studies and preceding_test(content.model.encoder) is not None:
        cut_point = content.values["model.cut_point"].text[content.lang]
        text = content.say("responder_is_success", cut_point=cut_point)
        blocks.append(Paragraph(text=text, tone="note"))
    for study in content.studies:
        blocks.append(Heading(text=study_title(content, study)))
        if study.overlaps:
            blocks.append(Paragraph(text=content.say("overlaps"), tone="warning"))
        if study.internal is not None:
            blocks += list(_internal(content, study, study.internal))
        if study.external is not None:
            blocks += list(_external(content, study, study.external))
        blocks += list(_curves(content, study))
        blocks += list(_parts(content, study))
    if not content.studies:
        blocks += list(_without_cohort(content))
    return Section(
        anchor="performance",
        title=content.say("section_performance"),
        blocks=tuple(blocks),
    )


def _without_cohort(content: Content) -> Iterator[Block]:
    apparent = content.model.performance.apparent
    if not apparent:
        yield Paragraph(text=content.say("not_measured"), tone="note")
        return
    updated = "_updated" if content.model.is_update else ""
    yield Paragraph(text=content.say(f"apparent_only{updated}"), tone="warning")
    rows = [
        (measure_label(name, content.lang), number(value, content.lang))
        for name, value in apparent.items()
    ]
    columns = (content.say("measure"), content.say("apparent"))
    caption = content.say(f"apparent_caption{updated}")
    yield content.table(caption, columns, rows, numeric=(1,))
    failed = content.model.performance.not_measured
    yield from _reasons(content, [("no_value", *row) for row in failed.items()])


def measure_label(name: str, lang: str) -> Cell:
    """Name of a measure with its definition below it."""
    found = DEFINITIONS[name]
    told = {"label": found.label[lang], "value": found.definition[lang]}
    return Cell(text=words.say("signs.pair", lang, **told))


def _internal(
    content: Content, study: Study, internal: InternalValidation
) -> Iterator[Block]:
    lang = content.lang
    rows: list[tuple[Cell | str, ...]] = []
    for row in internal.table.to_dict(orient="records"):
        values = [
            number(row[column], lang, ".3f")
            for column in ("apparent", "optimism", "optimism_corrected")
        ]
        limits = interval(row["lower"], row["upper"], lang, ".3f")
        used = f"{row['n_resamples']} / {row['n_failed_resamples']}"
        rows.append((measure_label(row["measure"], lang), *values, limits, used))
    columns = ("measure", "apparent", "optimism", "corrected", "interval", "resamples")
    yield content.table(
        content.say("internal_caption", n=internal.n_resamples),
        [content.say(name) for name in columns],
        rows,
        study=study,
        note=content.say("internal_note"),
        numeric=(1, 2, 3, 4, 5),
    )
    yield from _failures(content, internal)
    if internal.n_patients < 50:
        text = content.say("not_informative", n=internal.n_patients)
        yield Paragraph(text=text, tone="warning")
    yield from _stability_pictures(content, study, internal)


def _stability_pictures(
    content: Content, study: Study, internal: InternalValidation
) -> Iterator[Block]:
    """What models of other samples of these patients would have said."""
    lang = content.lang
    instability, decisions = study.instability, study.decision_instability
    if instability is not None:
        yield content.picture(
            f"stability_{study.role}",
            lambda ax: plot_stability(instability, ax=ax, lang=lang),
            title=content.say("stability_title"),
            caption=content.say("stability_caption"),
            study=study,
            size=(6.4, 5.9),
        )
    if instability is not None and internal.n_patients >= FEWEST_FOR_DECISIONS:
        yield content.picture(
            f"classification_stability_{study.role}",
            lambda ax: plot_classification_instability(instability, ax=ax, lang=lang),
            title=content.say("classification_stability_title"),
            caption=content.say("classification_stability_caption"),
            study=study,
            size=(7.0, 5.0),
        )
    yield from _stability_words(content)
    if decisions is not None:
        yield content.picture(
            f"decision_stability_{study.role}",
            lambda ax: plot_decision_instability(decisions, ax=ax, lang=lang),
            title=content.say("decision_stability_title"),
            caption=content.say("decision_stability_caption"),
            study=study,
            size=(7.0, 5.6),
        )


def _failures(content: Content, internal: InternalValidation) -> Iterator[Block]:
    """What lacks a value, what could not be developed, and that resamples are few."""
    yield from _reasons(content, _lacking(internal.table))
    for failure, n in internal.failures.items():
        text = content.say("not_developed", n=n, reason=failure)
        yield Paragraph(text=text, tone="note")
    if internal.n_resamples < FEWEST_RESAMPLES:
        text = content.say("few_resamples", n=internal.n_resamples)
        yield Paragraph(text=text, tone="note")


def _lacking(table: pd.DataFrame) -> Iterator[tuple[str, str, Note]]:
    """What each measure lacks, the measure, and why."""
    for row in table.to_dict(orient="records"):
        if isinstance(row["problem"], Note):
            value = row.get("value", row.get("optimism_corrected"))
            is_known = value is not None and value == value
            key = "no_interval" if is_known else "no_value"
            yield key, str(row["measure"]), row["problem"]


def _reasons(
    content: Content, lacking: Iterable[tuple[str, str, Note]]
) -> Iterator[Block]:
    """Why measures have no value, or no interval, each reason once."""
    found: dict[tuple[str, Note], list[str]] = {}
    for key, measure, problem in lacking:
        label = DEFINITIONS[measure].label[content.lang]
        found.setdefault((key, problem), []).append(label)
    for (key, reason), labels in found.items():
        text = content.say(key, names=", ".join(labels), reason=reason)
        yield Paragraph(text=text, tone="note")


def _stability_words(content: Content) -> Iterator[Block]:
    """What the resamples say about the predictions, in words."""
    for key, names in STABILITY.items():
        keys = [f"development.stability.{name}" for name in names]
        if all(name in content.values for name in keys):
            texts = [content.values[name].text[content.lang] for name in keys]
            text = content.say(key, **dict(zip(names, texts, strict=True)))
            yield Paragraph(text=text, links=content.links(*keys))


def _external(
    content: Content, study: Study, external: ExternalValidation
) -> Iterator[Block]:
    as_no = shown_sensitivity(study)
    yield _external_table(content, study, external.performance, as_no)
    if external.sensitivity is not None and as_no is None:
        text = content.say("as_non_responders_hidden", n=SMALL_CELL)
        yield Paragraph(text=text, tone="note")
    if external.performance.problem is not None:
        reason = external.performance.problem.text(content.lang)
        yield Paragraph(text=reason, tone="warning")
    else:
        yield from _reasons(content, _lacking(external.table))
    yield from _size(content, study)
    counts = ", ".join(
        f"{content.say(f'level_{level}')} {content.say('hidden') if n is None else n}"
        for level, n in shown_levels(external).items()
    )
    yield Paragraph(text=content.say("applicability", counts=counts))


def _external_table(
    content: Content, study: Study, measured: Performance, as_no: Performance | None
) -> Table:
    """Measures, and beside them those with non-completers as non-responders."""
    lang = content.lang
    columns = ["measure", "value", "interval", "ideal"]
    columns += [] if as_no is None else ["as_non_responders"]
    rows: list[tuple[Cell | str, ...]] = []
    for row in measured.table:
        values = [
            number(row.value, lang, ".3f"),
            interval(row.lower, row.upper, lang, ".3f"),
            number(row.ideal, lang),
        ]
        if as_no is not None:
            values.append(number(as_no.value(row.measure), lang, ".3f"))
        rows.append((measure_label(row.measure, lang), *values))
    return content.table(
        content.say("external_caption"),
        [content.say(name) for name in columns],
        rows,
        study=study,
        note=content.say("external_note"),
        numeric=range(1, len(columns)),
    )


def _size(content: Content, study: Study) -> Iterator[Block]:
    """Whether the patients are enough to judge a model, where they are not."""
    flow = study.flow
    n_known = flow.n_events + flow.n_non_events
    if min(flow.n_events, flow.n_non_events) < MIN_RARER:
        text = content.say("too_few_to_judge", n=MIN_RARER)
        yield Paragraph(text=text, tone="warning")
        return
    needed = validation_criteria(flow.n_events / n_known).n_required
    if n_known < needed:
        text = content.say("wide_intervals", n=n_known, needed=needed)
        yield Paragraph(text=text, tone="note")


def _curves(content: Content, study: Study) -> Iterator[Block]:
    lang = content.lang
    calibration, decision = study.curves.calibration, study.curves.decision
    how = content.say(f"curve_{study.role}")
    if calibration is not None:
        yield content.picture(
            f"calibration_{study.role}_{_position(content, study)}",
            lambda ax: plot_calibration_curve(calibration, ax=ax, lang=lang),
            title=content.say("calibration_title"),
            caption=f"{content.say('calibration_caption')} {how}",
            study=study,
            size=(6.4, 5.9),
        )
    if decision is not None:
        yield content.picture(
            f"decision_{study.role}_{_position(content, study)}",
            lambda ax: plot_decision_curve(decision, ax=ax, lang=lang),
            title=content.say("decision_title"),
            caption=f"{content.say('decision_caption')} {how}",
            study=study,
            size=(7.0, 5.6),
        )
        yield Paragraph(text=_gains(content, decision))
    elif calibration is not None:
        text = content.say("no_decision_curve", n=FEWEST_FOR_DECISIONS)
        yield Paragraph(text=text, tone="note")
    if study.curves.problem:
        text = content.say("no_curve", reason=study.curves.problem)
        yield Paragraph(text=text, tone="note")


def _gains(content: Content, curve: DecisionCurve) -> str:
    """From which threshold the model is worth having at all."""
    lowest = curve.gains_from
    if lowest is None:
        return content.say("gains_nowhere")
    everybody = curve.treat_all[curve.thresholds <= lowest]
    key = "gains_from" if everybody.min() >= 0.0 else "gains_from_nobody"
    return content.say(key, threshold=format_percent(lowest))


def _position(content: Content, study: Study) -> int:
    return [other is study for other in content.studies].index(True) + 1


def _parts(content: Content, study: Study) -> Iterator[Block]:
    if study.subgroups is not None and (study.subgroups["problem"] != "small").any():
        yield subgroups_table(content, study, study.subgroups)
        differences = differences_table(content, study, study.subgroups)
        if differences is not None:
            yield differences
    response = study.response
    if response is None:
        yield Paragraph(text=content.say("no_response"), tone="note")
    else:
        yield content.picture(
            f"response_{study.role}_{_position(content, study)}",
            lambda ax: plot_response_by_aetiology(response, ax=ax, lang=content.lang),
            title=content.label(response.field),
            caption=content.say("response_caption"),
            study=study,
            size=(7.0, 2.4 + 0.4 * len(response.rows)),
        )
    if study.centres is not None and is_measured(study.centres):
        yield centres_table(content, study, study.centres)
    elif study.centres is not None:
        text = content.say("centres_small", n=SMALL_CELL)
        yield Paragraph(text=text, tone="note")
    elif study.flow.n_centres < 2:
        yield Paragraph(text=content.say("one_centre"), tone="note")
