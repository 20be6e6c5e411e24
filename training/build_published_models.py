"""Rebuild the released published-evidence models: the same bytes wherever it runs.

The package holds their digests: every prediction says which model gave it.

python training/build_published_models.py [FOLDER]
"""

import json
import sys
from pathlib import Path

from responder_model.artifact import read_manifest, save_model
from responder_model.development import published_model
from responder_model.schema import dictionary

ROOT = Path(__file__).parents[1]
RELEASED = ROOT / "models" / "published_evidence"
DIGESTS = "published_digests.json"
PACKAGED = ROOT / "src" / "responder_model" / "data" / DIGESTS


def build(folder: Path, digests: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for decision, moment in dictionary().targets():
        target = folder / f"{decision}@{moment}"
        save_model(published_model(decision, moment), target)
        found[target.name] = read_manifest(target).digest
        print(target)
    digests.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]), Path(sys.argv[1]) / DIGESTS)
    else:
        build(RELEASED, PACKAGED)
