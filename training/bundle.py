"""Collect all that a machine without internet needs into one folder.

python training/bundle.py dist/bundle

The wheel of this checkout, a wheel of everything that `requirements-demo.lock` pins for
this machine and this Python, their hashes, a list of all parts (CycloneDX), and
`SHA256SUMS`. `docs/hospital/install.md` says how the folder is used; it is tried at the
end in an environment of its own, with the index switched off.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from packing import ROOT, UV, build, digest

LOCK = ROOT / "requirements-demo.lock"


def main() -> int:
    out = Path(sys.argv[1]).resolve()
    if out.exists() and not (out / "SHA256SUMS").exists():
        print(f"{out} must be a bundle, or no folder at all.", file=sys.stderr)
        return 1
    shutil.rmtree(out, ignore_errors=True)
    wheels = out / "wheels"
    (wheel,) = build(wheels, "--wheel")
    version = wheel.name.split("-")[1]
    _write_requirements(out / "requirements.txt", wheel, version)
    fetch = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--only-binary",
        ":all:",
    ]
    fetch += ["--require-hashes", "--requirement", str(LOCK), "--dest", str(wheels)]
    subprocess.run(fetch, check=True)
    _write_parts(out, version)
    _write_sums(out)
    _try(out)
    n = len(list(wheels.iterdir()))
    size = sum(path.stat().st_size for path in wheels.iterdir())
    print(f"{out}: {n} wheels, {size / 2**20:.0f} MiB")
    return 0


def _write_requirements(path: Path, wheel: Path, version: str) -> None:
    own = f"responder-model=={version} --hash=sha256:{digest(wheel)}\n"
    path.write_text(own + LOCK.read_text("utf-8"), encoding="utf-8")


def _write_parts(out: Path, version: str) -> None:
    """List of parts (SBOM) as CycloneDX."""
    command = [*UV, "tool", "run", "--from", "cyclonedx-bom", "cyclonedx-py"]
    command += ["requirements", str(out / "requirements.txt"), "--of", "JSON"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible"]
    parts = out / "sbom.cdx.json"
    subprocess.run([*command, "--output-file", str(parts)], check=True)
    name_version(parts, version)


def name_version(parts: Path, version: str) -> None:
    """Give the list the version of what it is of: pyproject.toml names none."""
    listed = json.loads(parts.read_text("utf-8"))
    listed["metadata"]["component"]["version"] = version
    parts.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")


def _write_sums(out: Path) -> None:
    files = sorted(path for path in out.rglob("*") if path.is_file())
    lines = [f"{digest(path)}  {path.relative_to(out).as_posix()}" for path in files]
    (out / "SHA256SUMS").write_text("\n".join([*lines, ""]), encoding="utf-8")


def _try(out: Path) -> None:
    """Install it where no index can be asked, and let it answer."""
    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        binaries = Path(folder) / "bin"
        install = [str(binaries / "pip"), "install", "--quiet", "--no-index"]
        install += ["--find-links", str(out / "wheels"), "--require-hashes"]
        install += ["--requirement", str(out / "requirements.txt")]
        ask = [
            str(binaries / "responder-model"),
            "predict",
            "emcs_success",
            "--age",
            "57",
        ]
        bare = {"PATH": os.environ["PATH"], "HOME": folder}
        for command in (install, ask):
            subprocess.run(command, check=True, cwd=folder, env=bare, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
