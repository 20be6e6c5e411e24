"""Run the quick tests with the lowest versions that are declared, and with the newest.

    python training/tested_versions.py lowest
    python training/tested_versions.py newest --python 3.13

For each release: makes a virtual environment in a temporary directory, installs the
package with the extras that the quick tests import and what they need, and ends with
the exit code of pytest. `lowest` takes each direct dependency in the oldest version
that pyproject.toml allows. Warnings are errors in the newest environment only: old
releases warn about what came after them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from quick_tests import ROOT, quick_files

RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}
EXTRAS = "[tracking,signing,serving,formats,pdf]"
TOOLS = ("pytest>=8", "pytest-timeout", "pytest-xdist", "hypothesis", "httpx", "odfpy")
SHOWN = ("numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "shap", "matplotlib")
UV = (sys.executable, "-m", "uv")


def main() -> int:
    args = _parse()
    with TemporaryDirectory() as folder:
        python = _install(Path(folder), args.python, RESOLUTIONS[args.versions])
        listed = subprocess.run(
            [*UV, "pip", "freeze", "--python", python],
            check=True,
            capture_output=True,
            text=True,
        )
        shown = [row for row in listed.stdout.split() if row.split("==")[0] in SHOWN]
        print(args.versions, args.python, *shown, flush=True)
        warnings = ["-o", "filterwarnings=default"] if args.versions == "lowest" else []
        command = [python, "-m", "pytest", "-q", "-n", str(args.workers), *warnings]
        command += ["-p", "no:cacheprovider", "--dist", "loadfile"]
        return subprocess.run([*command, *map(str, quick_files())], cwd=ROOT).returncode


def _install(folder: Path, version: str, resolution: str) -> str:
    """Environment with the package as it is here; returns its Python."""
    python = str(folder / "venv" / "bin" / "python")
    venv = [*UV, "venv", "--quiet", "--no-python-downloads", "--python", version]
    install = [*UV, "pip", "install", "--quiet", "--python", python]
    package = ["--resolution", resolution, "--editable", f"{ROOT}{EXTRAS}"]
    for command in ([*venv, folder / "venv"], [*install, *package], [*install, *TOOLS]):
        subprocess.run(command, check=True)
    return python


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
