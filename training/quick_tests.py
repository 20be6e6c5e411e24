"""Print the test files that can reach neither MLflow nor another process.

python training/quick_tests.py

Derived from what each file imports, and what that imports in turn, in functions too;
`make quick` runs them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp

import responder_model

ROOT = Path(__file__).parents[1]
# What starts processes or talks to others, wherever it is imported.
SLOW = {"mlflow", "joblib", "dask", "pyspark"}
# What starts processes in a test; the package has threads of `concurrent` alone.
PROCESSES = {"subprocess", "multiprocessing", "concurrent"}


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


def _is_slow(path: Path, graph: grimp.ImportGraph) -> bool:
    names = set(_imported(ast.parse(path.read_text("utf-8"))))
    own = {name.partition(".")[0] for name in names}
    reached = set(own)
    for name in names & graph.modules:
        reached |= graph.find_upstream_modules(name)
    return bool(reached & SLOW or (own & PROCESSES and "tests" in path.parts))


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
