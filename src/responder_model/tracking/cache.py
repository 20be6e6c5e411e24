"""Models of a registry as folders here: fetched once, checked each time they are used.

A folder lies under its digest, so that it can be nothing else; what a name stood for
when it was last asked lies beside, for the day when the store does not answer.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from responder_model.artifact import read_manifest, trusted_keys, verify_model
from responder_model.errors import (
    ResponderModelError,
    TrackingError,
    UntrustedModelError,
    system_reason,
)
from responder_model.words import Note
from .address import chosen_tracking_uri, shown_uri
from .reference import Reference, read_reference
from .registry import Version, find_version, opened_registry

# Folder of models that were fetched.
CACHE_FOLDER = "RESPONDER_MODEL_CACHE_FOLDER"
# Folder of a logged model that holds the model folder.
_FILES = "artifacts"


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A registered model as a folder of this computer.

    Parameters
    ----------
    folder : Path
        Its folder, intact and signed as the trusted keys ask.
    version : Version
        What it is in the registry.
    notes : tuple of Note
        What must be said: that the store did not answer, and of when the copy is.
    """

    folder: Path
    version: Version
    notes: tuple[Note, ...] = ()


def fetch(text: str, *, tracking_uri: str | None = None) -> Fetched:
    """Fetch a registered model, or take its copy; every byte is checked.

    Parameters
    ----------
    text : str
        ``models:/NAME/VERSION`` or ``models:/NAME@ALIAS``.
    tracking_uri : str, optional
        As ``chosen_tracking_uri``.

    Raises
    ------
    UntrustedModelError
        For what is not in the registry, files that are gone or are another model's, and
        a model that is not signed where keys are demanded.
    TrackingError
        If the store cannot be used and there is no copy.
    ResponderModelError
        If the folder of copies cannot be written.
    """
    uri, reference = chosen_tracking_uri(tracking_uri), read_reference(text)
    pointer = _pointer(uri, reference)
    try:
        with opened_registry(uri) as client:
            version = find_version(client, reference)
            folder = fetch_version(client, version, uri)
    except TrackingError as error:
        return _copy_of(pointer, reference, uri, error)
    _remember(pointer, version)
    return Fetched(folder=folder, version=version)


def fetch_version(client: MlflowClient, version: Version, tracking_uri: str) -> Path:
    """Return the folder of a version, fetched unless it is here intact.

    Raises
    ------
    UntrustedModelError, ResponderModelError
        As ``fetch``.
    """
    keys = trusted_keys()
    folder = _folder_of(version.digest)
    if _fault(folder, version, keys) is None:
        return folder
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = tempfile.mkdtemp(prefix=".fetched.", dir=folder.parent)
    except OSError as error:
        where = {"path": str(folder.parent), "reason": system_reason(error)}
        said = Note("registry.cache", **where, setting=CACHE_FOLDER)
        raise ResponderModelError(said) from error
    try:
        new = _download(client, version, tracking_uri, scratch)
        fault = _fault(new, version, keys)
        if fault is not None:
            raise fault
        shutil.rmtree(folder, ignore_errors=True)
        # who comes second finds the same model there
        with suppress(OSError):
            new.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def stored_fault(
    client: MlflowClient, version: Version, tracking_uri: str
) -> UntrustedModelError | None:
    """Why the files in the store are not those of a version; None: they are.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    with tempfile.TemporaryDirectory() as scratch:
        try:
            folder = _download(client, version, tracking_uri, scratch)
        except UntrustedModelError as error:
            return error
        return _fault(folder, version, trusted_keys())


def _fault(
    folder: Path, version: Version, keys: Sequence[bytes] | None
) -> UntrustedModelError | None:
    """Why a folder is not this version, or not as the keys demand; None: it is."""
    try:
        if keys is None:
            digest = read_manifest(folder).digest
        else:
            digest = verify_model(folder, keys)
    except UntrustedModelError as error:
        return error
    if digest == version.digest:
        return None
    which = {"name": version.name, "number": version.number}
    return UntrustedModelError(Note("registry.other_files", **which))


def _download(
    client: MlflowClient, version: Version, tracking_uri: str, scratch: str
) -> Path:
    which = {"name": version.name, "number": version.number}
    try:
        # asked of this store: of models:/NAME MLflow asks the one that is set for all
        where = client.get_model_version_download_uri(version.name, str(version.number))
        place = download_artifacts(
            artifact_uri=f"{where}/{_FILES}",
            dst_path=scratch,
            tracking_uri=tracking_uri,
            registry_uri=tracking_uri,
        )
        (folder,) = [path for path in Path(place).iterdir() if path.is_dir()]
    # MLflow raises errors of a dozen libraries
    except Exception as error:
        raise UntrustedModelError(Note("registry.files_gone", **which)) from error
    return folder


def _copy_of(
    pointer: Path, reference: Reference, tracking_uri: str, error: TrackingError
) -> Fetched:
    """Return the copy of what a name stood for when the store last answered."""
    said = Note("registry.no_copy", reference=str(reference), error=error.said)
    none = TrackingError(said)
    try:
        known = json.loads(pointer.read_text(encoding="utf-8"))
        version = Version(
            name=reference.name,
            number=int(known["version"]),
            digest=str(known["digest"]),
            run_id=str(known["run_id"]),
        )
        when = str(known["when"])
    except (OSError, ValueError, KeyError, TypeError):
        raise none from error
    folder = _folder_of(version.digest)
    if _fault(folder, version, trusted_keys()) is not None:
        raise none from error
    note = Note(
        "registry.from_copy",
        reference=str(reference),
        number=version.number,
        when=when,
        digest=version.digest[:12],
        store=shown_uri(tracking_uri),
    )
    return Fetched(folder=folder, version=version, notes=(note,))


def _remember(pointer: Path, version: Version) -> None:
    """Write down what a name stands for now; without it there is no copy to take."""
    said = {
        "version": version.number,
        "digest": version.digest,
        "run_id": version.run_id,
        "when": datetime.now(tz=UTC).isoformat(timespec="seconds"),
    }
    with suppress(OSError):
        pointer.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = pointer.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(said), encoding="utf-8")
        draft.replace(pointer)


def _folder_of(digest: str) -> Path:
    return _cache() / "models" / digest


def _pointer(tracking_uri: str, reference: Reference) -> Path:
    # hashed: the address may hold a password
    key = hashlib.sha256(f"{tracking_uri} {reference}".encode()).hexdigest()
    return _cache() / "names" / f"{key[:32]}.json"


def _cache() -> Path:
    named = os.environ.get(CACHE_FOLDER)
    if named:
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "responder_model"
