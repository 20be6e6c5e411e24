"""Identifiers that name a person: names, dates, numbers of national registers."""

from __future__ import annotations

import re
from collections.abc import Collection

from responder_model.words import Note

PSEUDONYM = Note("patient.pseudonym")
# Patterns are compiled when first used: a prediction needs none of them.
# Fewest words of letters alone, and their share, from which a column holds names.
FEWEST_NAMES, SHARE_NAMES = 3, 0.5
_DATE = (
    r"(?<!\d)(?:[0-3]?\d/[01]?\d/\d{2}|[0-3]?\d[/.-][01]?\d[/.-](?:19|20)\d{2}"
    r"|(?:19|20)\d{2}[/.-][01]?\d[/.-][0-3]?\d)(?!\d)"
)
_MONTH = (
    r"(?:jan(?:v|vier|uary)?|f[eé]vr?(?:ier)?|feb(?:ruary)?|mars?|march|avr(?:il)?"
    r"|apr(?:il)?|mai|may|juin|june?|juil(?:let)?|july?|ao[uû]t|aug(?:ust)?"
    r"|sept?(?:emb(?:re|er))?|oct(?:ob(?:re|er))?|nov(?:emb(?:re|er))?"
    r"|d[eé]c(?:emb(?:re|er))?)"
)
_YEAR = r"(?:19|20)\d{2}(?!\d)"
# "12 mars 1950", "12MAR1950", "March 12, 1950"
_WORDED = (
    rf"(?i)(?<!\d)[0-3]?\d(?:er|st|nd|rd|th)?[ ./-]*{_MONTH}[ ./-]*{_YEAR}"
    rf"|\b{_MONTH}[ .]+[0-3]?\d(?:st|nd|rd|th)?,? +{_YEAR}"
)
# 13 digits, or 15 with their key; Corsica has a letter.
_NUMBER = r"(?i)\d{13}|\d{15}|[12]\d{4}2[ab]\d{6}(?:\d{2})?"
_TITLE = (
    r"(?i)\s*(?:m|mr|mme|mlle|mrs|ms|miss|dr|pr|monsieur|madame|mademoiselle)\.?\s+"
    r"[^\W\d]{2}"
)
_LETTERS = r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*"
_NAME = r"[^\W\d_]+(?:[ ,'’-]+[^\W\d_]+)*"
_NO_NAMES = {"patient", "patiente", "sujet", "subject", "participant", "case", "cas"}


def names_person(text: str) -> bool:
    """Whether an identifier is a name, a date or the number of a person.

    Examples
    --------
    >>> names_person("Mme Exemple"), names_person("EXEMPLE Anne"), names_person("P-014")
    (True, True, False)
    >>> names_person("1 99 99 99 999 999 99"), names_person("A 01/02/1960")
    (True, True)
    >>> names_person("12 mars 1950"), names_person("12MAR1950"), names_person("MAR-50")
    (True, True, False)
    """
    digits = re.sub(r"[ .-]", "", text)
    if re.fullmatch(_NUMBER, digits) or re.search(f"{_WORDED}|{_DATE}", text):
        return True
    if re.match(_TITLE, text):
        return True
    words = re.split(r"[ ,]+", text.strip())
    return (
        len(words) > 1
        and all(re.fullmatch(_LETTERS, word) and word[0].isupper() for word in words)
        and not any(word.casefold() in _NO_NAMES for word in words)
    )


def are_births(texts: Collection[str]) -> bool:
    """Whether identifiers are all dates of birth written in eight digits.

    Examples
    --------
    >>> are_births(["12031960", "01111955", "30061948"]), are_births(["00120345"] * 3)
    (True, False)
    """
    return len(texts) >= FEWEST_NAMES and all(map(_is_birth, texts))


def _is_birth(text: str) -> bool:
    day, month = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])"
    year = r"(?:19\d\d|200\d)"
    return re.fullmatch(f"{day}{month}{year}|{year}{month}{day}", text) is not None


def are_names(texts: Collection[str]) -> bool:
    """Whether most identifiers of a column are words of letters alone.

    Examples
    --------
    >>> are_names(["Exemple", "Modèle", "Essai"]), are_names(["a", "b", "P3"])
    (True, False)
    """
    names = sum(len(t) > 3 and re.fullmatch(_NAME, t) is not None for t in texts)
    return names >= FEWEST_NAMES and names > SHARE_NAMES * len(texts)
