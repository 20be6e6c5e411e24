"""How a server answers inside a hospital's systems."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from responder_model.errors import ResponderModelError
from responder_model.interchange.code_file import shipped_codes
from responder_model.interchange.codes import CodeBook
from responder_model.interchange.found import RESULT_DAYS
from responder_model.words import LANGUAGES, Note

if TYPE_CHECKING:
    from .callers import Caller

# Scheme, host and path, without what could stand for a patient.
_ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


@dataclass(frozen=True, kw_only=True)
class Hospital:
    """How a server answers inside a hospital's systems.

    Parameters
    ----------
    public_url : str
        Address by which it is reached.
    codes : CodeBook
        What codes of the record mean.
    result_days : int
        Age in days of the oldest result that is taken.
    lang : {"en", "fr"}
        Language of who asks for none.
    callers : tuple of Caller or None
        Records that may call CDS Hooks; None: whoever is on this machine.
    callers_file : Path or None
        Where they were read, and are read again with the models; None: they stay.
    state : Path or None
        Where it remembers tokens that were used and feedback; None: until it stops.

    Raises
    ------
    ResponderModelError
        For an address that is none.
    """

    public_url: str
    codes: CodeBook = field(default_factory=shipped_codes)
    result_days: int = RESULT_DAYS
    lang: str = LANGUAGES[0]
    callers: tuple[Caller, ...] | None = None
    callers_file: Path | None = None
    state: Path | None = None

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.public_url):
            raise ResponderModelError(Note("serving.public_url", url=self.public_url))

    @property
    def address(self) -> str:
        """Address by which it is reached, without a last slash."""
        return self.public_url.removesuffix("/")

    @property
    def canonical(self) -> str:
        """Address of the server's own definitions."""
        return f"{self.address}/fhir"
