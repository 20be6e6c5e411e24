"""Whether what was given as a model is one."""

from __future__ import annotations

from responder_model.errors import DevelopmentError
from responder_model.words import Note
from .fitted import Model


def check_model(model: object, key: str = "no_model") -> None:
    """Refuse what is no model, as a folder's name, before it is asked anything."""
    if not isinstance(model, Model):
        raise DevelopmentError(Note(f"refusal.{key}", got=type(model).__name__))
