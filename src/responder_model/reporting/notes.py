"""What was logged in English, in the language of the report.

Notes, notices and reasons are logged as English sentences: that is what a model folder
holds. ``words/notes.toml`` says how each is written, with gaps for what it names; a
sentence is found there again, and said with the same names in another language.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from responder_model.labels import label_of
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
    >>> note_in("3 rows are identical to an earlier one", "fr")
    '< 10 lignes sont identiques à une ligne précédente'
    >>> note_in("Recorded for nobody, so that the prior stands: dn4, sex.", "fr")
    "Recueillis chez personne, l'a priori reste donc tel quel : Score DN4, Sexe."
    >>> note_in("Something new.", "fr")
    'Something new. (en anglais)'
    """
    if isinstance(note, Note):
        return note.text(lang, hide_below=SMALL_CELL)
    return reason_in(_SMALL_COUNT.sub(f"< {SMALL_CELL}", note), lang)


def reason_in(reason: str, lang: str) -> str:
    """Why something has no value, in a language; its counts are totals and stay."""
    said = _said("notes", reason, lang)
    return f"{reason} {STAYS[lang]}" if said is None else said


def name_in(name: str, lang: str) -> str:
    """Name of a model or cohort; only one that the software gave has a translation.

    Examples
    --------
    >>> name_in("published evidence, updated with centre A", "fr")
    'données publiées, mis à jour avec centre A'
    """
    said = _said("names", name, lang)
    return name if said is None else said


def _said(kind: str, text: str, lang: str) -> str | None:
    """Text of a kind in a language; None where it is not known."""
    if lang == LOGGED:
        return text
    for pattern, words in _known(kind):
        found = pattern.fullmatch(text)
        if found is not None:
            named = found.groupdict().items()
            return words[lang].format(**{gap: _gap(gap, t, lang) for gap, t in named})
    return None


@cache
def _known(kind: str) -> tuple[tuple[re.Pattern[str], dict[str, str]], ...]:
    """How each sentence is found again, and its words in every language."""
    return tuple(
        (re.compile(_GAP.sub(r"(?P<\1>.+?)", re.escape(words[LOGGED]))), words)
        for words in read_texts("notes")[kind]
    )


def _gap(gap: str, text: str, lang: str) -> str:
    """What a sentence names, in a language."""
    named: dict[str, Callable[[str], str]] = {
        "field": lambda name: label_of(name, lang),
        "fields": lambda names: ", ".join(label_of(n, lang) for n in names.split(", ")),
        "reason": lambda reason: reason_in(reason, lang),
        "model": lambda name: name_in(name, lang),
        "cohort": lambda name: name_in(name, lang),
    }
    return named.get(gap.removeprefix("other_"), str)(text)
