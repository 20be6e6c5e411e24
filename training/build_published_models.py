"""Rebuild the released published-evidence models: the same bytes wherever it runs.

The package holds their digests: every prediction says which model gave it. It also
holds what each gives a known patient: a server tries itself on that. And it holds which
fields have no effect of their own in them: the help of commands and sheets say so.

python training/build_published_models.py [FOLDER]
"""

import json
import sys
from pathlib import Path

from responder_model.artifact import read_manifest, save_model
from responder_model.development import published_model
from responder_model.model.basis import standing
from responder_model.schema import dictionary
from responder_model.serving.shelf import known_number

ROOT = Path(__file__).parents[1]
RELEASED = ROOT / "models" / "published_evidence"
PACKAGED = ROOT / "src" / "responder_model" / "data"


def build(folder: Path, packaged: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    digests, numbers, stand = {}, {}, {}
    for decision, moment in dictionary().targets():
        target = folder / f"{decision}@{moment}"
        model = published_model(decision, moment)
        save_model(model, target)
        digests[target.name] = read_manifest(target).digest
        # as other machines may have them
        numbers[target.name] = round(known_number(model), 12)
        # the last moment of a decision knows every field
        stand[decision] = standing(model)
        print(target)
    written = {"digests": digests, "standing": stand}
    written = {f"published_{name}.json": found for name, found in written.items()}
    for name, found in (*written.items(), ("known_numbers.json", numbers)):
        text = json.dumps(found, indent=2) + "\n"
        (packaged / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]), Path(sys.argv[1]))
    else:
        build(RELEASED, PACKAGED)
