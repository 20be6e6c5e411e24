"""Which of a model's centres a patient is of, however the centre is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responder_model.errors import ResponderModelError
from responder_model.vocabulary import INVALID, read_value
from responder_model.words import Note
from .parts import OTHER_CENTRES

if TYPE_CHECKING:
    from .fitted import Model


def position_of(model: Model, centre: object) -> int:
    """Position of a centre, told by name or code; -1 for any other one.

    It is read as a cell of a cohort is, so that 1 is the centre "1".
    """
    name = read_value(model.dictionary.fields["centre"], centre)
    if name is INVALID:
        raise ResponderModelError(Note("model.centre_name", got=type(centre).__name__))
    names = [level.name for level in model.centres]
    if name is None or name == OTHER_CENTRES or not names:
        return -1
    if name not in names and model.settings and model.settings.centres == "coded":
        from responder_model.disclosure import code_of

        name = code_of(str(name))
    return names.index(str(name)) if name in names else -1
