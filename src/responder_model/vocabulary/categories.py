"""Words of a category: which one a cell names, and what else may be meant."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from responder_model.schema import Dictionary, Field, dictionary
from .synonyms import LIKENESS, Names, Phrases, phrases, sets_of, synonyms
from .text import normalise

# More categories than these at once are no suggestion.
MOST_LIKELY = 3
# Shortest beginning of a word that stands for it: "isch."
_SHORTEST = 3
_IN_DOUBT = re.compile("[?<>≤≥~≈±]")
_SHORTENED = re.compile(r"\w+(?=\.)")
_SPINE = re.compile(r"[cdtls]\d{1,2}")
_LOW_SPINE = re.compile(r"l[2-5]|s[1-5]")


@dataclass(frozen=True, kw_only=True)
class Named:
    """Categories that a text names, or may mean.

    Parameters
    ----------
    names : tuple of str
        Categories, in dictionary order.
    is_sure : bool
        One category is named and every word understood.
    is_contradiction : bool
        More than one is named.
    """

    names: tuple[str, ...]
    is_sure: bool = False
    is_contradiction: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class _Words:
    """What names the categories of a field."""

    known: Phrases
    sets: tuple[tuple[Names, str], ...]  # names that are enough, and their category
    beside: Mapping[str, Names]  # category -> what may stand next to it


def named_categories(field: Field, text: str) -> Named:
    """Return which category a text names, and which it may mean.

    Examples
    --------
    >>> aetiology = dictionary().fields["aetiology"]
    >>> named_categories(aetiology, "AVC isch. sylvien G").names
    ('ischaemic_stroke',)
    >>> named_categories(aetiology, "AVC").names
    ('ischaemic_stroke', 'haemorrhagic_stroke')
    >>> named_categories(aetiology, "SEP + zona").is_contradiction
    True
    """
    words = _words(dictionary(), field)
    if words is None:
        return Named(names=())
    found, unknown = words.known.read(_lengthened(text, words.known))
    levels = [word for word in unknown if _SPINE.fullmatch(word)]
    unknown = [word for word in unknown if word not in levels]
    found += _meaning_of_levels(field, levels, found)
    named = _named(words, frozenset(found))
    in_doubt = bool(unknown) or _IN_DOUBT.search(text) is not None
    if len(named) > 1:
        return Named(names=_ordered(field, named), is_contradiction=True)
    if len(named) == 1 and not in_doubt and _is_alone(words, found, named):
        return Named(names=tuple(named), is_sure=True)
    return Named(names=_likely(field, words, found, unknown, named))


def _named(words: _Words, found: Names) -> dict[str, Names]:
    """Categories named, each by its largest set; a part of another's set is not one."""
    named: dict[str, Names] = {}
    for names, category in words.sets:
        if names <= found and len(names) > len(named.get(category, ())):
            named[category] = names
    return {
        category: names
        for category, names in named.items()
        if not any(names < others for others in named.values())
    }


def _is_alone(words: _Words, found: list[str], named: Mapping[str, Names]) -> bool:
    ((category, names),) = named.items()
    return set(found) <= names | words.beside[category]


def _likely(
    field: Field,
    words: _Words,
    found: list[str],
    unknown: list[str],
    named: Mapping[str, Names],
) -> tuple[str, ...]:
    """Categories that a text may mean though it leaves a doubt."""
    if named:
        return tuple(named)
    slips = [_nearest(word, words.known) for word in unknown]
    said = {*found, *filter(None, slips)} - {"side", "level"}
    likely = {category for names, category in words.sets if names <= said}
    if not likely:
        likely = {category for names, category in words.sets if names & said}
    return _ordered(field, likely) if len(likely) <= MOST_LIKELY else ()


def _nearest(word: str, known: Phrases) -> str | None:
    single = [words[0] for words in known.names if len(words) == 1]
    nearest = get_close_matches(word, single, n=1, cutoff=LIKENESS)
    return known.names[(nearest[0],)] if nearest and len(word) > _SHORTEST else None


@cache
def lesion_sites() -> Mapping[str, Names]:
    """Where the lesion of each aetiology can lie.

    Examples
    --------
    >>> sorted(lesion_sites()["radiculopathy"])
    ['nerve_root']
    """
    path = files("responder_model") / "data" / "lesion_sites.toml"
    rows = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: frozenset(sites) for name, sites in rows.items()}


@lru_cache(maxsize=4096)
def named_site(text: str) -> str | None:
    """Site of the lesion that an aetiology's words name, None where they name none.

    Examples
    --------
    >>> named_site("AVC ischémique thalamique G"), named_site("AVC ischémique")
    ('thalamus', None)
    """
    field = dictionary().fields["aetiology"]
    if normalise(text) in _own_names(field):
        return None
    named = named_categories(field, text)
    words = _words(dictionary(), field)
    if words is None or not named.is_sure:
        return None
    found, _ = words.known.read(_lengthened(text, words.known))
    possible = lesion_sites()[named.names[0]]
    sites = possible.intersection(found)
    # where a cause has one site only, its words name the cause
    return next(iter(sites)) if len(sites) == 1 < len(possible) else None


@lru_cache(maxsize=64)
def _own_names(field: Field) -> Names:
    own = {c.name for c in field.categories}
    own |= {label for c in field.categories for label in c.label.values()}
    return frozenset(map(normalise, own))


def _ordered(field: Field, names: Any) -> tuple[str, ...]:
    return tuple(name for name in field.category_names if name in names)


def _lengthened(text: str, known: Phrases) -> str:
    """Text with "isch." written out, where only one thing begins so."""

    def whole(match: re.Match[str]) -> str:
        (word, *_) = known.read(match[0])[1] or [""]
        if len(word) < _SHORTEST:
            return match[0]
        longer = {
            name: words[0]
            for words, name in known.names.items()
            if len(words) == 1 and words[0].startswith(word)
        }
        return next(iter(longer.values())) if len(longer) == 1 else match[0]

    return _SHORTENED.sub(whole, text)


def _meaning_of_levels(field: Field, levels: list[str], found: list[str]) -> list[str]:
    """What "L5" says: a root where the cord has ended, where nothing else is named."""
    if not levels:
        return []
    low = all(_LOW_SPINE.fullmatch(level) for level in levels)
    alone = set(found) <= {"side"}
    return (
        ["nerve_root"] if field.name == "lesion_site" and low and alone else ["level"]
    )


@lru_cache(maxsize=64)
def _words(table: Dictionary, field: Field) -> _Words | None:
    rows = synonyms()["categories"]
    own = rows["fields"].get(field.name)
    if own is None:
        return None
    imported = {name: rows["fields"][name]["words"] for name in own.get("imports", ())}
    # where nothing means the same, a category is a row of phrases
    same = own.get("same", own["words"])
    tables = [same, rows["same"], *_without_shared(imported)]
    filler = {*rows["filler"], *own.get("filler", ())}
    known = phrases(tables, filler, split_numbers=False)
    if "same" not in own:
        sets = [(frozenset({name}), name) for name in same]
    else:
        sets = _sets(own["words"], known)
        alone = {name: [name] for names, _ in sets for name in names}
        known = phrases([*tables, alone], filler, split_numbers=False)
    return _Words(known=known, sets=tuple(sets), beside=_beside(table, field, own))


def _sets(rows: Mapping[str, list[str]], known: Phrases) -> list[tuple[Names, str]]:
    """Sets of names that mean a category."""
    names = set(known.names.values())
    return [
        (found, category)
        for category, patterns in rows.items()
        for pattern in patterns
        for found in sets_of(pattern, known, names)
    ]


def _without_shared(imported: Mapping[str, Mapping[str, list[str]]]) -> list[Any]:
    """Words of other fields, without those that mean a thing in each."""
    seen = [word for rows in imported.values() for row in rows.values() for word in row]
    return [
        {name: [w for w in row if seen.count(w) == 1] for name, row in rows.items()}
        for rows in imported.values()
    ]


def _beside(
    table: Dictionary, field: Field, own: Mapping[str, Any]
) -> dict[str, Names]:
    anywhere = {*own.get("beside", ())}
    if "pain_site" in own.get("imports", ()):
        anywhere |= set(table.fields["pain_site"].category_names)
    return {
        name: frozenset(
            {
                *anywhere,
                *own.get("next_to", {}).get(name, ()),
                *(lesion_sites().get(name, ()) if field.name == "aetiology" else ()),
            }
        )
        for name in field.category_names
    }
