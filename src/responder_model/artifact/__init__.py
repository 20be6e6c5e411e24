"""A model as a folder of data: JSON, TOML and Markdown, never code.

``model.json`` (coefficients, covariances, priors, mixture, aggregates), ``trees.json``
(XGBoost's own JSON, only when trees have weight), ``dictionary.toml``,
``evidence.json``, ``performance.json``, ``MODEL_CARD.md`` and ``manifest.json``
(SHA-256 of each file and of itself); ``signature.json`` when signed. Nothing is
unpickled or executed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.model import Model
from responder_model.model.given import check_model
from responder_model.words import Note
from .card import render_card
from .document import evidence_document, model_document, performance_document, rounded
from .evidence import read_evidence
from .folder import MANIFEST, check_replaceable, read_folder, write_folder
from .keys import read_private_key, read_public_key, trusted_keys
from .manifest import Manifest, build_manifest, check_manifest
from .own_dictionary import check_meaning, read_dictionary
from .reading import as_published, read_document
from .signature import (
    check_private_key,
    check_signature,
    new_signing_key,
    verify_model,
    write_signature,
)
from .strict_json import parse_json, render_json
from .trees import check_trees

__all__ = [
    "Manifest",
    "as_published",
    "check_replaceable",
    "digest_of",
    "load_model",
    "model_files",
    "new_signing_key",
    "read_manifest",
    "read_private_key",
    "read_public_key",
    "release_model",
    "save_model",
    "sign_model",
    "trusted_keys",
    "verify_model",
]


def save_model(model: Model, folder: str | os.PathLike[str]) -> Path:
    """Write a model folder, all at once or not at all.

    Parameters
    ----------
    model : Model
        The model; what is read back predicts bit for bit the same.
    folder : path
        A new folder, an empty one, or a model folder to be replaced; not in a model
        folder.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ResponderModelError
        When the folder holds other files, lies in another model's folder or cannot be
        written, or the model is not fit to be saved (a number that is not finite, a
        shape that does not match).

    Examples
    --------
    >>> import tempfile
    >>> from responder_model.model.example import example_model
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     folder = save_model(example_model(), Path(parent) / "example")
    ...     load_model(folder).target
    'rtms_response@screening'
    """
    files = model_files(model)
    try:
        _model_from(files)
    except UntrustedModelError as error:
        said = Note("artifact.not_readable", error=error.said)
        raise ResponderModelError(said) from None
    write_folder(files, Path(folder))
    _identify(model, files)
    return Path(folder)


def model_files(model: Model) -> dict[str, bytes]:
    """Files of a model folder, by name; the same model gives the same bytes."""
    check_model(model)
    performance = performance_document(model.performance)
    evidence = evidence_document(model.evidence)
    if model.provenance == "published":
        performance, evidence = rounded(performance), rounded(evidence)
    try:
        files = {
            "MODEL_CARD.md": render_card(model).encode(),
            "dictionary.toml": model.dictionary.text.encode(),
            "evidence.json": render_json(evidence),
            "model.json": render_json(model_document(model)),
            "performance.json": render_json(performance),
        }
    except ValueError:
        raise ResponderModelError(Note("artifact.finite")) from None
    if model.pool is not None:
        files["trees.json"] = model.pool.trees
    return {**files, MANIFEST: build_manifest(model, files)}


def load_model(
    folder: str | os.PathLike[str],
    *,
    trusted_keys: Iterable[bytes | str] | None = None,
) -> Model:
    """Read a model folder; every byte is checked before any is used.

    Parameters
    ----------
    folder : path
        A folder that ``save_model`` wrote.
    trusted_keys : iterable of bytes or str, optional
        Public Ed25519 keys (32 bytes, or hexadecimal): the folder must be signed by
        one of them.

    Returns
    -------
    Model
        Predicts bit for bit as the one that was saved.

    Raises
    ------
    UntrustedModelError
        For anything altered, missing, added, unknown, unsafe or unsigned, with a
        message of its own for each.

    Examples
    --------
    >>> import tempfile
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     again = load_model(save_model(model, Path(parent) / "model"))
    >>> again.predict({"age": 54}).interval == model.predict({"age": 54}).interval
    True
    """
    files = read_folder(Path(folder))
    manifest = check_manifest(files)
    check_signature(files, trusted_keys)
    model = _model_from(files)
    said = (manifest.decision, manifest.moment, manifest.name, manifest.provenance)
    if said != (model.decision, model.moment, model.name, model.provenance):
        raise UntrustedModelError(Note("artifact.other_model", name=MANIFEST))
    _identify(model, files)
    return model


def digest_of(model: Model) -> str:
    """Identity of a model: the digest of its folder, saved or not; worked out once.

    Examples
    --------
    >>> from responder_model.model.example import example_model
    >>> len(digest_of(example_model()))
    64
    """
    check_model(model)
    if model.digest is None:
        _identify(model, model_files(model))
    return str(model.digest)


def _identify(model: Model, files: Mapping[str, bytes]) -> None:
    """Tell a model its digest, unless it knows it."""
    if model.digest is None:
        object.__setattr__(model, "digest", check_manifest(files).digest)


def release_model(model: Model) -> None:
    """Let a model leave its centre, or say why it must not.

    Raises
    ------
    DisclosureError
        For a model that gives patients away, alone or beside one that has left: one
        that ``stays_here``, an update by a few patients, or one that shares patients
        with a released model that it does not update.
    """
    from responder_model.disclosure.release import release

    release(
        decision=model.decision,
        digest=digest_of(model),
        columns=(
            *(column.name for column in model.encoder.columns),
            *(f"centre: {level.name}" for level in model.centres),
        ),
        disclosure=model.disclosure,
        fingerprints=model.fingerprints,
    )


def sign_model(folder: str | os.PathLike[str], private_key: bytes) -> str:
    """Sign a model folder, as one that may leave; return the public key, hexadecimal.

    Parameters
    ----------
    folder : path
        A folder that ``save_model`` wrote; ``signature.json`` is added or replaced.
    private_key : bytes
        32 bytes of an Ed25519 private key.

    Raises
    ------
    UntrustedModelError
        For a folder that is not intact.
    DisclosureError
        For a model that must stay in its centre (``release_model``).
    ResponderModelError
        For a key of another length, a folder that cannot be written, or without the
        ``signing`` extra.

    Examples
    --------
    >>> import tempfile
    >>> import responder_model as rm
    >>> secret = bytes(32)  # of an example only: anybody knows it
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     folder = save_model(model, Path(parent) / "model")
    ...     public = sign_model(folder, secret)
    ...     len(public)
    64
    """
    model = load_model(folder)
    check_private_key(private_key)
    release_model(model)
    return write_signature(folder, private_key)


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """Return what a model folder says it is, once every byte is checked.

    Raises
    ------
    UntrustedModelError
        As ``load_model``, for a folder that is not intact.
    """
    return check_manifest(read_folder(Path(folder)))


def _model_from(files: Mapping[str, bytes]) -> Model:
    """Model from the files of a folder, each part checked."""
    table = read_dictionary(files["dictionary.toml"])
    document = parse_json(files["model.json"], "model.json")
    evidence = parse_json(files["evidence.json"], "evidence.json")
    trees = files.get("trees.json")
    model = read_document(
        document,
        table=table,
        evidence=partial(read_evidence, evidence),
        trees=trees,
        performance=parse_json(files["performance.json"], "performance.json"),
    )
    check_meaning(model.encoder)
    if trees is not None:
        check_trees(trees, model.encoder)
    return model
