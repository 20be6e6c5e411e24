"""Rebuild the released published-evidence models: the same bytes wherever it runs.

python training/build_published_models.py [FOLDER]
"""

import sys
from pathlib import Path

from responder_model.artifact import save_model
from responder_model.development import published_model
from responder_model.schema import dictionary

RELEASED = Path(__file__).parents[1] / "models" / "published_evidence"


def build(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for decision, moment in dictionary().targets():
        target = folder / f"{decision}@{moment}"
        save_model(published_model(decision, moment), target)
        print(target)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else RELEASED)
