"""The languages in which the package speaks."""

from __future__ import annotations

from responder_model.errors import ResponderModelError
from responder_model.words import LANGUAGES, Note
from .text import show


def check_language(lang: str) -> str:
    """Return a known language, or raise."""
    if not isinstance(lang, str) or lang not in LANGUAGES:
        note = Note("patient.language", languages=LANGUAGES, found=show(lang))
        raise ResponderModelError(note)
    return lang
