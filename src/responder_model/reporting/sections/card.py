"""What the model is, for whom, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Iterator

from responder_model.model.limits import preceding_test
from responder_model.model.messages import standing_messages
from responder_model.performance import DEFINITIONS
from responder_model.reporting.blocks import (
    Block,
    Bullets,
    Cell,
    Link,
    Paragraph,
    Section,
)
from responder_model.reporting.content import Content
from responder_model.reporting.study import Study
from responder_model.reporting.suppression import SMALL_CELL
from responder_model.reporting.texts import between, interval
from responder_model.reporting.values import verdict_of
from responder_model.schema import Field, dictionary
from responder_model.validation.external import MIN_RARER
from responder_model.vocabulary import YES_NO

# Facts of the first table, by logged value.
FACTS = (
    "model.target",
    "model.name",
    "model.provenance",
    "model.outcome",
    "model.cut_points",
    "model.n_patients",
    "model.n_events",
    "model.outcome_definition",
    "model.excluded_evidence",
    "evidence.implied_c_statistic",
    "sample_size.verdict",
    "model.software",
    "model.digest",
)
# Measures of the summary, each with its interval.
KEY_MEASURES = ("c_statistic", "calibration_slope", "scaled_brier_score")


def summary(content: Content) -> Section:
    """First page: what it is, how good it is, what may be said of it."""
    blocks: list[Block] = [
        Paragraph(text=content.say("research_use"), tone="warning"),
    ]
    if content.simulated:
        blocks.insert(0, Paragraph(text=content.say("simulated_long"), tone="warning"))
    rows = [
        (content.say(f"fact_{key}"), content.values[key].text[content.lang])
        for key in FACTS
        if key in content.values
    ]
    caption = content.say("facts_caption")
    columns = (content.say("fact"), content.say("value"))
    blocks.append(content.table(caption, columns, rows))
    blocks += list(_headline(content))
    wording = verdict_of(content.model).wording[content.lang]
    blocks.append(Paragraph(text=f"{content.say('claim')} {wording}", tone="note"))
    return Section(
        anchor="summary", title=content.say("section_summary"), blocks=tuple(blocks)
    )


def _headline(content: Content) -> Iterator[Block]:
    """One sentence on performance for each cohort."""
    for study, prefix in prefixed(content.studies):
        design = "internal" if study.role == "development" else "external"
        measured = [_measured(content, f"{prefix}.{design}", n) for n in KEY_MEASURES]
        found = [text for text in measured if text]
        if found:
            whose = content.say(f"headline_{design}", name=content.name_of(study))
            yield Paragraph(
                text=f"{whose} {content.semicolon.join(found)}.",
                links=(
                    Link(text=content.say("section_performance"), anchor="performance"),
                ),
            )
        yield from _cautions(content, study)
    if not content.studies:
        yield Paragraph(text=content.say("no_cohort"), tone="note")


def _cautions(content: Content, study: Study) -> Iterator[Block]:
    """Why the measures of a cohort must not be taken for what they seem."""
    if study.overlaps:
        text = content.say("overlaps_short", name=content.name_of(study))
        yield Paragraph(text=text, tone="warning")
    flow = study.flow
    if min(flow.n_events, flow.n_non_events) < MIN_RARER:
        text = content.say("too_few_short", name=content.name_of(study), n=MIN_RARER)
        yield Paragraph(text=text, tone="warning")


def _measured(content: Content, prefix: str, name: str) -> str:
    """Measure with its value and limits in words; empty when it was not logged."""
    column = "optimism_corrected" if prefix.endswith("internal") else "value"
    keys = [f"{prefix}.{name}.{part}" for part in (column, "lower", "upper")]
    if any(key not in content.values for key in keys):
        return ""
    value, low, high = (content.values[key].text[content.lang] for key in keys)
    limits = between(low, high, content.lang)
    label = DEFINITIONS[name].label[content.lang]
    return f"{label[0].lower()}{label[1:]} {value} ({limits})"


def prefixed(studies: tuple[Study, ...]) -> Iterator[tuple[Study, str]]:
    """Studies with the first part of the names of their values."""
    n_new = 0
    for study in studies:
        if study.role == "development":
            yield study, "development"
            continue
        n_new += 1
        yield study, "new" if n_new == 1 else f"new_{n_new}"


def card(content: Content) -> Section:
    """Model card: intended use, users, input, output, where it applies."""
    keys = ["use_what", "use_who", "use_not"]
    if preceding_test(content.model.encoder) is not None:
        keys.append("use_implant")
    blocks: list[Block] = [
        Bullets(items=tuple(Cell(text=content.say(key)) for key in keys)),
        Paragraph(text=content.say("use_output")),
        _inputs(content),
        Paragraph(text=content.say("use_missing")),
    ]
    rare = tuple(_rare(content))
    if rare:
        key = "rare_values" if content.model.n_patients else "rare_published"
        blocks += [Paragraph(text=content.say(key)), Bullets(items=rare)]
    return Section(
        anchor="card", title=content.say("section_card"), blocks=tuple(blocks)
    )


def _inputs(content: Content) -> Block:
    words = dictionary()
    moments = {row.name: row.label[content.lang] for row in words.moments}
    rows = []
    for field in content.model.encoder.fields:
        rows.append(
            (
                content.label(field.name),
                words.fields[field.name].help[content.lang],
                _allowed(field, content),
                _bounds(field.name, content),
                moments[field.known_from],
            )
        )
    columns = ("predictor", "meaning", "allowed", "usual", "known_from")
    return content.table(
        content.say("inputs_caption"),
        [content.say(column) for column in columns],
        rows,
        note=content.say("inputs_note"),
        numeric=(3,),
    )


def _allowed(field: Field, content: Content) -> str:
    """What the model takes, by its own dictionary, in today's words."""
    lang = content.lang
    if field.kind == "boolean":
        return " / ".join(YES_NO[lang])
    if field.kind == "category":
        return ", ".join(content.describe(field.name, c) for c in field.category_names)
    unit = f" {field.unit[lang]}" if field.unit else ""
    return interval(field.minimum, field.maximum, lang, ".4g") + unit


def _bounds(name: str, content: Content) -> str:
    """Usual range of a number in the model's population."""
    found = content.model.limits.numbers.get(name)
    if found is None:
        return ""
    return interval(*found.usual, content.lang)


def _rare(content: Content) -> Iterator[Cell]:
    """Values that nobody or few had where the model comes from."""
    for name, seen in content.model.limits.seen.items():
        rare = [value for value, how in seen.items() if how != "enough"]
        if rare:
            labels = ", ".join(_value_label(name, value, content) for value in rare)
            yield Cell(text=content.label(name) + content.colon + labels)


def _value_label(name: str, value: str, content: Content) -> str:
    field = dictionary().fields[name]
    if field.kind == "boolean":
        yes, no = YES_NO[content.lang]
        return yes if value in ("yes", "True", "1") else no
    return content.describe(name, value)


def limits(content: Content) -> Section:
    """What the reader must know before believing a number."""
    messages = standing_messages(content.model)
    items = [Cell(text=message.text(content.lang)) for message in messages]
    items += [Cell(text=content.say(key)) for key in ("limit_centre", "limit_effect")]
    if not any(study.role == "new" for study in content.studies):
        items.append(Cell(text=content.say("limit_no_new_patients")))
    blocks: list[Block] = [Bullets(items=tuple(items))]
    notes = tuple(_notes(content))
    if notes:
        blocks += [Paragraph(text=content.say("notes_lead")), Bullets(items=notes)]
    return Section(
        anchor="limits", title=content.say("section_limits"), blocks=tuple(blocks)
    )


def _notes(content: Content) -> Iterator[Cell]:
    """Notes of the development and of reading; a count of a few is not repeated."""
    for note in content.model.notes:
        yield Cell(text=note.text(content.lang, hide_below=SMALL_CELL))
    for study in content.studies:
        name = content.name_of(study) + content.colon
        found = () if study.external is None else study.external.notes
        for notice in (*study.notices, *found):
            said = notice.text(content.lang, hide_below=SMALL_CELL)
            yield Cell(text=name + said)
        for analysis, reason in study.problems.items():
            text = content.say("not_done", what=content.say(f"analysis_{analysis}"))
            yield Cell(text=f"{name}{text} {reason.text(content.lang)}")
