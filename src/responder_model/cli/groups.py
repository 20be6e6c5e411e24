"""Print parts of a cohort: subgroups or centres, small counts hidden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from responder_model.cli.output import console, print_json
from responder_model.errors import DevelopmentError
from responder_model.reporting.groups import HIDDEN

# Measures printed for a person, each with its limits; ``--json`` has all of them.
SHOWN = ("c_statistic", "calibration_in_the_large")


def print_groups(
    rows: list[dict[str, Any]], provenance: str, *, json_output: bool
) -> None:
    """One line per subgroup or centre: counts, then measures with 95 % limits."""
    from responder_model.cli.output import plain

    pooled = _pooled(rows)
    if json_output:
        document = {"provenance": provenance, "groups": plain(rows)}
        print_json(document | ({"pooled": plain(pooled)} if pooled else {}))
        return
    from rich.table import Table

    whose = "SIMULATED patients" if provenance == "simulated" else "patients"
    heads = [h for h in ("predictor", "group", "centre") if any(h in r for r in rows)]
    title = f"{whose}; 95 % interval in brackets; {HIDDEN}: would tell a small count"
    shown = Table(title=title, title_justify="left")
    for head in (*heads, "patients", "events"):
        shown.add_column(head, no_wrap=True)
    for head in SHOWN:  # a long name may fold, not a number
        shown.add_column(head, overflow="fold", min_width=22)
    for row in rows:
        labels = [str(row.get(head, "")) for head in heads]
        shown.add_row(*labels, *_printed(row))
    out = console()
    out.print(shown)
    for row in rows:
        if row.get("problem") not in ("", "small", None):
            out.print(f"{' '.join(str(row[h]) for h in heads)}: {row['problem']}")
    for row in pooled:
        out.print(_sentence(row))


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


def _sentence(row: dict[str, Any]) -> str:
    mean = f"{row['value']:.2f} ({row['lower']:.2f} to {row['upper']:.2f})"
    said = f"{row['measure']}: mean of {row['n_centres']} centres {mean}"
    if row["new_lower"] == row["new_lower"]:
        said += f"; a new centre {row['new_lower']:.2f} to {row['new_upper']:.2f}"
    return f"{said}."


def _printed(row: dict[str, Any]) -> Iterator[str]:
    yield str(row["n_patients"])
    n_events = row.get("n_events")
    yield HIDDEN if n_events is None else str(n_events)
    for name in SHOWN:
        yield _with_limits(row, name)


def _with_limits(row: dict[str, Any], name: str) -> str:
    numbers = [row.get(name), row.get(f"{name}_lower"), row.get(f"{name}_upper")]
    value, lower, upper = ("" if x is None or x != x else f"{x:.2f}" for x in numbers)
    return f"{value} ({lower} to {upper})" if lower and upper else value or "–"
