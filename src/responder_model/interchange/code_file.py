"""Read a table of codes, and refuse it with all that is wrong at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Any

from responder_model.errors import ResponderModelError
from responder_model.frozen import FrozenDict, freeze
from responder_model.schema import dictionary
from responder_model.words import Note
from .codes import (
    ANY,
    Code,
    CodeBook,
    Meaning,
    System,
    Unspecific,
    covers,
    is_said_of_field,
    plain_code,
    plain_uri,
)

FORMAT_VERSION = 1
# Tables of the file, and the keys of a row of each; optional ones in the second set.
_ROWS = {
    "categories": ({"field", "name", "codes"}, set[str]()),
    "fields": ({"name", "codes", "units"}, {"note"}),
    "asked": ({"field", "why", "beside", "codes"}, set[str]()),
}
_TABLES = {"format_version", "signed", "systems", "sources", *_ROWS}
_CODE = {"system", "code", "match", "source"}
Table = Mapping[str, Any]


@cache
def shipped_codes() -> CodeBook:
    """Codes of the package.

    Examples
    --------
    >>> shipped_codes().is_signed
    False
    """
    path = files("responder_model") / "data" / "codes.toml"
    return _book(_checked(_parsed(path.read_bytes(), "codes.toml"), "codes.toml"))


def read_codes(path: Path) -> CodeBook:
    """Codes of the package, with the lists that a hospital's file names in their place.

    Codes that the package asks about stay: a file may add to them.

    Raises
    ------
    ResponderModelError
        For a file that is no such table, with all that is wrong in it.
    OSError
        For a file that cannot be read.
    """
    name = path.name
    own = _parsed(path.read_bytes(), name)
    shipped = _parsed(
        (files("responder_model") / "data" / "codes.toml").read_bytes(), name
    )
    problems = list(_shape_problems(own))
    if problems:
        raise _refusal(name, problems)
    return _book(_checked(_merged(shipped, own), name))


def _merged(shipped: Table, own: Table) -> dict[str, Any]:
    """Lists of the package, those that the hospital names replaced."""
    merged: dict[str, Any] = {
        "signed": own.get("signed", {"name": "", "date": ""}),
        "systems": {**shipped["systems"], **own.get("systems", {})},
        "sources": {**shipped["sources"], **own.get("sources", {})},
        "asked": [*shipped["asked"], *own.get("asked", ())],
        "format_version": own["format_version"],
    }
    for table, keys in {"categories": ("field", "name"), "fields": ("name",)}.items():
        rows = own.get(table, ())
        named = {tuple(row[key] for key in keys) for row in rows}
        kept = (r for r in shipped[table] if tuple(r[k] for k in keys) not in named)
        merged[table] = [*kept, *rows]
    return merged


def _parsed(data: bytes, name: str) -> Table:
    try:
        table: Table = freeze(tomllib.loads(data.decode("utf-8")))
    except ValueError as error:
        raise ResponderModelError(Note("interchange.no_toml", name=name)) from error
    return table


def _checked(table: Table, name: str) -> Table:
    problems = list(_shape_problems(table))
    if not problems:
        problems = [*_name_problems(table), *_code_problems(table)]
    if not problems:
        problems = list(_clashes(_book(table)))
    if problems:
        raise _refusal(name, problems)
    return table


def _refusal(name: str, problems: list[Note]) -> ResponderModelError:
    said = Note("interchange.codes_refused", name=name, problems=tuple(problems))
    return ResponderModelError(said)


def _shape_problems(table: Table) -> Iterator[Note]:
    """What is no table, key or text of the layout."""
    if table.get("format_version") != FORMAT_VERSION:
        yield Note("interchange.format_version", n=FORMAT_VERSION)
    for key in sorted(table.keys() - _TABLES):
        yield Note("interchange.unknown_table", key=key, known=tuple(sorted(_TABLES)))
    for name in ("signed", "sources"):
        texts = table.get(name, {})
        if not isinstance(texts, Mapping) or not _are_texts(list(texts.values())):
            yield Note("interchange.of_texts", at=name)
    yield from _system_problems(table.get("systems", {}))
    for name, (needed, optional) in _ROWS.items():
        rows = table.get(name, ())
        if not isinstance(rows, list | tuple):
            yield Note("interchange.of_rows", at=name)
            continue
        for number, row in enumerate(rows, start=1):
            yield from _row_problems(row, f"{name}[{number}]", needed, optional)


def _system_problems(systems: Any) -> Iterator[Note]:
    if not isinstance(systems, Mapping):
        yield Note("interchange.of_rows", at="systems")
    for name, row in _mapping(systems).items():
        if not _is_system(row):
            yield Note("interchange.system_row", at=f"systems.{name}")


def _row_problems(
    row: Any, at: str, needed: set[str], optional: set[str]
) -> Iterator[Note]:
    keys = set(_mapping(row))
    lists = [row[key] for key in ("units", "beside") if key in keys]
    texts = [row[key] for key in ("field", "name", "why", "note") if key in keys]
    if not needed <= keys <= needed | optional:
        yield Note("interchange.row_keys", at=at, keys=tuple(sorted(needed | optional)))
    elif not all(_are_texts(found) for found in (*lists, texts)):
        yield Note("interchange.of_texts", at=at)
    else:
        codes = row["codes"] if isinstance(row["codes"], list | tuple) else (None,)
        for number, code in enumerate(codes, start=1):
            filled = set(_mapping(code)) == _CODE and _are_texts(list(code.values()))
            if not filled or not all(text.strip() for text in code.values()):
                where = f"{at}.codes[{number}]"
                yield Note("interchange.code_keys", at=where, keys=tuple(sorted(_CODE)))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)


def _is_system(row: Any) -> bool:
    keys = set(_mapping(row)) == {"uris", "form"}
    return keys and _are_texts(row["uris"]) and row["form"] in ("icd", "plain")


def _name_problems(table: Table) -> Iterator[Note]:
    """What the dictionary does not know."""
    known = dictionary().fields
    for row in (*table["categories"], *table["asked"]):
        target = known.get(row["field"])
        names = () if target is None else target.category_names
        if target is None or target.role != "predictor" or not names:
            yield Note("interchange.no_categories", name=row["field"])
            continue
        given = {row["name"]} if "name" in row else set(row["beside"]) - {ANY}
        for name in sorted(given - set(names)):
            yield Note("interchange.no_category", name=name, field=row["field"])
    for row in table["fields"]:
        target = known.get(row["name"])
        if target is None or target.role != "predictor" or target.kind != "number":
            yield Note("interchange.no_number", name=row["name"])
        if "note" in row and not is_said_of_field(row["note"]):
            yield Note("interchange.no_sentence", name=row["note"])
    for row in table["asked"]:
        if not is_said_of_field(row["why"]):
            yield Note("interchange.no_sentence", name=row["why"])


def _code_problems(table: Table) -> Iterator[Note]:
    """Codes that are none of their system, and sources that are not told."""
    uris: dict[str, str] = {}
    for name, row in table["systems"].items():
        for uri in map(plain_uri, row["uris"]):
            if uris.setdefault(uri, name) != name:
                yield Note("interchange.uri_twice", uri=uri)
    rows = [code for name in _ROWS for row in table[name] for code in row["codes"]]
    for code in rows:
        at = f"{code['system']} {code['code']}"
        system = table["systems"].get(code["system"])
        if system is None:
            yield Note("interchange.no_system", at=at, known=tuple(table["systems"]))
            continue
        if plain_code(code["code"], system["form"]) is None:
            yield Note("interchange.no_code", at=at)
        if code["match"] not in ("exact", "prefix"):
            yield Note("interchange.no_match", at=at)
        elif code["match"] == "prefix" and system["form"] != "icd":
            yield Note("interchange.no_prefix", at=at)
        if code["source"] not in table["sources"]:
            yield Note("interchange.no_source", at=at)


def _clashes(book: CodeBook) -> Iterator[Note]:
    """Codes with two meanings, and mapped codes that must be asked."""
    for one, other in combinations(book.known, 2):
        if one.code.system != other.code.system:
            continue
        form = book.systems[one.code.system].form
        first, second = (str(plain_code(r.code.code, form)) for r in (one, other))
        at = f"{other.code.system} {other.code.code}"
        if first == second:
            yield Note("interchange.code_twice", at=at)
        elif _is_mapped_below(one, first, other, second) or _is_mapped_below(
            other, second, one, first
        ):
            yield Note("interchange.must_be_asked", at=at)


def _is_mapped_below(
    asked: Meaning | Unspecific, own: str, row: Meaning | Unspecific, given: str
) -> bool:
    """Whether a code is mapped although a shorter one of it is asked."""
    is_pair = isinstance(asked, Unspecific) and isinstance(row, Meaning)
    return is_pair and covers(own, asked.code.match, given)


def _book(table: Table) -> CodeBook:
    systems = {
        name: System(name=name, uris=tuple(row["uris"]), form=row["form"])
        for name, row in table["systems"].items()
    }
    known: list[Meaning | Unspecific] = []
    for row in table["categories"]:
        field, category = row["field"], row["name"]
        for code in row["codes"]:
            meaning = Meaning(field=field, code=Code(**code), category=category)
            known.append(meaning)
    for row in table["fields"]:
        field, note = row["name"], row.get("note")
        known += [Meaning(field=field, code=Code(**c), note=note) for c in row["codes"]]
    for row in table["asked"]:
        parts = {"field": row["field"], "why": row["why"]}
        beside = tuple(row["beside"])
        known += [
            Unspecific(code=Code(**c), beside=beside, **parts) for c in row["codes"]
        ]
    return CodeBook(
        systems=FrozenDict(systems),
        known=tuple(known),
        units=FrozenDict({r["name"]: tuple(r["units"]) for r in table["fields"]}),
        signed=FrozenDict(table["signed"]),
        sources=FrozenDict(table["sources"]),
    )
