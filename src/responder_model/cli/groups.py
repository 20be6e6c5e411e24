"""Print parts of a cohort: subgroups or centres, small counts hidden."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from responder_model.cli.measures import measure_label, whose
from responder_model.cli.output import console, print_json
from responder_model.errors import DevelopmentError
from responder_model.reporting.groups import HIDDEN
from responder_model.words import Note, say
from responder_model.words.numbers import format_number

# Measures printed for a person, each with its limits; ``--json`` has all of them.
SHOWN = ("c_statistic", "calibration_in_the_large")


def print_groups(
    rows: list[dict[str, Any]], provenance: str, lang: str, *, json_output: bool
) -> None:
    """One line per subgroup or centre: counts, then measures with 95 % limits."""
    from responder_model.cli.output import plain

    pooled = _pooled(rows)
    if json_output:
        document = {"provenance": provenance, "groups": plain(rows)}
        print_json(document | ({"pooled": plain(pooled)} if pooled else {}))
        return
    from rich.table import Table

    heads = [h for h in ("predictor", "group", "centre") if any(h in r for r in rows)]
    said = {"whose": whose(provenance), "hidden": Note("cli.hidden")}
    title = say("cli.measured_groups", lang, **said)
    shown = Table(title=title, title_justify="left")
    for head in (*heads, "patients", "events"):
        shown.add_column(say(f"cli.group_{head}", lang), no_wrap=True)
    for name in SHOWN:  # a long name may fold, not a number
        shown.add_column(measure_label(name, lang), overflow="fold", min_width=22)
    for row in rows:
        labels = [str(row.get(head, "")) for head in heads]
        shown.add_row(*labels, *_printed(row, lang))
    out = console()
    out.print(shown)
    for row in rows:
        if isinstance(row.get("problem"), Note):
            name = " ".join(str(row[head]) for head in heads)
            out.print(say("cli.group_problem", lang, name=name, said=row["problem"]))
    for row in pooled:
        out.print(_sentence(row, lang))


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


def _printed(row: dict[str, Any], lang: str) -> Iterator[str]:
    for count in (row["n_patients"], row.get("n_events")):
        yield say("cli.hidden", lang) if count in (None, HIDDEN) else str(count)
    for name in SHOWN:
        yield _with_limits(row, name, lang)


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
