"""Exports of REDCap and Castor EDC: events, check boxes, codes of missing values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from responder_model.vocabulary import CASTOR_MARK, find_field, normalise
from responder_model.words import Note
from .data_dictionary import BOX, Declared, with_words
from .table import Source, Table, is_blank, unreadable
from .variables import source_of_columns
from .visits import joined, whole

_EVENTS = frozenset(
    {"redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"}
)
_LABELS = frozenset({"Complete?", "Repeat Instrument", "Repeat Instance"})
_STATUS = "_complete"
# What Castor EDC writes beside its own columns, and for values that are missing.
_CASTOR = (
    frozenset({"participant_id", "record_id"}),
    frozenset(
        {
            "site_abbreviation",
            "institute_abbreviation",
            "randomization_group",
            "participant_creation_date",
        }
    ),
)
_CASTOR_CODES = ("-95", "-96", "-97", "-98", "-99")
# What REDCap's manual proposes for values that are missing (null flavours of HL7).
_NULL = frozenset(
    [
        "NI",
        "INV",
        "UNK",
        "NASK",
        "ASKU",
        "NAV",
        "MSK",
        "NA",
        "NAVU",
        "NP",
        "QS",
        "QI",
        "TRC",
        "UNC",
        "DER",
        "PINF",
        "NINF",
        "OTH",
    ]
)


def is_redcap(header: Sequence[str]) -> bool:
    """Whether headings are those of a raw export of REDCap."""
    names = set(header)
    boxes = any(map(BOX.fullmatch, header))
    forms = any(name.endswith(_STATUS) for name in header)
    return bool(_EVENTS & names) or (forms and (boxes or "record_id" in names))


def is_castor(header: Sequence[str]) -> bool:
    """Whether headings are those of an export of Castor EDC."""
    names = set(map(normalise, header))
    return all(names & some for some in _CASTOR)


def refuse_labels(header: Sequence[str]) -> None:
    """Refuse REDCap's export of labels, known by headings that REDCap alone writes.

    Raises
    ------
    InvalidCohortError
        With the way out: the raw export.
    """
    if not _LABELS.isdisjoint(header) or any("(choice=" in name for name in header):
        raise unreadable(Note("formats.redcap_labels"), Note("formats.raw_data"))


def by_record(source: Source, declared: Mapping[str, Declared]) -> Source:
    """One line per record of REDCap's lines by event and form.

    ``declared`` is what the project's data dictionary says of its variables.
    """
    lines, header = whole(source), source.header
    columns, told = _without_unopened(header, lines)
    own = [k for k, name in enumerate(header) if name not in _EVENTS]
    names, cells = with_words(
        [_box_name(header, header[k]) for k in own],
        [columns[k] for k in own],
        declared,
    )
    cells = [_without_null(*column) for column in zip(names, cells, strict=True)]
    if len(own) < len(header):
        told.append(Note("formats.events_joined"))
        return joined(names, cells, lines, 0, notices=(*source.notices, *told))
    series = [pd.Series(column, dtype=object) for column in cells]
    return source_of_columns(names, series, lines, notices=(*source.notices, *told))


def _without_unopened(
    header: Sequence[str], lines: Table
) -> tuple[list[list[Any]], list[Note]]:
    """Columns in which an unchecked box of a form that nobody opened is missing."""
    columns = [lines.cells[k].tolist() for k in range(len(header))]
    start, n_incomplete = 1, 0
    for place, name in enumerate(header):
        if not name.endswith(_STATUS):
            continue
        form = [k for k in range(start, place) if header[k] not in _EVENTS]
        boxes = [k for k in form if BOX.fullmatch(header[k])]
        for row, status in enumerate(columns[place]):
            filled = [k for k in form if not _is_empty(header[k], columns[k][row])]
            is_open = bool(filled) or _text(status) not in ("", "0")
            n_incomplete += is_open and _text(status) != "2"
            for box in [] if is_open else boxes:
                columns[box][row] = None
        start = place + 1
    told = [Note("formats.incomplete", n=n_incomplete)] if n_incomplete else []
    return columns, told


def _without_null(name: str, cells: list[Any]) -> list[Any]:
    """Cells of a number or a yes/no without codes that can be no value of it."""
    field = find_field(name)
    if field is None or field.kind not in ("number", "boolean"):
        return cells
    return [None if _text(cell) in _NULL else cell for cell in cells]


def _is_empty(name: str, cell: Any) -> bool:
    return is_blank(cell) or (bool(BOX.fullmatch(name)) and _text(cell) == "0")


def _text(cell: Any) -> str:
    return "" if is_blank(cell) else str(cell).strip().removesuffix(".0")


def _box_name(header: Sequence[str], name: str) -> str:
    """Heading of a check box: that of its field, where it is the field's only one."""
    box = BOX.fullmatch(name)
    if not box:
        return name
    same = [other for other in header if other.startswith(f"{box[1]}___")]
    field = find_field(box[1])
    alone = len(same) == 1 and field is not None and field.kind == "boolean"
    return box[1] if alone else name


def without_castor_codes(source: Source) -> Source:
    """Cells without the codes of missing values that Castor EDC has for all studies."""
    lines = whole(source)
    notices, columns = list(source.notices), []
    for place, name in enumerate(source.header):
        codes: Counter[str] = Counter()
        cells = [_known(cell, codes) for cell in lines.cells[place]]
        columns.append(pd.Series(cells, dtype=object))
        if codes and find_field(name):
            why = tuple(
                Note(f"formats.castor{code}", n=n) for code, n in sorted(codes.items())
            )
            notices.append(
                Note("formats.castor_codes", n=codes.total(), heading=name, why=why)
            )
    return source_of_columns(source.header, columns, lines, notices=notices)


def _known(cell: Any, codes: Counter[str]) -> Any:
    mark = CASTOR_MARK.fullmatch(_text(cell))
    code = f"-{mark[1]}" if mark else _text(cell)
    if code not in _CASTOR_CODES:
        return cell
    codes[code] += 1
    return None
