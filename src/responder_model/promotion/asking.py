"""What a person asks of a registry: which model is meant, and for what reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from responder_model.artifact import read_manifest
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.tracking import is_reference, read_reference
from responder_model.tracking.reference import registry_name
from responder_model.tracking.registry import (
    Version,
    find_version,
    registered,
    registered_names,
)
from responder_model.vocabulary import show
from responder_model.words import Note

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Longest reason that the log keeps, characters.
LONGEST_REASON = 1000
_HEX = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})")


def check_reason(reason: str) -> None:
    """Refuse no reason, and one that the log does not keep.

    Raises
    ------
    ResponderModelError
        Says how long it may be.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON:
        said = Note("promotion.reason", most=LONGEST_REASON, got=len(reason.strip()))
        raise ResponderModelError(said)


def name_of(text: str) -> str:
    """Name in the registry of what a person calls a question and moment.

    Examples
    --------
    >>> name_of("rtms_response@screening"), name_of("models:/rtms_response.screening/1")
    ('rtms_response.screening', 'rtms_response.screening')
    """
    if is_reference(text):
        return read_reference(text).name
    return registry_name(text)


def version_of(client: MlflowClient, text: str) -> Version:
    """Return the registered version of a reference, a folder or a digest.

    Raises
    ------
    UntrustedModelError
        For what is not registered, and a digest that begins two.
    """
    if is_reference(text):
        return find_version(client, read_reference(text))
    digest = read_manifest(text).digest if Path(text).is_dir() else _digest(text)
    names = registered_names(client)
    versions = [
        version
        for held in (registered(client, name) for name in names)
        for version in (() if held is None else held.versions)
        if version.digest.startswith(digest)
    ]
    if len(versions) == 1:
        return versions[0]
    code = "two_digests" if versions else "not_registered"
    raise UntrustedModelError(Note(f"promotion.{code}", got=show(text)))


def _digest(text: str) -> str:
    found = _HEX.fullmatch(text)
    if found is None:
        raise UntrustedModelError(Note("promotion.which", got=show(text)))
    return found[1]
