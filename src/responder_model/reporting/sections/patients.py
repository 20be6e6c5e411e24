"""Who the patients were: flow and Table 1."""

from __future__ import annotations

from collections.abc import Iterator

from responder_model.model.limits import preceding_test
from responder_model.reporting.blocks import Block, Cell, Heading, Paragraph, Section
from responder_model.reporting.content import Content
from responder_model.reporting.study import Study
from responder_model.reporting.table_one import MISSING, Count, Row, Spread
from responder_model.reporting.texts import number
from responder_model.reporting.values import hidden_count
from responder_model.schema import dictionary
from responder_model.vocabulary import YES_NO
from .card import prefixed

NO_BREAK = "\N{NO-BREAK SPACE}"


def patients(content: Content) -> Section:
    """Patients of every cohort, or that there were none."""
    blocks: list[Block] = []
    for study, prefix in prefixed(content.studies):
        blocks.append(Heading(text=study_title(content, study)))
        blocks.append(_flow(content, study, prefix))
        blocks.append(_table_one(content, study))
    if not blocks:
        blocks.append(Paragraph(text=content.say("no_patients"), tone="note"))
    return Section(
        anchor="patients", title=content.say("section_patients"), blocks=tuple(blocks)
    )


def study_title(content: Content, study: Study) -> str:
    """Heading of a cohort: its role, its name, and whether it is simulated."""
    kind = content.say(f"patients_{study.provenance}")
    role = content.say(f"role_{study.role}")
    return f"{role}{content.colon}{content.name_of(study)} ({kind})"


def _flow(content: Content, study: Study, prefix: str) -> Block:
    rows: list[tuple[Cell | str, ...]] = []
    for key in ("n_patients", "n_unknown", "n_known", "n_events", "n_centres"):
        value = content.values.get(f"{prefix}.{key}")
        if value is not None:
            rows.append((content.say(f"flow_{key}"), value.text[content.lang]))
        elif key == "n_patients":
            rows.append((content.say(f"flow_{key}"), content.say("hidden")))
    if study.flow.n_straddling:
        straddling = hidden_count(study.flow.n_straddling)
        rows.append((content.say("flow_n_straddling"), straddling))
    outcome = content.values[f"{prefix}.outcome_definition"].text[content.lang]
    implanted = preceding_test(content.model.encoder) is not None
    return content.table(
        content.say("flow_caption"),
        (content.say("flow_step"), content.say("patients")),
        rows,
        study=study,
        note=content.say(
            "flow_note_implanted" if implanted else "flow_note", definition=outcome
        ),
        numeric=(1,),
    )


def _table_one(content: Content, study: Study) -> Block:
    table = study.table
    if not table.groups:
        return Paragraph(text=content.say("table_one_none"), tone="note")
    heads = [
        f"{content.say(f'group_{name}')} (n{NO_BREAK}={NO_BREAK}{size})"
        for name, size in zip(table.groups, table.sizes, strict=True)
    ]
    note = content.say("table_one_note")
    if "yes" not in table.groups:
        note = f"{content.say('table_one_small_outcome')} {note}"
    return content.table(
        content.say("table_one_caption"),
        ("", *heads),
        list(_lines(table.rows, content)),
        study=study,
        note=note,
        numeric=range(1, len(heads) + 1),
    )


def _lines(rows: tuple[Row, ...], content: Content) -> Iterator[tuple[Cell, ...]]:
    """Lines of Table 1: a heading for each category field, then its values."""
    fields = dictionary().fields
    shown = ""
    for row in rows:
        field = fields[row.predictor]
        if field.kind == "category" and row.predictor != shown:
            blanks = (Cell(text="") for _ in row.cells)
            yield (Cell(text=content.label(row.predictor), is_head=True), *blanks)
        shown = row.predictor
        if row.value == MISSING and all(_is_zero(cell) for cell in row.cells):
            continue
        yield (
            Cell(text=_name(row, content)),
            *(Cell(text=_cell(cell, content)) for cell in row.cells),
        )


def _is_zero(cell: Count | Spread) -> bool:
    return isinstance(cell, Count) and cell.n == 0


def _name(row: Row, content: Content) -> str:
    field = dictionary().fields[row.predictor]
    indent = 2 * NO_BREAK
    if row.value is None:
        unit = f", {field.unit[content.lang]}" if field.unit else ""
        cell = row.cells[0]
        kind = cell.kind if isinstance(cell, Spread) else "mean_sd"
        return f"{content.label(row.predictor)}{unit}, {content.say(kind)}"
    if row.value == MISSING and field.kind != "boolean":
        return indent + content.say("missing")
    if row.value == MISSING:
        return content.label(row.predictor) + content.colon + content.say("missing")
    if field.kind == "boolean":
        return content.label(row.predictor) + content.colon + YES_NO[content.lang][0]
    return indent + content.describe(row.predictor, row.value)


def _cell(cell: Count | Spread, content: Content) -> str:
    if isinstance(cell, Count):
        if cell.n is None:
            return content.say("hidden")
        return "0" if cell.n == 0 else f"{cell.n} ({cell.share:.0%})".replace("%", " %")
    if cell.values is None:
        return content.say("hidden")
    values = [number(x, content.lang, ".3g") for x in cell.values]
    if cell.kind == "mean_sd":
        return f"{values[0]} ({values[1]})"
    return f"{values[0]} ({values[1]}–{values[2]})"
