"""What codes of other systems mean in the data dictionary, and what is asked.

Nothing else in the package names a code. Layout of ``data/codes.toml``, and of a
hospital's own file, which takes the place of the lists that it names::

    format_version = 1
    [signed]        name, date            (who stands for the table; blank: nobody yet)
    [systems]       NAME = {uris = [...], form = "icd" or "plain"}
    [sources]       NAME = "where a code was read"
    [[categories]]  field, name, codes    (a diagnosis means a category of a field)
    [[fields]]      name, codes, units, note (a result is a number of a field)
    [[asked]]       field, why, beside, codes (recognised and asked, never mapped)

A code is ``{system, code, match, source}``; ``match`` is "exact", or "prefix" for all
codes that begin with it. The longest match counts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from responder_model.artifact.strict_json import canonical_json
from responder_model.words import Note, gaps_of, read_words

Form = Literal["icd", "plain"]
Match = Literal["exact", "prefix"]
# ``beside`` of a code that names no cause.
ANY = "any"
# Letter, two signs, and what follows the dot; the marks of the WHO's double coding.
_ICD = re.compile(r"([A-Z][0-9][0-9A-Z])(?:\.?([0-9A-Z]{1,4}))?[*†+]?")


@dataclass(frozen=True, kw_only=True)
class System:
    """A code system: its addresses, and how its codes are compared."""

    name: str
    uris: tuple[str, ...]
    form: Form


@dataclass(frozen=True, kw_only=True)
class Code:
    """One code as the table has it, and where it was read."""

    system: str
    code: str
    match: Match
    source: str


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a code means: a field, and the category where it has some.

    ``note`` names the sentence that must be said with a value of it.
    """

    field: str
    code: Code
    category: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Unspecific:
    """A code that is recognised and asked: it means no category of its field.

    ``beside`` are categories that may stand beside it without a question.
    """

    field: str
    code: Code
    why: str
    beside: tuple[str, ...] = ()

    @property
    def question(self) -> Note:
        """What is asked."""
        return Note(f"interchange.{self.why}", field=self.field)

    def allows(self, category: str) -> bool:
        """Whether a category may stand beside it."""
        return ANY in self.beside or category in self.beside


@dataclass(frozen=True, kw_only=True)
class CodeBook:
    """All codes that are known, those that are mapped and those that are asked.

    Parameters
    ----------
    systems : mapping
        System by its name.
    known : tuple of Meaning or Unspecific
    units : mapping
        Units that a result may have, by field.
    signed : mapping
        ``name`` and ``date`` of who stands for the table; blank where nobody does yet.
    sources : mapping
        Where codes were read, by the name that a code has.
    """

    systems: Mapping[str, System]
    known: tuple[Meaning | Unspecific, ...]
    units: Mapping[str, tuple[str, ...]]
    signed: Mapping[str, str]
    sources: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def mapping_version(self) -> str:
        """Digest of all that decides what a code means."""
        entries = {
            "systems": {s.name: [s.form, *s.uris] for s in self.systems.values()},
            "known": sorted(_entry(row) for row in self.known),
            "units": {name: list(units) for name, units in self.units.items()},
        }
        return f"sha256:{hashlib.sha256(canonical_json(entries)).hexdigest()}"

    @property
    def is_signed(self) -> bool:
        """Whether a clinician stands for the table."""
        return bool(self.signed.get("name") and self.signed.get("date"))

    @cached_property
    def _by_uri(self) -> dict[str, System]:
        return {plain_uri(u): s for s in self.systems.values() for u in s.uris}

    def system_of(self, uri: str) -> System | None:
        """System of an address, with or without its last slash."""
        return self._by_uri.get(plain_uri(uri))

    def find(self, uri: str, code: str) -> Meaning | Unspecific | None:
        """What a code means: a meaning, a question, or nothing that is known.

        Examples
        --------
        >>> from responder_model.interchange.code_file import shipped_codes
        >>> book = shipped_codes()
        >>> book.find("http://hl7.org/fhir/sid/icd-10/", "I693").category
        'ischaemic_stroke'
        >>> book.find("http://hl7.org/fhir/sid/icd-10", "I64").why
        'kind_of_stroke'
        """
        system = self.system_of(uri)
        given = None if system is None else plain_code(code, system.form)
        if system is None or given is None:
            return None
        rows = self._compared[system.name]
        found = rows.get(given)
        shorter = (given[:size] for size in range(len(given) - 1, 0, -1))
        if found is None and system.form == "icd":
            begun = (rows[own] for own in shorter if own in rows)
            found = next((row for row in begun if row.code.match == "prefix"), None)
        return found

    @cached_property
    def _compared(self) -> dict[str, dict[str, Meaning | Unspecific]]:
        """Codes of each system as they are compared; a table has each once."""
        found: dict[str, dict[str, Meaning | Unspecific]] = {
            n: {} for n in self.systems
        }
        for row in self.known:
            own = plain_code(row.code.code, self.systems[row.code.system].form)
            found[row.code.system][str(own)] = row
        return found


def plain_uri(uri: str) -> str:
    """Address of a system without its last slash.

    Examples
    --------
    >>> plain_uri("http://loinc.org/")
    'http://loinc.org'
    """
    return uri.removesuffix("/")


def plain_code(code: str, form: Form) -> str | None:
    """Code as it is compared; None for what is no code of this form.

    Examples
    --------
    >>> plain_code("I69.3", "icd"), plain_code("G53.0*", "icd"), plain_code("I6", "icd")
    ('I693', 'G530', None)
    """
    if form == "plain":
        return code or None
    found = _ICD.fullmatch(code.upper())
    return None if found is None else found[1] + (found[2] or "")


def covers(own: str, match: Match, given: str) -> bool:
    """Whether a code of the table stands for a given one, both as compared.

    Examples
    --------
    >>> covers("G35", "prefix", "G35A"), covers("G35", "exact", "G35A")
    (True, False)
    """
    return given == own or (match == "prefix" and given.startswith(own))


def is_said_of_field(key: Any) -> bool:
    """Whether a text names a sentence that can be said of a field and nothing more.

    Examples
    --------
    >>> is_said_of_field("pain_now"), is_said_of_field("stale"), is_said_of_field("x")
    (True, False, False)
    """
    known = isinstance(key, str) and key in read_words("interchange")
    return known and set(gaps_of(f"interchange.{key}")) <= {"field"}


def _entry(row: Meaning | Unspecific) -> list[Any]:
    code = row.code
    said = [row.field, code.system, code.code, code.match, code.source]
    if isinstance(row, Unspecific):
        return [*said, "asked", row.why, *row.beside]
    return [*said, "means", row.category or "", row.note or ""]
