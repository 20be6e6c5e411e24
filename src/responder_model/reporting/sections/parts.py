"""Tables of parts of a cohort: subgroups and centres, small counts hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from responder_model.performance import DEFINITIONS
from responder_model.reporting.blocks import Cell, Table
from responder_model.reporting.suppression import SMALL_CELL, hide_counts
from responder_model.reporting.table_one import Count, TableOne
from responder_model.reporting.texts import number
from responder_model.schema import dictionary
from responder_model.validation.external import AGE_GROUPS

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.reporting.content import Content
    from responder_model.reporting.study import Study

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
        records = sorted(part.to_dict(orient="records"), key=_order)
        counts = _counts(str(name), records, study.table)
        for row, n in zip(records, counts, strict=True):
            if row["problem"] == "small":
                continue
            label = _group_label(str(name), str(row["group"]), content)
            shown = content.say("hidden") if n is None else str(n)
            rows.append(
                (f"\N{NO-BREAK SPACE} {label}", shown, *_measures(row, content))
            )
    return _table(content, study, "subgroups", rows)


def _order(row: dict[Any, Any]) -> tuple[int, str]:
    """Age groups by age, the others by name, what is not known last."""
    group = str(row["group"])
    places = {name: place for place, name in enumerate(AGE_GROUPS)}
    return places.get(group, 99 if group == "not known" else 0), group


def _counts(
    name: str, records: list[dict[Any, Any]], table: TableOne
) -> list[int | None]:
    """Patients of each group as Table 1 shows them; age groups by the same rule."""
    if dictionary().fields[name].kind != "number":
        return [_shown_count(table, name, str(row["group"])) for row in records]
    known = [row for row in records if row["problem"] != "small"]
    if len(known) < len(records):
        return [None] * len(records)
    sizes = [int(row["n_patients"]) for row in records]
    return [n for n, _ in hide_counts(sizes, sizes)]


def _shown_count(table: TableOne, name: str, group: str) -> int | None:
    for row in table.rows:
        if (row.predictor, row.value) == (name, group):
            cell = row.cells[0]
            return cell.n if isinstance(cell, Count) else None
    return None


def _group_label(name: str, group: str, content: Content) -> str:
    if group == "not known":
        return content.say("missing")
    if dictionary().fields[name].kind == "number":
        return content.say("age_" + group.replace(" ", "_"))
    return content.describe(name, group)


def _measures(row: dict[Any, Any], content: Content) -> list[str]:
    return [number(row.get(name), content.lang, ".2f") for name in MEASURES]


def centres_table(content: Content, study: Study, found: pd.DataFrame) -> Table:
    """Measures in each centre; small centres and what would reveal them hidden."""
    records = found.sort_values("centre").to_dict(orient="records")
    large = [row for row in records if str(row["n_patients"]).isdigit()]
    counts: dict[str, int | None] = {}
    if len(large) == len(records):
        sizes = [int(row["n_patients"]) for row in records]
        events = [int(row["n_events"]) for row in records]
        shown = hide_counts(sizes, events)
        counts = {str(r["centre"]): n for r, (n, _) in zip(records, shown, strict=True)}
    rows: list[tuple[Cell | str, ...]] = []
    for row in records:
        n = counts.get(str(row["centre"]))
        text = content.say("hidden") if n is None else str(n)
        if row in large:
            rows.append((str(row["centre"]), text, *_measures(row, content)))
        else:
            blanks = (content.say("hidden"),) * len(MEASURES)
            rows.append((str(row["centre"]), text, *blanks))
    return _table(content, study, f"centres_{study.role}", rows)


def _table(
    content: Content, study: Study, key: str, rows: list[tuple[Cell | str, ...]]
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
