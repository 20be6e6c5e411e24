"""Print parts of a cohort: subgroups or centres, small counts hidden."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from responder_model.errors import DevelopmentError
from responder_model.labels import label_of
from responder_model.reporting.groups import HIDDEN, group_label
from responder_model.tables import Table
from responder_model.words import Note, say
from responder_model.words.numbers import format_number
from .measures import measure_label, whose
from .output import console, print_json, print_lines

# Measures printed for a person, each with its limits; ``--json`` has all of them.
_COUNTS = ("patients", "events")
SHOWN = ("c_statistic", "calibration_in_the_large")


def print_groups(
    rows: list[dict[str, Any]], provenance: str, lang: str, *, json_output: bool
) -> None:
    """One line per subgroup or centre: counts, then measures with 95 % limits."""
    from .output import plain

    pooled, differences = _pooled(rows), _differences(rows)
    if json_output:
        document = {"provenance": provenance, "groups": plain(rows)}
        more = {"pooled": plain(pooled), "differences": plain(differences)}
        print_json(document | {name: found for name, found in more.items() if found})
        return
    heads = [h for h in ("predictor", "group", "centre") if any(h in r for r in rows)]
    said = {"whose": whose(provenance), "hidden": Note("cli.hidden")}
    title = say("cli.measured_groups", lang, **said)
    lines: list[str | Table] = [_table(title, heads, rows, lang, _COUNTS)]
    if differences:
        title = say("cli.group_differences", lang)
        lines.append(_table(title, (*heads, "compared_with"), differences, lang))
    print_lines(lines)
    out = console()
    for row in rows:
        if isinstance(row.get("problem"), Note):
            name = " ".join(_label(row, head, lang) for head in heads)
            out.print(say("cli.group_problem", lang, name=name, said=row["problem"]))
    for row in pooled:
        out.print(_sentence(row, lang))


def _table(
    title: str,
    names: Sequence[str],
    rows: list[dict[str, Any]],
    lang: str,
    counts: Sequence[str] = (),
) -> Table:
    heads = [say(f"cli.group_{name}", lang) for name in (*names, *counts)]
    heads += [measure_label(name, lang) for name in SHOWN]
    cells = [
        (
            *(_label(row, name, lang) for name in names),
            *(_count(row, name, lang) for name in counts),
            *(_with_limits(row, name, lang) for name in SHOWN),
        )
        for row in rows
    ]
    return Table(title=title, heads=tuple(heads), rows=tuple(cells), n_words=len(names))


def _label(row: dict[str, Any], name: str, lang: str) -> str:
    if name == "predictor":
        return label_of(str(row[name]), lang)
    if "predictor" in row:
        return group_label(str(row["predictor"]), str(row[name]), lang)
    return str(row.get(name, ""))


def _count(row: dict[str, Any], name: str, lang: str) -> str:
    count = row.get(f"n_{name}")
    return say("cli.hidden", lang) if count in (None, HIDDEN) else str(count)


def _differences(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Differences between subgroups, from what is shown of each."""
    import pandas as pd

    from responder_model.validation import group_differences

    table = pd.DataFrame(rows)
    if "predictor" not in table:
        return []
    found = group_differences(table).to_dict(orient="records")
    return [{str(name): value for name, value in row.items()} for row in found]


def _pooled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Measures over centres, from what is shown of each."""
    import pandas as pd

    from responder_model.validation import pool_centres

    table = pd.DataFrame(rows)
    if "centre" not in table:
        return []
    try:
        return [
            {str(k): v for k, v in row.items()}
            for row in pool_centres(table).to_dict(orient="records")
        ]
    except DevelopmentError:
        return []


def _sentence(row: dict[str, Any], lang: str) -> str:
    limits = {name: float(row[name]) for name in ("value", "lower", "upper")}
    said = {
        "measure": measure_label(row["measure"], lang),
        "n": int(row["n_centres"]),
        "mean": Note("cli.with_interval", **limits),
    }
    low, high = float(row["new_lower"]), float(row["new_upper"])
    if low != low:
        return say("cli.pooled", lang, **said)
    return say("cli.pooled_and_new", lang, **said, low=low, high=high)


def _with_limits(row: dict[str, Any], name: str, lang: str) -> str:
    value, lower, upper = (
        math.nan if x is None else float(x)
        for x in (row.get(name), row.get(f"{name}_lower"), row.get(f"{name}_upper"))
    )
    if math.isnan(value):
        return "–"
    if math.isnan(lower) or math.isnan(upper):
        return format_number(value, lang, ".2f")
    limits = {"value": value, "lower": lower, "upper": upper}
    return say("cli.with_interval", lang, **limits)
