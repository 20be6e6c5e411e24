"""The top level is lazy, its names are documented, and the layers are exhaustive."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
import tarfile
import tomllib
from importlib import import_module
from pathlib import Path

import grimp
import pytest
from hatchling.builders.sdist import SdistBuilder

import responder_model as rm
from responder_model.cli.app import PLACES

ROOT = Path(__file__).parents[1]
HEAVY = (
    "mlflow",
    "shap",
    "matplotlib",
    "xgboost",
    "fastapi",
    "pandas",
    "sklearn",
    "statsmodels",
    "scipy",
)
# What prediction needs but the help does not.
NUMPY = ("numpy",)


def loaded_after(code: str, watched: tuple[str, ...] = HEAVY) -> set[str]:
    """Heavy libraries that a fresh interpreter has loaded after some code."""
    check = f"import sys; print(*(m for m in {watched!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{check}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split()) if done.stdout.strip() else set()


def test_import_loads_no_heavy_library():
    assert loaded_after("import responder_model", HEAVY + NUMPY) == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["predict", "--help"]]
)
def test_help_loads_no_heavy_library(arguments):
    code = (
        "import sys, io, contextlib\n"
        "from responder_model.cli import main\n"
        f"sys.argv = ['responder-model', *{arguments!r}]\n"
        "with contextlib.redirect_stdout(io.StringIO()), "
        "contextlib.suppress(SystemExit):\n    main()\n"
    )
    assert loaded_after(code, HEAVY + NUMPY) == set()


def test_check_loads_no_library_that_it_does_not_need(tmp_path):
    path = tmp_path / "centre.csv"
    path.write_text("age,aetiology\n54,amputation\n", encoding="utf-8")
    code = (
        "import sys, contextlib\n"
        "from responder_model.cli import main\n"
        f"sys.argv = ['responder-model', 'check', {str(path)!r}]\n"
        "with contextlib.suppress(SystemExit):\n    main()\n"
    )
    unneeded = ("pydantic", "scipy", "openpyxl", "pyreadstat", "jinja2")
    assert loaded_after(code, (*HEAVY, *unneeded)) == {"pandas"}


def test_published_prediction_loads_no_heavy_library():
    code = (
        "import responder_model as rm\n"
        "rm.published_model('rtms_response', 'screening').predict({'age': 54})"
    )
    assert loaded_after(code) == set()


@pytest.mark.parametrize("name", rm.__all__)
def test_public_name_resolves_and_is_documented(name):
    value = getattr(rm, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert (inspect.getdoc(value) or "").strip()


def test_public_names_are_typed_as_they_resolve():
    tree = ast.parse(Path(rm.__file__).read_text("utf-8"))
    imported = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert imported == set(rm.__all__) - {"__version__"}


def test_dir_lists_every_public_name():
    assert set(rm.__all__) <= set(dir(rm))


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = rm.nonsense


def test_version_stands_in_one_place_and_others_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" in project["dynamic"]
    assert "version" not in project
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {rm.__version__}\n" in citation
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## ([\d.]+)", changelog, re.M).group(1) == rm.__version__


def test_what_contributing_names_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"(?<![\w/])((?:src|tests|training|docs)/[\w./]+)", text))
    assert len(named) > 8
    assert [name for name in named if not (ROOT / name.rstrip(".")).exists()] == []
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"(?:\n    |`)make ([a-z-]+)", text)
    assert [name for name in targets if f"\n{name}:" not in makefile] == []


def test_every_module_has_a_layer():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = {name.strip(" ()") for layer in layers for name in layer.split("|")}
    package = Path(rm.__file__).parent
    modules = {path.stem for path in package.glob("*.py")}
    packages = {path.parent.name for path in package.glob("*/__init__.py")}
    assert (modules | packages) - {"__init__"} <= placed


def imported(nodes):
    """Names that the imports among some nodes give."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (name.asname or name.name for name in node.names)


def without_annotations(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return tree


def test_what_is_imported_for_types_is_used_for_types_alone():
    """A name that is there for mypy only is a NameError where it is used."""
    for path in Path(rm.__file__).parent.rglob("*.py"):
        tree = without_annotations(ast.parse(path.read_text("utf-8")))
        guards = [
            node
            for node in tree.body
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        ]
        for_types = {name for node in guards for name in imported(node.body)}
        guarded = {id(node) for guard in guards for node in ast.walk(guard)}
        rest = [node for node in ast.walk(tree) if id(node) not in guarded]
        used = {node.id for node in rest if isinstance(node, ast.Name)}
        assert not (for_types - set(imported(rest))) & used, path


def test_architecture_page_is_up_to_date(tmp_path):
    page = tmp_path / "architecture.md"
    script = ROOT / "training" / "architecture.py"
    subprocess.run([sys.executable, script, page], check=True)
    written = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert page.read_text("utf-8") == written, "run: make architecture"
    assert written.count("\n| ") > 30
    assert " |  |" not in written, "every room says in a first sentence what it is"


def test_every_module_serves_the_package():
    """What only scripts or tests import does not belong into the wheel."""
    graph = grimp.build_graph("responder_model", cache_dir=None)
    unused = {
        name
        for name in graph.modules
        if not graph.find_children(name)
        and not graph.find_modules_that_directly_import(name)
    }
    # a command is loaded by its name when it is called
    named = {f"responder_model.cli.{place.split('.')[0]}" for place in PLACES.values()}
    # the model of the docstring examples, and scripts that run by themselves
    assert unused - named == {
        "responder_model.model.example",
        "responder_model.tracking.served",
        "responder_model.formats.readstat",
    }


LOCKS = ("requirements.lock", "requirements-demo.lock")


def locked(name):
    """Each requirement of a lock file with its hashes, by version and platform."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", "")
    lines = [line.split() for line in text.splitlines() if "==" in line]
    assert lines
    return {
        " ".join(word for word in line if not word.startswith("--hash")): {
            word for word in line if word.startswith("--hash=sha256:")
        }
        for line in lines
        if line[0] != "#"
    }


@pytest.mark.parametrize("name", LOCKS)
def test_lock_file_hashes_everything_and_names_no_registry(name):
    assert "://" not in (ROOT / name).read_text("utf-8")
    assert all(locked(name).values())


def test_lock_file_of_the_demo_is_a_part_of_the_other():
    whole, demo = (locked(name) for name in LOCKS)
    assert {name: whole[name] for name in demo} == demo
    assert len(demo) < len(whole)


def test_lock_file_of_the_demo_holds_no_tools():
    names = {name.partition("==")[0] for name in locked("requirements-demo.lock")}
    assert "mlflow" in names
    assert not names & {"pytest", "ruff", "mypy", "dask", "uv"}


def test_source_distribution_holds_what_the_tests_read(tmp_path):
    path = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(next(path)) as file:
        packed = {Path(name).parts[1] for name in file.getnames()}
    tests = "".join(p.read_text("utf-8") for p in (ROOT / "tests").glob("*.py"))
    read = set(re.findall(r'(?:ROOT|parents\[1\]) / "([\w.]+)"', tests))
    assert {"docs", "models", "Makefile"} <= read
    assert read | {"tests", *LOCKS} <= packed


def test_list_of_parts_says_of_which_version_it_is(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "training"))
    parts = tmp_path / "sbom.cdx.json"
    made = {"metadata": {"component": {"name": "responder-model"}}, "components": []}
    parts.write_text(json.dumps(made), encoding="utf-8")
    import_module("bundle").name_version(parts, rm.__version__)
    made["metadata"]["component"]["version"] = rm.__version__
    assert json.loads(parts.read_text("utf-8")) == made
