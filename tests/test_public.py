"""What the rooms offer is a list that is held, documented, and typed for users."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import responder_model as rm
from responder_model import performance

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "responder_model"
LIST = ROOT / "tests" / "cases" / "public_names.txt"
SCRIPT = ROOT / "tests" / "typing" / "script.py"
ROOMS = {
    path.parent.name if path.name == "__init__.py" else path.stem: path
    for path in sorted([*PACKAGE.glob("*.py"), *PACKAGE.glob("*/__init__.py")])
    if path != PACKAGE / "__init__.py"
}


def offered(path):
    """What a room lists in ``__all__``, read without importing it."""
    (names,) = (
        ast.literal_eval(node.value)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and ast.unparse(getattr(node, "target", None) or node.targets[0]) == "__all__"
    )
    return names


def defined(path):
    """Names of a room, those of its modules too."""
    # what is imported when first used stands below TYPE_CHECKING
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (name.id for name in ast.walk(targets[0]) if hasattr(name, "id"))
        elif hasattr(node, "name"):
            yield node.name
    if path.name == "__init__.py":
        yield from (module.stem for module in path.parent.glob("*.py"))


def test_public_names_of_all_rooms_are_those_of_the_list():
    """A name more or less is a decision: write it into the list too."""
    found = [
        f"{room}.{name}" for room in sorted(ROOMS) for name in offered(ROOMS[room])
    ]
    assert sorted(found) == sorted(LIST.read_text("utf-8").split())


@pytest.mark.parametrize("room", ROOMS)
def test_room_has_every_name_that_it_offers(room):
    assert set(offered(ROOMS[room])) <= set(defined(ROOMS[room]))


@pytest.mark.parametrize("place", [rm, performance], ids=["rm", "performance"])
def test_every_public_function_has_an_example(place):
    """Which the docstrings' own tests execute, with all that is below ``src``."""
    values = {name: getattr(place, name) for name in place.__all__}
    functions = {
        name: inspect.getdoc(value) or ""
        for name, value in values.items()
        if callable(value) and not inspect.isclass(value)
    }
    assert len(functions) > 15
    shown = {name for name, text in functions.items() if ">>> " in text}
    assert sorted(set(functions) - shown) == []
    assert not any("doctest: +SKIP" in text for text in functions.values())


@pytest.mark.long
def test_script_of_a_user_passes_mypy_strict(tmp_path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"]
    command += ["--config-file", "", "--ignore-missing-imports", "--follow-imports"]
    command += ["silent", "--cache-dir", str(tmp_path), str(SCRIPT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_index_of_findings_is_current(tmp_path):
    page, script = tmp_path / "README.md", ROOT / "training" / "findings_index.py"
    subprocess.run([sys.executable, str(script), str(page)], check=True)
    written = (ROOT / "findings" / "README.md").read_text("utf-8")
    assert page.read_text("utf-8") == written, "run: make findings"
    assert "|  |" not in written, "every script says what one expects and what is seen"
