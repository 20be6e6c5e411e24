"""Write findings/README.md: one line for each surprise, from the scripts themselves.

python training/findings_index.py [FILE]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "findings"
HEAD = """# Surprises of other people's libraries

Written by `make findings` from the head of each script; a test compares. Run one with
`bash findings/NAME.sh`: it installs the pinned packages into a temporary folder and
fails if what it saw has changed. None runs in `make test`.

| script | one expects | seen | with |
|---|---|---|---|
"""


def index() -> str:
    """The page."""
    return HEAD + "".join(map(_row, sorted(FOLDER.glob("*.sh"))))


def _row(path: Path) -> str:
    script = path.read_text("utf-8")
    lines = [line[1:].strip() for line in script.splitlines()[1:] if line[:1] == "#"]
    head = " ".join(lines)
    guess, _, rest = head.partition("Seen:")
    seen = rest.partition("Hurt:")[0]
    versions = dict.fromkeys(re.findall(r"[\w\[\]-]+==[\w.]+", script))
    cells = (f"`{path.stem}`", guess, seen, ", ".join(versions))
    return f"| {' | '.join(' '.join(c.replace('|', '/').split()) for c in cells)} |\n"


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / "README.md"
    place.write_text(index(), encoding="utf-8")
