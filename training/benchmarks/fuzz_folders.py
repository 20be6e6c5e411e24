"""Mutated model folders, honest damage and forgery."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

from fuzz_files import mutate
from fuzz_values import JSON_VALUES
from responder_model.artifact.manifest import sha256
from responder_model.artifact.strict_json import canonical_json


def mutate_folder(folder: Path, rng: random.Random) -> Path:
    """Spoil one file of a folder and return it; mostly as a forger would."""
    path = rng.choice(sorted(folder.iterdir()))
    if rng.random() < 0.3:
        path.write_bytes(mutate(path.read_bytes(), rng))
        return path
    path = folder / rng.choice(["model.json", "model.json", "performance.json"])
    trees = folder / "trees.json"
    path = trees if trees.exists() and rng.random() < 0.5 else path
    path.write_bytes(mutate_json(path.read_bytes(), rng))
    forge_manifest(folder)
    return path


def mutate_json(data: bytes, rng: random.Random) -> bytes:
    """Replace, remove or repeat values anywhere in a JSON document."""
    document = json.loads(data)
    for _ in range(rng.choice([1, 1, 2, 5])):
        _spoil(document, rng)
    return json.dumps(document).encode()


def _spoil(node: Any, rng: random.Random) -> None:
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not keys:
        return
    key, way = rng.choice(keys), rng.randrange(5)
    if isinstance(node[key], dict | list) and rng.random() < 0.85:
        _spoil(node[key], rng)
    elif way == 0:
        del node[key]
    elif way == 1 and isinstance(node, list):
        node.append(node[key])
    elif way == 2 and isinstance(node[key], float):
        node[key] *= rng.choice([-1, 0, 1e6, 1e150, 1e300, 1e-300])
    else:
        node[key] = deepcopy(rng.choice(JSON_VALUES))


def forge_manifest(folder: Path) -> None:
    """Write the digests of a folder as it is: what a forger would do."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    names = [p.name for p in folder.iterdir() if p.name != "manifest.json"]
    manifest["files"] = {name: sha256((folder / name).read_bytes()) for name in names}
    del manifest["digest"]
    digest = sha256(canonical_json(manifest))
    data = canonical_json({**manifest, "digest": digest})
    (folder / "manifest.json").write_bytes(data)
