"""The page of benchmarks, from the tables that the benchmarks wrote."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

from reference import plain, table

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "reports" / "benchmarks"
HEAD = """# Benchmarks

Made from `reports/benchmarks/` when these pages are built. Each table says by which
command it was made and when it last changed; where a row names its software, that is
the build which was measured, and it may be older than today's. Times and memory were
measured on a machine of two cores that others used too. *x* is the excess log loss over
the true probabilities, times 1000; a ratio below 1 is better. What was missed stands in
the same tables: the rows *null*, where the outcome proportion is best, and sets lost.
"""
# Title, file, and what makes it below training/benchmarks/.
TABLES = (
    (
        "Simulated truth, rTMS: against the best peer, the floor and an earlier build",
        "accuracy/rtms_response_ratios.csv",
        "accuracy.py --methods responder_model,before,... --n-cohorts 100",
    ),
    (
        "Simulated truth, implant",
        "accuracy/emcs_success_ratios.csv",
        "accuracy.py --decision emcs_success --sizes 25 --n-cohorts 100",
    ),
    (
        "35 clinical data sets, no evidence",
        "real_data/real_data.md",
        "real_data.py --slow",
    ),
    (
        "Coverage of the intervals",
        "coverage/rtms_response_coverage.md",
        "interval_coverage.py --n-cohorts 100",
    ),
    (
        "Coverage of internal validation",
        "coverage/validation_bootstrap.md",
        "validation_coverage.py",
    ),
    ("One patient", "predict.csv", "predict.py"),
    ("Files of many patients", "scoring_files.csv", "scoring_files.py"),
    ("Memory", "scoring_memory.csv", "scoring.py"),
    ("Dask and Spark", "engines.csv", "engines.py"),
    ("Internal validation, time", "validation_speed.csv", "validation_speed.py"),
    ("Report and tracked development, time", "report_speed.csv", "report_speed.py"),
)


def benchmark_page() -> str:
    """The page."""
    parts = [_part(*row) for row in TABLES]
    pictures = [
        f"![Learning curves where the evidence is {truth}]"
        f"(/reports/benchmarks/accuracy/learning_curve_{truth}.png)"
        for truth in ("right", "wrong", "null")
    ]
    return "\n\n".join([HEAD, *parts, "## Learning curves", *pictures]) + "\n"


def _part(title: str, name: str, command: str) -> str:
    path = REPORTS / name
    text = path.read_text("utf-8")
    if path.suffix == ".csv":
        head, *rows = csv.reader(text.splitlines())
        text = table(
            map(plain, head), ([plain(_short(cell)) for cell in row] for row in rows)
        )
    else:
        text = text.partition("\n")[2].replace("\n## ", "\n### ")
    made = f"`python training/benchmarks/{command}`; `reports/benchmarks/{name}`"
    return f"## {title}\n\n{made}{_changed(path)}\n\n{text.strip()}"


def _short(cell: str) -> str:
    """A number in four digits; anything else as it is."""
    try:
        return f"{float(cell):.4g}" if "." in cell else cell
    except ValueError:
        return cell


def _changed(path: Path) -> str:
    """Commit and day of the last change, where there is a history."""
    command = ["git", "log", "-1", "--format=, %h of %cs", "--", str(path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


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
