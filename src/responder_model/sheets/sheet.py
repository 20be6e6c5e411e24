"""What stands on a sheet, before it is set: words, tables and a picture."""

from __future__ import annotations

import datetime
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from responder_model.errors import ResponderModelError
from responder_model.tables import Table
from responder_model.words import Note, say

# Characters of what a person types to know the sheet by.
LONGEST_LABEL = 60


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One page in a language: no value of it depends on where or when it is printed.

    Parameters
    ----------
    lang : {"en", "fr"}
        Language of all words.
    title : str
        The question.
    label : str
        What a person typed to know the sheet by; empty, and nothing else names anybody.
    date : datetime.date
        Day that is printed.
    headline : str
        The answer in a sentence or two.
    picture : bytes
        PNG; readable in grey.
    picture_text : str
        The picture in words.
    lines : tuple of str
        What belongs to the answer.
    tables : tuple of Table
        What it is made of.
    notes : tuple of str
        What a reader must know.
    models : tuple of str
        Which models answered: name, what they rest on, digest.
    simulated : bool
        Whether simulated patients stand behind it.
    picture_height : float
        Height of the picture on paper, millimetres, at most.
    """

    lang: str
    title: str
    label: str
    date: datetime.date
    headline: str
    picture: bytes
    picture_text: str
    lines: tuple[str, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    models: tuple[str, ...]
    simulated: bool = False
    picture_height: float = 90.0

    @property
    def picture_pixels(self) -> tuple[int, int]:
        """Width and height, which a PNG tells behind its first mark."""
        wide, high = struct.unpack(">II", self.picture[16:24])
        return wide, high

    @property
    def day(self) -> str:
        """Date as a person of the language writes it."""
        month = say(f"sheet.month_{self.date.month}", self.lang)
        return f"{self.date.day} {month} {self.date.year}"

    @property
    def footer(self) -> str:
        """The research-use line, with a warning for simulated patients."""
        research = say("model.research_use", self.lang)
        if not self.simulated:
            return research
        return f"{say('model.simulated', self.lang)} {research}"


def check_label(label: str) -> str:
    """Return what a person typed to know a sheet by.

    Raises
    ------
    ResponderModelError
        For a label that is long, or holds what cannot be printed.
    """
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise ResponderModelError(Note("sheet.label_rule", longest=LONGEST_LABEL))
    return label.strip()


def describe_model(
    name: str, provenance: str, digest: str | None, lang: str, *, asked: str = ""
) -> str:
    """Line that says which model it is, by its whole digest, and what it was asked."""
    made_from = Note(f"cli.{provenance}")
    key = "model" if digest is None else "model_and_digest"
    which = {"name": name, "provenance": made_from, "digest": digest}
    return ". ".join(filter(None, (asked, say(f"sheet.{key}", lang, **which))))


def spoken(notes: Iterable[Note], lang: str) -> tuple[str, ...]:
    """Notes in words, each once, but for the line that stands below every sheet."""
    kept = (note for note in notes if note.code != "model.research_use")
    return tuple(dict.fromkeys(note.text(lang) for note in kept))
