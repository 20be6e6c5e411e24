"""The manifest: what a model folder holds, with the digest of each file and itself."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from responder_model import __version__
from responder_model.errors import UntrustedModelError
from responder_model.model import Model
from responder_model.schema import dictionary
from responder_model.words import Note
from .document import FORMAT_VERSION
from .folder import MANIFEST, MAX_BYTES, SIGNATURE
from .node import Node
from .strict_json import canonical_json, parse_json

_KEYS = (
    "format_version",
    "decision",
    "moment",
    "name",
    "provenance",
    "sample_size_verdict",
    "versions",
    "files",
    "digest",
)
# Files that every model folder holds; trees.json only when they have weight.
_ALWAYS = (
    "MODEL_CARD.md",
    "dictionary.toml",
    "evidence.json",
    "model.json",
    "performance.json",
)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a verified manifest says.

    Parameters
    ----------
    decision, moment, name, provenance : str
        The model, as in ``Model``.
    sample_size_verdict : str or None
        Verdict on the size of the development cohort; None where there is none.
    versions : dict
        Software that wrote the folder; empty for published models, so that their bytes
        are the same wherever they are built.
    files : dict
        SHA-256 of each file.
    digest : str
        SHA-256 of the manifest itself: the identity of the model.
    """

    decision: str
    moment: str
    name: str
    provenance: str
    sample_size_verdict: str | None
    versions: dict[str, str]
    files: dict[str, str]
    digest: str

    @property
    def target(self) -> str:
        """``decision@moment``."""
        return f"{self.decision}@{self.moment}"


def build_manifest(model: Model, files: Mapping[str, bytes]) -> bytes:
    """Manifest of a model's files, as canonical JSON that carries its own digest."""
    versions = {
        "responder_model": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    size = model.sample_size
    content = {
        "format_version": FORMAT_VERSION,
        "decision": model.decision,
        "moment": model.moment,
        "name": model.name,
        "provenance": model.provenance,
        "sample_size_verdict": None if size is None else size.verdict,
        "versions": {} if model.provenance == "published" else versions,
        "files": {name: sha256(data) for name, data in files.items()},
    }
    return canonical_json({**content, "digest": sha256(canonical_json(content))})


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def check_manifest(files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest of a folder's files once every byte is accounted for.

    Raises
    ------
    UntrustedModelError
        For an absent, altered or unknown manifest, a file that is altered, missing or
        not listed, and a listed name that is no plain file name.
    """
    if MANIFEST not in files:
        raise UntrustedModelError(Note("artifact.no_manifest", name=MANIFEST))
    manifest = _read_manifest(files[MANIFEST])
    present = set(files) - {MANIFEST, SIGNATURE}
    missing, extra = set(manifest.files) - present, present - set(manifest.files)
    if missing:
        said = Note("artifact.missing", names=tuple(sorted(missing)))
        raise UntrustedModelError(said)
    if extra:
        raise UntrustedModelError(Note("artifact.unlisted", names=tuple(sorted(extra))))
    for name, digest in manifest.files.items():
        if sha256(files[name]) != digest:
            raise UntrustedModelError(Note("artifact.changed", name=name))
    return manifest


def _read_manifest(data: bytes) -> Manifest:
    value = parse_json(data, MANIFEST)
    node = Node.of(value, MANIFEST)
    _check_format(node)
    node = Node.of(value, MANIFEST, _KEYS)
    digest = node.text("digest")
    content = {key: part for key, part in value.items() if key != "digest"}
    if canonical_json(value) != data or sha256(canonical_json(content)) != digest:
        node.refuse("be as it was saved: its digest differs")
    listed, versions = node.table("files"), node.table("versions")
    _check_names(node, listed.value)
    verdict = value["sample_size_verdict"]
    return Manifest(
        decision=node.text("decision"),
        moment=node.text("moment"),
        name=node.text("name"),
        provenance=node.text("provenance"),
        sample_size_verdict=(
            None if verdict is None else node.text("sample_size_verdict")
        ),
        versions={name: versions.text(name) for name in versions.value},
        files={name: listed.text(name) for name in listed.value},
        digest=digest,
    )


def _check_format(node: Node) -> None:
    """Refuse another format of the folder, and say how to come by this one."""
    found = node.value.get("format_version")
    if found == FORMAT_VERSION:
        return
    if type(found) is not int:
        node.refuse(Note("artifact.format", n=FORMAT_VERSION))
    if found > FORMAT_VERSION:
        node.refuse(Note("artifact.later_format", n=FORMAT_VERSION, got=found))
    decision, moment = node.value.get("decision"), node.value.get("moment")
    known = dictionary().decisions.get(decision) if type(decision) is str else None
    target = "TARGET"
    if known is not None and moment in known.moments:
        target = f"{decision}@{moment}"
    is_ours = node.value.get("provenance") == "published"
    key = "earlier_published" if is_ours else "earlier_format"
    said = Note(f"artifact.{key}", n=FORMAT_VERSION, got=found, target=target)
    node.refuse(said)


def _check_names(node: Node, listed: Mapping[str, Any]) -> None:
    """Listed names are the known ones: no path can be among them."""
    for name in listed:
        if "/" in name or "\\" in name or name in (".", "..") or ":" in name:
            node.refuse(f"list plain file names, got the path {name[:60]!r}")
        if name not in MAX_BYTES or name in (MANIFEST, SIGNATURE):
            node.refuse(f"list the files of a model only, got {name[:60]!r}")
    absent = [name for name in _ALWAYS if name not in listed]
    if absent:
        node.refuse(f"list {', '.join(absent)}")
