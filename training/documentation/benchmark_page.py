"""The page of benchmarks, from the tables that the benchmarks wrote."""

from __future__ import annotations

import csv
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reference import plain, table

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "reports" / "benchmarks"
TABLES = Path(__file__).with_name("benchmarks.toml")
HEAD = """# Benchmarks

Made from `reports/benchmarks/` when these pages are built. Each table says what is
claimed, by which command it was made, on which build (it may be older than today's),
when it last changed, and which of its rows miss a bar; where there is no bar, the rows
say what was lost. Unless a machine is named, times and memory were measured on two
cores that others used too. *x* is the excess log loss over the true probabilities,
times 1000; a ratio below 1 is better.
"""
# Columns that are said once where all rows agree.
COMMON = ("software", "machine")


def benchmark_page() -> str:
    """The page."""
    tables = tomllib.loads(TABLES.read_text("utf-8"))["tables"]
    pictures = [
        f"![Learning curves where the evidence is {truth}]"
        f"(/reports/benchmarks/accuracy/learning_curve_{truth}.png)"
        for truth in ("right", "wrong", "null")
    ]
    files = sorted(REPORTS.rglob("*.csv"))
    every = [f"- {_link(path)}" for path in files]
    parts = [HEAD, *map(_part, tables), "## Learning curves", *pictures]
    return "\n\n".join([*parts, "## Every table", "\n".join(every)]) + "\n"


def _part(entry: dict[str, Any]) -> str:
    path = REPORTS / entry["file"]
    text, common, missed = path.read_text("utf-8"), [], ""
    if path.suffix == ".csv":
        rows = list(csv.DictReader(text.splitlines()))
        text, common = _table(rows)
        missed = "; ".join(map(plain, _missed(entry, rows)))
    else:
        text = text.partition("\n")[2].replace("\n## ", "\n### ")
    command = f"`python training/benchmarks/{entry['command']}`"
    made = "; ".join([command, _link(path), *common, *_changed(path)])
    parts = [f"## {entry['title']}", entry["claim"], made]
    parts += [f"**Missed:** {missed}."] if missed else []
    return "\n\n".join([*parts, text.strip()])


def _table(rows: list[dict[str, str]]) -> tuple[str, list[str]]:
    """The table, and what all its rows have in common."""
    common = [at for at in COMMON if at in rows[0] and len({r[at] for r in rows}) == 1]
    head = [at for at in rows[0] if at not in common]
    cells = ([plain(_short(row[at])) for at in head] for row in rows)
    return table(map(plain, head), cells), [plain(rows[0][at]) for at in common]


def _link(path: Path) -> str:
    """A link that brings the file."""
    name = path.relative_to(ROOT).as_posix()
    return f"[{name}](/{name})"


def _missed(entry: dict[str, Any], rows: list[dict[str, str]]) -> Iterator[str]:
    """Rows that do not bear the claim, and the figure that says so."""
    for row in rows:
        name = ", ".join(row[column] for column in entry.get("row", []))
        if row.get("met") == "False":
            yield f"{name}: {row['ratio']}, bar {row['bar']}"
        if row.get("missed"):
            yield f"{name}: {row['missed']}"
        for bar in entry.get("bars", []):
            said = all(row[at] == what for at, what in bar.get("where", {}).items())
            if said and row[bar["column"]]:
                value = float(row[bar["column"]])
                if not bar.get("least", value) <= value <= bar.get("most", value):
                    yield f"{name}: {bar['column']} {value:.4g}"


def _short(cell: str) -> str:
    """A number in four digits; anything else as it is."""
    try:
        return f"{float(cell):.4g}" if "." in cell else cell
    except ValueError:
        return cell


def _changed(path: Path) -> list[str]:
    """Commit and day of the last change, where there is a history."""
    command = ["git", "log", "-1", "--format=commit %h of %cs", "--", str(path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.splitlines()


def claims() -> dict[str, str]:
    """Figures that other pages quote, by the name that they use."""
    sets = (REPORTS / "real_data/real_data.md").read_text("utf-8")
    (forest,) = (line for line in sets.splitlines() if line.startswith("| forest"))
    cells = [cell.strip() for cell in forest.split("|")]
    return {
        **_ratios(_rows("accuracy/rtms_response_ratios.csv")),
        **{
            f"implant_{name}": ratio
            for name, ratio in _ratios(
                _rows("accuracy/emcs_success_ratios.csv")
            ).items()
        },
        "forest": cells[7].replace("[", "(95 % interval ").replace("]", ")"),
        "forest_won": cells[8],
        "forest_lost": cells[10],
        "sets": cells[2],
        "sets_build": _build(_rows("real_data/summary.csv")),
    }


def _ratios(rows: list[dict[str, str]]) -> dict[str, str]:
    """Ratios to the best peer, and the build that was measured."""
    ratios = {
        f"{row['truth']}_{row['size']}": f"{float(row['ratio']):.2f}"
        for row in rows
        if row["comparison"] == "best_peer"
    }
    return {**ratios, "ratios_build": _build(rows)}


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((REPORTS / name).read_text("utf-8").splitlines()))


def _build(rows: list[dict[str, str]]) -> str:
    """The one software of a table."""
    (software,) = {row["software"] for row in rows}
    return software.removeprefix("responder_model ")
