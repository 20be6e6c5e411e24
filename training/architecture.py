"""Write docs/architecture.md from the import contracts and the docstrings of the rooms.

python training/architecture.py [FILE]
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "responder_model"
PAGE = ROOT / "docs" / "architecture.md"
HEAD = """# Architecture

Written by `make architecture` from the contracts in `pyproject.toml` and the first
sentence of each room; a test compares. A room is a module or package of
`responder_model`. It imports from the floors below its own, never from its neighbours
on the same floor, and `make layers` refuses anything else.

| floor | room | what it is |
|---|---|---|
"""
DOORS = """
## Heavy libraries have one door

| library | is imported in |
|---|---|
"""


def architecture() -> str:
    """Return the page."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    return "\n".join([HEAD + "\n".join(_rooms(contracts)), DOORS + _doors(contracts)])


def _rooms(contracts: list[dict[str, Any]]) -> Iterator[str]:
    (floors,) = (row["layers"] for row in contracts if row["type"] == "layers")
    for floor, names in zip(range(len(floors), 0, -1), floors, strict=True):
        for name in names.split(" | "):
            yield f"| {floor} | `{name}` | {_first_sentence(name)} |"


def _first_sentence(room: str) -> str:
    package, module = PACKAGE / room / "__init__.py", PACKAGE / f"{room}.py"
    text = (package if package.exists() else module).read_text("utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")[0]


def _doors(contracts: list[dict[str, Any]]) -> str:
    lines = []
    for contract in contracts:
        if contract["type"] == "forbidden":
            importers = (row.partition(" -> ")[0] for row in contract["ignore_imports"])
            rooms = (name.partition(".")[2].removesuffix(".*") for name in importers)
            (library,) = contract["forbidden_modules"]
            lines.append(f"| {library} | {', '.join(f'`{room}`' for room in rooms)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    path.write_text(architecture(), encoding="utf-8")
