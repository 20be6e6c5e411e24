"""Try the wheel with the lowest versions that are declared, and with the newest.

    python training/tested_versions.py lowest
    python training/tested_versions.py newest --python 3.13

For each release: builds both distributions, installs the wheel into an environment in a
temporary directory, outside the checkout, runs `responder-model demo` and then the
quick tests of the source distribution, from which `src` was taken, and ends with the
exit code of pytest. `lowest` takes each direct dependency in the oldest version that
pyproject.toml allows and that has a wheel for this Python. Warnings are errors in the
newest environment only: old releases warn about what came after them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from packing import ROOT, UV, pack
from quick_tests import quick_files

RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}
# What the quick tests import.
EXTRAS = ("tracking", "signing", "serving", "formats", "pdf", "hospital")
TOOLS = ("pytest>=8", "pytest-timeout", "pytest-xdist", "hypothesis", "httpx", "odfpy")
# The build, which one test asks what it packs.
TOOLS += ("hatchling", "grimp")


def main() -> int:
    args = _parse()
    with TemporaryDirectory() as name:
        folder = Path(name)
        wheel, sources = sorted(pack(folder / "dist"), key=lambda path: path.suffix)[
            ::-1
        ]
        checkout = _unpack(sources, folder)
        python = _install(folder, args.python, RESOLUTIONS[args.versions], wheel)
        _show(args, python)
        return _run(args, python, checkout)


def _unpack(sources: Path, folder: Path) -> Path:
    """Source distribution without what is to be imported from the wheel."""
    with tarfile.open(sources) as file:
        file.extractall(folder / "sources", filter="data")
    (checkout,) = (folder / "sources").iterdir()
    shutil.rmtree(checkout / "src")
    return checkout


def _install(folder: Path, version: str, resolution: str, wheel: Path) -> str:
    """Environment with the wheel; returns its Python."""
    python = str(folder / "venv" / "bin" / "python")
    venv = [*UV, "venv", "--quiet", "--no-python-downloads", "--python", version]
    install = [*UV, "pip", "install", "--quiet", "--python", python]
    # what a wheel needs is not direct: `lowest-direct` would give its newest versions
    needed = ["--resolution", resolution, "--only-binary", ":all:"]
    needed += ["--requirements", ROOT / "pyproject.toml"]
    needed += [word for extra in EXTRAS for word in ("--extra", extra)]
    made = ([*venv, folder / "venv"], [*install, *needed], [*install, *TOOLS])
    for command in (*made, [*install, "--no-deps", wheel]):
        subprocess.run(command, check=True)
    return python


def _show(args: argparse.Namespace, python: str) -> None:
    freeze = [*UV, "pip", "freeze", "--python", python]
    listed = subprocess.run(freeze, check=True, capture_output=True, text=True)
    print(args.versions, args.python, *listed.stdout.split(), flush=True)


def _run(args: argparse.Namespace, python: str, checkout: Path) -> int:
    """The demonstration, then the quick tests."""
    bare = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    script = str(Path(python).with_name("responder-model"))
    demo = [script, "demo", "--out", str(checkout.parent / "demo")]
    subprocess.run(demo, check=True, cwd=checkout.parent, env=bare, stdout=sys.stderr)
    warnings = ["-o", "filterwarnings=default"] if args.versions == "lowest" else []
    command = [python, "-m", "pytest", "-q", "-n", str(args.workers), *warnings]
    command += ["-p", "no:cacheprovider", "--dist", "loadfile"]
    tests = [str(p.relative_to(ROOT)) for p in quick_files() if "tests" in p.parts]
    return subprocess.run([*command, *tests], cwd=checkout, env=bare).returncode


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("versions", choices=list(RESOLUTIONS))
    parser.add_argument(
        "--python", default="3.11", help="version, or path, of a Python"
    )
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
