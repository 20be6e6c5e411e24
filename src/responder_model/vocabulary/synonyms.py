"""What else people write: phrases of ``data/synonyms.toml``, read when first needed.

Layout of the file::

    [units], [short_units]     unit = phrases; short ones behind a number only
    [missing], [yes_no], [relief]   words of any field, and of a scale of relief
    [headings]                 filler, optional: words without weight; never, other
    [headings.same]            name = phrases that mean one thing
    [headings.fields], .maybe  field = sets of names; a|b is either, (a) may be absent
    [categories], .same        filler, and what may stand beside a category
    [categories.fields.FIELD]  filler, beside, imports, same
    ... .words, .next_to      category = phrases or sets of names
    [[answers]]                fields, yes, no, asked: words of some yes/no fields
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

from .text import words_of

# Likeness from which a word is taken for a slip of the pen (difflib's ratio).
LIKENESS = 0.82

Names = frozenset[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Phrases:
    """Phrases by their words, each with the name of what it means.

    Parameters
    ----------
    names : mapping
        Name by the words of a phrase.
    filler : frozenset of str
        Words without weight.
    split_numbers : bool
        How a text is cut into words (``words_of``).
    """

    names: Mapping[tuple[str, ...], str]
    filler: Names
    split_numbers: bool

    def read(self, text: str) -> tuple[list[str], list[str]]:
        """Names of the phrases in a text, longest first, and the words left over."""
        words = self.weighty(words_of(text, split_numbers=self.split_numbers))
        longest = max(map(len, self.names), default=0)
        found, unknown, place = [], [], 0
        while place < len(words):
            for end in range(min(place + longest, len(words)), place, -1):
                name = self.names.get(tuple(words[place:end]))
                if name is not None:
                    found.append(name)
                    place = end
                    break
            else:
                unknown.append(words[place])
                place += 1
        return found, unknown

    def weighty(self, words: Iterable[str]) -> list[str]:
        """Words without filler."""
        return [word for word in words if word not in self.filler]


def phrases(
    tables: Iterable[Mapping[str, Iterable[str]]],
    filler: Iterable[str],
    *,
    split_numbers: bool,
) -> Phrases:
    """Make phrases of tables of name = phrases; an earlier table goes first."""
    plain = Phrases(names={}, filler=frozenset(filler), split_numbers=split_numbers)
    names: dict[tuple[str, ...], str] = {}
    for table in tables:
        for name, texts in table.items():
            for text in texts:
                words = words_of(text, split_numbers=split_numbers)
                names.setdefault(tuple(plain.weighty(words)), name)
    names.pop((), None)
    return Phrases(names=names, filler=plain.filler, split_numbers=split_numbers)


def sets_of(pattern: str, known: Phrases, names: Iterable[str]) -> Iterator[Names]:
    """Sets of names that a pattern of ``synonyms.toml`` allows.

    Examples
    --------
    >>> known = phrases([{"relief": ["soulagement"]}], [], split_numbers=True)
    >>> [sorted(names) for names in sets_of("relief (after) 1", known, ["relief"])]
    [['1', 'relief'], ['1', 'after', 'relief']]
    """
    named = set(names)
    choices: list[list[list[str]]] = []
    for part in pattern.split():
        optional = part.startswith("(")
        either = [
            [word] if word in named else sum(known.read(word), [])
            for word in part.strip("()").split("|")
        ]
        choices.append([[], *either] if optional else either)
    for chosen in product(*choices):
        yield frozenset(name for part in chosen for name in part)


@cache
def synonyms() -> dict[str, Any]:
    """Return ``data/synonyms.toml``; for reading only."""
    path = files("responder_model") / "data" / "synonyms.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
