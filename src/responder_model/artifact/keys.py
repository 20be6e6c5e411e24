"""Ed25519 keys as files: PEM, as ``openssl`` and ``cryptography`` write them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from responder_model.errors import MissingExtraError, ResponderModelError, system_reason
from responder_model.vocabulary import show
from responder_model.words import Note

# Files of public keys, of which one must have signed any model folder that a command
# loads; ``os.pathsep`` stands between them.
TRUSTED_KEYS = "RESPONDER_MODEL_TRUSTED_KEYS"
# Far more than a key needs.
_MAX_BYTES = 2**16


def read_private_key(path: str | os.PathLike[str]) -> bytes:
    """Return the 32 bytes of a private key.

    Parameters
    ----------
    path : path
        PEM without a password: ``openssl genpkey -algorithm ed25519 -out private.pem``.

    Raises
    ------
    ResponderModelError
        For a file that cannot be read or holds another thing, and without the
        ``signing`` extra.
    """
    data = _read(path)
    serialization, ed25519 = cryptography()
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except TypeError:
        said = Note("artifact.key_password", name=_named(path))
        raise ResponderModelError(said) from None
    except _refusals():
        key = None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ResponderModelError(Note("artifact.private_key", name=_named(path)))
    return bytes(key.private_bytes_raw())


def read_public_key(path: str | os.PathLike[str]) -> bytes:
    """Return the 32 bytes of a public key.

    Parameters
    ----------
    path : path
        PEM: ``openssl pkey -in private.pem -pubout -out public.pem``.

    Raises
    ------
    ResponderModelError
        As ``read_private_key``.
    """
    data = _read(path)
    serialization, ed25519 = cryptography()
    try:
        key = serialization.load_pem_public_key(data)
    except _refusals():
        key = None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise ResponderModelError(Note("artifact.public_key", name=_named(path)))
    return bytes(key.public_bytes_raw())


def trusted_keys() -> list[bytes] | None:
    """Public keys that ``RESPONDER_MODEL_TRUSTED_KEYS`` names; None when it is not set.

    Raises
    ------
    ResponderModelError
        When it is set and names none, or a file that is no public key.
    """
    text = os.environ.get(TRUSTED_KEYS)
    if text is None:
        return None
    paths = [path for path in text.split(os.pathsep) if path]
    if not paths:
        raise ResponderModelError(Note("artifact.keys_setting", name=TRUSTED_KEYS))
    return [read_public_key(path) for path in paths]


def cryptography() -> tuple[Any, Any]:
    """Return ``serialization`` and ``ed25519`` of the ``signing`` extra."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise MissingExtraError(library="cryptography", extra="signing") from None
    return serialization, ed25519


def _refusals() -> tuple[type[Exception], ...]:
    from cryptography.exceptions import UnsupportedAlgorithm

    return (ValueError, UnsupportedAlgorithm)


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(_MAX_BYTES)
    # ValueError: a name that no file can have
    except (OSError, ValueError) as error:
        reason = system_reason(error)
        said = Note("artifact.key_file", name=_named(path), reason=reason)
        raise ResponderModelError(said) from None


def _named(path: str | os.PathLike[str]) -> str:
    return show(os.fspath(path)) or "the key"
