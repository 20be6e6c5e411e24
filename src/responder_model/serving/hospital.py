"""How a server answers inside a hospital's systems."""

from __future__ import annotations

from dataclasses import dataclass, field

from responder_model.interchange.code_file import shipped_codes
from responder_model.interchange.codes import CodeBook
from responder_model.interchange.found import RESULT_DAYS


@dataclass(frozen=True, kw_only=True)
class Hospital:
    """How a server answers inside a hospital's systems.

    Parameters
    ----------
    public_url : str
        Address by which it is reached, without a last slash.
    codes : CodeBook
        What codes of the record mean.
    result_days : int
        Age in days of the oldest result that is taken.
    """

    public_url: str
    codes: CodeBook = field(default_factory=shipped_codes)
    result_days: int = RESULT_DAYS

    @property
    def canonical(self) -> str:
        """Address of the server's own definitions."""
        return f"{self.public_url.removesuffix('/')}/fhir"
