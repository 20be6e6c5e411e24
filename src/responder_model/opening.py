"""Open a model by what a person calls it: a published one, a folder, an alias."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from responder_model.artifact import load_model, trusted_keys
from responder_model.development.published import published_model
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.model import Model
from responder_model.schema import parse_target
from responder_model.vocabulary import show
from responder_model.words import Note


def open_model(
    name: str,
    *,
    exclude_evidence: Sequence[str] = (),
    rate: tuple[int, int] | None = None,
) -> Model:
    """Load the model of a folder, else build the published-evidence model of that name.

    Parameters
    ----------
    name : str
        A folder, or ``decision@moment``. A folder must be signed where
        ``RESPONDER_MODEL_TRUSTED_KEYS`` names keys.
    exclude_evidence, rate : optional
        As ``published_model``, for a model that is named; a folder is as it is.

    Raises
    ------
    UntrustedModelError
        For a folder that is no intact model, and a name that is neither.

    Examples
    --------
    >>> open_model("emcs_success@implantation").provenance
    'published'
    """
    if is_folder(name):
        return load_model(Path(name), trusted_keys=trusted_keys())
    try:
        decision, moment = parse_target(name)
    except ResponderModelError as error:
        said = Note("model.no_folder", error=error.said, name=show(name))
        raise UntrustedModelError(said) from error
    excluded = tuple(exclude_evidence)
    return published_model(decision, moment, exclude_evidence=excluded, local_rate=rate)


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
