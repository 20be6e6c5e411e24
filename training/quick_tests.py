"""Print the test files that need neither MLflow nor another process, nor long.

python training/quick_tests.py

Derived from what each file imports, and what that imports in turn, in functions too,
from the commands that it calls, and from its seconds in `tests/seconds.csv`, which
`make seconds` measures; `make quick` runs them.
"""

from __future__ import annotations

import ast
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp

import responder_model
from responder_model.cli.app import PLACES

ROOT = Path(__file__).parents[1]
# What starts processes or talks to others, wherever it is imported.
SLOW = {"mlflow", "joblib", "dask", "pyspark"}
# What starts processes in a test; the package has threads of `concurrent` alone.
PROCESSES = {"subprocess", "multiprocessing", "concurrent"}
# What a command imports itself if it leaves a run behind.
TRACKED = {"responder_model.workflow", "responder_model.tracking"}
# Seconds of one file at most, so that all of them take less than a minute.
LONGEST = 4.0


def quick_files() -> list[Path]:
    """Test files and modules with examples, in order."""
    sys.path.insert(0, str(ROOT / "training" / "benchmarks"))
    graph = grimp.build_graph(
        "responder_model",
        "known_truth",
        include_external_packages=True,
        cache_dir=None,  # it misses changes
    )
    # the top level is lazy: what a file takes from it counts, not all that it offers
    for home in graph.find_modules_directly_imported_by("responder_model"):
        graph.remove_import(importer="responder_model", imported=home)
    tests = sorted((ROOT / "tests").glob("test_*.py"))
    modules = sorted((ROOT / "src" / "responder_model").rglob("*.py"))
    documented = [path for path in modules if ">>> " in path.read_text("utf-8")]
    return [path for path in tests + documented if not _is_slow(path, graph)]


def seconds() -> dict[str, float]:
    """Seconds of the test files that take longest, by name."""
    with (ROOT / "tests" / "seconds.csv").open(encoding="utf-8") as file:
        return {row["file"]: float(row["seconds"]) for row in csv.DictReader(file)}


def _is_slow(path: Path, graph: grimp.ImportGraph) -> bool:
    tree = ast.parse(path.read_text("utf-8"))
    names = set(_imported(tree))
    own = {name.partition(".")[0] for name in names}
    if seconds().get(path.relative_to(ROOT).as_posix(), 0.0) > LONGEST:
        return True
    if "responder_model.cli.app" in names and any(_tracked(tree, graph)):
        return True
    reached = set(own)
    for name in names & graph.modules:
        reached |= graph.find_upstream_modules(name)
    return bool(reached & SLOW or (own & PROCESSES and "tests" in path.parts))


def _tracked(tree: ast.AST, graph: grimp.ImportGraph) -> Iterator[bool]:
    """Whether the commands that a file names leave a run behind."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in PLACES:
            module = PLACES[str(node.value)].partition(".")[0]
            home = f"responder_model.cli.{module}"
            yield bool(graph.find_modules_directly_imported_by(home) & TRACKED)


def _imported(tree: ast.AST) -> Iterator[str]:
    """Modules named by imports, and homes of ``rm.name``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            home = responder_model._MODULES.get(node.attr)
            if home and node.value.id in ("rm", "responder_model"):
                yield f"responder_model.{home}"


if __name__ == "__main__":
    print(*(path.relative_to(ROOT) for path in quick_files()))
