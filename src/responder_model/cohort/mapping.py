"""How a centre's file is to be read: answers to what it leaves open, as a TOML file.

Layout; each entry may be left out::

    sheet = "2024"                    # of a workbook
    long = ["session", "relief"]      # a line for each visit: its number, and what
    data_dictionary = "redcap.csv"    # of the REDCap project: what its codes mean
    missing_codes = [-99, "inc"]      # in every column but identifiers and texts
    [columns]                         # heading = field, "" for none
    [units]                           # field = unit of its numbers: "years", "fraction"
    [signs]                           # field = "reversed" or "as written"
    [blanks]                          # yes/no field = "no" or "missing"
    [kept]                            # field = codes that are values here
    [values.FIELD]                    # what stands there = value, "" for missing
    [rules.rtms_responder]            # at = 50, inclusive = true: relief >= 50 is "yes"
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from responder_model.errors import ResponderModelError, toml_fault
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import (
    INVALID,
    as_word,
    factor,
    normalise,
    read_value,
    show,
    unit_named,
)
from responder_model.words import Note

Code = float | str
SIGNS = ("as written", "reversed")
BLANKS = ("no", "missing")
_NAMES, _LISTS = {"sheet", "data_dictionary"}, {"missing_codes", "long"}
# A mapping is a page; a larger file is something else.
LARGEST = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Rule:
    """From which relief a centre called a patient a responder."""

    at: float
    inclusive: bool


@dataclass(frozen=True, kw_only=True)
class CohortMap:
    """Answers to what a file leaves open; see the head of this module for the file."""

    sheet: str | None = None
    long: tuple[str, str] | None = None
    data_dictionary: str | None = None
    missing_codes: tuple[Code, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    signs: Mapping[str, str] = field(default_factory=dict)
    blanks: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, tuple[Code, ...]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """What is stated, as a model keeps it: no word of a cell, no unread heading.

        Of words it has how many mean each value, of missing codes that are words how
        many there are, of a data dictionary its file's name.

        Examples
        --------
        >>> how = CohortMap(columns={"EN": "pain_intensity", "Dr A": ""})
        >>> how.record
        {'columns': {'EN': 'pain_intensity'}}
        >>> CohortMap(values={"sex": {"1": "male", "M": "male"}}).record
        {'values': {'sex': {'male': 2}}}
        """
        codes = [code for code in self.missing_codes if not isinstance(code, str)]
        words = Path(self.data_dictionary).name if self.data_dictionary else None
        kept = {
            "sheet": self.sheet,
            "long": list(self.long or ()),
            "data_dictionary": words,
            "missing_codes": codes,
            "missing_words": len(self.missing_codes) - len(codes),
            "columns": {k: name for k, name in self.columns.items() if name},
            "units": dict(self.units),
            "signs": dict(self.signs),
            "blanks": dict(self.blanks),
            "kept": {
                name: [c for c in codes if not isinstance(c, str)]
                for name, codes in self.kept.items()
            },
            "values": {
                name: dict(Counter(map(str, stated.values())))
                for name, stated in self.values.items()
            },
            "rules": {name: asdict(rule) for name, rule in self.rules.items()},
        }
        return {name: value for name, value in kept.items() if value}

    @property
    def of_file(self) -> dict[str, Any]:
        """What concerns the file itself, as ``open_file`` takes it."""
        names = ("sheet", "long", "data_dictionary")
        return {name: getattr(self, name) for name in names} | {"fields": self.field_of}

    def unit_of(self, name: str) -> str | None:
        """Unit of a field's numbers where it is stated, as ``factor`` takes it."""
        return unit_named(self.units[name]) if name in self.units else None

    def is_code(self, name: str, number: float) -> bool:
        """Whether a number was declared as missing, and the field does not keep it."""
        codes = [c for c in self.missing_codes if isinstance(c, int | float)]
        return number in codes and number not in self.kept.get(name, ())

    def knows_code(self, name: str, number: float) -> bool:
        """Whether it is stated what a usual missing code means in a field."""
        return self.is_code(name, number) or number in self.kept.get(name, ())

    def replaced(self, row: Field, cell: Any) -> Any:
        """Cell as the mapping reads it: None for missing, a value, or as it stands."""
        if isinstance(cell, bool) or row.kind == "text":
            return cell
        # a labelled code is named by its label, or as a problem quotes both
        known = self._words.get(row.name, {})
        words = [
            as_word(str(part).strip()) for part in (cell, getattr(cell, "label", cell))
        ]
        for word in words:
            meant = known.get(_number(word), known.get(word, _NOT_STATED))
            if meant is not _NOT_STATED:
                return None if meant == "" else meant
        code = getattr(cell, "code", cell)
        return None if any(self._is_missing(row, code, w) for w in words) else cell

    def _is_missing(self, row: Field, cell: Any, word: str) -> bool:
        if word in self._missing_words:
            return True
        number = cell if isinstance(cell, int | float) else _number(str(cell))
        return number is not None and self.is_code(row.name, number)

    def codes_met(self, cells: Iterable[Any]) -> set[Code]:
        """Missing codes that stand in cells."""
        numbers, words = set(), set()
        for cell in cells:
            code = getattr(cell, "code", cell)
            numbers.add(_number(str(code)))
            words.add(as_word(str(getattr(cell, "label", cell)).strip()))
        return {
            code
            for code in self.missing_codes
            if (as_word(code) in words if isinstance(code, str) else code in numbers)
        }

    @cached_property
    def _words(self) -> dict[str, dict[str | float | None, Any]]:
        """What is meant, by field and then by word; a number is known by its value."""
        words: dict[str, dict[str | float | None, Any]] = {}
        for name, stated in self.values.items():
            known = words[name] = {}
            for text, value in stated.items():
                word = as_word(text.strip())
                known[word] = value
                if (number := _number(word)) is not None:
                    known[number] = value
        return words

    @cached_property
    def _missing_words(self) -> frozenset[str]:
        return frozenset(as_word(c) for c in self.missing_codes if isinstance(c, str))

    @cached_property
    def field_of(self) -> dict[str, str]:
        """Field by the normal form of a heading; "" for none."""
        return {normalise(heading): name for heading, name in self.columns.items()}


NOTHING = CohortMap()


def summary_of(record: Mapping[str, Any]) -> str:
    """A record of a mapping in one line, for a note.

    Examples
    --------
    >>> how = CohortMap(units={"pain_duration": "years"}, missing_codes=(-99,))
    >>> summary_of(how.record)
    'units.pain_duration = years; missing_codes = -99'
    """
    named = [
        f"{table}.{name} = {value}"
        for table in ("units", "signs", "blanks")
        for name, value in record.get(table, {}).items()
    ]
    rules = [
        f"rules.{name} {'>=' if rule['inclusive'] else '>'} {rule['at']:g}"
        for name, rule in record.get("rules", {}).items()
    ]
    codes = ", ".join(f"{code:g}" for code in record.get("missing_codes", ()))
    coded = [f"missing_codes = {codes}"] if codes else []
    kept = [f"kept.{name}" for name in record.get("kept", ())]
    counts = [
        f"values.{name}: {sum(words.values())}"
        for name, words in record.get("values", {}).items()
    ]
    tables = ("missing_words", "columns", "sheet", "long", "data_dictionary")
    others = [name for name in tables if name in record]
    return "; ".join([*named, *rules, *coded, *kept, *counts, *others])


# No value, missing or not, is stated.
_NOT_STATED = object()


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def codes_in(text: str) -> tuple[Code, ...]:
    """Missing codes of one text, separated by commas or blanks: "-99, inc".

    Examples
    --------
    >>> codes_in("-99, 999 inc")
    (-99.0, 999.0, 'inc')
    """
    parts = text.replace(",", " ").replace(";", " ").split()
    return tuple(part if _number(part) is None else float(part) for part in parts)


# ---------------------------------------------------------------- the file


def read_map(path: str | PathLike[str]) -> CohortMap:
    """Read a mapping file.

    Raises
    ------
    ResponderModelError
        For a file that is no mapping: every entry that cannot be used is named.
    """
    try:
        data = Path(path).read_bytes()[: LARGEST + 1]
        if len(data) > LARGEST:
            raise ValueError
        table = tomllib.loads(data.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ResponderModelError(Note("map.no_file", why=toml_fault(error))) from None
    return map_from(table)


def map_from(table: Mapping[str, Any]) -> CohortMap:
    """Make a mapping of plain data, every entry checked.

    Raises
    ------
    ResponderModelError
        Naming every entry that cannot be used.

    Examples
    --------
    >>> how = map_from({"units": {"pain_duration": "years"}, "missing_codes": [-99]})
    >>> how.unit_of("pain_duration"), how.missing_codes
    ('year', (-99,))
    """
    wrong = tuple(_wrong_entries(table))
    if wrong:
        raise ResponderModelError(Note("map.wrong", entries=wrong))
    rules = {name: Rule(**rule) for name, rule in table.get("rules", {}).items()}
    kept = {name: tuple(codes) for name, codes in table.get("kept", {}).items()}
    lists = {name: tuple(table[name]) for name in _LISTS if name in table}
    made = {"rules": rules, "kept": kept, **lists}
    return CohortMap(**{**table, **made})


def _wrong_entries(table: Mapping[str, Any]) -> Iterable[Note]:
    known = set(CohortMap.__dataclass_fields__)
    for name in table:
        if name not in known:
            yield Note("map.unknown", entry=show(name))
    if not _are_codes(table.get("missing_codes", [])):
        yield _wrong("missing_codes", Note("map.codes"))
    for name in _NAMES:
        if not isinstance(table.get(name, ""), str):
            yield _wrong(name, Note("map.name"))
    long = table.get("long", ["", ""])
    if not isinstance(long, list) or [type(name) for name in long] != [str, str]:
        yield _wrong("long", Note("map.two_headings"))
    for name in known - _LISTS - _NAMES:
        rows = table.get(name, {})
        if not isinstance(rows, Mapping):
            yield _wrong(name, Note("map.table"))
        elif name == "columns":
            yield from _wrong_columns(rows)
        else:
            yield from _wrong_fields(name, rows)


def _wrong(entry: str, rule: Note) -> Note:
    return Note("map.entry", entry=entry, rule=rule)


def _are_codes(codes: Any) -> bool:
    return isinstance(codes, list | tuple) and all(
        isinstance(code, int | float | str) and not isinstance(code, bool)
        for code in codes
    )


def _wrong_columns(rows: Mapping[str, Any]) -> Iterable[Note]:
    for heading, name in rows.items():
        if name != "" and name not in dictionary().fields:
            yield _wrong(f"columns.{show(heading)}", Note("map.field_or_none"))


def _wrong_fields(table: str, rows: Mapping[str, Any]) -> Iterable[Note]:
    for name, entry in rows.items():
        row = dictionary().fields.get(name)
        rule = Note("map.field") if row is None else _rule_of(table, row, entry)
        if rule:
            yield _wrong(f"{table}.{show(name)}", rule)


def _rule_of(table: str, row: Field, entry: Any) -> Note | None:
    """What an entry must be, None where it is."""
    if table == "units":
        unit = unit_named(entry) if isinstance(entry, str) else None
        fits = unit is not None and factor(row, unit) is not None
        return None if fits else Note("map.unit")
    if table == "signs":
        fits = entry in SIGNS and _is_relief(row)
        return None if fits else Note("map.sign", allowed=SIGNS)
    if table == "blanks":
        fits = entry in BLANKS and row.kind == "boolean"
        return None if fits else Note("map.blank", allowed=BLANKS)
    if table == "kept":
        return None if _are_codes(entry) else Note("map.numbers")
    if table == "rules":
        return None if _is_rule(row, entry) else Note("map.rule")
    return None if _are_values(row, entry) else Note("map.values")


def _is_relief(row: Field) -> bool:
    return row.minimum is not None and row.maximum == -row.minimum


def _is_rule(row: Field, entry: Any) -> bool:
    outcomes = [d.binary_outcome for d in dictionary().decisions.values()]
    return (
        row.name in outcomes
        and isinstance(entry, Mapping)
        and set(entry) == {"at", "inclusive"}
        and isinstance(entry["at"], int | float)
        and isinstance(entry["inclusive"], bool)
    )


def _are_values(row: Field, entry: Any) -> bool:
    return isinstance(entry, Mapping) and all(
        read_value(row, value) is not INVALID for value in entry.values()
    )
