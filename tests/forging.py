"""Forge model folders: what somebody does who may write files, and knows the format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from responder_model.artifact.manifest import sha256
from responder_model.artifact.strict_json import canonical_json


def reforge(folder: Path, **changes: Any) -> None:
    """Write a manifest that agrees with the files: what a forger would do."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    names = [p.name for p in folder.iterdir() if p.name != "manifest.json"]
    manifest["files"] = {n: sha256((folder / n).read_bytes()) for n in names}
    manifest.update(changes)
    manifest.pop("digest", None)
    digest = sha256(canonical_json(manifest))
    data = canonical_json({**manifest, "digest": digest})
    (folder / "manifest.json").write_bytes(data)


def change_model(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Alter model.json and make the manifest agree."""
    document = json.loads((folder / "model.json").read_bytes())
    change(document)
    (folder / "model.json").write_text(json.dumps(document), encoding="utf-8")
    reforge(folder)
