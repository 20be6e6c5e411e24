"""Optional Ed25519 signatures of model folders.

A signature says who released a model; the digests alone say only that it is intact.
Needs the ``signing`` extra (``cryptography``); a folder with a signature loads without
it unless trusted keys are asked for.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import hexdigits
from typing import Any

from responder_model.errors import (
    ResponderModelError,
    UntrustedModelError,
    system_reason,
)
from responder_model.words import Note
from .folder import MANIFEST, SIGNATURE, read_folder
from .keys import cryptography
from .manifest import check_manifest, sha256
from .node import Node
from .strict_json import canonical_json, parse_json

_KEYS = ("algorithm", "public_key", "signature", "digest")
_ALGORITHM = "ed25519"
_KEY_BYTES = 32


def new_signing_key() -> tuple[bytes, bytes]:
    """Return a new private key and its public key, 32 bytes each; keep the first."""
    private = cryptography()[1].Ed25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


def write_signature(folder: str | os.PathLike[str], private_key: bytes) -> str:
    """Sign a model folder and return the public key; see ``artifact.sign_model``."""
    path = Path(folder).resolve()
    files = read_folder(path)
    check_manifest(files)
    private = check_private_key(private_key)
    content = {
        "algorithm": _ALGORITHM,
        "public_key": private.public_key().public_bytes_raw().hex(),
        "signature": private.sign(files[MANIFEST]).hex(),
    }
    digest = sha256(canonical_json(content))
    _replace(path / SIGNATURE, canonical_json({**content, "digest": digest}))
    return str(content["public_key"])


def _replace(path: Path, data: bytes) -> None:
    """Write a file in one step, never half; the draft stands outside the folder."""
    draft: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(
            prefix=f".{path.parent.name}.", suffix=".partial", dir=path.parent.parent
        )
        draft = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)
        draft.replace(path)
    except OSError as error:
        if draft is not None:
            draft.unlink(missing_ok=True)
        said = Note("artifact.both_writable", reason=system_reason(error))
        raise ResponderModelError(said) from error


def check_signature(
    files: Mapping[str, bytes], trusted_keys: Iterable[bytes | str] | None
) -> None:
    """Refuse a damaged signature, and any but a trusted one when keys are given.

    Raises
    ------
    UntrustedModelError
        For a damaged, wrong or untrusted signature, or none where one is asked for.
    """
    trusted = None if trusted_keys is None else _hexadecimal_keys(trusted_keys)
    if SIGNATURE not in files:
        if trusted is not None:
            raise UntrustedModelError(Note("artifact.no_signature"))
        return
    data = files[SIGNATURE]
    node = Node.of(parse_json(data, SIGNATURE), SIGNATURE, _KEYS)
    if node.text("algorithm") != _ALGORITHM:
        node.refuse(Note("artifact.signature", algorithm=_ALGORITHM))
    content = {key: node.text(key) for key in _KEYS if key != "digest"}
    digest = sha256(canonical_json(content))
    if canonical_json({**content, "digest": digest}) != data:
        node.refuse(Note("artifact.digest_differs"))
    if trusted is None:
        return
    if content["public_key"] not in trusted:
        node.refuse(Note("artifact.other_key"))
    _verify(node, content, files[MANIFEST])


def _verify(node: Node, content: Mapping[str, str], manifest: bytes) -> None:
    _, module = cryptography()
    from cryptography.exceptions import InvalidSignature

    try:
        public = module.Ed25519PublicKey.from_public_bytes(
            bytes.fromhex(content["public_key"])
        )
        public.verify(bytes.fromhex(content["signature"]), manifest)
    except (InvalidSignature, ValueError):
        node.refuse(Note("artifact.other_content"))


def verify_model(
    folder: str | os.PathLike[str], trusted_keys: Iterable[bytes | str]
) -> str:
    """Return the digest of a folder that is intact and signed by a trusted key.

    Raises
    ------
    UntrustedModelError
        Otherwise.
    ResponderModelError
        For keys that are none.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import responder_model as rm
    >>> secret = bytes(32)  # of an example only: anybody knows it
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     folder = rm.save_model(model, Path(parent) / "model")
    ...     public = rm.sign_model(folder, secret)
    ...     verify_model(folder, [public]) == model.digest
    True
    """
    if trusted_keys is None:
        raise ResponderModelError(Note("artifact.no_keys"))
    files = read_folder(Path(folder))
    manifest = check_manifest(files)
    check_signature(files, trusted_keys)
    return manifest.digest


def _hexadecimal_keys(keys: Iterable[bytes | str]) -> set[str]:
    """Trusted keys in hexadecimal; a key that stands alone counts as a list of one."""
    if isinstance(keys, bytes | str):
        keys = [keys]
    if not isinstance(keys, Iterable):
        raise ResponderModelError(Note("artifact.keys_list", got=type(keys).__name__))
    return {_hexadecimal(key) for key in keys}


def _hexadecimal(key: bytes | str) -> str:
    if not isinstance(key, bytes | str):
        raise ResponderModelError(Note("artifact.key_kind", got=type(key).__name__))
    text = key.hex() if isinstance(key, bytes) else key.strip().lower()
    if len(text) != 2 * _KEY_BYTES:
        raise ResponderModelError(Note("artifact.key_length", n=_KEY_BYTES))
    if not set(text) <= set(hexdigits):
        raise ResponderModelError(Note("artifact.key_hex"))
    return text


def check_private_key(key: bytes) -> Any:
    """Private key of ``cryptography``; refuses one of another length."""
    if not isinstance(key, bytes) or len(key) != _KEY_BYTES:
        raise ResponderModelError(Note("artifact.private_length", n=_KEY_BYTES))
    return cryptography()[1].Ed25519PrivateKey.from_private_bytes(key)
