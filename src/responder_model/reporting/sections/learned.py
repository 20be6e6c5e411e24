"""What was believed before, what the patients added, what is believed now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from responder_model.figures.coefficients import (
    CoefficientRow,
    CoefficientTable,
    coefficient_table,
    column_label,
    plot_coefficients,
)
from responder_model.labels import component_label
from responder_model.reporting.blocks import Block, Paragraph, Section
from responder_model.reporting.content import Content
from responder_model.reporting.texts import number, p_value

# A p-value below it is set in words: among many, one in twenty is expected by chance.
NOTABLE = 0.05


def learned(content: Content) -> Section:
    """Mixture weights, coefficients side by side, conflict and challenger."""
    blocks: list[Block] = [_weights(content)]
    if content.model.n_patients:
        blocks += [*_conflict(content), _picture(content)]
    blocks.append(_coefficients(content))
    if content.model.n_patients:
        blocks.append(_challenger(content))
    return Section(
        anchor="learned", title=content.say("section_learned"), blocks=tuple(blocks)
    )


def _weights(content: Content) -> Block:
    """Weights before and after the patients; without patients, where they start."""
    rows = [
        (
            component_label(name, content.lang),
            *(number(weight, content.lang, ".2f") for weight in weights),
        )
        for name, weights in content.model.component_weights.items()
    ]
    developed = content.model.n_patients > 0
    which = "" if developed else "_unused"
    heads = [content.say(name) for name in ("component", "before", "after")]
    width = 3 if developed else 2
    return content.table(
        content.say(f"weights_caption{which}"),
        heads[:width],
        [row[:width] for row in rows],
        note=content.say(f"weights_note{which}"),
        numeric=(1, 2)[: width - 1],
    )


def _conflict(content: Content) -> Iterator[Block]:
    """How far the patients lie from what was published, where that was logged."""
    key = "model.prior_conflict_p_value"
    if key in content.values:
        said = "conflict_updated" if content.model.is_update else "conflict"
        text = content.say(said, p=content.values[key].text[content.lang])
        links = content.links("model.published_component_weight", key)
        yield Paragraph(text=text, links=links)


def _picture(content: Content) -> Block:
    table = coefficient_table(content.model)
    updated = "_updated" if table.updated else ""
    return content.picture(
        "coefficients",
        lambda ax: plot_coefficients(table, ax=ax, lang=content.lang),
        title=content.say(f"coefficients_title{updated}"),
        caption=content.say("coefficients_figure"),
        size=(10.0, 7.5),
    )


def _coefficients(content: Content) -> Block:
    table = coefficient_table(content.model)
    priors = content.model.prior_columns
    conflicts = content.model.performance.prior_conflict_p_values
    developed = content.model.n_patients > 0
    rows = []
    for row in table.rows:
        line = [
            column_label(row.column, table.decision, content.lang),
            _mean_sd(row.prior, content),
            content.say(f"status_{priors[row.column].status}"),
        ]
        served = _mean_sd(row.posterior, content)
        line += _developed(row, conflicts, content) if developed else [served]
        rows.append(line)
    before = "earlier_model" if table.updated else "prior"
    columns = ["coefficient", before, "status"]
    columns += ["data", "posterior", "conflict_p"] if developed else ["served"]
    return content.table(
        content.say("coefficients_caption"),
        [content.say(name) for name in columns],
        rows,
        note=content.say(_note(table, developed=developed)),
        numeric=(1, 3, 4, 5) if developed else (1, 3),
    )


def _note(table: CoefficientTable, *, developed: bool) -> str:
    if not developed:
        return "prior_note"
    return "coefficients_note_updated" if table.updated else "coefficients_note"


def _developed(
    row: CoefficientRow, conflicts: Mapping[str, float | None], content: Content
) -> list[str]:
    data = "" if row.data is None else _mean_sd(row.data, content)
    p = conflicts.get(row.column)
    shown = "" if p is None else p_value(p, content.lang)
    if p is not None and p < NOTABLE:
        shown += " *"
    return [data, _mean_sd(row.posterior, content), shown]


def _mean_sd(value: tuple[float, float], content: Content) -> str:
    mean, sd = (number(x, content.lang, ".2f") for x in value)
    return f"{mean} ({sd})"


def _challenger(content: Content) -> Block:
    keys = {
        "weight": "model.challenger_weight",
        "trees": "challenger.out_of_fold_log_loss",
        "evidence": "challenger.evidence_out_of_fold_log_loss",
    }
    if not all(key in content.values for key in keys.values()):
        return Paragraph(text=content.say("no_challenger"))
    texts = {gap: content.values[k].text[content.lang] for gap, k in keys.items()}
    return Paragraph(
        text=content.say("challenger", **texts), links=content.links(*keys.values())
    )
