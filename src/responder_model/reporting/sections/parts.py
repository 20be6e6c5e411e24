"""Tables of parts of a cohort: subgroups and centres, small counts hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from responder_model.performance import DEFINITIONS
from responder_model.reporting.blocks import Cell, Table
from responder_model.reporting.content import Content
from responder_model.reporting.groups import HIDDEN, SMALL, group_label
from responder_model.reporting.study import Study
from responder_model.reporting.suppression import SMALL_CELL
from responder_model.reporting.table_one import MISSING, Count, TableOne
from responder_model.reporting.texts import interval, number
from responder_model.schema import dictionary
from responder_model.validation import group_differences
from responder_model.validation.differences import COMPARED
from responder_model.validation.external import AGE_GROUPS, NOT_KNOWN

MEASURES = (
    "c_statistic",
    "calibration_in_the_large",
    "calibration_slope",
    "observed_expected_ratio",
    "brier_score",
)


def subgroups_table(content: Content, study: Study, found: pd.DataFrame) -> Table:
    """Measures in each subgroup; its count where Table 1 shows it too."""
    rows: list[tuple[Cell | str, ...]] = []
    for name, part in found.groupby("predictor", sort=False):
        if (part["problem"] == "small").all():
            continue
        blanks = ("",) * (len(MEASURES) + 1)
        rows.append((Cell(text=content.label(str(name)), is_head=True), *blanks))
        for row in sorted(part.to_dict(orient="records"), key=_order(str(name))):
            if row["n_patients"] == SMALL:
                continue
            label = group_label(str(name), str(row["group"]), content.lang)
            shown = _count(row, study.table, content)
            rows.append(
                (f"\N{NO-BREAK SPACE} {label}", shown, *_measures(row, content))
            )
    return _table(content, study, "subgroups", rows)


def differences_table(
    content: Content, study: Study, found: pd.DataFrame
) -> Table | None:
    """Differences from the largest group whose count is shown; None without any."""
    shown = found.assign(
        n_patients=[
            HIDDEN if _is_hidden(row, study.table) else row["n_patients"]
            for row in found.to_dict(orient="records")
        ]
    )
    differences = group_differences(shown).to_dict(orient="records")
    if not differences:
        return None
    rows = []
    for row in differences:
        name = str(row["predictor"])
        groups = (str(row[side]) for side in ("group", "compared_with"))
        said = [group_label(name, group, content.lang) for group in groups]
        measures = (_with_limits(row, measure, content.lang) for measure in COMPARED)
        rows.append((content.label(name), *said, *measures))
    heads = (content.say(key) for key in ("group", "compared_with"))
    return content.table(
        content.say("differences_caption"),
        ("", *heads, *(DEFINITIONS[name].label[content.lang] for name in COMPARED)),
        rows,
        study=study,
        note=content.say("differences_note"),
        numeric=range(3, 3 + len(COMPARED)),
    )


def _order(predictor: str) -> Callable[[dict[Any, Any]], int]:
    """Groups as in Table 1: in the dictionary's order, what is not known last."""
    names = dictionary().fields[predictor].category_names or AGE_GROUPS
    places = {name: place for place, name in enumerate(names)}
    return lambda row: places.get(str(row["group"]), len(places))


def _count(row: dict[Any, Any], table: TableOne, content: Content) -> str:
    """Patients of a group, where neither this table nor Table 1 hides them."""
    hidden = _is_hidden(row, table)
    return content.say("hidden") if hidden else _written(row, content)


def _is_hidden(row: dict[Any, Any], table: TableOne) -> bool:
    """Whether Table 1 hides the count of a group."""
    name, group = str(row["predictor"]), str(row["group"])
    value = MISSING if group == NOT_KNOWN else group
    # Table 1 counts no age groups, only whose age is missing
    is_counted = value == MISSING or dictionary().fields[name].kind != "number"
    return is_counted and _shown_count(table, name, value) is None


def _written(row: dict[Any, Any], content: Content) -> str:
    text = str(row["n_patients"])
    return text if text.isdigit() else content.say("hidden")


def _shown_count(table: TableOne, name: str, value: str) -> int | None:
    for row in table.rows:
        if (row.predictor, row.value) == (name, value):
            cell = row.cells[0]
            return cell.n if isinstance(cell, Count) else None
    return None


def _measures(row: dict[Any, Any], content: Content) -> list[str]:
    """Each measure with its 95 % limits below it; a dash where it has no value."""
    return [_with_limits(row, name, content.lang) for name in MEASURES]


def _with_limits(row: dict[Any, Any], name: str, lang: str) -> str:
    value = number(row.get(name), lang, ".2f")
    limits = interval(row.get(f"{name}_lower"), row.get(f"{name}_upper"), lang, ".2f")
    return f"{value}\n({limits})" if limits else value


def is_measured(found: pd.DataFrame) -> bool:
    """Whether any part has a measure to show."""
    return any(name in found and found[name].notna().any() for name in MEASURES)


def centres_table(content: Content, study: Study, found: pd.DataFrame) -> Table:
    """Measures in each centre; small centres and what would reveal them hidden."""
    rows = [
        (str(row["centre"]), _written(row, content), *_measures(row, content))
        for row in found.sort_values("centre").to_dict(orient="records")
    ]
    return _table(content, study, f"centres_{study.role}", rows)


def _table(
    content: Content, study: Study, key: str, rows: Sequence[tuple[Cell | str, ...]]
) -> Table:
    heads = [DEFINITIONS[name].label[content.lang] for name in MEASURES]
    return content.table(
        content.say(f"{key}_caption"),
        ("", content.say("patients"), *heads),
        rows,
        study=study,
        note=content.say(f"{key}_note", n=SMALL_CELL),
        numeric=range(1, len(MEASURES) + 2),
    )
