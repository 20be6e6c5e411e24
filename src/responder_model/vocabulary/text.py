"""Text as it is compared: without case, accents and marks, whole or in words."""

from __future__ import annotations

import json
import re
import unicodedata

_NOT_WORD = re.compile(r"[^0-9a-z]+")
_BETWEEN_WORDS = re.compile("[ _'’-]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
# "d'étude", "l'âge"; the "s" of "patient's"; the French preposition.
_NOT_SAID = re.compile(r"\b(?:[dlnsjmtc]|qu)['’]|['’]s\b|\bà\b")
_CAMEL = re.compile(r"(?<=[a-zà-ÿ]{2})(?=[A-ZÀ-Þ])")
_ORDINAL = re.compile(r"(?<=\d)\s?(?:ere|er|re|eme|e|nde|nd|st|rd|th)\b")
_WORD = re.compile(r"[^\W_]+")
_WORD_OR_NUMBER = re.compile(r"[^\W\d_]+|\d+")


def normalise(text: str) -> str:
    """Lower case without accents, every other run of characters one underscore.

    Examples
    --------
    >>> normalise(" Siège de la Douleur ")
    'siege_de_la_douleur'
    """
    return _NOT_WORD.sub("_", without_accents(text)).strip("_")


def without_accents(text: str) -> str:
    """Fold case, accents and ligatures; a letter that has none of them stays."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return "".join(c for c in letters if not unicodedata.combining(c))


def as_word(text: str) -> str:
    """Fold a word whose punctuation counts: "-1" is not "1", "AVC ?" is not "AVC"."""
    return _BETWEEN_WORDS.sub("_", without_accents(text))


def words_of(text: str, *, split_numbers: bool = False) -> list[str]:
    """Words of a text in order, without elided articles and without marks.

    With ``split_numbers`` a number is a word of its own, and so is what begins with a
    capital inside a word: as headings run words together.

    Examples
    --------
    >>> words_of("Lésion de l'avant-bras, L5")
    ['lesion', 'de', 'avant', 'bras', 'l5']
    >>> words_of("reliefTest PR1", split_numbers=True)
    ['relief', 'test', 'pr', '1']
    """
    text = unicodedata.normalize("NFC", text)
    if split_numbers:
        text = _CAMEL.sub(" ", text)
    text = without_accents(_NOT_SAID.sub(" ", text.casefold()))
    if not split_numbers:
        return _WORD.findall(text)
    return _WORD_OR_NUMBER.findall(_ORDINAL.sub(" ", text))


def show(value: object) -> str:
    r"""Write a value as a problem quotes it: on one line and not too long.

    Examples
    --------
    >>> show(True), show(["a", None]), show("P-7\n")
    ('true', '["a", null]', 'P-7')
    """
    text = " ".join(_as_typed(value).split())[:61]
    text = "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text
    )
    return text if len(text) <= 60 else text[:59] + "…"


def _as_typed(value: object) -> str:
    """Text of a value; as JSON has it, where Python would write it otherwise."""
    if value is None or isinstance(value, bool | list | tuple | dict):
        try:
            return json.dumps(value, ensure_ascii=False, default=as_text)
        except (TypeError, ValueError, RecursionError):
            return as_text(value)
    return as_text(value)


def as_text(value: object) -> str:
    """Text of any object; its type where it has none."""
    try:
        return str(value)
    # whatever an object raises instead of its text, it is still to be refused
    except Exception:
        return type(value).__name__


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would calculate a text; a number with a sign is none.

    Examples
    --------
    >>> is_formula("=1+1"), is_formula("-A1"), is_formula("-4,5"), is_formula("P-1")
    (True, True, False, False)
    """
    return re.match(r"[=@+\t\r]|-(?![0-9.,]*$)", text) is not None
