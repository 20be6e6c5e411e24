"""Open a model by what a person calls it: published, a folder, or of a registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

from responder_model.artifact import load_model, trusted_keys
from responder_model.development.published import published_model
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.model import Model
from responder_model.schema import dictionary, parse_target
from responder_model.vocabulary import show
from responder_model.words import Note

__all__ = [
    "folder_of",
    "is_folder",
    "is_kept",
    "open_model",
]

# Beginning of the name of a model of a registry.
REGISTERED = "models:/"


def open_model(
    name: str,
    *,
    exclude_evidence: Sequence[str] = (),
    rate: tuple[int, int] | None = None,
    tracking_uri: str | None = None,
    announce: Callable[[Note], object] | None = None,
) -> Model:
    """Load a model that is kept, else build the published-evidence model of that name.

    Parameters
    ----------
    name : str
        A folder, ``models:/NAME/VERSION``, ``models:/NAME@ALIAS``, or
        ``decision@moment``. What is kept must be signed where
        ``RESPONDER_MODEL_TRUSTED_KEYS`` names keys.
    exclude_evidence, rate : optional
        As ``published_model``, for a model that is named; what is kept is as it is.
    tracking_uri : str, optional
        Store of the registry; by default as ``MLFLOW_TRACKING_URI`` says, else the
        store of the working directory.
    announce : callable, optional
        Is told what the reader should know, as that the store does not answer and a
        copy is used.

    Raises
    ------
    UntrustedModelError
        For a folder that is no intact model, a name that is not in the registry, and
        one that is neither.
    TrackingError
        If the store of the registry cannot be used and there is no copy of the model.

    Examples
    --------
    >>> open_model("emcs_success@implantation").provenance
    'published'
    """
    if is_kept(name):
        folder = folder_of(name, tracking_uri=tracking_uri, announce=announce)
        return load_model(folder, trusted_keys=trusted_keys())
    try:
        decision, moment = parse_target(name)
    except ResponderModelError as error:
        is_decision = name.partition("@")[0] in dictionary().decisions
        why = error.said if is_decision else _unknown(name)
        said = Note("model.no_folder", error=why, name=show(name))
        raise UntrustedModelError(said) from error
    excluded = tuple(exclude_evidence)
    return published_model(decision, moment, exclude_evidence=excluded, local_rate=rate)


def _unknown(name: str) -> Note:
    """Say that nothing is called so, and which names are near, else all of them."""
    typed, _, at = name.casefold().partition("@")
    near = get_close_matches(typed, dictionary().decisions, n=1)
    moments = [m for d, m in dictionary().targets() if d in near]
    chosen = get_close_matches(at, moments, n=1) or moments
    names = tuple(
        f"{decision}@{moment}"
        for decision, moment in dictionary().targets()
        if not near or (decision in near and moment in chosen)
    )
    code = "model.did_you_mean" if near else "model.known"
    return Note(code, names=names, name=show(name))


def is_kept(text: str) -> bool:
    """Whether a text names what is kept: a folder, or a model of a registry.

    Examples
    --------
    >>> is_kept("models:/rtms_response.screening/4"), is_kept("emcs_success")
    (True, False)
    """
    return text.startswith(REGISTERED) or is_folder(text)


def folder_of(
    name: str,
    *,
    tracking_uri: str | None = None,
    announce: Callable[[Note], object] | None = None,
) -> Path:
    """Return the folder of a model that is kept; one of a registry is fetched.

    Parameters and errors as ``open_model``.
    """
    if not name.startswith(REGISTERED):
        return Path(name)
    from responder_model.tracking import fetch

    found = fetch(name, tracking_uri=tracking_uri)
    for note in found.notes if announce is not None else ():
        announce(note)  # type: ignore[misc]
    return found.folder


def is_folder(text: str) -> bool:
    """Whether a text names a folder.

    Examples
    --------
    >>> is_folder("."), is_folder("")
    (True, False)
    """
    try:
        # no text is not the working directory
        return bool(text) and Path(text).is_dir()
    except OSError:  # a name that is too long
        return False
