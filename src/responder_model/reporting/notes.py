"""What was logged in English, in the language of the report.

Reasons why a measure has no value are logged as English sentences. ``words/notes.toml``
says how each is written, with gaps for what it names; a sentence is found there again,
and said with the same names in another language.
"""

from __future__ import annotations

import re
from functools import cache

from responder_model.reporting.suppression import SMALL_CELL
from responder_model.reporting.texts import read_texts
from responder_model.words import Note

LOGGED = "en"
# Said after a sentence that is not known in the report's language.
STAYS = {"fr": "(en anglais)"}
# A count of 1 to 9 patients or rows.
_SMALL_COUNT = re.compile(r"\b[1-9](?= (?:patients|rows)\b)")
_GAP = re.compile(r"\\\{([a-z_]+)\\\}")


def note_in(note: Note | str, lang: str) -> str:
    """Logged sentence in a language, counts of a few patients hidden.

    One that is not known in the language stays English and says so.

    Examples
    --------
    >>> note_in(Note("cohort.identical_rows", n=3), "fr")
    '< 10 lignes sont identiques à une ligne précédente'
    >>> note_in("Something new.", "fr")
    'Something new. (en anglais)'
    """
    if isinstance(note, Note):
        return note.text(lang, hide_below=SMALL_CELL)
    return reason_in(_SMALL_COUNT.sub(f"< {SMALL_CELL}", note), lang)


def reason_in(reason: Note | str, lang: str) -> str:
    """Why something has no value, in a language; its counts are totals and stay."""
    if isinstance(reason, Note):
        return reason.text(lang)
    said = _said(reason, lang)
    return f"{reason} {STAYS[lang]}" if said is None else said


def _said(text: str, lang: str) -> str | None:
    """Text in a language; None where it is not known."""
    if lang == LOGGED:
        return text
    for pattern, words in _known():
        found = pattern.fullmatch(text)
        if found is not None:
            return words[lang].format(**found.groupdict())
    return None


@cache
def _known() -> tuple[tuple[re.Pattern[str], dict[str, str]], ...]:
    """How each sentence is found again, and its words in every language."""
    return tuple(
        (re.compile(_GAP.sub(r"(?P<\1>.+?)", re.escape(words[LOGGED]))), words)
        for words in read_texts("notes")["notes"]
    )
